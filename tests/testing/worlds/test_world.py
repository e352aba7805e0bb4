"""Trees: where two differ, and a change of one place."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtm_sdk.testing import FileWorld
from dtm_sdk.testing.worlds.world import at, is_at, places, pruned, with_place

LEAVES = st.none() | st.booleans() | st.integers(-2, 2) | st.floats(0, 2) | st.sampled_from(["", "a"]) | st.binary()
TREES = st.recursive(
    st.dictionaries(st.sampled_from("abc"), LEAVES), lambda inner: st.dictionaries(st.sampled_from("abc"), inner)
)


@settings(deadline=None)
@given(before=TREES, after=TREES)
def test_the_places_where_two_trees_differ_are_all_that_makes_one_into_the_other(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    made = before
    for place in places(before, after):
        assert at(before, place) is ... or at(before, place) is not at(after, place)
        made = with_place(made, place, at(after, place))
    assert places(made, after) == []


@settings(deadline=None)
@given(tree=TREES)
def test_a_tree_differs_nowhere_from_itself(tree: dict[str, Any]) -> None:
    assert places(tree, tree) == []


def test_a_change_of_one_place_leaves_the_tree_that_it_was_made_from() -> None:
    tree = {"a": {"b": [1]}}
    changed = with_place(tree, ("a", "b"), [2])
    assert (tree, changed) == ({"a": {"b": [1]}}, {"a": {"b": [2]}})
    assert with_place(tree, ("a",), ...) == {}


def test_numbers_of_another_type_differ() -> None:
    assert places({"a": 1}, {"a": True}) == places({"a": 1}, {"a": 1.0}) == [("a",)]


@pytest.mark.parametrize(
    ("patterns", "left"),
    [
        ((), {"items": {"1": {"at": 1, "name": "x"}}, "count": 1}),
        (("items.*.at",), {"items": {"1": {"name": "x"}}, "count": 1}),
        (("count", "items.1"), {"items": {}}),
        (("at", "items.at"), {"items": {"1": {"at": 1, "name": "x"}}, "count": 1}),
    ],
)
def test_what_is_volatile_is_left_out(patterns: tuple[str, ...], left: dict[str, Any]) -> None:
    world = FileWorld()
    world.volatile = patterns
    assert pruned(world, {"items": {"1": {"at": 1, "name": "x"}}, "count": 1}) == left


def test_a_pattern_names_places() -> None:
    assert is_at(("a", "b", "c"), ["a.*"])
    assert not is_at(("a",), ["a.*"])


def test_a_world_that_is_closed_leaves_the_process_as_it_was(tmp_path: Path) -> None:
    before = Path.cwd()
    with FileWorld(environment={"DTM_A": "1"}).opened(tmp_path):
        assert Path.cwd() == tmp_path / "world"
    assert Path.cwd() == before
