"""Read, right after Create, says another thing."""

from dtm_sdk import State
from tests.zoo.right import note, widget
from tests.zoo.zoo import Wrong, but


def read_stripped(options: note.NoteOptions) -> State | None:
    """Describe the file without the white space at its end."""
    found = note.describe(options.path)
    return found and {**found, "text": found["text"].strip()}


def read_with_defaults_left_out(options: note.NoteOptions) -> State | None:
    """Describe the file; an empty header isn't there."""
    found = note.describe(options.path)
    if found and not found["header"]["lines"]:
        del found["header"]
    return found


def create_as_sent(options: widget.WidgetOptions) -> State:
    """Make the widget, and say what was sent: the service has written the colour in another way."""
    return {**widget.create(options), "colour": options.colour}


def read_by_the_record(options: widget.WidgetOptions, state: State | None) -> State | None:
    """Describe the widget that is recorded; without a record there is none."""
    return widget.read(options, state) if state else None


WRONG = [
    Wrong(rule="C2", name="strips-what-it-reads", plugin=but(note.plugin, read=read_stripped), world=note.world),
    Wrong(
        rule="C2",
        name="leaves-out-defaults-in-read",
        plugin=but(note.plugin, read=read_with_defaults_left_out),
        world=note.world,
    ),
    Wrong(rule="C2", name="says-what-it-sent", plugin=but(widget.plugin, create=create_as_sent), world=widget.world),
    Wrong(
        rule="C2",
        name="finds-nothing-without-the-record",
        plugin=but(widget.plugin, read=read_by_the_record),
        world=widget.world,
        also=("L5",),  # with the state lost, nothing is found again
    ),
]
