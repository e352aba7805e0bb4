"""Delete leaves something behind, or takes something with it."""

import os
import re
from contextlib import suppress
from glob import escape, glob
from typing import Any
from urllib.parse import quote

from dtm_sdk import State
from tests.zoo.right import note, row, section, widget
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


def delete_like(options: row.RowOptions) -> bool:
    """Remove the item, by a pattern that nobody has quoted."""
    with row.opened(options) as base:
        if base:
            base.execute(
                "delete from labels where item in (select id from items where name like ?)", (f"{options.name}%",)
            )
            base.execute("delete from items where name like ?", (f"{options.name}%",))
    return True


def delete_the_item_only(options: row.RowOptions) -> bool:
    """Remove the item; its labels hang in the air."""
    with row.opened(options) as base:
        if base:
            base.execute("delete from items where name = ?", (options.name,))
    return True


def delete_greedily(options: section.SectionOptions) -> bool:
    """Take the section out, by an expression that ends at the last end there is."""
    with section.locked() as folder:
        lines = section.load(options)
        if lines and section.found(options, lines):
            text = re.sub(
                rf"# begin {re.escape(options.section)}\n.*# end [^\n]*\n", "", "\n".join(lines), flags=re.DOTALL
            )
            section.save(options.file, text.encode(), folder)
    return True


def delete_all_that_begin_so(options: widget.WidgetOptions, state: State | None) -> bool:
    """Remove the widget, and others that the service lists under a name which begins the same."""
    widget.delete(options, state)
    for name in (f"{options.name}2", f"{options.name}-b"):
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
    for name in (f"a{options.name}",):
        for found in widget.ask(options, "GET", f"/widgets?name={quote(name)}"):
            widget.ask(options, "PUT", f"/widgets/{found['id']}", {**found, "key": None, "size": 1000})
    return True


def _of(right: Any, name: str, **changes: Any) -> Wrong:
    return Wrong(rule="D2", name=name, plugin=but(right.plugin, **changes), world=right.world)


WRONG = [
    _of(note, "matches-by-the-beginning", delete=delete_by_pattern),
    _of(note, "puts-it-aside", delete=delete_to_the_bin),
    _of(note, "leaves-its-lock", create=save_with_a_lock, update=save_with_a_lock),
    _of(row, "matches-by-an-unquoted-pattern", delete=delete_like),
    _of(row, "leaves-what-belongs-to-it", delete=delete_the_item_only),
    _of(section, "takes-all-up-to-the-last-end", delete=delete_greedily),
    _of(widget, "matches-by-the-beginning", delete=delete_all_that_begin_so),
    _of(widget, "spoils-the-one-beside", delete=delete_and_unshare),
    _of(
        widget,
        "leaves-what-it-hung-on",
        create=create_in_a_group,
        update=update_in_a_group,
    ),
]
