"""Snapshots without what can't be the same twice, so that two of them can be held against each other."""

from collections.abc import Mapping, Sequence
from typing import Any

from dtm_sdk.plugin import State
from dtm_sdk.testing.worlds.world import Tree, World, pruned

Names = Mapping[Any, Any]
"""What is replaced by what, in keys and values."""


def meaning(world: World, tree: Tree, state: State | None, volatile: Sequence[str]) -> Tree:
    """A snapshot in which the values that differ between two fresh resources are replaced by their paths.

    Args:
        world: whose snapshot it is; what it calls volatile is left out.
        tree: the snapshot.
        state: of the resource, with the values.
        volatile: the dotted paths of them.
    """
    replaced: Tree = renamed(pruned(world, tree), names(state, volatile))
    return replaced


def names(state: State | None, volatile: Sequence[str], of: str = "") -> dict[Any, str]:
    """The values at some paths of a state -> names for them, which say of which resource they are."""
    return {value: f"<{path}{of}>" for path in volatile if _tells(value := _at(state, path))}


def _at(state: Any, path: str) -> Any:
    for key in path.split("."):
        state = state.get(key) if isinstance(state, Mapping) else None
    return state


def _tells(value: Any) -> bool:
    """Whether a value is one that is found again; a short or common one would be found everywhere."""
    return (isinstance(value, str) and len(value) >= 2) or (isinstance(value, int) and not isinstance(value, bool))


def renamed(value: Any, names: Names) -> Any:
    """A copy of a plain value in which names are replaced; of texts, inside them too."""
    if isinstance(value, dict):
        return {renamed(key, names): renamed(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [renamed(item, names) for item in value]
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, str):
        if value in names:
            return names[value]
        for each, name in names.items():
            if isinstance(each, str) and isinstance(name, str):
                value = value.replace(each, name)
        return value
    return names.get(value, value) if isinstance(value, int) else value
