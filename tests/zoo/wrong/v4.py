"""Not every problem is told, or one ends in an exception."""

from collections.abc import Mapping
from typing import Any

from dtm_sdk import Options, OptionsError, Plugin
from tests.zoo.right import note, widget
from tests.zoo.zoo import Wrong, but, made_as


class OneAtATime(Plugin):
    """A plugin with short errors."""

    def parse(self, raw: Mapping[str, Any]) -> Options:
        """Typed options."""
        try:
            return super().parse(raw)
        except OptionsError as error:
            raise OptionsError(error.problems[:1] if error.problems[0][0] else error.problems) from None


class Eager(Plugin):
    """A plugin that says all it knows, of values of wrong types too."""

    def parse(self, raw: Mapping[str, Any]) -> Options:
        """Typed options."""
        try:
            return super().parse(raw)
        except OptionsError as error:
            more = [] if str(raw.get("path")).endswith(".note") else [("", "path ends in .note")]
            raise OptionsError([*error.problems, *more]) from None


def validate_ascii(options: widget.WidgetOptions) -> list[str]:
    """What is wrong with the options; a colour is plain ASCII."""
    return [*widget.validate(options), *(["colour has white space"] if b" " in options.colour.encode("ascii") else [])]


def validate_first_line(options: note.NoteOptions) -> list[str]:
    """What is wrong with the options; the first line says something."""
    first = options.text.splitlines()[0]
    return note.validate(options) + ([] if first.strip() else ["the first line of the text is blank"])


def validate_until_wrong(options: note.NoteOptions) -> list[str]:
    """What is wrong first with the options."""
    if "/" in options.path or "\0" in options.path or options.path in {".", ".."}:
        return ["path is the name of a file in the working directory: leave out '/' and NUL"]
    if any("\n" in line for line in (options.header.title, *options.header.lines)):
        return ["a line of the header has no end of line in it"]
    return note.validate(options)


WRONG = [
    Wrong(rule="V4", name="first-type-problem", plugin=made_as(OneAtATime, note.plugin), world=note.world),
    Wrong(rule="V4", name="asks-all-at-once", plugin=made_as(Eager, note.plugin), world=note.world),
    Wrong(rule="V4", name="not-ascii", plugin=but(widget.plugin, validate=validate_ascii), world=widget.world),
    Wrong(rule="V4", name="no-first-line", plugin=but(note.plugin, validate=validate_first_line), world=note.world),
    Wrong(rule="V4", name="returns-early", plugin=but(note.plugin, validate=validate_until_wrong), world=note.world),
]
