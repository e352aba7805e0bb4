"""Delete of what is gone already is an error."""

import os
from typing import Any

from dtm_sdk import PluginError, State
from tests.zoo.right import note, widget
from tests.zoo.zoo import Wrong, but


def delete_strictly(options: note.NoteOptions) -> bool:
    """Remove the file."""
    os.unlink(options.path)
    return True


def delete_if_there(options: note.NoteOptions) -> bool:
    """Remove the file; whether there was one."""
    if not os.path.exists(options.path):
        return False
    return note.delete(options)


def delete_complaining(options: note.NoteOptions) -> bool:
    """Remove the file, if it is there."""
    if note.describe(options.path) is None:
        raise PluginError(f"{options.path} does not exist", "remove it from the config")
    return note.delete(options)


def delete_recorded(options: widget.WidgetOptions, state: State | None) -> bool:
    """Remove the widget that is recorded; that it isn't there is an error like others."""
    if not state:
        return widget.delete(options, None)
    answer = widget.ask(options, "DELETE", f"/widgets/{state['outputs']['id']}")
    if answer is None:
        raise PluginError("the service says 404", "look at it")
    return True


def delete_found(options: widget.WidgetOptions, state: State | None) -> bool:
    """Remove the first widget of that name."""
    found = widget.ask(options, "GET", f"/widgets?name={options.name}")
    widget.ask(options, "DELETE", f"/widgets/{found[0]['id']}")
    return True


def delete_with_a_record(options: widget.WidgetOptions, state: State | None) -> bool:
    """Remove the widget; without a record, only if there is one."""
    if not state and not widget.find(options, None):
        return False
    return widget.delete(options, state)


def _of(right: Any, name: str, delete: Any) -> Wrong:
    return Wrong(rule="D3", name=name, plugin=but(right.plugin, delete=delete), world=right.world)


WRONG = [
    _of(note, "raises-file-not-found", delete_strictly),
    _of(note, "says-whether-there-was-one", delete_if_there),
    _of(note, "complains", delete_complaining),
    _of(widget, "takes-404-for-an-error", delete_recorded),
    _of(widget, "takes-the-first-of-none", delete_found),
    _of(widget, "says-false-of-what-never-was", delete_with_a_record),
]
