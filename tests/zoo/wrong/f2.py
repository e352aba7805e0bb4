"""What a death in the middle leaves is lost, made twice, or in the way of the next run."""

import os
from contextlib import suppress

from dtm_sdk import PluginError, State
from tests.zoo.right import note, widget
from tests.zoo.zoo import Wrong, but


def create_before_it_can_be_found(options: widget.WidgetOptions) -> State:
    """Make a widget without a name, then give it one: who dies in between has made one that nobody knows of."""
    there = widget.find(options, None)
    if not there:
        there = widget.ask(options, "POST", "/widgets", {**widget.sent(options), "name": "being made"})
    try:
        return widget.described(widget.ask(options, "PUT", f"/widgets/{there['id']}", widget.sent(options)))
    except PluginError:
        widget.ask(options, "DELETE", f"/widgets/{there['id']}")
        raise


def update_that_deletes_first(options: note.NoteOptions) -> State:
    """Keep the old file under another name while the new one is written; who dies then leaves it there for good."""
    aside = f"{options.path}.old"
    with suppress(FileNotFoundError):
        os.rename(options.path, aside)
    try:
        made = note.save(options)
    except PluginError:
        with suppress(FileNotFoundError):
            os.rename(aside, options.path)
        raise
    with suppress(FileNotFoundError):
        os.unlink(aside)
    return made


def create_behind_a_lock(options: note.NoteOptions) -> State:
    """Make the file while a lock file keeps others away; who dies leaves it, and nobody is let in any more."""
    lock = f".{options.path}.lock"
    try:
        os.close(os.open(lock, os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        raise PluginError(f"another run writes {options.path}", "wait for it") from None
    except OSError as error:
        raise PluginError(f"{lock} can't be made: {error.strerror}") from error
    try:
        return note.save(options)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(lock)


def delete_the_name_first(options: widget.WidgetOptions, state: State | None) -> bool:
    """Remove the widget, under another name, so that it is out of the way at once; then for good."""
    found = widget.find(options, state)
    if found:
        widget.ask(options, "PUT", f"/widgets/{found['id']}", {**widget.sent(options), "name": "gone"})
        widget.ask(options, "DELETE", f"/widgets/{found['id']}")
    return True


WRONG = [
    Wrong(
        rule="F2",
        name="makes-it-before-it-can-be-found",
        plugin=but(widget.plugin, create=create_before_it_can_be_found),
        world=widget.world,
        also=("F1", "F3", "F4"),  # the cleanup meets a fault too, or never learns the id that it needs
    ),
    Wrong(
        rule="F2",
        name="deletes-first",
        plugin=but(note.plugin, update=update_that_deletes_first),
        world=note.world,
        also=("F1", "F4"),  # the removal of the old file is what fails
    ),
    Wrong(
        rule="F2",
        name="leaves-its-lock",
        plugin=but(note.plugin, create=create_behind_a_lock, update=create_behind_a_lock),
        world=note.world,
        also=("F1", "F4"),  # the removal of the lock is what fails
    ),
    Wrong(
        rule="F2",
        name="deletes-the-name-first",
        plugin=but(widget.plugin, delete=delete_the_name_first),
        world=widget.world,
        also=("F1", "F4"),  # a fault or a Ctrl-C between the two leaves the same
    ),
]
