"""An operation can't be called as it says, or the recovery is none that there is."""

import logging
from collections.abc import Callable
from functools import update_wrapper, wraps
from typing import Annotated, Any

from dtm_sdk import Meta, Plugin, State
from tests.zoo.right import note, widget
from tests.zoo.right.widget_service import TOKEN
from tests.zoo.zoo import Wrong, but, made_as


def logged(function: Callable[..., Any]) -> Callable[..., Any]:
    """Log each call of an operation; it was made for those that take the state."""

    @wraps(function)
    def inner(options: Any, state: State | None) -> Any:
        logging.getLogger(__name__).info("%s", function.__name__)
        return function(options)

    return inner


class WithClient:
    """An operation that is given a client by a framework, which isn't there."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.clients: list[Any] = []
        update_wrapper(self, function)

    def __call__(self, client: Any, options: widget.WidgetOptions) -> Any:
        """Call it."""
        self.clients.append(client)
        return self.function(options)


class ByName(Plugin):
    """A plugin with a recovery of its own."""

    def __post_init__(self) -> None:
        """Check what is declared, then declare another thing."""
        super().__post_init__()
        object.__setattr__(self, "recovery", "name")


class Unnamed(widget.WidgetOptions):
    """Options of which none is marked to name the widget."""

    name: Annotated[str, Meta(min_length=1, description="Name of the widget.")]


class Found(Plugin):
    """A plugin that says it finds its resource, since the suite asks less of one that can't."""

    def __post_init__(self) -> None:
        """Check it as one that can't."""
        super().__post_init__()
        object.__setattr__(self, "recovery", "lookup")


WRONG = [
    Wrong(
        rule="A6", name="decorator-takes-more", plugin=but(note.plugin, create=logged(note.create)), world=note.world
    ),
    Wrong(
        rule="A6",
        name="wants-a-client",
        plugin=but(widget.plugin, create=WithClient(widget.create)),
        world=widget.world,
    ),
    Wrong(rule="A6", name="recovery-of-its-own", plugin=made_as(ByName, note.plugin), world=note.world),
    Wrong(
        rule="A6",
        name="finds-what-nothing-names",
        plugin=made_as(
            Found,
            widget.plugin,
            options=Unnamed,
            recovery="manual",
            examples=[{"name": "one", "token": TOKEN}, widget.EXAMPLES[1]],
        ),
        world=widget.world,
    ),
]
