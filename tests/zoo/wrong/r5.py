"""Read doesn't see what has changed."""

from dtm_sdk import State
from tests.zoo.right import note, widget
from tests.zoo.zoo import Wrong, but


def read_the_access_of_the_options(options: note.NoteOptions) -> State | None:
    """Describe the file; who may read it is what was asked for."""
    found = note.describe(options.path)
    return found and {**found, "access": options.access.value}


def read_all_from_the_options(options: note.NoteOptions) -> State | None:
    """Describe the file as it should be, if there is one."""
    found = note.describe(options.path)
    lines = list(options.header.lines)
    made = note.state(options.path, options.text, options.header.title, lines, note.MODES[options.access])
    return made if found else None


def read_the_labels_of_the_record(options: widget.WidgetOptions, state: State | None) -> State | None:
    """Describe the widget with the labels that are recorded: others may add some."""
    found = widget.read(options, state)
    return {**found, "labels": state["labels"]} if found and state else found


def read_the_colour_of_the_options(options: widget.WidgetOptions, state: State | None) -> State | None:
    """Describe the widget; its colour is written in many ways, so it is the one that was asked for."""
    found = widget.read(options, state)
    return found and {**found, "colour": options.colour.lower()}


DRIFT = ("L2",)
"""A drift has a row in the table, which is tried with what these don't see."""

WRONG = [
    Wrong(
        rule="R5",
        name="says-the-access-that-was-asked-for",
        plugin=but(note.plugin, read=read_the_access_of_the_options),
        world=note.world,
        also=DRIFT,
    ),
    Wrong(
        rule="R5",
        name="says-what-was-asked-for",
        plugin=but(note.plugin, read=read_all_from_the_options),
        world=note.world,
        also=DRIFT,
    ),
    Wrong(
        rule="R5",
        name="says-the-labels-that-were",
        plugin=but(widget.plugin, read=read_the_labels_of_the_record),
        world=widget.world,
        also=DRIFT,
    ),
    Wrong(
        rule="R5",
        name="says-the-colour-that-was-asked-for",
        plugin=but(widget.plugin, read=read_the_colour_of_the_options),
        world=widget.world,
        also=DRIFT,
    ),
]
