"""The order of a graph, against what its words mean: hard edges hold, soft ones hold unless on a cycle."""

import os
import subprocess
import sys
from collections.abc import Iterable
from random import Random
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtm_sdk.ordering import Graph

Edge: TypeAlias = tuple[str, str]
NODES = [f"n{index}" for index in (4, 1, 7, 0, 3, 6, 2, 5)]
"""Not in the order of their names, which must not matter."""
NUMBERS = st.integers(0, len(NODES) - 1)
EDGES = st.lists(st.tuples(NUMBERS, NUMBERS), max_size=24)


def named(edges: Iterable[tuple[int, int]], *, acyclic: bool) -> list[Edge]:
    """Edges as (node, what it waits for); acyclic where each goes to a node given earlier."""
    if acyclic:
        edges = [(max(edge), min(edge)) for edge in edges if edge[0] != edge[1]]
    return [(NODES[node], NODES[before]) for node, before in edges]


def graph(hard: Iterable[Edge], soft: Iterable[Edge], nodes: Iterable[str] = NODES) -> Graph:
    made = Graph(nodes)
    for node, before in soft:
        made.soft(node, before)
    for node, before in hard:
        made.hard(node, before)
    return made


def reachable(start: str, edges: set[Edge]) -> set[str]:
    """What a node waits for, directly or not."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        at = waiting.pop()
        new = {before for node, before in edges if node == at} - found
        found |= new
        waiting += new
    return found


def proper(edges: Iterable[Edge]) -> set[Edge]:
    return {(node, before) for node, before in edges if node != before}


@given(EDGES, EDGES)
def test_hard_edges_hold_and_soft_ones_hold_unless_they_are_on_a_cycle(
    hard_numbers: list[tuple[int, int]], soft_numbers: list[tuple[int, int]]
) -> None:
    hard, soft = named(hard_numbers, acyclic=True), named(soft_numbers, acyclic=False)
    order = graph(hard, soft).ordered()
    assert sorted(order) == sorted(NODES)
    kept = {(node, before) for node, waits in order.items() for before in waits}
    places = {node: place for place, node in enumerate(order)}
    assert all(places[before] < places[node] for node, before in kept)
    every = proper(hard) | proper(soft)
    assert proper(hard) <= kept <= every
    for node, before in every - kept:
        assert node in reachable(before, every), f"{node} need not have lost {before}: there is no cycle"


@given(EDGES, EDGES)
def test_a_graph_without_a_cycle_loses_no_edge(
    hard_numbers: list[tuple[int, int]], soft_numbers: list[tuple[int, int]]
) -> None:
    hard, soft = named(hard_numbers, acyclic=True), named(soft_numbers, acyclic=True)
    order = graph(hard, soft).ordered()
    assert {(node, before) for node, waits in order.items() for before in waits} == set(hard) | set(soft)


@given(EDGES, EDGES)
def test_of_the_nodes_that_could_come_next_the_first_given_does(
    hard_numbers: list[tuple[int, int]], soft_numbers: list[tuple[int, int]]
) -> None:
    nodes = NODES[::-1]  # so that edges that end at an earlier node go against the order given
    order = graph(named(hard_numbers, acyclic=True), named(soft_numbers, acyclic=True), nodes).ordered()
    done: list[str] = []
    for node in order:
        assert node == next(each for each in nodes if each not in done and order[each] <= set(done))
        done.append(node)


@given(EDGES, EDGES, st.randoms())
def test_the_order_in_which_edges_are_added_does_not_matter(
    hard_numbers: list[tuple[int, int]], soft_numbers: list[tuple[int, int]], random: Random
) -> None:
    hard, soft = named(hard_numbers, acyclic=True), named(soft_numbers, acyclic=False)
    first = graph(hard, soft).ordered()
    random.shuffle(hard)
    random.shuffle(soft)
    second = graph(hard, soft).ordered()
    assert list(first.items()) == list(second.items())


def test_the_order_is_the_same_in_every_process() -> None:
    code = (
        "from dtm_sdk.ordering import Graph; graph = Graph(map(str, range(30)))\n"
        "for i in range(400): graph.soft(str(i * 7 % 30), str(i * i % 30))\n"
        "print([(node, sorted(waits)) for node, waits in graph.ordered().items()])"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, env={**os.environ, "PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(said) == 1


def test_a_soft_edge_gives_way_to_hard_ones_and_to_no_more_than_it_must() -> None:
    made = graph([("b", "a"), ("c", "b")], [("a", "c"), ("d", "a"), ("a", "e")], "abcde")
    assert list(made.ordered().items()) == [
        ("e", frozenset()),
        ("a", frozenset("e")),
        ("b", frozenset("a")),
        ("c", frozenset("b")),
        ("d", frozenset("a")),
    ]


def test_an_edge_that_gave_way_does_not_count_when_its_end_is_done() -> None:
    made = graph([("n", "x"), ("x", "c"), ("b", "c")], [("n", "b"), ("c", "n")], "nbcx")
    assert list(made.ordered()) == ["c", "b", "x", "n"]


def test_an_edge_that_is_hard_too_does_not_give_way() -> None:
    for hard_first in (True, False):
        made = Graph("ab")
        adds = [made.hard, made.soft] if hard_first else [made.soft, made.hard]
        for add in adds:
            add("a", "b")
        made.soft("b", "a")
        assert made.ordered() == {"b": frozenset(), "a": frozenset("b")}


def test_what_stands_behind_a_cycle_waits_until_it_is_solved() -> None:
    made = graph([("x", "a")], [("a", "b"), ("b", "a"), ("y", "x")], "yxab")
    assert list(made.ordered().items()) == [
        ("a", frozenset()),
        ("x", frozenset("a")),
        ("y", frozenset("x")),
        ("b", frozenset("a")),
    ]


def test_edges_to_what_is_not_in_the_graph_and_to_the_node_itself_are_left_out() -> None:
    for add in ("hard", "soft"):
        made = Graph("ab")
        for node, before in (("a", "z"), ("z", "a"), ("a", "a")):
            getattr(made, add)(node, before)
        assert made.ordered() == {"a": frozenset(), "b": frozenset()}
    assert "a" in made
    assert "z" not in made


@pytest.mark.parametrize("soft", [[], [("d", "a")], [("a", "d"), ("d", "b")]])
def test_a_cycle_of_hard_edges_is_refused(soft: list[Edge]) -> None:
    made = graph([("a", "b"), ("b", "c"), ("c", "a")], soft, "abcd")
    with pytest.raises(ValueError, match=r"^the hard edges have a cycle through [abc]$"):
        made.ordered()


def test_an_empty_graph_has_an_empty_order() -> None:
    assert Graph([]).ordered() == {}


def test_a_long_chain_is_ordered_in_linear_work() -> None:
    count = 30_000
    made = Graph(map(str, range(count)))
    for index in range(1, count):
        made.hard(str(index - 1), str(index))
    assert list(made.ordered()) == [str(index) for index in reversed(range(count))]
