"""Update of a resource that is gone says that it succeeded."""

import os
from typing import Any

from dtm_sdk import PluginError, State
from tests.zoo.right import note, widget
from tests.zoo.zoo import Wrong, but


def described(options: note.NoteOptions) -> State:
    """What the options say, as a state."""
    mode = note.MODES[options.access]
    return note.state(options.path, options.text, options.header.title, list(options.header.lines), mode)


def update_if_there(options: note.NoteOptions) -> State:
    """Write the file if there is one."""
    return note.save(options) if os.path.exists(options.path) else described(options)


def update_part(options: note.NoteOptions) -> State:
    """Write the file; its mode is taken from the one that it replaces."""
    before = os.stat(options.path).st_mode & 0o777 if os.path.exists(options.path) else None
    state = note.save(options)
    if before is None:
        os.chmod(options.path, 0o640)
        return {**state, "access": "0o640"}
    return state


def update_read_back(options: note.NoteOptions) -> Any:
    """Write the file if there is one, and say what there is: nothing."""
    return note.save(options) if os.path.exists(options.path) else note.describe(options.path)


def update_whatever_is_answered(options: widget.WidgetOptions, state: State | None) -> State:
    """Send the widget to where it was, and say that it is there."""
    if not state:
        return widget.update(options, state)
    widget.ask(options, "PUT", f"/widgets/{state['outputs']['id']}", widget.sent(options))
    outputs = state["outputs"]
    return widget.described({**widget.sent(options), "colour": options.colour.lower(), **outputs})


def update_without_a_record(options: widget.WidgetOptions, state: State | None) -> State:
    """Change the widget; without a record and without a widget there is nothing that could be said."""
    if state:
        return widget.update(options, state)
    found = widget.find(options, None)
    if found:
        return widget.update(options, widget.described(found))
    return widget.described({**widget.sent(options), "id": "", "created": 0})


def update_half(options: widget.WidgetOptions, state: State | None) -> State:
    """Change the widget, or make one with what can't be left out."""
    found = widget.find(options, state)
    if found:
        return widget.update(options, state)
    made = widget.ask(options, "POST", "/widgets", {**widget.sent(options), "key": None})
    if not made:
        raise PluginError("no widget was made", "look at the service")
    return widget.described(made)


def _of(right: Any, name: str, update: Any) -> Wrong:
    return Wrong(rule="U5", name=name, plugin=but(right.plugin, update=update), world=right.world)


WRONG = [
    _of(note, "does-nothing-and-says-that-it-did", update_if_there),
    _of(note, "makes-it-with-another-mode", update_part),
    _of(note, "returns-none", update_read_back),
    _of(widget, "takes-404-for-success", update_whatever_is_answered),
    _of(widget, "makes-up-a-state-without-a-record", update_without_a_record),
    _of(widget, "makes-it-without-the-secret", update_half),
]
