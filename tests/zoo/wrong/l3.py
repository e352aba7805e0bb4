"""Leaves something behind when Delete is called in a process that has neither made nor read the resource."""

from dtm_sdk import State
from tests.zoo.right import note, widget
from tests.zoo.zoo import Wrong, but

_ids: dict[str, str] = {}
_made: set[str] = set()
_seen: dict[str, State] = {}


def create_and_keep_the_id(options: widget.WidgetOptions) -> State:
    """Make the widget; its id is kept in memory."""
    made = widget.create(options)
    _ids[options.name] = made["outputs"]["id"]
    return made


def delete_by_the_kept_id(options: widget.WidgetOptions) -> bool:
    """Remove the widget that this process knows of."""
    if options.name in _ids:
        widget.ask(options, "DELETE", f"/widgets/{_ids.pop(options.name)}")
    return True


def create_and_remember(options: note.NoteOptions) -> State:
    """Make the file, and remember that it is ours."""
    _made.add(options.path)
    return note.create(options)


def delete_what_is_ours(options: note.NoteOptions) -> bool:
    """Remove the file; one that somebody else has made is left alone."""
    return note.delete(options) if options.path in _made else True


def create_and_see(options: widget.WidgetOptions) -> State:
    """Make the widget; Delete will need it."""
    made = _seen[options.name] = widget.create(options)
    return made


def read_and_see(options: widget.WidgetOptions, state: State | None) -> State | None:
    """Describe the widget; Delete will need it."""
    found = widget.read(options, state)
    if found:
        _seen[options.name] = found
    return found


def delete_what_was_seen(options: widget.WidgetOptions) -> bool:
    """Remove the widget as it was last seen."""
    state = _seen.pop(options.name, None)
    if state:
        widget.ask(options, "DELETE", f"/widgets/{state['outputs']['id']}")
    return True


# A Replace deletes in such a process too, and so does a swap of identities.
ALSO = ("L4", "L6")
FAULTS = ("F1", "F4")
"""What is kept in memory is wrong after an operation that met a fault, too."""

WRONG = [
    Wrong(
        rule="L3",
        name="deletes-by-an-id-in-memory",
        plugin=but(widget.plugin, create=create_and_keep_the_id, delete=delete_by_the_kept_id),
        world=widget.world,
        also=(*ALSO, *FAULTS),
    ),
    Wrong(
        rule="L3",
        name="deletes-what-it-remembers-as-its-own",
        plugin=but(note.plugin, create=create_and_remember, delete=delete_what_is_ours),
        world=note.world,
        also=ALSO,
    ),
    Wrong(
        rule="L3",
        name="deletes-what-it-has-seen-before",
        plugin=but(widget.plugin, create=create_and_see, read=read_and_see, delete=delete_what_was_seen),
        world=widget.world,
        also=(*ALSO, *FAULTS),
    ),
]
