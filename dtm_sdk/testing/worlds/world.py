"""What a world is: what a plugin acts on, seen, put back and disturbed from outside of the plugin."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from copy import deepcopy
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Protocol

from msgspec import Struct

from dtm_sdk.options import Json

Tree = dict[str, Any]
"""What is in a world, by meaning: a JSON object, in which bytes are allowed too."""

Place = tuple[str, ...]
"""Where in a tree: the keys that lead there."""


class Fault(Struct, frozen=True):
    """One way in which a world can't be asked.

    Attributes:
        name: what a reader calls it, e.g. "answers 500".
        strike: for as long as what it returns is entered, the calls that the plugin makes meet the fault: all of them,
            or only the one of that number (from 1). What is entered gives a function that says how many have met it.
        blind: not even whether the resource is there can be told; an answer whose body alone is lost still tells it.
        single: one call of several can be chosen; else it befalls all of them, whatever `only` says.
    """

    name: str
    strike: "Strike"
    blind: bool = True
    single: bool = True


class Strike(Protocol):
    """How a fault is made to happen."""

    def __call__(self, only: int = 0, /) -> AbstractContextManager[Callable[[], int]]:
        """What is entered; see `Fault`."""
        ...


class World(ABC):
    """What a plugin acts on.

    The suite enters `opened()` once for each check, in a process of the check's own, and calls the rest inside of it.
    `snapshot` and `restore` are all that is needed to see what a plugin did, to compare two states of the world by
    meaning, and to change one thing behind the plugin's back: that is a restore of a snapshot with one place replaced.

    Attributes:
        name: what the report calls it.
        volatile: places that differ by themselves (times, counters), as patterns of dotted paths such as
            `items.*.changed_at`; they are left out of comparisons. That they do differ is checked.
        planted: keys of the tree that the world put there itself, for no plugin to touch.
        isolated: whether all of the world is made for the check (a folder, a fake), so that a fresh one is empty.
    """

    name: str = "world"
    volatile: Sequence[str] = ()
    planted: Sequence[str] = ()

    @abstractmethod
    def opened(self, scratch: Path) -> AbstractContextManager[None]:
        """Make the world ready, and the process of the check so that a plugin finds it; undone at the end.

        Args:
            scratch: an empty folder for what this takes; the suite removes it.
        """

    @abstractmethod
    def snapshot(self) -> Tree:
        """What is there now; nothing in it is shared with the world."""

    @abstractmethod
    def restore(self, tree: Tree) -> None:
        """Make the world as a snapshot says."""

    def bind(self, options: Mapping[str, Json]) -> dict[str, Json]:
        """Plain options as they have to be for this world, e.g. with the address where it is; the same ones else."""
        return dict(options)

    def faults(self) -> Sequence[Fault]:
        """The ways in which all calls of the plugin can be made to fail; faults of files are the suite's own."""
        return ()

    def counting(self) -> AbstractContextManager[Callable[[], int]]:
        """Inside, the calls that come from the plugin are counted, where the world can tell; gives their number."""
        return nullcontext(lambda: 0)

    def settle(self) -> None:  # noqa: B027  # most worlds do what they are asked for at once
        """Wait until what a plugin has asked for is done, one that died or gave up too; nothing by default."""

    def hang_up(self) -> None:
        """Settle, and end the connections that clients keep, which a process that is forked would share with them."""
        self.settle()

    def refusals(self) -> Sequence[Fault]:
        """The ways in which calls that change things can be made to fail, while the others are answered; none else."""
        return ()

    def mutations(self) -> int:
        """How many calls that change things have come from the plugin so far, where the world can tell; else 0."""
        return 0

    def lost_answers(self) -> AbstractContextManager[Callable[[], int]]:
        """Inside, calls that change things are carried out and then fail; gives how many did. None by default."""
        return nullcontext(lambda: 0)

    @property
    def writable(self) -> Sequence[Path]:
        """The folders where a plugin may write; the working directory of the check by default."""
        return ()


def pruned(world: World, tree: Tree) -> Tree:
    """A tree without the places that the world calls volatile."""
    return _pruned(tree, (), world.volatile) if world.volatile else tree


def _pruned(value: Any, above: Place, patterns: Sequence[str]) -> Any:
    if not isinstance(value, dict):
        return value
    places = {key: (*above, key) for key in value}
    kept = {key: place for key, place in places.items() if not is_at(place, patterns)}
    return {key: _pruned(value[key], place, patterns) for key, place in kept.items()}


def is_at(place: Place, patterns: Sequence[str]) -> bool:
    """Whether a place is one of those that patterns of dotted paths name."""
    return any(fnmatchcase(".".join(place), pattern) for pattern in patterns)


def places(before: Any, after: Any, above: Place = ()) -> list[Place]:
    """Where two trees differ, as deep as can be said."""
    if isinstance(before, dict) and isinstance(after, dict):
        keys = [*before, *(key for key in after if key not in before)]
        return [
            found
            for key in keys
            for found in (
                places(before[key], after[key], (*above, key)) if key in before and key in after else [(*above, key)]
            )
        ]
    return [] if before == after and type(before) is type(after) else [above]


def at(tree: Any, place: Place) -> Any:
    """What is at a place; `...` (Ellipsis) where there is nothing."""
    for key in place:
        if not isinstance(tree, dict) or key not in tree:
            return ...
        tree = tree[key]
    return tree


def with_place(tree: Tree, place: Place, value: Any) -> Tree:
    """A copy of a tree with another value at a place; `...` takes it away."""
    copy = deepcopy(tree)
    inner = copy
    for key in place[:-1]:
        inner = inner.setdefault(key, {})
    if value is ...:
        inner.pop(place[-1], None)
    else:
        inner[place[-1]] = deepcopy(value)
    return copy
