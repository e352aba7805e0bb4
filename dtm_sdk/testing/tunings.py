"""Other values of a Tuning option: some of them say how the world is reached, so not any value can be tried."""

from collections.abc import Iterator
from enum import Enum
from typing import Any, Literal, NamedTuple, get_args, get_origin

from dtm_sdk.options import Json, members
from dtm_sdk.plugin import State
from dtm_sdk.testing.difference import difference
from dtm_sdk.testing.influence import Leaf, Scene, differing, exchanged, is_valid, put
from dtm_sdk.testing.meaning import Made
from dtm_sdk.testing.subject import Raw, same, without
from dtm_sdk.testing.worlds.world import at, pruned


class Varied(NamedTuple):
    """A resource made with two values of a Tuning option, the others equal.

    Attributes:
        base: made with the one.
        other: made with the other.
        read: what Read says of `base`, asked with the options of `other`.
    """

    base: Made
    other: Made
    read: State | None


def varied(scene: Scene, leaf: Leaf) -> Varied | str:
    """What another value of a Tuning option makes; where none can be judged, why.

    A text is only exchanged for one of another example: a made-up address or token reaches nothing, or a stranger.
    What the world sets, and a value with which a resource that is there can't be read, isn't judged.
    """
    why = "no two examples have different values of it, and none can be made up"
    for one, raw in _candidates(scene, leaf):
        if at(scene.subject.world.bind(raw), leaf.path) != at(raw, leaf.path):
            return "the world sets it"
        why = "with no other value that is known can the resource be reached"
        base = scene.made(one)
        reached, found = _read(scene, base, raw)
        other = scene.tried(raw) if reached else None
        if other:
            return Varied(base, other, found)
    return why


def _read(scene: Scene, base: Made, raw: Raw) -> tuple[bool, State | None]:
    """Whether what was made is reached with other options, and what Read says of it then."""
    scene.subject.fresh()
    scene.subject.restore(base.tree, "the world as Create leaves it")
    try:
        found = scene.subject.call("read", raw, base.state)
    except Exception:  # noqa: BLE001  # the boundary to an author's code
        return False, None
    return found is not None, found


def _candidates(scene: Scene, leaf: Leaf) -> Iterator[tuple[Raw, Raw]]:
    """Options that are there, and valid ones with another value of the option."""
    subject = scene.subject
    for one, other in differing(subject, leaf.path):
        raw = exchanged(subject, one, other, leaf.path)
        if raw is not None:
            yield one, raw
    for one in subject.examples[:1]:
        value = at(subject.full(one), leaf.path)
        for new in () if value is ... else _others(leaf.kind, value):
            raw = put(one, leaf.path, new)
            if is_valid(subject, raw):
                yield one, raw


def _others(kind: Any, value: Json) -> Iterator[Json]:
    """Other values of a type that isn't a text."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield from (value + 1, value - 1, value / 2 if isinstance(value, float) else value * 2)
    for member, _ in members(kind):
        if get_origin(member) is Literal:
            yield from (each for each in get_args(member) if each != value)
        elif isinstance(member, type) and issubclass(member, Enum):
            yield from (each.value for each in member if each.value != value)


def same_with(scene: Scene, name: str, tried: Varied) -> None:
    """Hold against each other what two values of a Tuning option make.

    Raises:
        Violation: it makes a difference in the state, in what Read says or in the world.
    """
    subject, (base, other, found) = scene.subject, tried
    volatile = subject.plugin.volatile
    a, b = without(base.state, volatile), without(other.state, volatile)
    if not same(a, b):
        subject.fail(f"the Tuning option {name} makes a difference in the state", difference(a, b))
    if found is not None and not same(base.state, found):
        subject.fail(f"the Tuning option {name} makes a difference in what Read says", difference(base.state, found))
    where, tree = scene.moved(base, other)
    if where:
        before = pruned(subject.world, base.tree)
        subject.fail(f"the Tuning option {name} makes a difference in the world", difference(before, tree))
