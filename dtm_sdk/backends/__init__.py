"""Where the state lives. Each backend keeps this protocol and knows nothing of the others."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol, TypeAlias, runtime_checkable

from msgspec import Struct

from dtm_sdk.errors import BackendOptionsError
from dtm_sdk.options import Json
from dtm_sdk.state import Begin, Entry, Record, State


class Holder(Struct, frozen=True):
    """Who holds the lock of a state.

    Attributes:
        pid: process id on that host.
        host: its name.
        user: the user's name.
        command: e.g. "apply".
        started: UTC, `2022-03-29T11:25:17Z`.
        id: names this holding of the lock; what `dtm state unlock` takes.
    """

    pid: int
    host: str
    user: str
    command: str
    started: str
    id: str


class Loaded(Struct, frozen=True):
    """What a backend holds.

    Attributes:
        state: the last commit with the journal's ended operations folded in.
        open: intents without an end, in the order they began: a run died in them, or is in them.
        key: the key of the fingerprints of secrets, 32 bytes; where nothing was written yet, one that is made up.
    """

    state: State
    open: tuple[Begin, ...]
    key: bytes


class Session(Protocol):
    """A state held by this run alone, from `Backend.lock` to the end of its `with`."""

    @property
    def loaded(self) -> Loaded:
        """What the backend held when it was locked; the key is always there."""

    def append(self, entries: Sequence[Entry]) -> None:
        """Add entries to the journal, all of them durable when this returns.

        Raises:
            StateError: they may not be durable; the session takes no more.
        """

    def commit(self, state: State, intents: Sequence[Begin] = ()) -> State:
        """Write the whole state, start the journal anew; returns it with its serial (one more) and lineage.

        Args:
            state: what is recorded now; its serial and lineage are not looked at.
            intents: those that are open still: they begin the new journal.

        Raises:
            StateError: the state on disk is the old one, and the journal still holds.
        """


class Backend(Protocol):
    """A place for one state."""

    def describe(self) -> str:
        """Where it is, for messages: a path, a URL without credentials."""

    def load(self) -> Loaded:
        """What is there now, without the lock; changes nothing, makes nothing.

        Raises:
            StateError: it can't be read or is not whole.
        """

    def lock(self, command: str, wait: float = 0) -> AbstractContextManager[Session]:
        """Hold the state; waits up to `wait` seconds for another holder.

        Raises:
            LockedError: another run holds it; it says who.
            StateError: it can't be read, or can't be written.
        """


Fit: TypeAlias = Callable[[Record, bytes], Record]
"""Makes a record fit to be written: secrets in it become fingerprints, by the key of these."""


def as_it_is(record: Record, key: bytes) -> Record:
    """A `Fit` that changes nothing."""
    return record


def fitted(state: State, fit: Fit, key: bytes, *, edited: bool = False) -> State:
    """A state whose records are fit to be written; those that dtm wrote are, unless a person may have `edited` them."""
    records = {
        name: fit(record, key) if edited or "state_version" not in record.meta else record
        for name, record in state.records.items()
    }
    return State(records, state.serial, state.lineage)


Check: TypeAlias = Callable[[Mapping[str, Record] | None, State], None]
"""Looks at what takes the place of what: the records now, None where they can't be told, and the state that comes.

It is called while the state is held and before anything is written; what it raises leaves all as it was.
"""


def unchecked(before: Mapping[str, Record] | None, after: State) -> None:
    """A `Check` that lets everything pass."""


class Version(NamedTuple):
    """A copy of an earlier writing of the state.

    Attributes:
        serial: which writing; 0 is what was there before the first.
        written: when, in seconds since 1970.
        size: in bytes.
    """

    serial: int
    written: float
    size: int


@runtime_checkable
class Accepting(Protocol):
    """A backend whose state people may edit."""

    def accept(self, wait: float = 0, check: Check = unchecked) -> State:
        """Take what is there as it is, edited, older or gone, for the next writing; returns what is the state now.

        Raises:
            LockedError: another run holds it.
            StateError: it can't be read, or can't be written.
        """


@runtime_checkable
class Historied(Protocol):
    """A backend that keeps copies of earlier writings."""

    def history(self) -> Sequence[Version]:
        """The copies, oldest first; that of the current writing included.

        Raises:
            StateError: they can't be listed.
        """

    def version(self, serial: int) -> State:
        """What a copy holds.

        Raises:
            StateError: there is no such copy, or it can't be read.
        """

    def restore(self, serial: int, wait: float = 0, check: Check = unchecked) -> State:
        """Make a copy the next writing; returns what is the state now. What has begun and not ended stays so.

        Raises:
            LockedError: another run holds it.
            StateError: there is no such copy, or it can't be read; or the state can't be written.
        """


@runtime_checkable
class Leased(Protocol):
    """A backend whose lock outlives a holder that dies, until its lease has run out."""

    def holder(self) -> Holder | None:
        """Who holds the lock; None where nobody does.

        Raises:
            StateError: it can't be told.
        """

    def unlock(self, id_: str) -> None:
        """End one holding of the lock; should its holder be alive, its next writing is refused.

        Raises:
            StateError: it isn't held, or the holding has another id.
        """


@runtime_checkable
class Leaving(Protocol):
    """A session whose lock would outlive this process."""

    def leave(self) -> None:
        """The process ends at once, whatever it is doing: let the lock run out soon, and write nothing more.

        May be called in a signal handler, and takes a moment at most.
        """


@runtime_checkable
class Keyed(Protocol):
    """A session that can be given the key of another state, whose records are to be copied here."""

    def take_key(self, key: bytes) -> None:
        """Make this the key of the fingerprints, durably; called before anything is recorded.

        Raises:
            StateError: it can't be written.
        """


def open_backend(name: str, options: Mapping[str, Json], fit: Fit = as_it_is) -> Backend:
    """The backend that a config names, as `config.state.backend` and `config.state.options`.

    What dtm didn't write, such as a state of the ancestor, holds secrets as they are: `fit` is for its records, so that
    neither they nor copies of them are shown or written so.

    Raises:
        StateError: there is no such backend, its options are wrong, or what it needs isn't installed.
    """
    if name == "local":
        from dtm_sdk.backends.local import open_local

        return open_local(options, fit=fit)
    if name == "s3":
        from dtm_sdk.backends.s3 import open_s3

        return open_s3(options, fit)
    raise BackendOptionsError(f"config.state.backend: there is no backend {name}", "it is one of: local, s3")
