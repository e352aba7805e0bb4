"""Options like others but for their identity, or for one other option."""

from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from typing import Any, NoReturn

from dtm_sdk.options import Json
from dtm_sdk.plugin import State
from dtm_sdk.testing.influence import is_valid
from dtm_sdk.testing.subject import Raw, Subject
from dtm_sdk.testing.verdicts import skip, unsupported

TRIES = 12
"""How many endings are tried for another identity."""


def _at(value: Any, keys: Sequence[str]) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def elsewhere(subject: Subject, raw: Raw) -> Raw | None:
    """The options with another identity: of another example, else one of the suite's own; None if none is valid."""
    shape = subject.plugin.shape
    own = shape.identity_of(subject.full(raw))
    if own is None:
        return None
    for example in subject.examples:
        there = subject.full(example)
        if shape.identity_of(there) != own:
            moved = _with_identity(raw, shape.identity, [_at(there, path) for path in shape.identity])
            if is_valid(subject, moved):
                return moved
    return next(
        (
            moved
            for values in _identities(own)
            if is_valid(subject, moved := _with_identity(raw, shape.identity, values))
            and shape.identity_of(subject.full(moved)) != own
        ),
        None,
    )


def alone(subject: Subject) -> NoReturn:
    """End a check that needs two identities: there is only one.

    Raises:
        Unsupported: no option is an Identity.
        Skipped: none of the identities that were tried is valid.
    """
    if not subject.plugin.shape.identity:
        unsupported("no option is an Identity")
    skip("no second identity is known: give two examples with another identity each")


def like(subject: Subject, raw: Raw, other: Raw) -> Raw | None:
    """The options with the identity that others have; None where that isn't valid."""
    shape = subject.plugin.shape
    there = subject.full(other)
    moved = _with_identity(raw, shape.identity, [_at(there, path) for path in shape.identity])
    return moved if is_valid(subject, moved) else None


def _identities(own: Sequence[Json]) -> Iterator[list[Json]]:
    for number in range(2, 2 + TRIES // 3):
        for form in ("{}{}", "{}-{}", "{1}{0}"):
            yield [_other(value, form, number) for value in own]


def _other(value: Json, form: str, number: int) -> Json:
    if isinstance(value, str):
        return form.format(value, number)
    return value + number if isinstance(value, int | float) and not isinstance(value, bool) else value


def _with_identity(raw: Raw, paths: Iterable[Sequence[str]], values: Iterable[Json]) -> Raw:
    moved = deepcopy(raw)
    for path, value in zip(paths, values, strict=True):
        inner = moved
        for key in path[:-1]:
            inner = inner.setdefault(key, {})
        inner[path[-1]] = value
    return moved


def changes_of(subject: Subject) -> Iterator[tuple[Raw, Raw]]:
    """Options before and after a change: of the identity, and of each other option by what another example has."""
    raw = subject.an_example()
    moved = elsewhere(subject, raw)
    if moved:
        yield raw, moved
    shape = subject.plugin.shape
    identity = {path[0] for path in shape.identity}
    tuning = {path[0] for path in shape.tuning}
    seen: list[Raw] = []
    for example in subject.examples[1:]:
        for key in example.keys() - identity - tuning:
            changed = {**raw, key: example[key]}
            if changed not in (raw, *seen) and is_valid(subject, changed):
                seen.append(changed)
                yield raw, changed


def tuned_otherwise(subject: Subject, raw: Raw) -> Raw | None:
    """The options with a Tuning option as another example has it; None where the examples have none."""
    shape = subject.plugin.shape
    for key in dict.fromkeys(path[0] for path in shape.tuning):
        for example in subject.examples:
            tuned = {**raw, key: example[key]} if key in example else raw
            if tuned != raw and is_valid(subject, tuned):
                full, other = subject.full(raw), subject.full(tuned)
                if full != other and shape.comparable(full) == shape.comparable(other):
                    return tuned
    return None


def several(subject: Subject) -> dict[str, Raw]:
    """Tools with an identity each: one of the examples, and one elsewhere, with other options where there are any."""
    one, other = subject.pairs[0] if subject.pairs else (subject.an_example(),) * 2
    moved = elsewhere(subject, other)
    return {"one": one, "two": moved} if moved else {"one": one}


def leaves_of(value: State, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The path and value of each leaf of an object; lists are leaves."""
    for key, item in value.items():
        if isinstance(item, dict) and item:
            yield from leaves_of(item, (*above, key))
        else:
            yield (*above, key), item
