"""Snapshots without what can't be the same twice, so that two of them can be held against each other."""

from collections.abc import Mapping
from typing import Any

from dtm_sdk.plugin import State
from dtm_sdk.testing.worlds.world import Tree, World, pruned


def meaning(world: World, tree: Tree, state: State | None, volatile: tuple[str, ...]) -> Tree:
    """A snapshot in which the values that differ between two fresh resources are replaced by their paths.

    Args:
        world: whose snapshot it is; what it calls volatile is left out.
        tree: the snapshot.
        state: of the resource, with the values.
        volatile: the dotted paths of them.
    """
    names = {value: f"<{path}>" for path in volatile if _tells(value := _at(state, path))}
    replaced: Tree = _replaced(pruned(world, tree), names)
    return replaced


def _at(state: Any, path: str) -> Any:
    for key in path.split("."):
        state = state.get(key) if isinstance(state, Mapping) else None
    return state


def _tells(value: Any) -> bool:
    """Whether a value is one that is found again; a short or common one would be found everywhere."""
    return (isinstance(value, str) and len(value) >= 2) or (isinstance(value, int) and not isinstance(value, bool))


def _replaced(value: Any, names: Mapping[Any, str]) -> Any:
    if isinstance(value, dict):
        return {_replaced(key, names): _replaced(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, names) for item in value]
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, str):
        for each, name in names.items():
            if isinstance(each, str):
                value = value.replace(each, name)
        return value
    return names.get(value, value) if isinstance(value, int) else value
