"""The state: what was made, tool by tool. Immutable values; their text forms are in `state_text`."""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct, field

from dtm_sdk.options import Json

FORMAT: Final = 1
"""The format of the state that this version writes; a newer one is refused."""


class Record(Struct, frozen=True):
    """What is known of one tool that was made.

    Attributes:
        name: the tool's name.
        plugin: the name of its plugin.
        depends_on: keys `name.plugin` of what it depended on when it was made, references included.
        options: its options with references resolved; each secret as a fingerprint.
        resource: what Create, Update or Read last said of it.
        meta: `state_version` of the plugin, `adopted` (True where so), `secrets` (option path -> variable's name).
    """

    name: str
    plugin: str
    depends_on: tuple[str, ...]
    options: dict[str, Json]
    resource: dict[str, Json]
    meta: dict[str, Json] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """`name.plugin`, as `dependsOn` and references write it."""
        return f"{self.name}.{self.plugin}"


class State(Struct, frozen=True):
    """Every record, and which writing of them this is.

    Attributes:
        records: key `name.plugin` -> record, in the order they were first made.
        serial: counts the writings, from 1; 0 where nothing was written yet.
        lineage: names the line of writings that this one belongs to; empty where nothing was written yet.
    """

    records: Mapping[str, Record] = field(default_factory=dict)
    serial: int = 0
    lineage: str = ""


class Begin(Struct, frozen=True):
    """An operation is about to be called: the intent, durable before the call.

    Attributes:
        id: counts the operations of a journal, from 1.
        operation: "create", "update" or "delete".
        record: what will be recorded when it succeeds, with the resource as last known; for a delete, what is recorded.
    """

    id: int
    operation: str
    record: Record


class End(Struct, frozen=True):
    """An operation has ended: the outcome, durable before it is reported.

    Attributes:
        id: that of its intent.
        record: what is recorded from now on; None after a delete; unused where `error` is set.
        error: why it failed, in one line without secrets; empty where it succeeded. A failure leaves the records alone.
    """

    id: int
    record: Record | None = None
    error: str = ""


class Put(Struct, frozen=True):
    """A record is stored without an operation, or moved: what was recorded under `was` is no longer there."""

    record: Record
    was: str = ""


class Drop(Struct, frozen=True):
    """The record of this key is forgotten without an operation."""

    key: str


Entry = Begin | End | Put | Drop
"""What a journal holds, one a line."""


class Ledger:
    """The records while a run changes them, and the intents that are still open: what a journal amounts to.

    One writer at a time: the runner, or the replay of a journal.

    Attributes:
        records: key `name.plugin` -> record.
        open: id -> intent, in the order they began.
    """

    __slots__ = ("open", "records")

    def __init__(self, records: Mapping[str, Record], intents: Iterable[Begin] = ()) -> None:
        self.records = dict(records)
        self.open = {intent.id: intent for intent in intents}

    def fold(self, entry: Entry) -> None:
        """Take one entry in.

        Raises:
            KeyError: the end of an operation that has not begun.
        """
        match entry:
            case Begin():
                self.open[entry.id] = entry
            case End():
                intent = self.open.pop(entry.id)
                if not entry.error:
                    self._settle(intent.record.key, entry.record)
            case Put():
                self.records.pop(entry.was, None)
                self.records[entry.record.key] = entry.record
            case Drop():
                self.records.pop(entry.key, None)

    def _settle(self, key: str, record: Record | None) -> None:
        if record is None:
            self.records.pop(key, None)
        else:
            self.records[record.key] = record
