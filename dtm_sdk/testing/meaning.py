"""Two worlds held against each other by meaning: what a server names by itself has another name in each."""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from dtm_sdk.plugin import State
from dtm_sdk.testing.difference import difference
from dtm_sdk.testing.subject import Raw, Subject
from dtm_sdk.testing.worlds.world import Place, Tree, at, places, pruned

Scalar = str | int | float
Names = Mapping[Scalar, Scalar]
"""What the server called something in one world -> what it calls it in the other."""

_FLAT: Final = (str, int, float)


class Made(NamedTuple):
    """A resource in a world.

    Attributes:
        raw: its options.
        state: what the operation returned that made it so.
        tree: the world.
        given: places under which the world itself names things, so that each Create finds other names there.
    """

    raw: Raw
    state: State
    tree: Tree
    given: frozenset[Place] = frozenset()


def made(subject: Subject, raw: Raw) -> Made:
    """What Create, which must succeed, makes in a fresh world, where it stays; made twice, to see what differs."""
    first, second = once(subject, raw), once(subject, raw)
    return second._replace(given=given(subject, first, second))


def given(subject: Subject, first: Made, second: Made) -> frozenset[Place]:
    """Where two worlds, in which the same was made, name things by themselves."""
    tree = aligned(first.tree, second.tree, names(subject, first, second))
    moved = places(tree, second.tree)
    gone = {place[:-1] for place in moved if at(second.tree, place) is ...}
    come = {place[:-1] for place in moved if at(tree, place) is ...}
    return frozenset(gone & come)


def once(subject: Subject, raw: Raw) -> Made:
    """The same, made once: nothing is known of given names."""
    subject.fresh()
    return now(subject, raw, subject.create(raw))


def now(subject: Subject, raw: Raw, state: State) -> Made:
    """The world as it is, what differs by itself left out, in which a resource has these options and this state."""
    return Made(raw, state, pruned(subject.world, subject.snapshot()))


def names(subject: Subject, one: Made, other: Made, *, stable: bool = True) -> dict[Scalar, Scalar]:
    """What things are called in one world and in another: as `called` says it, and names that the worlds have given."""
    found = called(subject, {"": one.state}, {"": other.state}, stable=stable)
    for place in sorted(one.given | other.given):
        found |= _matched(at(one.tree, place), at(other.tree, place), found)
    return found


def called(
    subject: Subject, states: Mapping[str, State], like: Mapping[str, State], *, stable: bool = True
) -> dict[Scalar, Scalar]:
    """What the same resources are called in one world and in another: what their `volatile` and `stable` paths hold.

    Args:
        subject: whose plugin declares these.
        states: label -> state of the resource, in the one world.
        like: the same of the other.
        stable: take the `stable` ones; not where the options differ, for a path or an address may say what they ask.
    """
    found: dict[Scalar, Scalar] = {}
    for path in dict.fromkeys([*subject.plugin.volatile, *(subject.plugin.stable if stable else ())]):
        place = tuple(path.split("."))
        for label in states:
            a, b = at(states[label], place), at(like.get(label), place)
            for inner in places(a, b):
                mine, its = at(a, inner), at(b, inner)
                if isinstance(mine, _FLAT) and isinstance(its, _FLAT):
                    found[mine] = its
    return found


def _matched(one: Any, other: Any, by: Names) -> dict[Scalar, Scalar]:
    """Names under which two objects hold the same, where only one of them has the name."""
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return {}
    found: dict[Scalar, Scalar] = {}
    for mine in one.keys() - other.keys() - by.keys():
        for its in other.keys() - one.keys() - set(by.values()) - set(found.values()):
            if not places(aligned(one[mine], other[its], {**by, mine: its}), other[its]):
                found[mine] = its
                break
    return found


def aligned(value: Any, like: Any, by: Names) -> Any:
    """A tree in which things have the names that they have in another tree, where that makes them equal to its."""
    if isinstance(value, dict) and isinstance(like, dict):
        renamed = _keys(value, like, by)
        return {renamed[key]: aligned(value[key], like.get(renamed[key]), by) for key in value}
    if isinstance(value, list) and isinstance(like, list) and len(value) == len(like):
        return [aligned(mine, its, by) for mine, its in zip(value, like, strict=True)]
    return like if value != like and type(value) is type(like) and _renamed(value, by) == like else value


def _keys(value: Mapping[str, Any], like: Mapping[str, Any], by: Names) -> dict[str, str]:
    """Key -> the one it has in the other object; two may be swapped. What is equal under its own key keeps it."""
    moved: dict[str, str] = {}
    for key in value:
        new = _renamed(key, by)
        if new != key and new in like and (key not in like or places(value[key], like[key])):
            moved[key] = new
    kept = value.keys() - moved.keys()
    return {key: key if moved.get(key) in kept else moved.get(key, key) for key in value}


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


def same_meaning(subject: Subject, wanted: Made, found: Made, message: str) -> None:
    """Hold two worlds against each other.

    Raises:
        Violation: they differ by more than the names that the server gives; the difference is shown.
    """
    tree = aligned(wanted.tree, found.tree, names(subject, wanted, found))
    if places(tree, found.tree):
        subject.fail(message, difference(tree, found.tree))


def dependent_places(subject: Subject, one: Made, other: Made) -> list[tuple[Place, Any]]:
    """Where two worlds differ, and what the other one has there, in the names of the first; `...` for nothing."""
    tree = aligned(other.tree, one.tree, names(subject, other, one))
    return [(place, at(tree, place)) for place in places(one.tree, tree)]
