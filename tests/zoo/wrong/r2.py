"""Read changes things."""

import os
from contextlib import suppress

from dtm_sdk import State
from tests.zoo.right import note, widget
from tests.zoo.zoo import Wrong, but


def read_under_a_lock(options: note.NoteOptions) -> State | None:
    """Describe the file, while no other one reads it."""
    lock = f".{options.path}.lock"
    with open(lock, "x", encoding="utf-8"):
        try:
            return note.describe(options.path)
        finally:
            os.unlink(lock)


def read_and_touch(options: note.NoteOptions) -> State | None:
    """Describe the file, and mark it as seen."""
    found = note.describe(options.path)
    if found:
        os.utime(options.path)
    return found


def read_and_tidy(options: note.NoteOptions) -> State | None:
    """Describe the file; what a crash left beside it goes."""
    with suppress(FileNotFoundError):
        os.unlink(f".{options.path}.tmp")
    return note.describe(options.path)


def read_by_a_copy(options: note.NoteOptions) -> State | None:
    """Describe the file, by means of a command that leaves a copy."""
    found = note.describe(options.path)
    if found:
        os.system(f"cp -p '{options.path}' '.{options.path}.seen'")  # noqa: S605
    return found


def delete_with_the_copy(options: note.NoteOptions) -> bool:
    """Remove the file, and the copy."""
    with suppress(FileNotFoundError):
        os.unlink(f".{options.path}.seen")
    return note.delete(options)


def read_and_keep_alive(options: widget.WidgetOptions, state: State | None) -> State | None:
    """Describe the widget, and send it back, so that it isn't taken for forgotten."""
    found = widget.find(options, state)
    if not found:
        return None
    key = options.key.reveal() if options.key else None
    return widget.described(widget.ask(options, "PUT", f"/widgets/{found['id']}", {**found, "key": key}))


WRONG = [
    Wrong(rule="R2", name="makes-a-lock", plugin=but(note.plugin, read=read_under_a_lock), world=note.world),
    Wrong(rule="R2", name="touches", plugin=but(note.plugin, read=read_and_touch), world=note.world),
    Wrong(rule="R2", name="tidies", plugin=but(note.plugin, read=read_and_tidy), world=note.world),
    Wrong(
        rule="R2",
        name="leaves-a-copy",
        plugin=but(note.plugin, read=read_by_a_copy, delete=delete_with_the_copy),
        world=note.world,
    ),
    Wrong(rule="R2", name="sends-it-back", plugin=but(widget.plugin, read=read_and_keep_alive), world=widget.world),
]
