"""An operation changes the options that it was given."""

import logging

from dtm_sdk import State
from tests.zoo.right import note, widget
from tests.zoo.zoo import Wrong, but

LOG = logging.getLogger(__name__)


def create_and_count(options: note.NoteOptions) -> State:
    """Make the file; the title is counted as a line."""
    made = note.save(options)
    lines = options.header.lines
    if options.header.title:
        lines.insert(0, options.header.title)
    LOG.info("%s has %s lines above", options.path, len(lines))
    return made


def update_and_say(options: note.NoteOptions) -> State:
    """Write the file again, and say its lines, the last one first."""
    made = note.save(options)
    while options.header.lines:
        LOG.info("wrote %s", options.header.lines.pop())
    return made


def create_and_tell(options: widget.WidgetOptions) -> State:
    """Make the widget, and say whose it is, the last one first."""
    made = widget.create(options)
    options.owner.people.sort(reverse=True)
    LOG.info("made for %s", ", ".join(options.owner.people))
    return made


def read_with_a_label(options: widget.WidgetOptions, state: State | None) -> State | None:
    """Describe the widget; what the service adds by itself is added to what is asked for."""
    options.labels.setdefault("managed-by", "dtm")
    return widget.read(options, state)


WRONG = [
    Wrong(rule="C4", name="inserts-a-line", plugin=but(note.plugin, create=create_and_count), world=note.world),
    Wrong(rule="C4", name="empties-a-list-in-update", plugin=but(note.plugin, update=update_and_say), world=note.world),
    Wrong(rule="C4", name="sorts-a-list", plugin=but(widget.plugin, create=create_and_tell), world=widget.world),
    Wrong(
        rule="C4", name="adds-a-label-in-read", plugin=but(widget.plugin, read=read_with_a_label), world=widget.world
    ),
]
