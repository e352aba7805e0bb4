"""Create, on what is there already, makes a second one, or neither converges nor refuses."""

import os
import shutil

from dtm_sdk import PluginError, State
from tests.zoo.right import note, widget
from tests.zoo.zoo import Wrong, but


def create_another(options: widget.WidgetOptions) -> State:
    """Make a widget; the service takes a name twice."""
    return widget.described(widget.ask(options, "POST", "/widgets", widget.sent(options)))


def create_or_leave(options: widget.WidgetOptions) -> State:
    """Make the widget, unless there is one of that name."""
    there = widget.find(options, None)
    return widget.described(there) if there else create_another(options)


def create_new(options: note.NoteOptions) -> State:
    """Make the file, which must be a new one."""
    if os.path.lexists(options.path):
        raise PluginError(f"{options.path} is in the way", "remove it")
    return note.save(options)


def create_with_a_copy(options: note.NoteOptions) -> State:
    """Make the file; what was there before is kept."""
    if os.path.exists(options.path):
        shutil.copy2(options.path, f"{options.path}~")
    return note.save(options)


def create_if_missing(options: note.NoteOptions) -> State:
    """Make the file, unless there is one."""
    there = note.describe(options.path)
    return there or note.save(options)


WRONG = [
    Wrong(rule="C6", name="makes-another", plugin=but(widget.plugin, create=create_another), world=widget.world),
    Wrong(rule="C6", name="takes-what-is-there", plugin=but(widget.plugin, create=create_or_leave), world=widget.world),
    Wrong(
        rule="C6",
        name="says-manual-and-finds-it",
        plugin=but(widget.plugin, recovery="manual"),
        world=widget.world,
        also=("L5",),  # the same declaration is probed there
    ),
    Wrong(rule="C6", name="complains-of-what-is-there", plugin=but(note.plugin, create=create_new), world=note.world),
    Wrong(rule="C6", name="keeps-a-copy", plugin=but(note.plugin, create=create_with_a_copy), world=note.world),
    Wrong(rule="C6", name="leaves-what-is-there", plugin=but(note.plugin, create=create_if_missing), world=note.world),
]
