"""What Create makes isn't what the options say."""

import os
from typing import Any

from msgspec.structs import replace

from dtm_sdk import State
from tests.zoo.right import note, widget
from tests.zoo.zoo import Wrong, but


def create_later(options: note.NoteOptions) -> State:
    """Say what will be made; a first version, to be filled."""
    lines = list(options.header.lines)
    return note.state(options.path, options.text, options.header.title, lines, note.MODES[options.access])


def save_stripped(options: note.NoteOptions) -> State:
    """Write the file without the white space around its text."""
    return note.save(replace(options, text=options.text.strip()))


def save_for_the_owner(options: note.NoteOptions) -> State:
    """Write the file for its owner, whatever the options say."""
    return {**note.save(replace(options, access=note.Access.OWNER)), "access": options.access.value}


def read_for_the_owner(options: note.NoteOptions) -> State | None:
    """Describe the file, with the access that the options say."""
    found = note.describe(options.path)
    return found and {**found, "access": options.access.value}


def read_with_the_wait(options: note.NoteOptions) -> State | None:
    """Describe the file, and how long it was waited for."""
    found = note.describe(options.path)
    return found and {**found, "waited": options.wait}


def save_with_the_wait(options: note.NoteOptions) -> State:
    """Write the file, and say how long it was waited for."""
    return {**note.save(options), "waited": options.wait}


def with_labels(made: State | None, options: widget.WidgetOptions) -> Any:
    """A state with the labels that the options say."""
    return made and {**made, "labels": dict(options.labels)}


def without_labels(options: widget.WidgetOptions) -> widget.WidgetOptions:
    """Options as they were before there were labels."""
    return replace(options, labels={})


unlabelled = but(
    widget.plugin,
    create=lambda options: with_labels(widget.create(without_labels(options)), options),
    read=lambda options, state: with_labels(widget.read(options, state), options),
    update=lambda options, state: with_labels(widget.update(without_labels(options), state), options),
)


def with_the_patience(made: State | None, options: widget.WidgetOptions) -> Any:
    """A state with the seconds that an answer is waited for."""
    return made and {**made, "outputs": {**made["outputs"], "timeout": options.timeout}}


patient = but(
    widget.plugin,
    create=lambda options: with_the_patience(widget.create(options), options),
    read=lambda options, state: with_the_patience(widget.read(options, state), options),
    update=lambda options, state: with_the_patience(widget.update(options, state), options),
)


def save_and_sign(options: note.NoteOptions) -> State:
    """Write the file, and beside it how it was written."""
    made = note.save(options)
    if options.wait:
        with open(f".{options.path}.waited", "w", encoding="utf-8") as file:
            file.write(f"{options.wait} s")
    return made


def delete_signed(options: note.NoteOptions) -> bool:
    """Remove the file, and what is beside it."""
    gone = note.delete(options)
    if os.path.exists(f".{options.path}.waited"):
        os.unlink(f".{options.path}.waited")
    return gone


WRONG = [
    Wrong(
        rule="C3",
        name="makes-nothing",
        plugin=but(note.plugin, create=create_later),
        world=note.world,
        also=("C2", "L1"),  # what wasn't made can't be read
    ),
    Wrong(
        rule="C3",
        name="strips-what-it-writes",
        plugin=but(note.plugin, create=save_stripped, update=save_stripped),
        world=note.world,
    ),
    Wrong(rule="C3", name="hides-a-rewriting", plugin=but(widget.plugin, normalized=[]), world=widget.world),
    Wrong(
        rule="C3",
        name="shows-no-option-but-the-text",
        plugin=but(note.plugin, examples=[{"path": "a.note", "text": "one"}, {"path": "a.note", "text": "two"}]),
        world=note.world,
    ),
    Wrong(
        rule="C3",
        name="ignores-an-option",
        plugin=but(note.plugin, create=save_for_the_owner, read=read_for_the_owner, update=save_for_the_owner),
        world=note.world,
    ),
    Wrong(rule="C3", name="sends-no-labels", plugin=unlabelled, world=widget.world),
    Wrong(
        rule="C3",
        name="says-how-long-it-waited",
        plugin=but(note.plugin, create=save_with_the_wait, read=read_with_the_wait, update=save_with_the_wait),
        world=note.world,
        also=("L2",),  # a change of Tuning alone changes what Read says
    ),
    Wrong(
        rule="C3",
        name="says-its-patience",
        plugin=patient,
        world=widget.world,
        also=("L2",),  # a change of Tuning alone changes what Read says
    ),
    Wrong(
        rule="C3",
        name="writes-how-long-it-waited",
        plugin=but(note.plugin, create=save_and_sign, update=save_and_sign, delete=delete_signed),
        world=note.world,
        also=("C6", "U1"),  # it stays where the new options wait no more
    ),
]
