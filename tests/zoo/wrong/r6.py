"""Read doesn't see that the resource has gone."""

import os
from functools import cache

from dtm_sdk import State
from tests.zoo.right import note, widget
from tests.zoo.zoo import Wrong, but

LAST: dict[str, State] = {}


@cache
def there(path: str) -> bool:
    """Whether there is a file; asked once."""
    return os.path.lexists(path)


def read_if_there(options: note.NoteOptions) -> State | None:
    """Describe the file, if there is one."""
    if not there(options.path):
        there.cache_clear()
        return None
    with open(options.path, "rb") as file:
        file.seek(0)
    return note.describe(options.path)


def delete_known(options: note.NoteOptions) -> bool:
    """Remove the file, and forget it."""
    there.cache_clear()
    return note.delete(options)


def read_or_last(options: note.NoteOptions) -> State | None:
    """Describe the file; between two writes of an editor it may be missing, so say what it was then."""
    found = note.describe(options.path)
    if found:
        LAST[options.path] = found
    return LAST.get(options.path)


def delete_last(options: note.NoteOptions) -> bool:
    """Remove the file, and forget it."""
    LAST.pop(options.path, None)
    return note.delete(options)


def read_or_recorded(options: widget.WidgetOptions, state: State | None) -> State | None:
    """Describe the widget; what is recorded must be somewhere."""
    return widget.read(options, state) or state


def read_a_tombstone(options: widget.WidgetOptions, state: State | None) -> State | None:
    """Describe the widget; of one that has gone, say so."""
    found = widget.read(options, state)
    return {**state, "size": 0} if state and not found else found


GONE = ("D1", "L2", "L3", "U5")
"""Rules that are asked by a Read of what has gone."""

WRONG = [
    Wrong(
        rule="R6",
        name="asks-once-whether-it-is-there",
        plugin=but(note.plugin, read=read_if_there, delete=delete_known),
        world=note.world,
        also=GONE,
    ),
    Wrong(
        rule="R6",
        name="says-what-was-last",
        plugin=but(note.plugin, read=read_or_last, delete=delete_last),
        world=note.world,
        also=GONE,
    ),
    Wrong(
        rule="R6",
        name="says-what-is-recorded",
        plugin=but(widget.plugin, read=read_or_recorded),
        world=widget.world,
        also=GONE,
    ),
    Wrong(
        rule="R6",
        name="says-that-it-is-gone",
        plugin=but(widget.plugin, read=read_a_tombstone),
        world=widget.world,
        also=GONE,
    ),
]
