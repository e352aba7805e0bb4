"""Snapshots without what can't be the same twice, so that two of them can be held against each other."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from dtm_sdk.plugin import Plugin, State
from dtm_sdk.testing.worlds.world import Tree, World, pruned

Names = Mapping[Any, Any]
"""What is replaced by what, in keys and values."""


def meaning(world: World, tree: Tree, state: State | None, volatile: Sequence[str]) -> Tree:
    """A snapshot in which the values that may differ between two resources are replaced by their paths.

    Args:
        world: whose snapshot it is; what it calls volatile is left out.
        tree: the snapshot.
        state: of the resource, with the values.
        volatile: the dotted paths of them.
    """
    replaced: Tree = renamed(pruned(world, tree), names(state, volatile))
    return replaced


def given_paths(plugin: Plugin) -> tuple[str, ...]:
    """The paths of what a plugin's service gives: it may be another value in another world, or beside others."""
    return (*plugin.volatile, *plugin.stable)


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


def renamed(value: Any, names: Names, key: str = "") -> Any:
    """A copy of a plain value in which names are replaced; of texts, inside them too.

    A small number may be there by chance: it is replaced as a key, and as a value where `key`, under which it stands,
    is the one that it has in the state.
    """
    if isinstance(value, dict):
        return {_renamed_key(each, names): renamed(item, names, each) for each, item in value.items()}
    if isinstance(value, list):
        return [renamed(item, names, key) for item in value]
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, str):
        if value in names:
            return names[value]
        for each, name in sorted(names.items(), key=lambda pair: -len(str(pair[0]))):  # one may begin like another
            if isinstance(each, str) and isinstance(name, str):
                value = value.replace(each, name)
        return value
    if isinstance(value, int) and value in names and (abs(value) >= LARGE or _last(names[value]) == key):
        return names[value]
    return value


LARGE: Final = 1000
"""A number from which on one isn't there by chance."""


def _renamed_key(key: str, names: Names) -> str:
    number = int(key) if key.isdecimal() else None
    return str(names[number] if number in names else renamed(key, names))


def _last(name: str) -> str:
    """The last key of the path that a name tells."""
    return name.strip("<>").partition(" of ")[0].rpartition(".")[2]
