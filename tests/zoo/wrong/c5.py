"""What differs between two fresh resources isn't declared, or what is declared doesn't."""

import os

from dtm_sdk import State
from dtm_sdk.testing import HttpWorld
from tests.zoo.right import note, widget
from tests.zoo.right.widget_service import WidgetService
from tests.zoo.zoo import Wrong, but


def describe_with_its_time(options: note.NoteOptions) -> State | None:
    """Describe the file, and when it was changed, in seconds."""
    found = note.describe(options.path)
    return found and {**found, "changed": int(os.stat(options.path).st_mtime)}


def save_with_its_time(options: note.NoteOptions) -> State:
    """Write the file, and say when."""
    note.save(options)
    return describe_with_its_time(options) or {}


def world_that_hides_the_size() -> HttpWorld:
    """A service of its own, of which nobody is to see the sizes."""
    service = WidgetService()
    volatile = ["widgets.*.created", "widgets.*.size"]
    return HttpWorld(service, service.state, url_option="url", volatile=volatile)


WRONG = [
    Wrong(
        rule="C5",
        name="says-when-it-was-changed",
        plugin=but(note.plugin, create=save_with_its_time, read=describe_with_its_time, update=save_with_its_time),
        world=note.world,
    ),
    Wrong(rule="C5", name="declares-no-id", plugin=but(widget.plugin, volatile=[]), world=widget.world),
    Wrong(
        rule="C5", name="declares-what-is-fixed", plugin=but(note.plugin, volatile=["outputs.path"]), world=note.world
    ),
    Wrong(
        rule="C5",
        name="declares-what-is-not-there",
        plugin=but(widget.plugin, volatile=["outputs.id", "outputs.created", "outputs.etag"]),
        world=widget.world,
    ),
    Wrong(rule="C5", name="hides-the-size", plugin=widget.plugin, world=world_that_hides_the_size),
]
