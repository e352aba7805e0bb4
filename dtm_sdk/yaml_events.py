"""YAML text -> the events of a parser: decoded and refused where it is no text that we read.

What stands here is about the text as a whole: limits, encoding, syntax. `document` makes values of the events.
"""

import re
from itertools import repeat, starmap
from typing import Any, Final, NoReturn

import yaml
from yaml.events import Event
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner

from dtm_sdk.yaml_limits import DocumentError, Limits


class _PureParser(Reader, Scanner, Parser):
    """PyYAML's parser without the C library: ten times slower, for platforms that have no other."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)


_Parser: Final[Any] = (
    yaml.cyaml.CParser  # type: ignore[attr-defined]  # the stubs leave it out
    if yaml.__with_libyaml__
    else _PureParser
)

_UNPRINTABLE: Final = "[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]"
"""What YAML allows in no text (YAML 1.2, section 5.1, c-printable)."""
_BREAKS: Final = "\x85\u2028\u2029"
"""What ends a line in YAML 1.1, and is an ordinary character in YAML 1.2."""
_SPLIT: Final = "split it into several files in a folder"
_HINTS: Final = {
    "found character that cannot start any token": "put text that starts with @ or ` in quotes; indent with spaces",
    "found a tab character that violates indentation": "indent with spaces",
    "mapping values are not allowed in this context": "put text with a colon in quotes, and check the indentation",
    "found unknown escape character": r"write \\ for a backslash, or use single quotes",
    "found invalid Unicode character escape code": r"write one character as \U and all eight digits, not as two halves",
}


class Events:
    """The events of one text.

    Iterating gives each once, from StreamStartEvent to StreamEndEvent; or fewer, as many as the limits allow. Whoever
    iterates stops at StreamEndEvent.
    """

    __slots__ = ("_limits", "_parser", "_text")

    def __init__(self, text: str | bytes, limits: Limits) -> None:
        self._limits = limits
        self._text = _decoded(text, limits)
        try:
            self._parser: Any = _Parser(self._text)
        except yaml.YAMLError as error:  # without the C library, the whole text is looked through at once
            raise self.located(error) from None

    def __iter__(self) -> "starmap[Any]":
        # Calls get_event so many times and no more: the count costs nothing.
        return starmap(self._parser.get_event, repeat((), self._limits.events))

    def refuse_more(self) -> NoReturn:
        """Refuse the event after the last one that the limits allow."""
        what = f"the text has more than {self._limits.events} keys, values and brackets"
        refuse(self._parser.get_event(), what, _SPLIT)

    def before_too_deep(self, error: yaml.YAMLError) -> str | None:
        """The text before the place where the parser itself found too many brackets inside one another, if it did.

        It looks ahead, up to 1,024 characters: so it may find that before it gives a single event.
        """
        if not (isinstance(error, yaml.MarkedYAMLError) and error.problem == "exceeded maximum nesting depth"):
            return None
        mark: Any = error.problem_mark
        return self._text[: mark.index]

    def located(self, error: yaml.YAMLError) -> DocumentError:
        """What the parser raised, as an error of ours."""
        if not isinstance(error, yaml.MarkedYAMLError):  # a ReaderError, whose position counts bytes or characters
            found = re.search(_UNPRINTABLE, self._text)
            return _unprintable(self._text, found.start() if found else 0)
        mark: Any = error.problem_mark
        problem = error.problem or ""
        what = f"no valid YAML: {', '.join(filter(None, (problem, error.context)))}"
        hint = _HINTS.get(problem, "check the quotes, the brackets and the indentation, here and above")
        if "{{" in self._text[self._text.rfind("\n", 0, mark.index) + 1 : mark.index + 2]:
            hint = "put quotes around a text with {{ }}"
        return DocumentError(what, hint, mark.line + 1, mark.column + 1)


def refuse(event: Event, what: str, hint: str) -> NoReturn:
    """Raise a `DocumentError` that stands where an event starts."""
    mark: Any = event.start_mark
    raise DocumentError(what, hint, mark.line + 1, mark.column + 1)


def _decoded(text: str | bytes, limits: Limits) -> str:
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if len(data) > limits.size:
        raise DocumentError(f"the text has more than {limits.size} bytes", _SPLIT, 1, 1)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or data[:4].count(0) >= 2:
        raise DocumentError("the text is UTF-16 or UTF-32, not UTF-8", "save it as UTF-8", 1, 1)
    try:
        decoded = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before, wrong = error.object[: error.start], error.object[error.start]  # what follows the mark, if there is one
        what = f"the text is no UTF-8 (byte 0x{wrong:02x}), maybe Latin-1 or Windows-1252"
        raise DocumentError(what, "save it as UTF-8", *_place(before.decode())) from None
    for char in () if decoded.isascii() else _BREAKS:
        if char in decoded:
            raise _unprintable(decoded, decoded.index(char))
    if "%TAG" in decoded and (tag := re.search(r"^%TAG", decoded, re.MULTILINE)):
        # libyaml compares each of these lines with all before it: 4 MiB of them take minutes.
        raise DocumentError("%TAG lines aren't supported", "remove the line", *_place(decoded[: tag.start()]))
    return decoded


def _place(before: str) -> tuple[int, int]:
    """The line and column, from 1, that follow a piece of text."""
    lines = before.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return len(lines), len(lines[-1]) + 1


def _unprintable(text: str, index: int) -> DocumentError:
    char = text[index]
    hint = f'write "\\u{ord(char):04x}" in double quotes' if char in _BREAKS else "remove it"
    return DocumentError(f"the character U+{ord(char):04X} may not stand in YAML", hint, *_place(text[:index]))
