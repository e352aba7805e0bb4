"""Who is interrupted, or ends, has recorded what isn't so."""

import atexit
import os
from contextlib import suppress

from dtm_sdk import State
from tests.zoo.right import note, setting, widget
from tests.zoo.zoo import Wrong, but


def create_and_clean_up_at_exit(options: note.NoteOptions) -> State:
    """Make the file; what was made on the way is removed when the process ends, and this counts as such."""
    made = note.save(options)
    for path in (f".{options.path}.tmp", options.path):
        atexit.register(remove, os.path.abspath(path))
    return made


def remove(path: str) -> None:
    """Remove a file that may be gone."""
    with suppress(FileNotFoundError):
        os.unlink(path)


def create_politely(options: widget.WidgetOptions) -> State:
    """Make the widget; who presses Ctrl-C is told what it would have been."""
    try:
        return widget.create(options)
    except KeyboardInterrupt:
        print("interrupted")
        sent = widget.sent(options)
        del sent["key"]
        return {**sent, "colour": options.colour.lower(), "outputs": {"id": "", "created": 0}}


def delete_politely(options: note.NoteOptions) -> bool:
    """Remove the file; who presses Ctrl-C had enough of it."""
    with suppress(KeyboardInterrupt):
        return note.delete(options)
    return True


def create_and_undo(options: setting.SettingOptions) -> State:
    """Make the setting; who presses Ctrl-C finds no file of it, and none of the others' settings."""
    try:
        return setting.create(options)
    except KeyboardInterrupt:
        with suppress(OSError):
            os.unlink(options.file)
        raise


WRONG = [
    Wrong(
        rule="F4",
        name="cleans-up-at-exit",
        plugin=but(note.plugin, create=create_and_clean_up_at_exit),
        world=note.world,
    ),
    Wrong(
        rule="F4",
        name="swallows-a-ctrl-c-in-create",
        plugin=but(widget.plugin, create=create_politely),
        world=widget.world,
    ),
    Wrong(
        rule="F4", name="swallows-a-ctrl-c-in-delete", plugin=but(note.plugin, delete=delete_politely), world=note.world
    ),
    Wrong(
        rule="F4",
        name="undoes-what-others-share",
        plugin=but(setting.plugin, create=create_and_undo),
        world=setting.world,
    ),
]
