"""Makes something twice, or changes what is there, when there is no record of it."""

import os
import shutil

from dtm_sdk import State
from tests.zoo.right import note, widget
from tests.zoo.zoo import Wrong, but


def update_or_create(options: widget.WidgetOptions, state: State | None) -> State:
    """Change the recorded widget; without a record there is none to change."""
    if state is None:
        return widget.described(widget.ask(options, "POST", "/widgets", widget.sent(options)))
    return widget.update(options, state)


def update_by_making_anew(options: widget.WidgetOptions, state: State | None) -> State:
    """Change the recorded widget; one that isn't ours is removed first."""
    if state is None:
        widget.delete(options, None)
        return widget.create(options)
    return widget.update(options, state)


def update_and_keep_a_copy(options: note.NoteOptions, state: State | None) -> State:
    """Write the file; a copy is kept of one that somebody else made."""
    if state is None and os.path.exists(options.path):
        shutil.copy2(options.path, f"{options.path}.bak")
    return note.save(options)


FAULTS = ("F1", "F3", "F4")
"""What a Create made that met a fault, or whose answer was lost, isn't recorded, and is adopted."""

WRONG = [
    Wrong(
        rule="L5",
        name="creates-where-nothing-is-recorded",
        plugin=but(widget.plugin, update=update_or_create),
        world=widget.world,
        also=FAULTS,
    ),
    Wrong(
        rule="L5",
        name="makes-anew-what-is-not-recorded",
        plugin=but(widget.plugin, update=update_by_making_anew),
        world=widget.world,
    ),
    Wrong(
        rule="L5",
        name="keeps-a-copy-of-what-it-adopts",
        plugin=but(note.plugin, update=update_and_keep_a_copy),
        world=note.world,
        also=FAULTS,
    ),
]
