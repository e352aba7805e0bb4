"""Gives outputs that nobody can reference, or makes what the options don't say when it was there before."""

from typing import Any

from dtm_sdk import State
from tests.zoo.right import note, widget
from tests.zoo.zoo import Wrong, but


def with_outputs(state: State | None, outputs: Any) -> State | None:
    """A state with other outputs."""
    return state and {**state, "outputs": outputs}


def by_file(state: State | None) -> State | None:
    """Outputs by the name of the file, which has a dot in it."""
    return state and with_outputs(state, {state["path"]: {"size": len(state["text"])}})


def as_list(state: State | None) -> State | None:
    """Outputs as a list."""
    return state and with_outputs(state, [state["path"], state["access"]])


def by_label(state: State | None) -> State | None:
    """Outputs under names that a person reads."""
    return state and with_outputs(state, {**state["outputs"], "Widget Id": state["name"]})


_labels: dict[str, dict[str, str]] = {}


def delete_and_remember(options: widget.WidgetOptions, state: State | None) -> bool:
    """Remove the widget; its labels are remembered, so that one that comes back has them."""
    gone = widget.delete(options, state)
    _labels[options.name] = dict(options.labels)
    return gone


def create_with_labels(options: widget.WidgetOptions) -> State:
    """Make the widget, with the labels that one of that name had."""
    labels = {**_labels.pop(options.name, {}), **options.labels}
    plain = {name: getattr(options, name) for name in widget.WidgetOptions.__struct_fields__}
    return widget.create(widget.WidgetOptions(**{**plain, "labels": labels}))


WRONG = [
    Wrong(
        rule="L6",
        name="has-outputs-with-a-dot-in-their-name",
        plugin=but(
            note.plugin,
            stable=[],
            create=lambda options: by_file(note.create(options)),
            read=lambda options: by_file(note.read(options)),
            update=lambda options: by_file(note.update(options)),
        ),
        world=note.world,
    ),
    Wrong(
        rule="L6",
        name="has-a-list-as-outputs",
        plugin=but(
            note.plugin,
            stable=[],
            create=lambda options: as_list(note.create(options)),
            read=lambda options: as_list(note.read(options)),
            update=lambda options: as_list(note.update(options)),
        ),
        world=note.world,
    ),
    Wrong(
        rule="L6",
        name="has-outputs-with-a-space-in-their-name",
        plugin=but(
            widget.plugin,
            create=lambda options: by_label(widget.create(options)),
            read=lambda options, state: by_label(widget.read(options, state)),
            update=lambda options, state: by_label(widget.update(options, state)),
        ),
        world=widget.world,
    ),
    Wrong(
        rule="L6",
        name="brings-back-the-labels-of-what-it-deleted",
        plugin=but(widget.plugin, create=create_with_labels, delete=delete_and_remember),
        world=widget.world,
        also=("P1",),  # rounds of Create and Delete are what brings them back
    ),
]
