"""An update that is a delete and a create, or that changes what it called stable."""

from dtm_sdk import State
from tests.zoo.right import note, widget
from tests.zoo.zoo import Wrong, but


def update_by_making_another(options: widget.WidgetOptions, state: State | None) -> State:
    """Remove the widget and make another one, unless it is right already."""
    found = widget.find(options, state)
    wanted = {**widget.sent(options), "colour": options.colour.lower()}
    if found and all(found[key] == wanted[key] for key in found if key in wanted):
        return widget.update(options, state)
    widget.delete(options, state)
    return widget.create(options)


def update_by_another_then_remove(options: widget.WidgetOptions, state: State | None) -> State:
    """Make the new widget first, then remove the old one, so that there always is one."""
    found = widget.find(options, state)
    if not found or found["size"] == options.size:
        return widget.update(options, state)
    made = widget.ask(options, "POST", "/widgets", widget.sent(options))
    widget.ask(options, "DELETE", f"/widgets/{found['id']}")
    return widget.described(made)


def with_length(state: State | None) -> State | None:
    """A state that has a length among its outputs."""
    return state and {**state, "outputs": {**state["outputs"], "length": len(state["text"])}}


WRONG = [
    Wrong(
        rule="U4",
        name="deletes-and-creates",
        plugin=but(widget.plugin, update=update_by_making_another),
        world=widget.world,
    ),
    Wrong(
        rule="U4",
        name="deletes-and-creates-and-declares-nothing-stable",
        plugin=but(widget.plugin, update=update_by_another_then_remove, stable=()),
        world=widget.world,
    ),
    Wrong(
        rule="U4",
        name="declares-stable-what-depends-on-an-option",
        plugin=but(
            note.plugin,
            create=lambda options: with_length(note.create(options)),
            read=lambda options: with_length(note.read(options)),
            update=lambda options: with_length(note.update(options)),
            stable=["outputs.length"],
        ),
        world=note.world,
    ),
    Wrong(
        rule="U4",
        name="declares-stable-what-is-in-no-state",
        plugin=but(note.plugin, stable=["output.path"]),
        world=note.world,
    ),
]
