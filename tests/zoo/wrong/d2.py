"""Delete leaves something behind, or takes something with it."""

import os
from contextlib import suppress
from glob import escape, glob
from typing import Any
from urllib.parse import quote

from dtm_sdk import State
from tests.zoo.right import note, widget
from tests.zoo.zoo import Wrong, but


def delete_by_pattern(options: note.NoteOptions) -> bool:
    """Remove the file and whatever is named after it."""
    for path in glob(f"{escape(options.path)}*"):
        os.unlink(path)
    return note.delete(options)


def delete_to_the_bin(options: note.NoteOptions) -> bool:
    """Put the file aside."""
    with suppress(FileNotFoundError):
        os.replace(options.path, f".{options.path}.deleted")
    return True


def save_with_a_lock(options: note.NoteOptions) -> State:
    """Write the file under a lock, which is never removed."""
    with open(f".{options.path}.lock", "a"):
        return note.save(options)


def update_with_a_history(options: note.NoteOptions) -> State:
    """Write the file, and remember in another one that there was one."""
    before = note.describe(options.path)
    if before and before["text"] != options.text:
        with open(".notes.history", "w") as file:
            file.write("changed\n")
    return note.save(options)


def delete_all_that_begin_so(options: widget.WidgetOptions, state: State | None) -> bool:
    """Remove the widget, and others that the service lists under a name which begins the same."""
    widget.delete(options, state)
    for name in (f"{options.name}2", f"{options.name}-2"):
        for found in widget.ask(options, "GET", f"/widgets?name={quote(name)}"):
            widget.ask(options, "DELETE", f"/widgets/{found['id']}")
    return True


def create_in_a_group(options: widget.WidgetOptions) -> State:
    """Make the widget, and first the widget of its group, that it hangs on; nobody removes that."""
    if not widget.ask(options, "GET", "/widgets?name=group"):
        widget.ask(options, "POST", "/widgets", {"name": "group"})
    return widget.create(options)


def update_in_a_group(options: widget.WidgetOptions, state: State | None) -> State:
    """Change the widget, or make it again with what it hangs on."""
    return widget.update(options, state) if widget.find(options, state) else create_in_a_group(options)


def delete_and_unshare(options: widget.WidgetOptions, state: State | None) -> bool:
    """Remove the widget, and empty the one beside it: its key was shared."""
    widget.delete(options, state)
    for name in (f"2{options.name}", f"2-{options.name}"):
        for found in widget.ask(options, "GET", f"/widgets?name={quote(name)}"):
            widget.ask(options, "PUT", f"/widgets/{found['id']}", {**found, "key": None, "size": 1000})
    return True


def _of(right: Any, name: str, **changes: Any) -> Wrong:
    return Wrong(rule="D2", name=name, plugin=but(right.plugin, **changes), world=right.world)


WRONG = [
    _of(note, "matches-by-the-beginning", delete=delete_by_pattern),
    _of(note, "puts-it-aside", delete=delete_to_the_bin),
    _of(note, "leaves-its-lock", create=save_with_a_lock, update=save_with_a_lock),
    _of(widget, "matches-by-the-beginning", delete=delete_all_that_begin_so),
    _of(widget, "spoils-the-one-beside", delete=delete_and_unshare),
    _of(
        widget,
        "leaves-what-it-hung-on",
        create=create_in_a_group,
        update=update_in_a_group,
    ),
]
