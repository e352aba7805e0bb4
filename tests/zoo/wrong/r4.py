"""Read, where the world can't be asked, says something all the same."""

import os
from pathlib import Path

from dtm_sdk import PluginError, State
from tests.zoo.right import note, widget
from tests.zoo.zoo import Wrong, but


def read_if_it_exists(options: note.NoteOptions) -> State | None:
    """Describe the file, if there is one; of a folder that may not be entered, `exists` says no."""
    return note.describe(options.path) if os.path.exists(options.path) else None


def read_or_nothing(options: note.NoteOptions) -> State | None:
    """Describe the file; whatever is wrong with it, there is none."""
    try:
        return note.describe(options.path)
    except PluginError:
        return None


def read_what_is_listed(options: note.NoteOptions) -> State | None:
    """Describe the file, if it is among those that are found; `glob` is silent of folders that it can't list."""
    return note.describe(options.path) if Path(options.path) in Path().glob("*") else None


def read_without_its_access(options: note.NoteOptions) -> State | None:
    """Describe the file; where its mode isn't told, it is its owner's."""
    found = note.describe(options.path)
    try:
        os.stat(options.path)
    except OSError:
        return found and {**found, "access": "unknown"}
    return found


def read_success_only(options: widget.WidgetOptions, state: State | None) -> State | None:
    """Describe the widget; an answer that is no success has none."""
    try:
        return widget.read(options, state)
    except PluginError:
        return None


def read_or_remember(options: widget.WidgetOptions, state: State | None) -> State | None:
    """Describe the widget; while the service is down, it is as it was."""
    try:
        return widget.read(options, state)
    except PluginError:
        if state:
            return state
        raise


def read_and_leave(options: widget.WidgetOptions, state: State | None) -> State | None:
    """Describe the widget, as a script would: an error ends it."""
    try:
        return widget.read(options, state)
    except PluginError as error:
        raise SystemExit(str(error)) from error


ALSO = ("F1",)
"""There each call of Read fails too."""

WRONG = [
    Wrong(
        rule="R4",
        name="asks-whether-it-exists",
        plugin=but(note.plugin, read=read_if_it_exists),
        world=note.world,
        also=ALSO,
    ),
    Wrong(
        rule="R4",
        name="takes-any-error-for-gone",
        plugin=but(note.plugin, read=read_or_nothing),
        world=note.world,
        also=ALSO,
    ),
    Wrong(
        rule="R4",
        name="looks-by-a-pattern",
        plugin=but(note.plugin, read=read_what_is_listed),
        world=note.world,
        also=ALSO,
    ),
    Wrong(
        rule="R4",
        name="makes-up-the-access",
        plugin=but(note.plugin, read=read_without_its_access),
        world=note.world,
        also=ALSO,
    ),
    Wrong(
        rule="R4",
        name="takes-500-for-gone",
        plugin=but(widget.plugin, read=read_success_only),
        world=widget.world,
        also=ALSO,
    ),
    Wrong(
        rule="R4", name="says-what-was", plugin=but(widget.plugin, read=read_or_remember), world=widget.world, also=ALSO
    ),
    Wrong(rule="R4", name="exits", plugin=but(widget.plugin, read=read_and_leave), world=widget.world, also=ALSO),
]
