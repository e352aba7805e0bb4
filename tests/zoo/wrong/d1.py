"""Delete doesn't say that the resource is gone, or it isn't for Read."""

import os
from typing import Any

from dtm_sdk import State
from tests.zoo.right import note, widget
from tests.zoo.zoo import Wrong, but


def delete_without_a_word(options: note.NoteOptions) -> Any:
    """Remove the file."""
    note.delete(options)


def delete_counting(options: note.NoteOptions) -> Any:
    """Remove the file; how many there were."""
    count = int(os.path.exists(options.path))
    note.delete(options)
    return count


def delete_emptying(options: note.NoteOptions) -> bool:
    """Make the file one that says nothing."""
    with open(options.path, "w") as file:
        file.write("0\n")
    return True


CACHE: dict[str, State] = {}


def create_cached(options: widget.WidgetOptions) -> State:
    """Make the widget, and keep what it is in a cache."""
    CACHE[options.name] = widget.create(options)
    return CACHE[options.name]


def read_cached(options: widget.WidgetOptions, state: State | None) -> State | None:
    """Describe the widget; of one that can't be found, what was known of it."""
    return widget.read(options, state) or CACHE.get(options.name)


def delete_softly(options: widget.WidgetOptions, state: State | None) -> bool:
    """Mark the widget as one that may be removed."""
    found = widget.find(options, state)
    if found:
        widget.ask(options, "PUT", f"/widgets/{found['id']}", {**widget.sent(options), "owner": None, "key": None})
    return True


def delete_unless_labelled(options: widget.WidgetOptions, state: State | None) -> bool:
    """Remove the widget; one with labels may be in use."""
    found = widget.find(options, state)
    if found and found["labels"]:
        return False
    return widget.delete(options, state)


def _of(right: Any, name: str, *, also: tuple[str, ...] = (), **changes: Any) -> Wrong:
    return Wrong(rule="D1", name=name, plugin=but(right.plugin, **changes), world=right.world, also=also)


WRONG = [
    _of(note, "returns-none", delete=delete_without_a_word),
    _of(note, "returns-a-number", delete=delete_counting),
    _of(note, "empties-the-file", delete=delete_emptying),
    # What is gone behind its back is in the cache as well: R6.
    _of(widget, "reads-a-cache", create=create_cached, read=read_cached, also=("R1", "R6")),
    _of(widget, "marks-it-as-deleted", delete=delete_softly),
    _of(widget, "keeps-what-may-be-in-use", delete=delete_unless_labelled),
]
