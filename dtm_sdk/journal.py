"""The lines of a journal and of a snapshot: values -> bytes -> values. Pure.

A line is `crc32 json`: the CRC-32 of the JSON's bytes in eight hexadecimal digits, a space, the JSON, a newline. The
first line of a journal says which writing of the state it continues; each later one holds the entries of one append,
as a list.

An append is one line because it is written and synced as one: the next one starts only when this one is durable. So a
line that isn't whole was never reported as done if nothing follows it, and is damage if anything does.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple
from zlib import crc32

import msgspec

from dtm_sdk.errors import StateError
from dtm_sdk.state import FORMAT, Begin, Drop, End, Entry, Ledger, Put, Record, State

ACCEPT: Final = "run `dtm state accept` to go on from what is there now"
"""What to do about a state that isn't as it was left, once a person has looked at it."""
NEWER: Final = "use the dtm that wrote it, or a newer one"


class Base(msgspec.Struct, frozen=True):
    """The writing of the state that a journal continues.

    Attributes:
        lineage: names the line of writings.
        serial: which of them it is; 0 where nothing was written yet.
        sha256: of the bytes of the state file, in hexadecimal; of no bytes where there was none.
        format: of the journal's lines.
    """

    lineage: str
    serial: int
    sha256: str
    format: int = FORMAT


class Snapshot(msgspec.Struct, frozen=True):
    """A state in a form that is read fast, and the state file that it mirrors.

    Attributes:
        base: which writing it is.
        records: in their order.
    """

    base: Base
    records: list[Record]

    @property
    def state(self) -> State:
        """What it holds."""
        records = {record.key: record for record in self.records}
        return State(records, self.base.serial, self.base.lineage)


class Journal(NamedTuple):
    """What a journal holds.

    Attributes:
        base: what it continues.
        entries: of all its whole lines, in their order.
        damage: what is wrong with it, in one line; empty where it is whole, a torn last line aside.
    """

    base: Base
    entries: tuple[Entry, ...]
    damage: str = ""

    @property
    def open(self) -> tuple[Begin, ...]:
        """The intents without an end, in the order they began."""
        return tuple(self.replayed({}).open.values())

    def replayed(self, records: Mapping[str, Record]) -> Ledger:
        """What the records of its base amount to with its entries folded in."""
        ledger = Ledger(records)
        for entry in self.entries:
            ledger.fold(entry)
        return ledger


class _Written(msgspec.Struct, forbid_unknown_fields=True):
    """An entry as it is read: an object with one key, its kind."""

    begin: Begin | None = None
    end: End | None = None
    put: Put | None = None
    drop: Drop | None = None

    @property
    def entry(self) -> Entry:
        """The one that is set.

        Raises:
            ValueError: there isn't exactly one.
        """
        (entry,) = (each for each in (self.begin, self.end, self.put, self.drop) if each is not None)
        return entry


_KINDS: Final[Mapping[type[Entry], str]] = {Begin: "begin", End: "end", Put: "put", Drop: "drop"}


def _line(value: object) -> bytes:
    try:
        data = msgspec.json.encode(value)
    except (UnicodeEncodeError, TypeError, OverflowError, RecursionError) as error:
        raise StateError(
            f"the state would hold what can't be written as JSON: {error}", "this is a bug of a plugin"
        ) from None
    return b"%08x %b\n" % (crc32(data), data)


def _unlined(line: bytes) -> bytes | None:
    """The JSON of a line without its newline; None where they don't belong together."""
    data = line[9:]
    return data if line[:9] == b"%08x " % crc32(data) else None


@cache
def _decoder(kind: Any) -> Callable[[bytes], Any]:
    return msgspec.json.Decoder(kind).decode


def encode_base(base: Base) -> bytes:
    """The first line of a journal."""
    return _line(base)


def encode_entries(entries: Sequence[Entry]) -> bytes:
    """The line of one append.

    Raises:
        StateError: a record holds what JSON can't, e.g. half of a surrogate pair.
    """
    return _line([{_KINDS[type(entry)]: entry} for entry in entries])


def decode(data: bytes, where: str) -> Journal:
    """The journal of its bytes. A last line that isn't whole is left out.

    Args:
        data: the whole file.
        where: its path, for messages.

    Raises:
        StateError: its first line isn't whole, or a newer version wrote it.
    """
    lines = data.split(b"\n")
    # What follows the last newline is empty, or the beginning of a line that was never finished.
    whole = [_unlined(line) for line in lines[:-1]]
    if not whole or whole[0] is None:
        raise StateError(f"{where}:1: the first line of the journal is damaged", ACCEPT)
    base: Base | None = _decoded(Base, whole[0])
    if base is None or base.format > FORMAT:
        raise StateError(f"{where}:1: a newer version of dtm wrote this journal", NEWER)
    return _replayable(base, whole[1:], where)


def _decoded(kind: Any, data: bytes) -> Any:
    """The value of a line's JSON; None where it isn't of that kind."""
    try:
        return _decoder(kind)(data)
    except (msgspec.MsgspecError, RecursionError):
        return None


def _replayable(base: Base, lines: Sequence[bytes | None], where: str) -> Journal:
    entries: list[Entry] = []
    intents: dict[int, Begin] = {}
    for number, line in enumerate(lines, 2):
        if line is None:
            # It was never finished if nothing follows it; otherwise it was, and has been damaged since.
            followed = any(other is not None for other in lines[number - 1 :])
            return Journal(base, tuple(entries), _damage(where, number) if followed else "")
        try:
            found = [written.entry for written in _decoder(list[_Written])(line)]
            for entry in found:
                follow(entry, intents)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return Journal(base, tuple(entries), _damage(where, number))
        entries += found
    return Journal(base, tuple(entries))


def _damage(where: str, number: int) -> str:
    return f"{where}:{number}: this line of the journal is damaged"


def follow(entry: Entry, intents: dict[int, Begin]) -> None:
    """Take an entry into the intents that are open.

    Args:
        entry: what is next in the journal.
        intents: id -> intent, those without an end; changed.

    Raises:
        ValueError: it begins what has begun, or ends what hasn't.
    """
    if isinstance(entry, Begin):
        if entry.id in intents:
            raise ValueError(f"operation {entry.id} has begun already")
        intents[entry.id] = entry
    elif isinstance(entry, End):
        if entry.id not in intents:
            raise ValueError(f"operation {entry.id} has not begun")
        del intents[entry.id]


def encode_snapshot(state: State, sha256: str) -> bytes:
    """The snapshot of a state whose file has this checksum: one line.

    Raises:
        StateError: a record holds what JSON can't.
    """
    base = Base(lineage=state.lineage, serial=state.serial, sha256=sha256)
    return _line(Snapshot(base, list(state.records.values())))


def decode_snapshot(data: bytes) -> Snapshot | None:
    """The snapshot of its bytes; None where they are damaged or of another version: the state file is read instead."""
    line = _unlined(data.removesuffix(b"\n"))
    found: Snapshot | None = _decoded(Snapshot, line) if line is not None else None
    return found if found is not None and found.base.format == FORMAT else None
