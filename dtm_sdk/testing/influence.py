"""What depends on what: the places of a world that another value of an option changes."""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any, NamedTuple

import msgspec

from dtm_sdk.errors import DtmError
from dtm_sdk.options import Json, Options
from dtm_sdk.plugin import State
from dtm_sdk.shape import declared
from dtm_sdk.testing.meaning import Made, aligned, given, names
from dtm_sdk.testing.subject import Raw, Subject, same
from dtm_sdk.testing.worlds.world import Place, Tree, at, is_at, places, pruned


class Leaf(NamedTuple):
    """An option that holds no other option; a list, or an object of free content, is one as a whole.

    Attributes:
        path: the keys that lead to it.
        role: "identity", "tuning" or an empty string, from what holds it too.
        secret: it is, or holds, a `Secret`.
        kind: its type.
    """

    path: Place
    role: str
    secret: bool
    kind: Any

    @property
    def name(self) -> str:
        """Its dotted path."""
        return ".".join(self.path)


def leaves(options: type[Options]) -> list[Leaf]:
    """The options that hold no other one, in the order they are written."""
    every = [option for option in declared(options) if "[" not in option.path and ".*" not in option.path]
    roles = {option.path: option.role for option in every if option.role}
    found: dict[Place, Leaf] = {}
    for option in every:
        if not any(other.path.startswith(f"{option.path}.") for other in every):
            path = tuple(option.path.split("."))
            above = (roles.get(".".join(path[:end]), "") for end in range(len(path), 0, -1))
            found.setdefault(path, Leaf(path, next(filter(None, above), ""), option.secret, option.type))
    return list(found.values())


class Influence(NamedTuple):
    """What another value of an option changes.

    Attributes:
        leaf: the option.
        base: what was made first.
        other: what was made with that option exchanged, in the terms of `base`: ids have the names they have there.
        places: where these differ; empty where nothing does.
    """

    leaf: Leaf
    base: Made
    other: Tree
    places: list[Place]


class Scene:
    """Resources made in fresh worlds, each once; a check that uses it can't tell in which one the world is left."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self._made: dict[tuple[bytes, int], Made | None] = {}

    def made(self, raw: Raw, turn: int = 0) -> Made:
        """What Create makes in a fresh world, which must succeed; another `turn` makes it once more."""
        key = msgspec.json.encode(raw), turn
        found = self._made.get(key)
        if not found:
            self.subject.fresh()
            state = self.subject.create(raw)
            found = self._made[key] = Made(raw, state, self.subject.snapshot())
        return found

    def tried(self, raw: Raw) -> Made | None:
        """The same, None where Create raises."""
        key = msgspec.json.encode(raw), 0
        if key not in self._made:
            self.subject.fresh()
            try:
                state = self.subject.call("create", raw)
            except Exception:  # noqa: BLE001  # the boundary to an author's code
                self._made[key] = None
            else:
                self._made[key] = Made(raw, state, self.subject.snapshot())
        return self._made[key]

    def given(self, base: Made) -> Made:
        """The same, with the places under which the world itself names things."""
        if base.given:
            return base
        return base._replace(given=given(self.subject, self._seen(base), self._seen(self.made(base.raw, 1))))

    def moved(self, base: Made, other: Made) -> tuple[list[Place], Tree]:
        """Where another world differs from the one of `base`, and that other one in its terms.

        What differs between two worlds that were made with the options of `base` is left out.
        """
        base = self._seen(self.given(base))
        again, tree = (self._towards(base, each) for each in (self.made(base.raw, 1), other))
        noise = places(base.tree, again)
        found = [place for place in places(base.tree, tree) if not any(place[: len(each)] == each for each in noise)]
        return found, tree

    def _towards(self, base: Made, other: Made) -> Tree:
        other = self._seen(other)
        tree: Tree = aligned(other.tree, base.tree, names(self.subject, other, base, stable=False))
        return tree

    def _seen(self, made: Made) -> Made:
        return made._replace(tree=pruned(self.subject.world, made.tree))

    def influence(self, leaf: Leaf) -> Influence | None:
        """What one option changes; None where no two examples say so, because none can be made with it exchanged."""
        found = None
        for one, other in differing(self.subject, leaf.path):
            raw = exchanged(self.subject, one, other, leaf.path)
            changed = self.tried(raw) if raw is not None else None
            if changed:
                base = self.made(one)
                where, tree = self.moved(base, changed)
                found = Influence(leaf, base, tree, where)
                if where:
                    return found
        return found


def differing(subject: Subject, path: Place) -> Iterator[tuple[Raw, Raw]]:
    """The pairs of examples, in both orders, in which an option differs."""
    every = [(raw, subject.full(raw)) for raw in subject.examples]
    for one, a in every:
        for other, b in every:
            if not same(at(a, path), at(b, path)):
                yield one, other


def exchanged(subject: Subject, one: Raw, other: Raw, path: Place) -> Raw | None:
    """Options with the value that another example has at a path, or at what holds that; None where none are valid."""
    mine, its = subject.full(one), subject.full(other)
    for end in range(len(path), 0, -1):
        part = path[:end]
        value = at(its, part)
        if value is not ... and at(mine, part) is not ... and is_valid(subject, raw := put(one, part, value)):
            return raw
    return None


def put(raw: Raw, path: Place, value: Json) -> Raw:
    """A copy of plain options with another value at a path."""
    copy = deepcopy(raw)
    inner = copy
    for key in path[:-1]:
        inner = inner.setdefault(key, {})
    inner[path[-1]] = deepcopy(value)
    return copy


def is_valid(subject: Subject, raw: Mapping[str, Json]) -> bool:
    """Whether the plugin takes some options."""
    try:
        subject.plugin.parse(deepcopy(dict(raw)))  # what it does to its input is rule V5's
    except DtmError:
        return False
    return True


def unsaid(subject: Subject, raw: Raw, state: State) -> Iterator[tuple[str, Json, Json]]:
    """Where a state has the key of an option and not its value: the dotted path, and both values.

    Secrets, `normalized` paths and options that were left out don't count.
    """
    plain = subject.full(raw)
    for leaf in leaves(subject.plugin.options):
        if leaf.secret or at(raw, leaf.path) is ... or is_at(leaf.path, _below(subject.plugin.normalized)):
            continue
        for end in range(1, len(leaf.path) + 1):
            found, wanted = at(state, leaf.path[:end]), at(plain, leaf.path[:end])
            inner = end < len(leaf.path) and isinstance(found, dict)
            if found is not ... and not inner and not _says(at(raw, leaf.path[:end]), wanted, found):
                yield ".".join(leaf.path[:end]), wanted, found


def _below(paths: Sequence[str]) -> list[str]:
    return [pattern for path in paths for pattern in (path, f"{path}.*")]


def _says(given: Json, wanted: Json, found: Json) -> bool:
    """Whether a state has the value of an option; in a list of objects, options left out may have any."""
    if isinstance(given, list) and isinstance(found, list) and len(given) == len(found):
        return all(_says(*each) for each in zip(given, wanted, found, strict=True))
    if isinstance(given, dict) and isinstance(found, dict) and isinstance(wanted, dict) and given != wanted:
        return all(key in found and _says(given[key], wanted[key], found[key]) for key in given)
    return same(wanted, found)
