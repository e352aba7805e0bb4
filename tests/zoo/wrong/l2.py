"""Makes the runner do another thing than the table says."""

from dtm_sdk import PluginError, State
from tests.zoo.right import note, widget
from tests.zoo.zoo import Wrong, but


def update_the_record_itself(options: widget.WidgetOptions, state: State | None) -> State:
    """Change the widget, and what is recorded of it."""
    new = widget.update(options, state)
    if state is None:
        return new
    state.update(new)
    return state


def update_only_what_is_recorded(options: widget.WidgetOptions, state: State | None) -> State:
    """Change the widget of the recorded id."""
    if state is None or "outputs" not in state:
        raise PluginError(f"nothing is recorded of the widget {options.name}", "create it first")
    return widget.update(options, state)


def delete_and_empty_the_state(options: note.NoteOptions, state: State | None) -> bool:
    """Remove the file; there is no state any more."""
    gone = note.delete(options)
    if state:
        state.clear()
    return gone


WRONG = [
    Wrong(
        rule="L2",
        name="changes-the-record-itself",
        plugin=but(widget.plugin, update=update_the_record_itself),
        world=widget.world,
    ),
    Wrong(
        rule="L2",
        name="can-not-adopt",
        plugin=but(widget.plugin, update=update_only_what_is_recorded),
        world=widget.world,
        also=("F1", "F4"),  # what a Create made that met a fault isn't recorded either
    ),
    Wrong(
        rule="L2",
        name="empties-the-recorded-state",
        plugin=but(note.plugin, delete=delete_and_empty_the_state),
        world=note.world,
    ),
]
