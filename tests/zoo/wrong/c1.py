"""Create returns what is no JSON."""

import os
from datetime import UTC, datetime
from typing import Any

from dtm_sdk import State
from tests.zoo.right import note, widget
from tests.zoo.zoo import Wrong, but


def create_with_a_date(options: note.NoteOptions) -> State:
    """Make the file, and say when."""
    made = note.save(options)
    return {**made, "changed": datetime.fromtimestamp(os.stat(options.path).st_mtime, UTC)}


def create_with_a_tuple(options: note.NoteOptions) -> State:
    """Make the file; its lines as a tuple."""
    made = note.save(options)
    return {**made, "header": {**made["header"], "lines": tuple(made["header"]["lines"])}}


def create_without_a_word(options: note.NoteOptions) -> Any:
    """Make the file, and forget to say what was made."""
    note.save(options)


def create_with_the_options_themselves(options: widget.WidgetOptions) -> State:
    """Make the widget; its owner as the object that the options hold."""
    return {**widget.create(options), "owner": options.owner}


def create_by_number(options: widget.WidgetOptions) -> State:
    """Make the widget; its people by their number, which is no key in JSON."""
    made = widget.create(options)
    return {**made, "outputs": {**made["outputs"], "people": dict(enumerate(options.owner.people))}}


def create_without_a_number(options: widget.WidgetOptions) -> State:
    """Make the widget; the size of each of its people, of which there may be none."""
    people = len(options.owner.people)
    return {**widget.create(options), "share": options.size / people if people else float("nan")}


WRONG = [
    Wrong(rule="C1", name="says-a-date", plugin=but(note.plugin, create=create_with_a_date), world=note.world),
    Wrong(rule="C1", name="says-a-tuple", plugin=but(note.plugin, create=create_with_a_tuple), world=note.world),
    Wrong(rule="C1", name="says-nothing", plugin=but(note.plugin, create=create_without_a_word), world=note.world),
    Wrong(
        rule="C1",
        name="says-an-object",
        plugin=but(widget.plugin, create=create_with_the_options_themselves),
        world=widget.world,
    ),
    Wrong(
        rule="C1", name="has-numbers-as-keys", plugin=but(widget.plugin, create=create_by_number), world=widget.world
    ),
    Wrong(rule="C1", name="says-nan", plugin=but(widget.plugin, create=create_without_a_number), world=widget.world),
]
