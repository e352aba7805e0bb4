"""The intents of a run: what numbers them, and those that runs which died have left open. Pure."""

from collections.abc import Iterable

from msgspec.structs import replace

from dtm_sdk.state import Begin, End, Entry, Record


class Intents:
    """Numbers operations, and knows what runs that died were doing.

    Args:
        left: their open intents.
    """

    def __init__(self, left: Iterable[Begin]) -> None:
        self._left: dict[str, list[Begin]] = {}
        self._last = 0
        for intent in left:
            self._left.setdefault(intent.record.key, []).append(intent)
            self._last = max(self._last, intent.id)

    def number(self) -> int:
        """The number of one more operation."""
        self._last += 1
        return self._last

    def open(self, key: str) -> bool:
        """Whether something that a run which died has begun on a tool is open still."""
        return key in self._left

    def moved(self, record: Record, was: str) -> list[Entry]:
        """The entries by which what has begun under an old key has begun under that of a record."""
        entries: list[Entry] = []
        for intent in self._left.pop(was, ()):
            moved = Begin(self.number(), intent.operation, replace(intent.record, name=record.name))
            entries += [End(intent.id, error=f"moved to {record.key}"), moved]
            self._left.setdefault(record.key, []).append(moved)
        return entries

    def done_again(self, key: str) -> list[Entry]:
        """The entries that end what had begun on a tool, once something has succeeded on it."""
        return [End(intent.id, error="done again") for intent in self._left.pop(key, ())]
