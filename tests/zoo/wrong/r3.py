"""Read, twice in a row, says two things."""

import os
import time

from dtm_sdk import State
from tests.zoo.right import note, widget
from tests.zoo.zoo import Wrong, but

SEEN: set[str] = set()
LINES: dict[str, list[str]] = {}


def read_with_its_age(options: note.NoteOptions) -> State | None:
    """Describe the file, and how old it is, in seconds."""
    found = note.describe(options.path)
    return found and {**found, "age": int(time.time() - os.stat(options.path).st_mtime)}


def save_with_its_age(options: note.NoteOptions) -> State:
    """Write the file, which is new then."""
    return {**note.save(options), "age": 0}


def read_into_one_list(options: note.NoteOptions) -> State | None:
    """Describe the file; its lines are collected in a list that outlives the call."""
    found = note.describe(options.path)
    if found:
        lines = LINES.setdefault(f"{options.path} {found['text']}", [])
        lines.extend(found["header"]["lines"])
        found["header"]["lines"] = list(lines)
    return found


def read_and_remember(options: widget.WidgetOptions, state: State | None) -> State | None:
    """Describe the widget, and whether it has been seen before."""
    found = widget.read(options, state)
    if found is None:
        return None
    id_ = found["outputs"]["id"]
    known = id_ in SEEN
    SEEN.add(id_)
    return {**found, "seen": known}


def create_unseen(options: widget.WidgetOptions) -> State:
    """Make the widget."""
    return {**widget.create(options), "seen": False}


WRONG = [
    Wrong(
        rule="R3",
        name="says-its-age",
        plugin=but(note.plugin, create=save_with_its_age, read=read_with_its_age, update=save_with_its_age),
        world=note.world,
        also=("C2", "L1"),  # where a second passes
    ),
    Wrong(
        rule="R3",
        name="collects-lines-for-ever",
        plugin=but(note.plugin, read=read_into_one_list),
        world=note.world,
        also=("C2", "L1"),  # any second Read says too much
    ),
    Wrong(
        rule="R3",
        name="says-whether-it-was-seen",
        plugin=but(widget.plugin, create=create_unseen, read=read_and_remember),
        world=widget.world,
        also=("C2", "L1", "U1"),  # any second Read says that it is one
    ),
]
