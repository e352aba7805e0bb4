"""The resources that generated sequences are about: what each makes of the world, seen once, alone."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from dtm_sdk.plugin import State
from dtm_sdk.testing.identities import like, makeable
from dtm_sdk.testing.model import Wanted
from dtm_sdk.testing.naming import given_paths, names, renamed
from dtm_sdk.testing.subject import Raw, Subject, same
from dtm_sdk.testing.watch import Watch
from dtm_sdk.testing.worlds.world import Place, Tree, at, places, pruned, with_place

Made = tuple[Place, Any]
"""A place, and what is there; volatile values by name."""


class Resource(Struct, frozen=True):
    """What one set of options makes, seen in a fresh world.

    Attributes:
        raw: the options.
        state: what Create returned.
        made: where the world differs from the empty one.
        tampers: changes behind the plugin's back that its Read sees.
    """

    raw: Raw
    state: State
    made: tuple[Made, ...]
    tampers: tuple[Made, ...] = ()


class Universe:
    """Some identities, each with some options.

    Attributes:
        resources: of each identity, its variants.
        calls: how many calls a Create makes.
        separate: whether each resource has places of its own in the world, so that it can be seen and disturbed alone.
    """

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._empty = pruned(subject.world, subject.empty)
        self.calls = 0
        seen = [[self._seen(raw, index) for raw in raws] for index, raws in enumerate(_raws(subject))]
        tops = [{place for each in variants for place, _ in each.made} for variants in seen]
        apart = not any(mine & other for index, mine in enumerate(tops) for other in tops[index + 1 :])
        self.separate = apart and all(at(self._empty, place) is ... for mine in tops for place in mine)
        self.resources = [[self._with_tampers(each, index, own) for each in own] for index, own in enumerate(seen)]
        subject.fresh()

    def find(self, identity: int, variant: int) -> Wanted:
        """The resource of two numbers, each taken modulo what there is."""
        identity %= len(self.resources)
        return Wanted(identity, variant % len(self.resources[identity]))

    def at(self, found: Wanted) -> Resource:
        """What is known of a resource."""
        return self.resources[found.identity][found.variant]

    def tree(self, there: Mapping[int, int]) -> Tree:
        """The world with some resources in it, identity -> variant; volatile values by name."""
        tree = self._empty
        for identity, variant in there.items():
            for place, value in self.resources[identity][variant].made:
                tree = with_place(tree, place, value)
        return tree

    def named(self, tree: Tree, states: Mapping[int, State]) -> Tree:
        """A snapshot in which the volatile values of some resources are replaced by names, identity -> its state."""
        every: dict[Any, str] = {}
        for identity, state in states.items():
            every |= self._names(state, identity)
        replaced: Tree = renamed(pruned(self._subject.world, tree), every)
        return replaced

    def removed(self, tree: Tree, found: Wanted, state: State) -> Tree:
        """A snapshot without a resource."""
        for place, _ in self._actual(self.at(found).made, found.identity, state):
            tree = with_place(tree, place, ...)
        return tree

    def tampered(self, tree: Tree, found: Wanted, state: State, number: int) -> Tree | None:
        """A snapshot in which a resource is changed in one of the ways that are known; None where none is."""
        every = self._actual(self.at(found).tampers, found.identity, state)
        return with_place(tree, *every[number % len(every)]) if every else None

    def _names(self, state: State, identity: int) -> dict[Any, str]:
        return names(state, given_paths(self._subject.plugin), f" of {identity}")

    def _actual(self, made: Sequence[Made], identity: int, state: State) -> list[Made]:
        """Places and values with the volatile values of a state."""
        back = {name: value for value, name in self._names(state, identity).items()}
        return [(tuple(str(renamed(key, back)) for key in place), renamed(value, back)) for place, value in made]

    def _seen(self, raw: Raw, identity: int) -> Resource:
        self._subject.fresh()
        with Watch.here().watching() as seen:
            state = self._subject.create(raw)
        self.calls = max(self.calls, len(seen.calls))
        tree = self.named(self._subject.snapshot(), {identity: state})
        return Resource(raw, state, tuple((place, at(tree, place)) for place in places(self._empty, tree)))

    def _with_tampers(self, resource: Resource, identity: int, variants: Sequence[Resource]) -> Resource:
        """With what another variant has in its place, where Read sees that."""
        if not self.separate:
            return resource
        mine = _as_tree(resource)
        candidates = [
            (place, at(_as_tree(other), place))
            for other in variants
            for place in places(mine, _as_tree(other))
            if at(mine, place) is not ... and at(_as_tree(other), place) is not ...
        ]
        return replace(resource, tampers=tuple(each for each in candidates if self._shows(resource, identity, each)))

    def _shows(self, resource: Resource, identity: int, change: Made) -> bool:
        self._subject.fresh()
        state = self._subject.create(resource.raw)
        ((place, value),) = self._actual([change], identity, state)
        self._subject.restore(with_place(self._subject.snapshot(), place, value), "tampered with")
        try:
            found = self._subject.call("read", resource.raw, state)
        except Exception:  # noqa: BLE001  # what its Read refuses, an apply can't mend
            return False
        return found is not None and not same(found, state)


def _as_tree(resource: Resource) -> Tree:
    tree: Tree = {}
    for place, value in resource.made:
        tree = with_place(tree, place, value)
    return tree


def _raws(subject: Subject) -> list[list[Raw]]:
    """Options: of each identity, one or two."""
    pair = subject.pairs[0] if subject.pairs else (subject.an_example(),)
    moved = [[like(subject, each, sibling) for each in pair] for sibling in makeable(subject, pair[0])[:2]]
    return [list(pair), *([raw for raw in raws if raw] for raws in moved)]
