"""What can't be done is found out in the middle of an operation."""

import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from dtm_sdk import Options, OptionsError, Plugin, PluginError, State
from dtm_sdk.options import parse
from tests.zoo.right import note, widget
from tests.zoo.zoo import Wrong, but, made_as


def without(messages: list[str], word: str) -> list[str]:
    """Messages of a validation that does not look at one thing."""
    return [message for message in messages if word not in message]


def validate_but_for_halves(options: note.NoteOptions) -> list[str]:
    """What is wrong with the options; half a character is passed over."""
    return without(note.validate(options), "half a character")


def create_reserved(options: note.NoteOptions) -> State:
    """Reserve the name, then make the file."""
    with suppress(FileExistsError):
        os.close(os.open(options.path, os.O_CREAT | os.O_EXCL, 0o600))
    return note.create(options)


def create_reserved_telling(options: note.NoteOptions) -> State:
    """Reserve the name, then make the file; say so if the text is none."""
    try:
        return create_reserved(options)
    except UnicodeError as error:
        raise PluginError("the text can't be written as UTF-8", "change it") from error


def validate_but_for_token(options: widget.WidgetOptions) -> list[str]:
    """What is wrong with the options; whether the token can stand in a header is passed over."""
    return without(widget.validate(options), "token")


def create_then_look(options: widget.WidgetOptions) -> State:
    """Make the widget, and look whether the colour is one."""
    made = widget.create(options)
    if not options.colour.isalpha():
        raise PluginError(f"{options.colour!r} is no colour", "write e.g. red")
    return made


class Advised(Plugin):
    """A plugin whose `validate` gives advice."""

    def parse(self, raw: Mapping[str, Any]) -> Options:
        """Typed options; what there is to say of them is logged."""
        try:
            return super().parse(raw)
        except OptionsError as error:
            if any(path for path, _ in error.problems):
                raise
            logging.getLogger(__name__).warning("%s", error)
            return parse(self.options, raw)


HALF_MADE = ("F1", "F2", "F4")
"""What is reserved is half made, whatever comes between."""

WRONG = [
    Wrong(
        rule="V6",
        name="reserves-before-it-encodes",
        plugin=but(note.plugin, validate=validate_but_for_halves, create=create_reserved),
        world=note.world,
        also=HALF_MADE,
    ),
    Wrong(
        rule="V6",
        name="reserves-and-tells",
        plugin=but(note.plugin, validate=validate_but_for_halves, create=create_reserved_telling),
        world=note.world,
        also=HALF_MADE,
    ),
    Wrong(
        rule="V6",
        name="token-with-an-end-of-line",
        plugin=but(widget.plugin, validate=validate_but_for_token),
        world=widget.world,
    ),
    Wrong(
        rule="V6", name="looks-when-it-is-made", plugin=but(widget.plugin, create=create_then_look), world=widget.world
    ),
    Wrong(rule="V6", name="advice", plugin=made_as(Advised, widget.plugin), world=widget.world),
]
