"""What depends on what: the places of a world that another value of an option changes."""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any, Final, NamedTuple

import msgspec

from dtm_sdk.errors import DtmError
from dtm_sdk.options import Json, Options
from dtm_sdk.plugin import State
from dtm_sdk.shape import declared
from dtm_sdk.testing.subject import Raw, Subject, same
from dtm_sdk.testing.worlds.world import Place, Tree, at, is_at, places, pruned

Names = Sequence[tuple[Json, Json]]
"""Values that stand for the same thing in two worlds, such as the ids that a server gave."""


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


class Made(NamedTuple):
    """What a Create in a fresh world left.

    Attributes:
        raw: its options.
        state: what it returned.
        tree: the world, whole.
    """

    raw: Raw
    state: State
    tree: Tree


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

    def moved(self, base: Made, other: Made) -> tuple[list[Place], Tree]:
        """Where another world differs from the one of `base`, and that other one in its terms.

        What differs between two worlds that were made with the options of `base` is left out.
        """
        wanted, tree = self._towards(base, other)
        noise = places(wanted, self._towards(base, self.made(base.raw, 1))[1])
        found = [place for place in places(wanted, tree) if not any(place[: len(each)] == each for each in noise)]
        return found, tree

    def _towards(self, base: Made, other: Made) -> tuple[Tree, Tree]:
        world = self.subject.world
        wanted = pruned(world, base.tree)
        return wanted, aligned(pruned(world, other.tree), wanted, names(self.subject, other.state, base.state))

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
        subject.plugin.parse(raw)
    except DtmError:
        return False
    return True


def names(subject: Subject, state: State, like: State) -> Names:
    """What the `volatile` paths of a plugin hold in one state and in another, where that differs."""
    paths = [tuple(path.split(".")) for path in subject.plugin.volatile]
    pairs = [(at(state, path), at(like, path)) for path in paths]
    return [(a, b) for a, b in pairs if a != b and isinstance(a, str | int) and isinstance(b, str | int)]


def aligned(value: Any, like: Any, by: Names) -> Any:
    """A tree with the names of another one, wherever that makes it equal to it: ids that a server gave differ."""
    if isinstance(value, dict) and isinstance(like, dict):
        keys = {key: _renamed_key(key, value, like, by) for key in value}
        return {keys[key]: aligned(item, like.get(keys[key]), by) for key, item in value.items()}
    if isinstance(value, list) and isinstance(like, list) and len(value) == len(like):
        return [aligned(item, other, by) for item, other in zip(value, like, strict=True)]
    if not isinstance(value, str | bytes | int) or value == like:
        return value
    renamed = _renamed(value, by)
    return renamed if type(renamed) is type(like) and renamed == like else value


def _renamed_key(key: str, among: Mapping[str, Any], like: Mapping[str, Any], by: Names) -> str:
    if key in like and like[key] == among[key]:
        return key
    renamed = str(_renamed(key, by))
    return renamed if renamed in like and renamed not in among else key


DISTINCT: Final = 6
"""So many characters make a name that doesn't stand inside of a text by accident."""


def _renamed(value: Any, by: Names) -> Any:
    for mine, its in by:
        if value == mine and type(value) is type(mine):
            return its
        if isinstance(value, str) and value == str(mine):
            return str(its)
        if len(str(mine)) >= DISTINCT and isinstance(value, str):
            value = value.replace(str(mine), str(its))
        elif len(str(mine)) >= DISTINCT and isinstance(value, bytes):
            value = value.replace(str(mine).encode(), str(its).encode())
    return value


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
