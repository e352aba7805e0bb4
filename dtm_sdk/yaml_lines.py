r"""YAML of the simplest form -> plain values, without a parser: what most configs and states are written in.

A text is read here as a whole or not at all: `read` gives None where it meets anything that it doesn't know, and where
a limit is exceeded. The parser reads the text then, or says what is wrong with it and where. What is read here is what
the parser would make of it: the tests compare the two. This is for a fast start: to import the parser takes a tenth of
a short run.

The form: a mapping in block style, in ASCII, indented by spaces. A line is `key:`, `key: value`, `- key:`,
`- key: value` or `- value`, with a comment behind it or in its place. A value is an integer; text in single quotes,
with none in it; text in double quotes, with none in it and no escapes but those of backslash, slash, tab and newline;
or text without quotes, of characters that mean nothing in YAML.
"""

import re
from typing import Any, Final

from dtm_sdk.options import Json
from dtm_sdk.yaml_limits import Limits

WORDS: Final = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
"""The plain scalars that are neither number nor text (YAML 1.2, section 10.3.2)."""
NUMBER: Final = (
    r"(?P<decimal>[-+]?(?:0|[1-9][0-9]*))"
    r"|(?P<prefixed>0x[0-9a-fA-F]+|0o[0-7]+)"
    r"|(?P<float>[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)"
    r"|(?P<special>[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))"
)
"""Those that are numbers (the same section)."""

# Nothing but single characters is repeated: a repeated group would need memory for each turn, of up to 4 MiB of them.
_LINE: Final = r"""(?xa)
    ([ ]*)
    (?:\#[ -~]*|
        (-[ ])?
        (?:([A-Za-z_][\w.-]{0,99}):(?=[ \n]|\Z))?
        ([ ]*(?:
            "([ !\#-~]*)"
            |'([ -&(-~]*)'
            |(-?(?:0|[1-9][0-9]{0,17}))
            |([\w/](?:[\w ./@+=(),;:-]*[\w./@+=(),;-])?)
        ))?
        [ ]*(?:[ ]\#[ -~]*)?
    )
    (?:\n|\Z)"""
"""One line: indent, dash, key, value and what it is: double-quoted text, single-quoted text, integer, plain text."""
_ESCAPE: Final = r"\\(.?)"
_ESCAPED: Final = {"n": "\n", "t": "\t", "\\": "\\", "/": "/"}


def read(text: str | bytes, limits: Limits) -> dict[str, Json] | None:
    """The value of a text of that form; None of any other, and of one that exceeds the limits."""
    if len(text) > limits.size or not text.isascii():
        return None
    written = text.decode() if isinstance(text, bytes) else text
    lines, match, position = _Lines(limits.depth), re.compile(_LINE).match, 0
    for _ in range(limits.events):  # each line but an empty one is an event
        found = match(written, position)
        if found is None or not lines.take(*found.groups()):
            return None
        position = found.end()
        if position == len(written):
            return lines.value if lines.value and lines.end() <= limits.events else None
    return None


class _Lines:
    """Builds the value of a text, line by line.

    Attributes:
        value: what there is so far.
        events: how many events of the parser that would be.
    """

    __slots__ = ("_depth", "_keys", "_open", "_stack", "events", "value")

    def __init__(self, depth: int) -> None:
        self.value: dict[str, Json] = {}
        self.events = 6  # begin and end of stream, document and mapping
        self._depth = depth
        self._stack: list[tuple[int, Any]] = [(0, self.value)]  # lists and mappings that go on, each with its column
        self._open = ""  # the key, of the last of them, whose value is below it or null
        self._keys: dict[str, str] = {}  # one text for the many keys that are equal

    def take(self, indent: str, dash: str | None, key: str | None, value: str | None, *forms: str | None) -> bool:
        """Take one line in; False where it isn't known what it means."""
        if key is None and (value is None or dash is None):
            return dash is None and value is None
        column, stack = len(indent), self._stack
        if self._open:
            self._open_below(column, dash)
        while stack[-1][0] > column or (dash is None and stack[-1][0] == column and type(stack[-1][1]) is list):
            stack.pop()
        at, inside = stack[-1]
        item = None if value is None else _scalar(*forms)
        if at != column or (type(inside) is list) is (dash is None) or item is ... or len(stack) > self._depth:
            return False
        self.events += value is not None
        if key is None:
            inside.append(item)
            return True
        if dash:
            inside.append(entries := dict[str, Json]())
            self._push(column + len(dash), entries)
            inside = entries
        return self._take_entry(inside, key, item, is_open=value is None)

    def _take_entry(self, inside: dict[str, Json], key: str, item: Json, *, is_open: bool) -> bool:
        if key in inside or len(self._stack) > self._depth:
            return False
        key = self._keys.setdefault(key, key)
        inside[key] = item
        self.events += 1
        self._open = key if is_open else ""
        return True

    def _open_below(self, column: int, dash: str | None) -> None:
        """A key had no value in its line: it has the lines below it, where they stand so, else null."""
        at, inside = self._stack[-1]
        if column >= at if dash else column > at:
            inside[self._open] = [] if dash else {}
            self._push(column, inside[self._open])
        else:
            self.events += 1
        self._open = ""

    def _push(self, column: int, below: Json) -> None:
        self._stack.append((column, below))
        self.events += 2

    def end(self) -> int:
        """The text is over; how many events there were."""
        return self.events + bool(self._open)


def _scalar(double: str | None, single: str | None, integer: str | None, plain: str | None) -> Json:
    """The value of a scalar; `...` where that isn't known."""
    if plain is not None:
        if ": " in plain or (plain[0] in "0123456789" and re.fullmatch(NUMBER, plain)):
            return ...
        return WORDS.get(plain, plain)
    if double is not None:
        return _unescaped(double) if "\\" in double else double
    return single if integer is None else int(integer)


def _unescaped(text: str) -> Json:
    try:
        return re.sub(_ESCAPE, lambda escape: _ESCAPED[escape[1]], text)
    except KeyError:  # a rarer one; or the quote behind the text is escaped, and not its end
        return ...
