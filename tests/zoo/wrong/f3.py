"""An answer that is lost makes a second one."""

from dtm_sdk import PluginError, State
from tests.zoo.right import widget
from tests.zoo.zoo import Wrong, but


def create_that_tries_again(options: widget.WidgetOptions) -> State:
    """Make the widget, and try that twice: the first may have been made all the same."""
    there = widget.find(options, None)
    if there:
        return widget.described(widget.ask(options, "PUT", f"/widgets/{there['id']}", widget.sent(options)))
    try:
        return widget.described(widget.ask(options, "POST", "/widgets", widget.sent(options)))
    except PluginError as error:
        if "can't be asked" not in str(error):
            raise
    return widget.described(widget.ask(options, "POST", "/widgets", widget.sent(options)))


def update_that_knows_recorded_ones_only(options: widget.WidgetOptions, state: State | None) -> State:
    """Bring the widget to the options; one that isn't recorded is taken for one that is not there."""
    if state:
        return widget.update(options, state)
    return widget.described(widget.ask(options, "POST", "/widgets", widget.sent(options)))


WRONG = [
    Wrong(
        rule="F3",
        name="knows-recorded-ones-only",
        plugin=but(widget.plugin, update=update_that_knows_recorded_ones_only),
        world=widget.world,
        also=("L5", "F1", "F2", "F4", "M1"),  # whatever makes one that isn't recorded, a second one is made
    ),
    Wrong(
        rule="F3",
        name="tries-again-blindly",
        plugin=but(widget.plugin, create=create_that_tries_again),
        world=widget.world,
        also=("F1",),  # an answer that is cut short is lost too
    ),
]
