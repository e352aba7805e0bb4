"""An operation changes what is beside its resource."""

import os
from contextlib import suppress
from glob import escape, glob
from typing import Any

from msgspec.structs import replace

from dtm_sdk import State
from tests.zoo.right import note, widget
from tests.zoo.zoo import Wrong, but


def create_and_close_all(options: note.NoteOptions) -> State:
    """Make the file; nobody else is to read what lies here."""
    for name in os.listdir("."):
        if os.path.isfile(name):
            os.chmod(name, 0o600)
    return note.save(options)


def save_and_tidy(options: note.NoteOptions) -> State:
    """Write the file; what crashes have left beside it goes."""
    made = note.save(options)
    for leftover in glob(f"{escape(options.path)}?*"):
        os.unlink(leftover)
    return made


def save_and_log(options: note.NoteOptions) -> State:
    """Write the file, and a line in a log that all users share, if that can be."""
    made = note.save(options)
    with suppress(OSError), open("/var/tmp/note.log", "a", encoding="utf-8") as log:  # noqa: S108
        log.write(f"wrote {options.path}\n")
    return made


def slug(options: widget.WidgetOptions) -> widget.WidgetOptions:
    """Options with a name that the service is sure to take."""
    return replace(options, name="".join(char for char in options.name.lower() if char.isalpha()))


def named(made: State | None, options: widget.WidgetOptions) -> Any:
    """A state with the name that the options say."""
    return made and {**made, "name": options.name}


slugged = but(
    widget.plugin,
    create=lambda options: named(widget.create(slug(options)), options),
    read=lambda options, state: named(widget.read(slug(options), state), options),
    update=lambda options, state: named(widget.update(slug(options), state), options),
    delete=lambda options, state: widget.delete(slug(options), state),
)

WRONG = [
    Wrong(
        rule="C7",
        name="closes-all-files",
        plugin=but(note.plugin, create=create_and_close_all),
        world=note.world,
    ),
    Wrong(rule="C7", name="removes-by-a-pattern", plugin=but(note.plugin, create=save_and_tidy), world=note.world),
    Wrong(
        rule="C7",
        name="removes-by-a-pattern-in-update",
        plugin=but(note.plugin, update=save_and_tidy),
        world=note.world,
    ),
    Wrong(rule="C7", name="logs-elsewhere", plugin=but(note.plugin, create=save_and_log), world=note.world),
    Wrong(rule="C7", name="takes-two-names-for-one", plugin=slugged, world=widget.world),
]
