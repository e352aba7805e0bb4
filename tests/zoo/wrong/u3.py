"""Update doesn't see a drift."""

import hashlib
import os
from typing import Any

from dtm_sdk import PluginError, State
from tests.zoo.right import note, row, tool, widget
from tests.zoo.zoo import Wrong, but


def update_by_the_record(options: note.NoteOptions, state: State | None) -> State:
    """Write the file if the record says that it is another one."""
    wanted = note.state(
        options.path,
        options.text,
        options.header.title,
        list(options.header.lines),
        note.MODES[options.access],
    )
    return wanted if state == wanted and os.path.exists(options.path) else note.save(options)


def update_by_size(options: note.NoteOptions) -> State:
    """Write the file if it has another size or mode, as rsync would."""
    try:
        found = os.stat(options.path)
    except FileNotFoundError:
        return note.save(options)
    if found.st_size != len(note.written(options)) or found.st_mode & 0o777 == note.MODES[options.access]:
        return note.save(options)
    raise PluginError(f"{options.path} has another mode than it was made with", "set it by hand")


def update_by_a_mark(options: note.NoteOptions) -> State:
    """Write the file if a cache of this process says that it was another one."""
    mark = hashlib.sha256(note.written(options)).digest()
    if MARKS.get(options.path) == mark and os.path.exists(options.path):
        os.chmod(options.path, note.MODES[options.access])
        return note.state(
            options.path,
            options.text,
            options.header.title,
            list(options.header.lines),
            note.MODES[options.access],
        )
    MARKS[options.path] = mark
    return note.save(options)


MARKS: dict[str, bytes] = {}


def create_with_a_mark(options: note.NoteOptions) -> State:
    """Make the file, and keep what it is in a cache."""
    MARKS[options.path] = hashlib.sha256(note.written(options)).digest()
    return note.save(options)


def update_what_the_options_changed(options: widget.WidgetOptions, state: State | None) -> State:
    """Change what differs between the options and the record."""
    found = widget.find(options, state)
    if not found or not state:
        return widget.update(options, state)
    wanted = widget.sent(options)
    changed = {key: value for key, value in wanted.items() if key == "key" or value != state[key]}
    body = {**found, **changed}
    return widget.described(widget.ask(options, "PUT", f"/widgets/{found['id']}", body))


def update_known_labels(options: row.RowOptions, state: State | None) -> State:
    """Change the item; of its labels, add those that are new, remove those that are recorded and no longer wanted."""
    known = state["labels"] if state else {}
    with row.opened(options) as base:
        there = row.found(base, options) if base else None
        if not base or not there:
            raise PluginError(f"there is no item {options.name}", "apply again")
        id_ = there["outputs"]["id"]
        base.execute("update items set price = ?, note = ? where id = ?", (options.price, options.note, id_))
        for key in known.keys() - options.labels.keys():
            base.execute("delete from labels where item = ? and key = ?", (id_, key))
        for key, value in options.labels.items():
            if key in known:
                base.execute("update labels set value = ? where item = ? and key = ?", (value, id_, key))
            else:
                base.execute("insert or replace into labels values (?, ?, ?)", (id_, key, value))
        state = row.found(base, options)
    return state or {}


def update_shelved(options: tool.ToolOptions, state: State | None) -> State:
    """Put the thing on the shelf, if the record says that another one is there."""
    wanted = tool.described(options, options.colour, options.text)
    return wanted if state == wanted and tool.read(options) else tool.create(options)


def _of(right: Any, name: str, **changes: Any) -> Wrong:
    return Wrong(rule="U3", name=name, plugin=but(right.plugin, **changes), world=right.world)


WRONG = [
    _of(row, "trusts-the-record-for-its-parts", update=update_known_labels),
    _of(tool, "trusts-the-record", update=update_shelved),
    _of(note, "trusts-the-record", update=update_by_the_record),
    _of(note, "refuses-another-mode", update=update_by_size),
    _of(note, "trusts-a-cache", create=create_with_a_mark, update=update_by_a_mark),
    _of(widget, "sends-what-differs-from-the-record", update=update_what_the_options_changed),
]
