"""The state in a file, `devstream.state`; what belongs to it lies beside it, in a folder `.devstream.state.d/`.

    lock            who holds the state: held with flock, never renamed or removed
    journal         what was begun and ended since the state file was written; absent when nothing was
    snapshot.json   the state once more, in a form that is read fast, and the checksum of the file that it mirrors
    key             the key of the fingerprints of secrets
    backups/        the last state files, each by its serial; 0 is what the records were before the first

A run that changes nothing writes nothing but the lock. The first append of a run makes the journal anew, with all that
was in the one before: a file of its own, renamed into place when it is whole, so there is only one way for a journal to
begin. A commit puts a new state file in place, which makes the journal stale; it is made anew too then, or removed.
"""

# ruff: noqa: PTH100, PTH118  # importing pathlib costs more than joining two paths

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from typing import Final, NamedTuple

from msgspec.structs import replace

from dtm_sdk import journal, state_text
from dtm_sdk.backends import Check, Fit, Loaded, Session, Version, as_it_is, fitted, unchecked
from dtm_sdk.errors import BackendOptionsError, OptionsError, StateError
from dtm_sdk.evidence import Evidence, Verdict, accepted, first_writing, judge, latest, recorded
from dtm_sdk.files import Folder, append, open_folder, opened
from dtm_sdk.fingerprint_key import KEY_SIZE, given_key, whole_key
from dtm_sdk.journal import Base
from dtm_sdk.lock_file import locked
from dtm_sdk.options import Json, Options, parse
from dtm_sdk.state import Begin, Entry, State

BACKUPS: Final = 10
"""How many earlier writings are kept."""


class LocalOptions(Options):
    """The options of this backend, as `config.state.options` has them."""

    stateFile: str = "devstream.state"  # noqa: N815  # the ancestor's name for it


def open_local(options: Mapping[str, Json], folder: str = "", fit: Fit = as_it_is) -> "LocalBackend":
    """The backend that a config names.

    Args:
        options: `stateFile`; without it, `devstream.state` in the working directory.
        folder: what a relative `stateFile` is relative to; the working directory by default.
        fit: see `open_backend`.

    Raises:
        StateError: an option is unknown or of a wrong type, or names no file.
    """
    try:
        path = parse(LocalOptions, options).stateFile
    except OptionsError as error:
        what = f"config.state.options: {error}"
        raise BackendOptionsError(what, "the local backend takes stateFile, a path") from None
    return LocalBackend(os.path.join(folder, path) if "stateFile" in options else path, fit)


class LocalBackend:
    """A state in a file.

    Raises:
        StateError: the path names no file.
    """

    def __init__(self, path: str = "devstream.state", fit: Fit = as_it_is) -> None:
        self._path = path
        self._fit = fit
        folder, self._name = os.path.split(path)
        if self._name in {"", ".", ".."} or "\0" in path:
            raise BackendOptionsError(f"{path!r} names no file for the state", "correct stateFile")
        self._shown = folder
        # A plugin may change the working directory while the state is held.
        self._folder = os.path.abspath(folder)
        self._own = f".{self._name}.d"

    def describe(self) -> str:
        """The path of the state file."""
        return self._path

    def load(self) -> Loaded:
        """What is there now, without the lock; changes nothing, makes nothing.

        Raises:
            StateError: it can't be read or is not whole.
        """
        with open_folder(self._folder, self._shown) as folder, opened(folder, self._own) as own:
            verdict = judge(self._found(folder, own))
            return Loaded(fitted(verdict.state, self._fit, key := _key(own)), verdict.intents, key)

    @contextmanager
    def lock(self, command: str, wait: float = 0) -> Iterator[Session]:
        """Hold the state; waits up to `wait` seconds for another holder.

        Raises:
            LockedError: another run holds it; it says who.
            StateError: it can't be read, or can't be written.
        """
        with self._held(command, wait) as (folder, own):
            found = self._found(folder, own)
            with closing(self._session(folder, own, found, judge(found))) as session:
                del found  # what was read need not fill the memory during the run
                yield session

    def accept(self, wait: float = 0, check: Check = unchecked) -> State:
        """Take the state file as it is, edited, older or gone, for the next writing; returns what is the state now.

        Raises:
            LockedError: another run holds it.
            StateError: it can't be read, or can't be written.
        """
        return self._taken_over("state accept", wait, accepted, check)

    def version(self, serial: int) -> State:
        """What the copy of an earlier writing holds.

        Raises:
            StateError: there is no such copy, or it can't be read.
        """
        with (
            open_folder(self._folder, self._shown) as folder,
            opened(folder, self._own) as own,
            opened(own, "backups") as backups,
        ):
            where = os.path.join(self._shown, self._own, "backups")
            copy = backups.read(f"{serial}.yaml") if backups else None
            if copy is None:
                what = f"there is no copy of writing {serial} of the state in {where}"
                raise StateError(what, "`dtm state history` lists what there is")
            state = state_text.load(copy, f"{where}/{serial}.yaml")
            return fitted(state, self._fit, _key(own))

    def restore(self, serial: int, wait: float = 0, check: Check = unchecked) -> State:
        """Make the copy of an earlier writing the next one. What has begun and not ended stays so.

        Returns:
            What is the state now.

        Raises:
            LockedError: another run holds it.
            StateError: there is no such copy, or it can't be read; or the state can't be written.
        """
        return self._taken_over("state restore", wait, lambda found: latest(found, self.version(serial).records), check)

    def history(self) -> tuple[Version, ...]:
        """The copies of earlier writings, oldest first; that of the current one included.

        Raises:
            StateError: they can't be listed.
        """
        with (
            open_folder(self._folder, self._shown) as folder,
            opened(folder, self._own) as own,
            opened(own, "backups") as backups,
        ):
            stamps = (
                [(serial, backups.stamp(f"{serial}.yaml")) for serial in backups.numbers(".yaml")] if backups else []
            )
        return tuple(Version(serial, stamp.modified, stamp.size) for serial, stamp in stamps if stamp)

    @contextmanager
    def _held(self, command: str, wait: float) -> Iterator[tuple[Folder, Folder]]:
        """The folder of the state file and the one beside it, while this process holds the lock."""
        with open_folder(self._folder, self._shown) as folder:
            folder.check_writable()
            with folder.made_folder(self._own) as own:
                own.check_writable()
                with locked(own, "lock", command, wait, self._path):
                    yield folder, own

    def _found(self, folder: Folder, own: Folder | None) -> Evidence:
        """What lies there.

        A run that commits meanwhile writes the state file first, then the rest: read the other way round, what is older
        never seems to be newer.
        """
        read = own.read("journal") if own else None
        snapshot = own.read("snapshot.json") if own else None
        with opened(own, "backups") as backups:
            newest = max(backups.numbers(".yaml"), default=0) if backups else 0
        return Evidence(
            where=self._path,
            data=folder.read(self._name),
            snapshot=journal.decode_snapshot(snapshot) if snapshot else None,
            journal=read,
            journal_path=own.path_of("journal") if own else "",
            newest=newest,
        )

    def _session(self, folder: Folder, own: Folder, found: Evidence, verdict: Verdict) -> "_LocalSession":
        key = _key(own, make=True)
        loaded = Loaded(fitted(verdict.state, self._fit, key), verdict.intents, key)
        first = first_writing(found, verdict, lambda state: fitted(state, self._fit, key))
        return _LocalSession(_Place(folder, own, self._name, self._path), found.digest, verdict, loaded, first)

    def _taken_over(self, command: str, wait: float, decide: Callable[[Evidence], Verdict], check: Check) -> State:
        """Commit what was decided to be the state; the journal that was there is put aside, readable or not."""
        with self._held(command, wait) as (folder, own):
            found = self._found(folder, own)
            key, verdict, before = _key(own, make=True), decide(found), recorded(found)
            verdict = replace(verdict, state=fitted(verdict.state, self._fit, key, edited=True))
            check(None if before is None else fitted(State(before), self._fit, key).records, verdict.state)
            with closing(self._session(folder, own, found, verdict)) as session:
                left = own.read("journal")
                if left is not None:
                    own.replace("journal.replaced", left, "journal.tmp")
                return session.commit(session.loaded.state, session.loaded.open)


class _Place(NamedTuple):
    """Where a session writes: the folder of the state file, the one beside it, the file's name and path."""

    folder: Folder
    own: Folder
    name: str
    path: str


class _LocalSession:
    """A state held by this process."""

    def __init__(self, place: _Place, digest: str, verdict: Verdict, loaded: Loaded, first: bytes) -> None:
        self.loaded, self._place, self._first = loaded, place, first
        self._base = Base(verdict.state.lineage or os.urandom(16).hex(), verdict.state.serial, digest)
        self._kept: tuple[Entry, ...] = verdict.journal.entries if verdict.journal else verdict.intents
        self._open = {intent.id: intent for intent in verdict.intents}
        self._fd: int | None = None
        self._trouble = ""

    def append(self, entries: Sequence[Entry]) -> None:
        """Add entries to the journal, all of them durable when this returns.

        Raises:
            StateError: they may not be durable; the session takes no more.
            ValueError: one begins what has begun, or ends what hasn't.
        """
        if not entries:
            return
        intents = dict(self._open)
        for entry in entries:
            journal.follow(entry, intents)
        line = journal.encode_entries(entries)
        with self._once():
            if self._fd is None:
                self._start(line)
            else:
                append(self._fd, line, self._place.own.path_of("journal"))
        self._open = intents

    def take_key(self, key: bytes) -> None:
        """Make this the key of the fingerprints.

        Raises:
            StateError: it can't be written.
        """
        if not given_key():
            self._place.own.replace("key", key, "key.tmp")
        self.loaded = replace(self.loaded, key=key)

    def commit(self, state: State, intents: Sequence[Begin] = ()) -> State:
        """Write the whole state, start the journal anew; returns it with its serial (one more) and lineage.

        Raises:
            StateError: the state on disk is the old one and the journal still holds, unless the very last step failed:
                the state is the new one then. The session takes no more.
        """
        new = State(state.records, self._base.serial + 1, self._base.lineage)
        data = state_text.dump(new)
        folder, own, name, _ = self._place
        with self._once():
            self._check_unchanged()
            if self._first:
                self._back_up(0, self._first, durable=True)
            folder.replace(name, data, f".{name}.tmp")
        # The commit is made. What fails from here on only leaves the next run more to read.
        self._base = Base(new.lineage, new.serial, state_text.digest(data))
        self._first = b""
        self._open = {intent.id: intent for intent in intents}
        self._kept = tuple(intents)
        with suppress(StateError):
            own.replace("snapshot.json", journal.encode_snapshot(new, self._base.sha256), "snapshot.tmp", durable=False)
            self._back_up(new.serial, data, durable=False)
        with suppress(StateError), self._once():
            if self._kept:
                self._start(b"")
            else:
                self.close()
                own.remove("journal")
        return new

    def close(self) -> None:
        """Let go of the journal."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    @contextmanager
    def _once(self) -> Iterator[None]:
        """Nothing is written after a failure: what the disk holds then isn't known."""
        if self._trouble:
            raise StateError(f"nothing more is written to the state of this run: {self._trouble}", "run again")
        self._trouble = "it was interrupted while it wrote"
        try:
            yield
        except StateError as error:
            self._trouble = error.message
            raise
        self._trouble = ""

    def _start(self, line: bytes) -> None:
        """Make the journal anew: what was in the one before, and a line."""
        # The journal must not outlive a power cut that takes back the state file it continues.
        self._place.folder.sync()
        kept = journal.encode_entries(self._kept) if self._kept else b""
        self._place.own.replace("journal", journal.encode_base(self._base) + kept + line, "journal.tmp")
        self.close()
        self._fd = self._place.own.open("journal", os.O_WRONLY | os.O_APPEND)

    def _check_unchanged(self) -> None:
        """See that the state file is still the one that was read: the lock keeps out dtm, not an editor."""
        if state_text.digest(self._place.folder.read(self._place.name) or b"") != self._base.sha256:
            what = f"{self._place.path} was changed by something else while this run held it"
            raise StateError(what, f"the journal holds what was done: {journal.ACCEPT}")

    def _back_up(self, serial: int, data: bytes, *, durable: bool) -> None:
        with self._place.own.made_folder("backups") as backups:
            backups.replace(f"{serial}.yaml", data, "tmp", durable=durable)
            if durable:
                self._place.own.sync()  # it may be the first one in its folder
            for old in backups.numbers(".yaml")[:-BACKUPS]:
                backups.remove(f"{old}.yaml")


def _key(own: Folder | None, *, make: bool = False) -> bytes:
    """The key of the fingerprints; where there is none, a new one, which is kept where it is to be made."""
    found = given_key() or (whole_key(own.read("key"), own.path_of("key")) if own else b"")
    if not found:
        found = os.urandom(KEY_SIZE)
        if own and make:
            own.replace("key", found, "key.tmp")
    return found
