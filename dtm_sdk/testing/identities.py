"""Identities, and options like others but for theirs."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain
from typing import Final, NoReturn

from dtm_sdk.options import Json
from dtm_sdk.testing.influence import Leaf, is_valid, leaves, put
from dtm_sdk.testing.subject import Raw, Subject
from dtm_sdk.testing.verdicts import skip, unsupported
from dtm_sdk.testing.worlds.world import at

SUFFIXES: Final = ("2", "-2", ".2", "x")
"""What is put behind a name."""
FORMS: Final = ("{}2", "a{}", "{}-b")
"""What is taken for near."""
FAR: Final = ("{0}{1}", "{0}-{1}", "{1}{0}")
"""What is taken for another identity where no example has one, with a number."""
NUMBERS: Final = range(2, 6)


def identities(subject: Subject) -> list[Leaf]:
    """The Identity options."""
    return [leaf for leaf in leaves(subject.plugin.options) if leaf.role == "identity"]


def identity(subject: Subject, raw: Raw) -> Raw:
    """The Identity options of plain ones: dotted path -> value."""
    full = subject.full(raw)
    return {leaf.name: at(full, leaf.path) for leaf in identities(subject)}


def others(value: Json) -> list[Json]:
    """Values beside another one, of the same type."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1, value * 10 + 1]
    if isinstance(value, str):
        return [f"{value}{each}" for each in SUFFIXES]
    return []


def nearby(subject: Subject, raw: Raw) -> list[Raw]:
    """Valid options like some others but for one Identity option, which has a suffix or a prefix."""
    found: list[Raw] = []
    full = subject.full(raw)
    for leaf in identities(subject):
        old = at(full, leaf.path)
        for value in _near(old):
            other = put(raw, leaf.path, value)
            if other != raw and other not in found and is_valid(subject, other):
                found.append(other)
    return found


def _near(old: Json) -> list[Json]:
    if isinstance(old, str):
        return [form.format(old) for form in FORMS]
    return [old * 10 + 1] if isinstance(old, int) and not isinstance(old, bool) else []


def makeable(subject: Subject, raw: Raw) -> list[Raw]:
    """Those of them that can be made beside the resource of `raw`; the world is fresh then."""
    found = []
    for other in nearby(subject, raw):
        subject.fresh()
        with suppress(Exception):  # a part of the identity may name what has to be there before
            if subject.call("read", other) is None:  # else it is one that the world has, of others
                subject.create(raw)
                subject.call("create", other)
                found.append(other)
    subject.fresh()
    return found


def like(subject: Subject, raw: Raw, other: Raw) -> Raw | None:
    """The options with the identity that others have; None where that isn't valid."""
    moved = _moved(subject, raw, [*identity(subject, other).values()])
    return moved if is_valid(subject, moved) else None


def elsewhere(subject: Subject, raw: Raw) -> Raw | None:
    """The options with another identity: of another example, else one of the suite's own; None if none is valid."""
    own = identity(subject, raw)
    of_examples = ([*identity(subject, each).values()] for each in subject.examples)
    for values in chain(of_examples, _identities([*own.values()])):
        moved = _moved(subject, raw, values)
        if is_valid(subject, moved) and identity(subject, moved) != own:
            return moved
    return None


def _identities(own: Sequence[Json]) -> Iterator[list[Json]]:
    for number in NUMBERS:
        for form in FAR:
            yield [_other(value, form, number) for value in own]


def _other(value: Json, form: str, number: int) -> Json:
    if isinstance(value, str):
        return form.format(value, number)
    return value + number if isinstance(value, int | float) and not isinstance(value, bool) else value


def _moved(subject: Subject, raw: Raw, values: Sequence[Json]) -> Raw:
    for leaf, value in zip(identities(subject), values, strict=True):
        if value is not ...:  # another form of an object may lack it
            raw = put(raw, leaf.path, value)
    return raw


def several(subject: Subject) -> dict[str, Raw]:
    """Tools with an identity each: one of the examples, and one elsewhere, with other options where there are any."""
    one, other = subject.pairs[0] if subject.pairs else (subject.an_example(),) * 2
    moved = elsewhere(subject, other)
    return {"one": one, "two": moved} if moved else {"one": one}


def alone(subject: Subject) -> NoReturn:
    """End a check that needs two identities: there is only one.

    Raises:
        Unsupported: no option is an Identity.
        Skipped: none of the identities that were tried is valid.
    """
    if not subject.plugin.shape.identity:
        unsupported("no option is an Identity")
    skip("no second identity is known: give two examples with another identity each")
