"""A state in a store of objects; what belongs to it has names that begin with the state's and `.d/`.

    lock                      a lease (`lease`)
    journal/<serial>/<n>      what was begun and ended since that writing of the state: one object for each append
    snapshot.json             the state once more, in a form that is read fast
    key                       the key of the fingerprints of secrets
    backups/<serial>.yaml     the last writings; 0 is what the records were before the first
    journal.replaced          the journal that was there when a person took the state over

The state has the bytes of a state file. A commit writes it on the condition that it is still what was read, and that
is what makes an older journal stale. An append writes the next number on the condition that there is none yet, so two
writers that continue the same state can't both succeed.

A journal object is three lines: the base, the entries of the append, and who wrote it, so that no two writers' objects
have the same bytes. Together, the bases once and the entries in their order, they are a journal as `journal` has it.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Final, NamedTuple

from dtm_sdk import journal, state_text
from dtm_sdk.errors import StateError
from dtm_sdk.evidence import Evidence, Verdict
from dtm_sdk.fingerprint_key import KEY_SIZE, given_key, whole_key
from dtm_sdk.journal import Base
from dtm_sdk.lease import Lease
from dtm_sdk.objects import ABSENT, Listed, Refused, Store, Stored
from dtm_sdk.state import Begin, Entry, State

BACKUPS: Final = 10
"""How many earlier writings are kept."""
READERS: Final = 16
"""How many objects are read at a time."""
_TRIES: Final = 10
"""How often a state is read that another run commits meanwhile."""


class Place(NamedTuple):
    """Where a state is.

    Attributes:
        store: the store.
        name: of the object that is the state.
        shown: how messages name it.
    """

    store: Store
    name: str
    shown: str

    def own(self, name: str = "") -> str:
        """The name of what belongs to the state."""
        return f"{self.name}.d/{name}"


class Found(NamedTuple):
    """What lies there.

    Attributes:
        evidence: what the state can be told from.
        etag: of the state; `ABSENT` where there is none.
        journals: serial -> numbers of its journal's objects.
        backups: the serials of the copies of earlier writings, ascending.
    """

    evidence: Evidence
    etag: str
    journals: Mapping[int, Sequence[int]]
    backups: Sequence[int]


def find(place: Place) -> Found:
    """Read what lies there.

    A run that commits meanwhile writes the state first, then the rest: read the other way round, what is older never
    seems to be newer.

    Raises:
        StateError: it can't be read.
    """
    for _ in range(_TRIES):
        listed = {each.name.removeprefix(place.own()): each for each in place.store.list(place.own())}
        journals = _journals(listed)
        # The first number goes first when a journal is removed: one without it is no journal any more.
        serial = max((each for each, numbers in journals.items() if 1 in numbers), default=0)
        numbers = journals.get(serial, []) if 1 in journals.get(serial, []) else []
        read = _all(place.store, [place.own(_number(serial, number)) for number in numbers])
        if None not in read:
            break
    else:
        raise StateError(f"{place.shown} is written all the time", "try again")
    parts = {number: each.data for number, each in zip(numbers, read, strict=True) if each}
    snapshot = place.store.get(place.own("snapshot.json")) if "snapshot.json" in listed else None
    state = place.store.get(place.name)
    backups = sorted(copies(listed))
    evidence = Evidence(
        where=place.shown,
        data=state.data if state else None,
        snapshot=journal.decode_snapshot(snapshot.data) if snapshot else None,
        journal=_joined(parts) if parts else None,
        journal_path=f"{place.shown}.d/journal/{serial}",
        newest=max(backups, default=0),
    )
    return Found(evidence, state.etag if state else ABSENT, journals, backups)


def copies(listed: Mapping[str, Listed]) -> dict[int, Listed]:
    """The copies of earlier writings, by their serials.

    Args:
        listed: what belongs to a state, by its name behind the state's.
    """
    stems = {name.removeprefix("backups/").removesuffix(".yaml"): each for name, each in listed.items()}
    return {int(stem): each for stem, each in stems.items() if _is_number(stem) and f"backups/{stem}.yaml" in listed}


def read_key(place: Place) -> bytes:
    """The key of the fingerprints; empty where there is none.

    Raises:
        StateError: it can't be read, or is damaged.
    """
    key = given_key()
    if key:
        return key
    stored = place.store.get(place.own("key"))
    return whole_key(stored.data if stored else None, f"{place.shown}.d/key")


def made_key(place: Place) -> bytes:
    """The key of the fingerprints, made where there is none.

    Raises:
        StateError: as `read_key`; or it can't be written.
    """
    found = read_key(place)
    if found:
        return found
    key = os.urandom(KEY_SIZE)
    try:
        place.store.put(place.own("key"), key, ABSENT)
    except Refused:
        return read_key(place)
    return key


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _number(serial: int, number: int) -> str:
    return f"journal/{serial}/{number:06}"


def _journals(listed: Mapping[str, Listed]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for name in listed:
        kind, _, rest = name.partition("/")
        serial, _, number = rest.partition("/")
        if kind == "journal" and _is_number(serial) and _is_number(number):
            found.setdefault(int(serial), []).append(int(number))
    return {serial: sorted(numbers) for serial, numbers in found.items()}


def _all(store: Store, names: Sequence[str]) -> list[Stored | None]:
    """Objects, in the order of their names."""
    if len(names) < 2:
        return [store.get(name) for name in names]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(READERS) as pool:
        return list(pool.map(store.get, names))


def _joined(parts: Mapping[int, bytes]) -> bytes:
    """A journal of its objects. One that is missing or isn't whole becomes a line that is damaged.

    Args:
        parts: number -> object, the first among them.
    """
    base = parts[1].partition(b"\n")[0]
    lines = [base]
    for number in range(1, max(parts) + 1):
        part = parts.get(number, b"").split(b"\n")
        lines.append(part[1] if len(part) == 4 and part[0] == base and not part[3] else b"damaged")
    # An object is written whole or not at all. So no line is a torn tail, not even the last: another one follows it.
    return b"\n".join([*lines, journal.encode_entries([])])


def put_aside(place: Place, found: Found) -> None:
    """Copy the journal, readable or not, to where the next commit doesn't remove it.

    Raises:
        StateError: it can't be written.
    """
    if found.evidence.journal is not None:
        place.store.put(place.own("journal.replaced"), found.evidence.journal)


class ObjectSession:
    """A state held by this process.

    Attributes:
        state: what was there when it was opened.
        intents: those without an end then.
        key: of the fingerprints.
    """

    def __init__(self, place: Place, lease: Lease, found: Found, verdict: Verdict, key: bytes, first: bytes) -> None:
        self.state = verdict.state
        self.intents = verdict.intents
        self.key = key
        self._place = place
        self._lease = lease
        self._journals = found.journals
        self._backups = found.backups
        self._etag = found.etag
        self._first = first
        self._base = Base(verdict.state.lineage or os.urandom(16).hex(), verdict.state.serial, found.evidence.digest)
        # A journal that continues this very state goes on; any other one is made anew with what it left open.
        self._kept: tuple[Entry, ...] = () if verdict.journal else verdict.intents
        self._written = max(found.journals[verdict.state.serial]) if verdict.journal else 0
        self._open = {intent.id: intent for intent in verdict.intents}
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
        self._write_entries([*self._kept, *entries])
        self._open = intents

    def take_key(self, key: bytes) -> None:
        """Make this the key of the fingerprints.

        Raises:
            StateError: it can't be written.
        """
        if not given_key():
            self._place.store.put(self._place.own("key"), key)
        self.key = key

    def commit(self, state: State, intents: Sequence[Begin] = ()) -> State:
        """Write the whole state, start the journal anew; returns it with its serial (one more) and lineage.

        Raises:
            StateError: the state there is the old one and the journal still holds, unless the very last step failed:
                the state is the new one then. The session takes no more.
        """
        try:
            return self._commit(state, intents)
        except Refused:
            raise StateError(self._trouble, f"the journal holds what was done: {journal.ACCEPT}") from None

    def settle(self) -> bool:
        """Commit what was found, so that no write of a holder before, still on its way, can be taken in any more.

        Whether it did; where not, such a write was in time, and what was found isn't what is there.

        Raises:
            StateError: it can't be written.
        """
        try:
            self.state = self._commit(self.state, self.intents)
        except Refused:
            return False
        return True

    def _commit(self, state: State, intents: Sequence[Begin]) -> State:
        place, store = self._place, self._place.store
        new = State(state.records, self._base.serial + 1, self._base.lineage)
        data = state_text.dump(new)
        with self._once():
            if self._first:
                store.put(place.own("backups/0.yaml"), self._first)
            self._lease.check()
            self._etag = store.put(place.name, data, self._etag)
            self._lease.check()
        # The commit is made. What fails from here on only leaves the next run more to read.
        self._lease.unsettled = False
        stale = {**self._journals, self._base.serial: range(1, self._written + 1)}
        self._base = Base(new.lineage, new.serial, state_text.digest(data))
        self._first, self._written, self._kept = b"", 0, tuple(intents)
        self._open = {intent.id: intent for intent in intents}
        with suppress(StateError):
            store.put(place.own("snapshot.json"), journal.encode_snapshot(new, self._base.sha256))
            self._back_up(new.serial, data)
        with suppress(StateError):
            if intents:
                self._write_entries(intents)
            self._remove(stale)
        return new

    def _write_entries(self, entries: Sequence[Entry]) -> None:
        """Write the next object of the journal."""
        number = self._written + 1
        writer = f"{self._lease.id}\n".encode()
        data = journal.encode_base(self._base) + journal.encode_entries(entries) + writer
        with self._once():
            self._lease.check()
            try:
                self._place.store.put(self._place.own(_number(self._base.serial, number)), data, ABSENT)
            except Refused:
                what = f"{self._place.shown}: another run has written object {number} of the journal of this run"
                raise StateError(what, "run again") from None
            # Had the lease run out before it was written, another run could have read the journal without it.
            self._lease.check()
        self._written, self._kept = number, ()

    def _remove(self, journals: Mapping[int, Sequence[int]]) -> None:
        """Remove journals; the first object of each goes first, and makes the rest of it no journal."""
        stale = [(serial, number) for serial, numbers in journals.items() for number in numbers]
        for first in (True, False):
            names = [_number(serial, number) for serial, number in stale if (number == 1) is first]
            self._place.store.delete(map(self._place.own, names))
        self._journals = {}

    def _back_up(self, serial: int, data: bytes) -> None:
        backups = [*self._backups, serial]
        self._place.store.put(self._place.own(f"backups/{serial}.yaml"), data)
        self._place.store.delete(self._place.own(f"backups/{old}.yaml") for old in backups[:-BACKUPS])
        self._backups = backups[-BACKUPS:]

    @contextmanager
    def _once(self) -> Iterator[None]:
        """Nothing is written after a failure: what is there then isn't known, and a write may still be on its way."""
        if self._trouble:
            raise StateError(f"nothing more is written to the state of this run: {self._trouble}", "run again")
        unsettled = self._lease.unsettled
        self._trouble, self._lease.unsettled = "it was interrupted while it wrote", True
        try:
            yield
        except StateError as error:
            self._trouble = error.message
            raise
        except Refused:
            self._trouble = f"{self._place.shown} was changed by something else while this run held it"
            raise
        self._trouble, self._lease.unsettled = "", unsettled
