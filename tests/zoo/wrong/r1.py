"""Read, of what doesn't exist, says something, or fails."""

from urllib.parse import quote

from dtm_sdk import PluginError, State
from tests.zoo.right import note, widget
from tests.zoo.zoo import Wrong, but


def read_at_once(options: note.NoteOptions) -> State | None:
    """Describe the file, which has to be there."""
    with open(options.path, "rb") as file:
        file.seek(0)
    return note.describe(options.path)


def read_nothing(options: note.NoteOptions) -> State | None:
    """Describe the file; of none, say that there is no text."""
    return note.describe(options.path) or {}


def read_or_complain(options: note.NoteOptions) -> State | None:
    """Describe the file; none is an error."""
    found = note.describe(options.path)
    if found is None:
        raise PluginError(f"there is no {options.path}", "make it first")
    return found


def read_the_first(options: widget.WidgetOptions, state: State | None) -> State | None:
    """Describe the first widget of that name."""
    return widget.described(widget.ask(options, "GET", f"/widgets?name={quote(options.name)}")[0])


def read_as_planned(options: widget.WidgetOptions, state: State | None) -> State | None:
    """Describe the widget; of none, say what it will be."""
    return widget.read(options, state) or widget.described({**widget.sent(options), "id": None, "created": None})


GONE = ("D1", "U5", "L1", "L2", "L3")
"""Rules that are asked by a Read of what isn't there."""

WRONG = [
    Wrong(rule="R1", name="has-to-be-there", plugin=but(note.plugin, read=read_at_once), world=note.world, also=GONE),
    Wrong(
        rule="R1", name="says-an-empty-state", plugin=but(note.plugin, read=read_nothing), world=note.world, also=GONE
    ),
    Wrong(rule="R1", name="complains", plugin=but(note.plugin, read=read_or_complain), world=note.world, also=GONE),
    Wrong(
        rule="R1",
        name="takes-the-first-of-none",
        plugin=but(widget.plugin, read=read_the_first),
        world=widget.world,
        also=GONE,
    ),
    Wrong(
        rule="R1",
        name="says-what-will-be",
        plugin=but(widget.plugin, read=read_as_planned),
        world=widget.world,
        also=GONE,
    ),
]
