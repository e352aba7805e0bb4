"""A value of a wrong type is made into another one."""

from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any

from dtm_sdk import Meta, Options, Plugin, State
from tests.zoo.right import note, widget
from tests.zoo.zoo import Wrong, but, made_as


class Access(Enum):
    """Who may read the file."""

    OWNER = "owner"
    ALL = "all"

    @classmethod
    def _missing_(cls, value: object) -> "Access":
        return cls.ALL if value == "public" else cls.OWNER


class Forgiving(note.NoteOptions):
    """Options with a choice that takes everything."""

    access: Annotated[Access, Meta(description="Who may read it.")] = Access.OWNER  # type: ignore[assignment]


def strict(options: Forgiving) -> note.NoteOptions:
    """The options as the operations take them."""
    access = note.Access(options.access.value)
    return note.NoteOptions(
        path=options.path, text=options.text, access=access, header=options.header, wait=options.wait
    )


def create_forgiving(options: Forgiving) -> State:
    """Make the file."""
    return note.create(strict(options))


def update_forgiving(options: Forgiving) -> State:
    """Write the file again."""
    return note.update(strict(options))


class Counting(Plugin):
    """A plugin that takes digits for a number."""

    def parse(self, raw: Mapping[str, Any]) -> Options:
        """Typed options."""
        wait = raw.get("wait")
        return super().parse({**raw, "wait": int(wait)} if isinstance(wait, str) and wait.isdecimal() else raw)


class Listing(Plugin):
    """A plugin that takes one name for a list of one."""

    def parse(self, raw: Mapping[str, Any]) -> Options:
        """Typed options."""
        owner = raw.get("owner")
        if isinstance(owner, dict) and isinstance(owner.get("people"), str):
            raw = {**raw, "owner": {**owner, "people": [owner["people"]]}}
        return super().parse(raw)


class Pruning(Plugin):
    """A plugin that takes null for an option left out."""

    def parse(self, raw: Mapping[str, Any]) -> Options:
        """Typed options."""
        return super().parse({name: value for name, value in raw.items() if value is not None})


WRONG = [
    Wrong(
        rule="V2",
        name="choice-with-a-fallback",
        plugin=but(note.plugin, options=Forgiving, create=create_forgiving, update=update_forgiving),
        world=note.world,
    ),
    Wrong(rule="V2", name="digits-for-a-number", plugin=made_as(Counting, note.plugin), world=note.world),
    Wrong(rule="V2", name="one-for-a-list", plugin=made_as(Listing, widget.plugin), world=widget.world),
    Wrong(rule="V2", name="null-for-nothing", plugin=made_as(Pruning, widget.plugin), world=widget.world),
]
