"""Update leaves something of the old options, or says another thing than Read."""

import os
import shutil
from typing import Any

from dtm_sdk import PluginError, State
from tests.zoo.right import note, widget
from tests.zoo.zoo import Wrong, but


def there(options: note.NoteOptions) -> State:
    """What the file says now."""
    found = note.describe(options.path)
    if not found:
        raise PluginError(f"{options.path} has gone", "apply again")
    return found


def update_text_only(options: note.NoteOptions) -> State:
    """Write the text; the mode is left as it is."""
    try:
        with open(options.path, "r+b") as file:
            file.write(note.written(options))
            file.truncate()
    except FileNotFoundError:
        return note.create(options)
    return there(options)


def update_without_truncating(options: note.NoteOptions) -> State:
    """Write over the file from its start; what was longer stays."""
    with open(options.path, "r+b") as file:
        os.fchmod(file.fileno(), note.MODES[options.access])
        file.write(note.written(options))
    return there(options)


def update_keeping_a_copy(options: note.NoteOptions) -> State:
    """Write the file, and keep the old one beside it."""
    before = note.describe(options.path)
    if before and before["text"] != options.text:
        shutil.copy2(options.path, f"{options.path}.old")
    return note.save(options)


def update_what_is_not_empty(options: widget.WidgetOptions, state: State | None) -> State:
    """Change what the options say; what became empty is taken for left out."""
    found = widget.find(options, state)
    if not found:
        return widget.create(options)
    body: dict[str, Any] = {**found, **{key: value for key, value in widget.sent(options).items() if value}}
    return widget.described(widget.ask(options, "PUT", f"/widgets/{found['id']}", body))


def update_adding_labels(options: widget.WidgetOptions, state: State | None) -> State:
    """Add the labels to those that are there."""
    found = widget.find(options, state)
    if not found:
        return widget.create(options)
    body = {**widget.sent(options), "labels": {**found["labels"], **options.labels}}
    return widget.described(widget.ask(options, "PUT", f"/widgets/{found['id']}", body))


def update_saying_what_it_sent(options: widget.WidgetOptions, state: State | None) -> State:
    """Change the widget, and say what was sent."""
    return {**widget.update(options, state), "colour": options.colour}


def update_losing_the_key(options: widget.WidgetOptions, state: State | None) -> State:
    """Change the widget; a key is only for Create."""
    found = widget.find(options, state)
    if not found:
        return widget.create(options)
    body = {key: value for key, value in widget.sent(options).items() if key != "key"}
    return widget.described(widget.ask(options, "PUT", f"/widgets/{found['id']}", body))


def update_with_a_tuple(options: widget.WidgetOptions, state: State | None) -> State:
    """Change the widget; its people are a tuple, which JSON gives back as a list."""
    changed = widget.update(options, state)
    return {**changed, "owner": {**changed["owner"], "people": tuple(changed["owner"]["people"])}}


def _note(name: str, update: Any) -> Wrong:
    return Wrong(rule="U1", name=name, plugin=but(note.plugin, update=update), world=note.world)


def _widget(name: str, update: Any) -> Wrong:
    return Wrong(rule="U1", name=name, plugin=but(widget.plugin, update=update), world=widget.world)


WRONG = [
    _note("forgets-the-mode", update_text_only),
    _note("leaves-the-end-of-a-longer-text", update_without_truncating),
    _note("keeps-a-copy-of-the-old", update_keeping_a_copy),
    _widget("takes-what-is-empty-for-left-out", update_what_is_not_empty),
    _widget("adds-to-what-is-there", update_adding_labels),
    _widget("says-what-it-sent", update_saying_what_it_sent),
    _widget("returns-what-is-no-json", update_with_a_tuple),
    _widget("forgets-the-secret", update_losing_the_key),
]
