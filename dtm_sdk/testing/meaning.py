"""Two worlds held against each other by meaning: what a server names by itself has another name in each."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from dtm_sdk.plugin import State
from dtm_sdk.testing.difference import difference
from dtm_sdk.testing.subject import Subject
from dtm_sdk.testing.worlds.world import Place, Tree, at, places, pruned

Scalar = str | int | float
Names = Mapping[Scalar, Scalar]
"""What the server called something in one world -> what it calls it in the other."""

_FLAT: Final = (str, int, float)


def names(subject: Subject, one: State, other: State) -> dict[Scalar, Scalar]:
    """The values of `volatile` and `stable` paths that differ between the states of two worlds."""
    found: dict[Scalar, Scalar] = {}
    for path in dict.fromkeys([*subject.plugin.volatile, *subject.plugin.stable]):
        place = tuple(path.split("."))
        a, b = at(one, place), at(other, place)
        for inner in places(a, b):
            mine, its = at(a, inner), at(b, inner)
            if isinstance(mine, _FLAT) and isinstance(its, _FLAT):
                found[mine] = its
    return found


def aligned(value: Any, like: Any, by: Names) -> Any:
    """A tree in which things have the names that they have in another tree, where that makes them equal to its."""
    if isinstance(value, dict) and isinstance(like, dict):
        renamed = {key: key if key in like else _key(key, like, by) for key in value}
        return {renamed[key]: aligned(value[key], like.get(renamed[key]), by) for key in value}
    if isinstance(value, list) and isinstance(like, list) and len(value) == len(like):
        return [aligned(mine, its, by) for mine, its in zip(value, like, strict=True)]
    return like if value != like and type(value) is type(like) and _renamed(value, by) == like else value


def _key(key: str, like: Mapping[str, Any], by: Names) -> str:
    renamed: str = _renamed(key, by)
    return renamed if renamed in like else key


def _renamed(value: Any, by: Names) -> Any:
    """A value with every name exchanged, inside of longer texts too; a number only where it stands alone."""
    if isinstance(value, bytes):
        text: str = _renamed(value.decode("utf-8", "surrogateescape"), by)
        return text.encode("utf-8", "surrogateescape")
    if not isinstance(value, str):
        return by.get(value, value) if isinstance(value, _FLAT) else value
    if not by:
        return value
    known = {str(mine): str(its) for mine, its in by.items()}
    parts = [
        re.escape(str(mine)) if isinstance(mine, str) else rf"(?<!\w){re.escape(str(mine))}(?!\w)"
        for mine in sorted(by, key=lambda each: -len(str(each)))
        if str(mine)
    ]
    return re.sub("|".join(parts), lambda match: known[match[0]], value) if parts else value


def same_meaning(subject: Subject, wanted: tuple[State, Tree], found: tuple[State, Tree], message: str) -> None:
    """Hold two worlds against each other, each with the state of the resource in it.

    Raises:
        Violation: they differ by more than what the server names by itself; the difference is shown.
    """
    a = pruned(subject.world, wanted[1])
    b = aligned(pruned(subject.world, found[1]), a, names(subject, found[0], wanted[0]))
    if places(a, b):
        subject.fail(message, difference(a, b))


def dependent_places(subject: Subject, one: tuple[State, Tree], other: tuple[State, Tree]) -> Iterator[tuple[Place, Any]]:
    """Where two worlds differ by meaning, and what the other one has there (`...` for nothing), in the first's names."""
    a = pruned(subject.world, one[1])
    b = aligned(pruned(subject.world, other[1]), a, names(subject, other[0], one[0]))
    for place in places(a, b):
        yield place, at(b, place)
