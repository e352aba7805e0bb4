"""The name is none, or another one than that of the entry point."""

from dtm_sdk import Plugin
from tests.zoo.right import note, widget
from tests.zoo.zoo import Wrong, but, made_as


class Versioned(Plugin):
    """A plugin with the version of the service's API in its name."""

    def __post_init__(self) -> None:
        """Check the name as it was given, then add to it."""
        super().__post_init__()
        object.__setattr__(self, "name", f"{self.name}_v2")


class Branded(Plugin):
    """A plugin that shows itself under the name of its maker."""

    def __post_init__(self) -> None:
        """Check the name as it was given, then set it off."""
        super().__post_init__()
        object.__setattr__(self, "name", f"Acme.{self.name}")


WRONG = [
    # `dtm_sdk.registry.load` refuses it with a line that says the same, so that a run of pytest ends at collection.
    Wrong(
        rule="A1",
        name="entry-point-of-another-name",
        plugin=but(note.plugin, name="note"),
        world=note.world,
        entry="notes",
    ),
    Wrong(
        rule="A1",
        name="underscore-added-later",
        plugin=made_as(Versioned, widget.plugin),
        world=widget.world,
    ),
    Wrong(rule="A1", name="upper-case-added-later", plugin=made_as(Branded, note.plugin), world=note.world),
]
