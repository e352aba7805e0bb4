"""Each operation is right, and some of them one after the other are wrong."""

from dtm_sdk import State
from tests.zoo.right import note, widget
from tests.zoo.zoo import Wrong, but


def update_that_keeps_what_it_adopts(options: widget.WidgetOptions, state: State | None) -> State:
    """Bring the widget to the options; one that was not ours before keeps the labels that it has."""
    found = widget.find(options, state)
    if found is None or state is not None:
        return widget.update(options, state)
    labels = {**found["labels"], **options.labels}
    return widget.described(
        widget.ask(options, "PUT", f"/widgets/{found['id']}", {**widget.sent(options), "labels": labels})
    )


def delete_what_nobody_has_touched(options: note.NoteOptions, state: State | None) -> bool:
    """Remove the file; what somebody else has written in it since is theirs."""
    if state and note.describe(options.path) not in (state, None):
        return True
    return note.delete(options)


WRONG = [
    Wrong(
        rule="M1",
        name="keeps-what-it-adopts",
        plugin=but(widget.plugin, update=update_that_keeps_what_it_adopts),
        world=widget.world,
    ),
    Wrong(
        rule="M1",
        name="leaves-what-was-touched",
        plugin=but(note.plugin, delete=delete_what_nobody_has_touched),
        world=note.world,
    ),
]
