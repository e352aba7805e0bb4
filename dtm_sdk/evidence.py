"""What lies where a state is kept, and what it amounts to: the state, or the reason why it can't be trusted. Pure.

The state file is what counts. The snapshot, the journal and the copies of earlier writings each say which writing they
saw last. The file must be that one, or a later one of the same lineage that its own checksum vouches for: a run that
dies right after it has put a new file in place leaves everything else one writing behind.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import force_setattr

from dtm_sdk import journal, state_text
from dtm_sdk.errors import StateError
from dtm_sdk.journal import ACCEPT, Base, Journal, Snapshot
from dtm_sdk.options import Json
from dtm_sdk.secret_text import holds_fingerprint
from dtm_sdk.state import Begin, Record, State

_SHOWN: Final = 3
"""How many differences a message shows: it is one line."""
_ABSENT: Final = object()


class Evidence(Struct, frozen=True):
    """What was read, each from its own place.

    Attributes:
        where: the path of the state file, for messages.
        data: its bytes; None where there is no such file.
        snapshot: the snapshot beside it; None where there is none, or a damaged one.
        journal: the bytes of the journal; None where there is none.
        journal_path: its path, for messages.
        newest: the highest serial of the copies of earlier writings; 0 where there are none.
        digest: the SHA-256 of the file.
    """

    where: str
    data: bytes | None
    snapshot: Snapshot | None
    journal: bytes | None
    journal_path: str
    newest: int
    digest: str = ""

    def __post_init__(self) -> None:
        force_setattr(self, "digest", state_text.digest(self.data or b""))


class Verdict(Struct, frozen=True):
    """What the evidence amounts to.

    Attributes:
        state: the last commit with the ended operations of the journal folded in.
        intents: those without an end, in the order they began.
        journal: the journal, where it continues this very file; None otherwise.
    """

    state: State
    intents: tuple[Begin, ...] = ()
    journal: Journal | None = None


def judge(found: Evidence) -> Verdict:
    """The state that can be trusted.

    Raises:
        StateError: what was read is damaged or doesn't belong together; it says what to do.
    """
    read = None if found.journal is None else journal.decode(found.journal, found.journal_path)
    state = _committed(found, read)
    if read is None:
        return Verdict(state)
    if read.damage:
        raise StateError(read.damage, ACCEPT)
    if read.base.sha256 != found.digest:
        # The file is a later writing and holds what has ended. An intent without an end is in no state file.
        return Verdict(state, read.open)
    ledger = read.replayed(state.records)
    state = State(ledger.records, state.serial, read.base.lineage)
    return Verdict(state, tuple(ledger.open.values()), read)


def accepted(found: Evidence) -> Verdict:
    """The state file as it is, taken over with whatever was done since.

    The journal's ended operations are folded in unless the file must hold them already: they are facts, and whoever
    edited the file after a crash didn't see them in it.

    Raises:
        StateError: the file can't be read, or a newer version wrote it.
    """
    records = _records(found)
    head, read = state_text.header(found.data or b"", found.where), _readable(found)
    committed = found.snapshot.base.serial if found.snapshot else head.serial if head else 0
    if read is not None and read.base.serial >= committed:
        records = read.replayed(records).records
    return latest(found, records)


def latest(found: Evidence, records: Mapping[str, Record]) -> Verdict:
    """Records that are to follow whatever is there: with the highest serial that was seen, and what is open still."""
    read = _readable(found)
    try:
        head = state_text.header(found.data or b"", found.where)
    except StateError:  # a newer version wrote it, or it is damaged so that it seems so
        head = None
    bases = [each.base for each in (found.snapshot, read) if each is not None]
    serial = max([found.newest, head.serial if head else 0, *(base.serial for base in bases)])
    lineage = next((base.lineage for base in bases), head.lineage if head else "")
    return Verdict(State(records, serial, lineage), read.open if read else ())


def first_writing(found: Evidence, verdict: Verdict, fit: Callable[[State], State]) -> bytes:
    """A state file of what was there before the first writing, to be kept as a copy; empty where nothing was.

    Args:
        found: the evidence.
        verdict: what it amounts to.
        fit: makes it fit to be written: what was there may hold secrets as they are.
    """
    if verdict.state.serial or not found.data:
        return b""
    try:
        records = state_text.records(found.data, found.where)
    except StateError:
        return b""
    return state_text.dump(fit(State(records, 0, verdict.state.lineage)))


def recorded(found: Evidence) -> Mapping[str, Record] | None:
    """What was recorded last, whatever has become of the state file; None where nothing else tells."""
    try:
        return judge(found).state.records
    except StateError:
        if found.snapshot is None:
            return None
    read, records = _readable(found), found.snapshot.state.records
    return read.replayed(records).records if read is not None and read.base == found.snapshot.base else records


def _readable(found: Evidence) -> Journal | None:
    """The journal as far as it can be read; None where that isn't far enough to tell what it continues."""
    try:
        return None if found.journal is None else journal.decode(found.journal, found.journal_path)
    except StateError:
        return None


def _committed(found: Evidence, read: Journal | None) -> State:
    """The state of the file alone, once everything else agrees that it is the last writing."""
    witnesses = [each.base for each in (found.snapshot, read) if each is not None]
    if found.snapshot is not None and found.snapshot.base.sha256 == found.digest:
        _agree(found, found.snapshot.base, witnesses)
        return found.snapshot.state
    head = state_text.header(found.data or b"", found.where)
    if head is not None and not head.whole:
        what = f"{found.where} was edited or damaged: its checksum doesn't match{_differences(found)}"
        raise StateError(what, _way_on(found))
    seen = Base(head.lineage, head.serial, found.digest) if head is not None else None
    _agree(found, seen, witnesses)
    return State(_records(found), head.serial, head.lineage) if head else State(_records(found))


def _records(found: Evidence) -> dict[str, Record]:
    """The records of the file, whatever its comments say.

    Raises:
        StateError: they can't be read.
    """
    try:
        return state_text.records(found.data or b"", found.where)
    except StateError as error:
        back = f"run `dtm state restore {found.newest}`, or " if found.newest else ""
        raise StateError(error.message, f"{back}mend it there, then run `dtm state accept`") from None


def _way_on(found: Evidence) -> str:
    """What to do about a file that isn't as it was left: take it as it is, where it can be read at all."""
    try:
        _records(found)
    except StateError as error:
        return error.hint
    return ACCEPT


def _agree(found: Evidence, seen: Base | None, witnesses: list[Base]) -> None:
    """See that the file is what each witness saw last, or a later writing of the same lineage.

    Args:
        found: the evidence.
        seen: which writing the file says it is; None where it says nothing.
        witnesses: the bases of snapshot and journal.

    Raises:
        StateError: it isn't.
    """
    strangers = [base for base in witnesses if base.sha256 != found.digest]
    newest = max([found.newest, *(base.serial for base in strangers)])
    if seen is None and (strangers or newest):
        raise _unknown(found, newest)
    if seen is None:
        return
    if any(base.lineage != seen.lineage for base in strangers):
        what = f"{found.where} belongs to another lineage of states than what lies beside it"
        raise StateError(what, ACCEPT)
    if seen.serial < newest:
        what = (
            f"{found.where} is writing {seen.serial} of the state, but writing {newest} was made: it is an older copy"
        )
        raise StateError(what, f"run `dtm state restore {newest}`, or `dtm state accept` to go on from the older one")
    if any(base.serial == seen.serial for base in strangers):
        raise StateError(f"{found.where} was changed since it was written{_differences(found)}", _way_on(found))


def _unknown(found: Evidence, newest: int) -> StateError:
    """The file says nothing of itself, and isn't what was there last."""
    if found.data:
        what = f"{found.where} isn't what dtm wrote there last: something else wrote it{_differences(found)}"
        return StateError(what, _way_on(found))
    then = f"writing {newest} of the state was made" if newest else "a run had begun with what was there"
    way_back = f"run `dtm state restore {newest}`" if newest else "put it back"
    what = f"{found.where} is {'empty' if found.data == b'' else 'gone'}, but {then}"
    return StateError(what, f"{way_back}, or run `dtm state accept` to start from nothing")


def _differences(found: Evidence) -> str:
    """How the file's records differ from the snapshot's, as the rest of a sentence; empty where that isn't known."""
    if found.snapshot is None:
        return ""
    try:
        records = state_text.records(found.data or b"", found.where)
    except StateError as error:
        return f" ({error.message})"
    before = {key: _plain(record) for key, record in found.snapshot.state.records.items()}
    after = {key: _plain(record) for key, record in records.items()}
    shown = list(differences(before, after))
    more = f", and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return f" ({', '.join(shown[:_SHOWN])}{more})" if shown else " (the records are the same)"


def _plain(record: Record) -> dict[str, Json]:
    return {
        "dependsOn": list(record.depends_on),
        "options": record.options,
        "resource": record.resource,
        "meta": record.meta,
    }


def differences(before: Json, after: Json, path: str = "") -> Iterator[str]:
    """Where two plain values differ, as `path: before -> after`, each value in at most 40 characters.

    What takes the place of a secret is one too.
    """
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in {**before, **after}:
            name = key if key.isprintable() else repr(key)
            inner = f"{path}.{name}" if path else name
            yield from differences(before.get(key, _ABSENT), after.get(key, _ABSENT), inner)
    elif before is _ABSENT or after is _ABSENT:
        yield f"{path} is {'new' if before is _ABSENT else 'missing'}"
    elif before != after and holds_fingerprint(repr(before)):
        yield f"{path}: (secret) -> (secret)"
    elif before != after:
        yield f"{path}: {_short(before)} -> {_short(after)}"


def _short(value: Json) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
