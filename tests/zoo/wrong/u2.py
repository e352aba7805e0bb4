"""Update with the same options changes the world."""

import os
from typing import Any

from dtm_sdk import State
from tests.zoo.right import note, widget
from tests.zoo.zoo import Wrong, but


def update_swapping_the_mode(options: note.NoteOptions) -> State:
    """Write the file; a file that holds the text already was made by somebody else, and is to be private."""
    known = note.holds(options.path, note.written(options), note.MODES[options.access])
    state = note.save(options)
    if known:
        os.chmod(options.path, 0o400)
    return state


def update_with_a_lock_left(options: note.NoteOptions) -> State:
    """Write the file under a lock, which is only removed where there is something to write."""
    lock = f".{options.path}.lock"
    with open(lock, "w"):
        pass
    if note.holds(options.path, note.written(options), note.MODES[options.access]):
        return note.save(options)
    state = note.save(options)
    os.unlink(lock)
    return state


def update_toggling(options: widget.WidgetOptions, state: State | None) -> State:
    """Send only what differs from what is there, in a request that replaces all: the rest is lost."""
    found = widget.find(options, state)
    if not found:
        return widget.create(options)
    wanted = widget.sent(options)
    differing = {key: value for key, value in wanted.items() if key != "key" and value != found.get(key)}
    body = {"name": options.name, "colour": options.colour, **(wanted if differing else {})}
    widget.ask(options, "PUT", f"/widgets/{found['id']}", body)
    return widget.described({**found, **wanted, "colour": options.colour.lower()})


def update_making_a_second(options: widget.WidgetOptions, state: State | None) -> State:
    """Change the widget; where there is nothing to change, it is taken for one that can't be found."""
    found = widget.find(options, state)
    wanted = {**widget.sent(options), "colour": options.colour.lower()}
    if found and not options.key and all(found[key] == wanted[key] for key in wanted if key != "key"):
        widget.ask(options, "POST", "/widgets", widget.sent(options))
        return widget.described(found)
    return widget.update(options, state)


def _of(right: Any, name: str, update: Any) -> Wrong:
    return Wrong(rule="U2", name=name, plugin=but(right.plugin, update=update), world=right.world)


WRONG = [
    _of(note, "changes-the-mode-of-what-is-right", update_swapping_the_mode),
    _of(note, "leaves-its-lock-where-nothing-is-to-do", update_with_a_lock_left),
    _of(widget, "sends-nothing-in-a-request-that-replaces", update_toggling),
    _of(widget, "makes-a-second-one", update_making_a_second),
]
