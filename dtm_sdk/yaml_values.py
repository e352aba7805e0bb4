"""The events of a YAML parser -> plain values, and where each of them stands.

Values are built straight from the events; nothing is composed, no tag makes an object.
"""

import re
from collections.abc import Sequence
from math import isinf
from typing import Any, Final, TypeAlias

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from dtm_sdk.options import Json
from dtm_sdk.yaml_events import Events, refuse
from dtm_sdk.yaml_limits import CONFIG, Limits, shown, weigh
from dtm_sdk.yaml_lines import NUMBER, WORDS

_OPEN: Final = object()
"""Stands for an anchored value that isn't complete yet."""
_MERGE: Final = object()
"""Stands for the merge key."""
_TAGS: Final = {
    ScalarEvent: ("!", "tag:yaml.org,2002:str"),
    SequenceStartEvent: ("!", "tag:yaml.org,2002:seq"),
    MappingStartEvent: ("!", "tag:yaml.org,2002:map"),
}
_LONGEST: Final = 21
"""Characters of the longest decimal integer of 64 bits, its sign included."""
_CONTROL: Final = "[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]"
_SURROGATE: Final = "[\ud800-\udfff]"
_QUOTE: Final = "put it in quotes if it is text"


def build(text: str | bytes, limits: Limits) -> list[Json]:
    """The value of each document in a text, as `document.parse` has it.

    Raises:
        DocumentError: the text is no UTF-8, no YAML, or more than the limits allow.
    """
    events = Events(text, limits)
    try:
        values = _Builder(iter(events), limits).documents()
        return events.refuse_more() if values is None else values
    except yaml.YAMLError as error:
        begun = events.before_too_deep(error)
        if begun is not None:
            build(begun, limits)  # refuses it where the limit is exceeded, which is far before
        raise events.located(error) from None


class _Builder:
    """Builds the values of one text in one pass."""

    __slots__ = ("_anchors", "_events", "_keys", "_left", "_limits")

    def __init__(self, events: Any, limits: Limits) -> None:
        self._events = events
        self._limits = limits
        self._left = limits.expansion
        self._anchors: dict[str, Json] = {}
        self._keys: dict[str, str] = {}  # one text for the many keys that are equal

    def documents(self) -> list[Json] | None:
        """The value of each document; None where the events end before the text does."""
        values: list[Json] = []
        try:
            for event in self._events:
                if type(event) is DocumentStartEvent:
                    self._anchors = {}
                    values.append(self._value(next(self._events), 0))
                elif type(event) is StreamEndEvent:
                    return values
        except StopIteration:
            pass
        return None

    def _value(self, event: Any, depth: int) -> Json:
        kind = type(event)
        if kind is AliasEvent:
            return self._alias(event, depth)
        tag, anchor = event.tag, event.anchor
        if kind is ScalarEvent and tag is None and anchor is None:
            return self._scalar(event)
        if tag is not None and tag not in _TAGS[kind]:
            refuse(event, f"the tag {shown(tag)} isn't supported", "remove it; YAML is read as data only")
        if anchor is not None:
            self._anchors[anchor] = _OPEN
        value = self._scalar(event) if kind is ScalarEvent else self._collection(event, depth)
        if anchor is not None:
            self._anchors[anchor] = value
        return value

    def _collection(self, event: Any, depth: int) -> Json:
        if depth >= self._limits.depth:
            refuse(event, f"lists and mappings are more than {depth} deep", "write it flatter, or as text in quotes")
        return self._mapping(depth + 1) if type(event) is MappingStartEvent else self._sequence(depth + 1)

    def _sequence(self, depth: int) -> list[Json]:
        result: list[Json] = []
        for event in self._events:
            if type(event) is SequenceEndEvent:
                return result
            result.append(self._value(event, depth))
        raise StopIteration

    def _mapping(self, depth: int) -> dict[str, Json]:
        events, keys, value_of = self._events, self._keys, self._value
        result: dict[str, Json] = {}
        merged: dict[str, Json] | None = None
        for event in events:
            if type(event) is not ScalarEvent:
                if type(event) is MappingEndEvent:
                    return result if merged is None else {**merged, **result}
                refuse(
                    event,
                    "a key is a list, a mapping or an alias",
                    "write the key as text, and quotes around a text with {{ }}",
                )
            key = keys.get(event.value)
            if key is None or event.anchor is not None or event.tag is not None:
                key = self._key(event, depth)
            if key in result or (key is _MERGE and merged is not None):
                refuse(event, f"the key {shown(event.value)} is there twice", "remove or rename one of the two")
            if key is _MERGE:
                merged = self._merged(next(events), depth)
            else:
                result[key] = value_of(next(events), depth)
        raise StopIteration

    def _key(self, event: Any, depth: int) -> Any:
        """The text of a key, checked and kept for all that are equal; `_MERGE` for a `<<` without quotes."""
        key = event.value
        if event.anchor is not None or event.tag is not None or not key.isprintable():
            self._value(event, depth)
        if key == "<<":
            return _MERGE if _merges(event) else key
        return self._keys.setdefault(key, key)

    def _merged(self, event: Any, depth: int) -> dict[str, Json]:
        """The entries that `<<` adds; of those with the same key the first stays."""
        value = self._value(event, depth)
        added = value if isinstance(value, list) else [value]
        if not all(isinstance(mapping, dict) for mapping in added):
            refuse(event, "<< needs a mapping or a list of mappings", "put << in quotes if it is an ordinary key")
        return {key: item for mapping in reversed(added) for key, item in mapping.items()}

    def _alias(self, event: Any, depth: int) -> Json:
        name = shown(event.anchor)
        if event.anchor not in self._anchors:
            refuse(event, f"the alias *{name} has no anchor above it", f"write &{name} before the value it stands for")
        value = self._anchors[event.anchor]
        if value is _OPEN:
            refuse(event, f"the alias *{name} stands inside its own value", "write what it should be")
        weight, levels = weigh(value, self._left)
        if weight > self._left:
            what = f"aliases stand for more than {self._limits.expansion} characters"
            refuse(event, what, "use fewer of them, or split the text into several files in a folder")
        if depth + levels > self._limits.depth:
            what = f"lists and mappings are more than {self._limits.depth} deep with the alias *{name}"
            refuse(event, what, "write it flatter")
        self._left -= weight
        return value

    def _scalar(self, event: Any) -> Json:
        value, style = event.value, event.style
        if not style and event.tag is None:
            if value in WORDS:
                return WORDS[value]
            return _number(event, value) if value[0] in "+-.0123456789" else value
        if style == '"' and not value.isprintable():
            if not value.isascii() and re.search(_SURROGATE, value):
                refuse(event, "the text holds half a character (U+D800 to U+DFFF)", r"write \U and all eight digits")
            if not self._limits.control_characters and (found := re.search(_CONTROL, value)):
                refuse(event, f"the text holds the control character U+{ord(found[0]):04X}", "remove it")
        return value


def _merges(key: Any) -> bool:
    """Whether a key that reads `<<` is the merge key, not a quoted text."""
    return not key.style and key.tag is None


def _number(event: Any, text: str) -> int | float | str:
    """The number that a plain scalar is, or its text."""
    match = re.fullmatch(NUMBER, text)
    if not match:
        return text
    form = match.lastgroup
    if form == "special":
        refuse(event, f"{text} is no finite number", _QUOTE)
    if form == "float":
        real = float(text)
        if isinf(real):
            refuse(event, f"the number {shown(text)} is too large", _QUOTE)
        return real
    number = 2**64 if form == "decimal" and len(text) > _LONGEST else int(text, 0)
    if not -(2**63) <= number < 2**64:
        refuse(event, f"the integer {shown(text)} has more than 64 bits", _QUOTE)
    return number


_Spot: TypeAlias = tuple[int, int, "_Inside"]
"""Line and column, from 0, of an entry's key or a list's item, and what is inside of the value."""
_Inside: TypeAlias = dict[str | int, _Spot]


class Positions:
    """Where each value of a text stands: made once an error has to be located, so that `parse` needs to keep nothing.

    Takes a text that `document.parse` reads with the same limits.
    """

    __slots__ = ("_anchors", "_documents", "_events")

    def __init__(self, text: str | bytes, limits: Limits = CONFIG) -> None:
        self._events = iter(Events(text, limits))
        self._anchors: dict[str | None, _Inside] = {}
        self._documents: list[_Spot] = []
        while type(event := next(self._events)) is not StreamEndEvent:
            if type(event) is DocumentStartEvent:
                self._documents.append(self._spot(next(self._events)))

    def find(self, document: int, path: Sequence[str | int]) -> tuple[int, int]:
        """Line and column, from 1, of an entry's key or a list's item; of what holds it where it doesn't exist."""
        line, column, inside = self._documents[document]
        for step in path:
            if step not in inside:
                break
            line, column, inside = inside[step]
        return line + 1, column + 1

    def _spot(self, event: Any) -> _Spot:
        mark = event.start_mark
        return mark.line, mark.column, self._inside(event)

    def _inside(self, event: Any) -> _Inside:
        kind = type(event)
        if kind is AliasEvent:
            return self._anchors[event.anchor]
        inside = self._items() if kind is SequenceStartEvent else self._entries() if kind is MappingStartEvent else {}
        if event.anchor is not None:
            self._anchors[event.anchor] = inside
        return inside

    def _items(self) -> _Inside:
        inside: _Inside = {}
        while type(event := next(self._events)) is not SequenceEndEvent:
            inside[len(inside)] = self._spot(event)
        return inside

    def _entries(self) -> _Inside:
        inside: _Inside = {}
        merged: _Inside = {}
        while type(key := next(self._events)) is not MappingEndEvent:
            line, column, _ = self._spot(key)
            value = self._inside(next(self._events))
            if key.value == "<<" and _merges(key):
                merged = _merged_spots(value)
            else:
                inside[key.value] = line, column, value
        return {**merged, **inside}


def _merged_spots(inside: _Inside) -> _Inside:
    """What `<<` adds: the entries of a mapping, or of each mapping in a list; of those with the same key the first."""
    if 0 not in inside:  # keys are text: it is no list, or an empty one
        return inside
    return {key: spot for item in reversed(inside.values()) for key, spot in item[2].items()}
