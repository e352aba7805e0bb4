"""An option has no type or no description, or an object takes every key."""

from typing import Annotated, Any

from msgspec import StructMeta

from dtm_sdk import Meta, Options
from tests.zoo.right import note, widget
from tests.zoo.zoo import Wrong, but


class AnyText(note.NoteOptions):
    """Options of which one takes numbers too."""

    text: Annotated[Any, Meta(description="What it says.")]


def validate_any(options: AnyText) -> list[str]:
    """What is wrong with the options, the text made one first."""
    return note.validate(note.NoteOptions(path=options.path, text=str(options.text), header=options.header))


class BareHeader(note.Header):
    """A header of which one part is not described."""

    lines: list[str] = []


class Undescribed(note.NoteOptions):
    """Options with such a header."""

    header: Annotated[BareHeader, Meta(description="What stands above the text.")] = BareHeader()


class AnyOwner(widget.Owner):
    """An owner whose people may be anything."""

    people: Annotated[list[Any], Meta(description="Their names.")] = []


class AnyPeople(widget.WidgetOptions):
    """Options with such an owner."""

    owner: Annotated[AnyOwner, Meta(description="Who owns it.")] = AnyOwner()


def validate_people(options: AnyPeople) -> list[str]:
    """What is wrong with the options, as far as it is text."""
    people = [each for each in options.owner.people if isinstance(each, str)]
    owner = AnyOwner(team=options.owner.team, people=people)
    return widget.validate(
        AnyPeople(name=options.name, colour=options.colour, labels=options.labels, owner=owner, token=options.token)
    )


class _Tolerant(type(Options)):  # type: ignore[misc]  # as an author would write it who doesn't run mypy
    """Makes objects that take whatever a later version of the service may add."""

    def __new__(mcls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> Any:
        """As msgspec does it by default."""
        return StructMeta.__new__(mcls, name, bases, namespace, frozen=True, kw_only=True, forbid_unknown_fields=False)


class TolerantOwner(widget.Owner, metaclass=_Tolerant):
    """An owner with whatever else there is."""


class Tolerant(widget.WidgetOptions):
    """Options with such an owner."""

    owner: Annotated[TolerantOwner, Meta(description="Who owns it.")] = TolerantOwner()


WRONG = [
    Wrong(
        rule="A2",
        name="any-for-a-text",
        plugin=but(note.plugin, options=AnyText, validate=validate_any),
        world=note.world,
    ),
    Wrong(rule="A2", name="nested-one-undescribed", plugin=but(note.plugin, options=Undescribed), world=note.world),
    Wrong(
        rule="A2",
        name="list-of-anything",
        plugin=but(widget.plugin, options=AnyPeople, validate=validate_people),
        world=widget.world,
    ),
    Wrong(rule="A2", name="takes-every-key", plugin=but(widget.plugin, options=Tolerant), world=widget.world),
]
