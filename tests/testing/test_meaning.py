"""Worlds in which a server gave other names to the same things."""

from pathlib import Path
from typing import Any

import pytest

from dtm_sdk.testing.meaning import Made, aligned, dependent_places, made, names, now, same_meaning
from dtm_sdk.testing.source import Source
from dtm_sdk.testing.subject import Subject
from dtm_sdk.testing.verdicts import Violation
from dtm_sdk.testing.worlds.world import World
from tests.zoo.right import note, widget
from tests.zoo.zoo import but


@pytest.mark.parametrize(
    ("value", "like", "found"),
    [
        ({"w1": {"id": "w1"}}, {"w2": {"id": "w2"}}, {"w2": {"id": "w2"}}),
        ({"url": "/items/w1/x"}, {"url": "/items/w2/x"}, {"url": "/items/w2/x"}),
        ({"data": b"id=w1\xff"}, {"data": b"id=w2\xff"}, {"data": b"id=w2\xff"}),
        (["w1", {"n": 7}], ["w2", {"n": 8}], ["w2", {"n": 8}]),
        ({"path": "/items/7"}, {"path": "/items/8"}, {"path": "/items/8"}),
        # what only looks like a name stays what it is
        ({"size": "17"}, {"size": "18"}, {"size": "17"}),
        ({"id": "w1"}, {"id": "w3"}, {"id": "w1"}),
        ({"n": 7, "id": 7}, {"n": 7, "id": 8}, {"n": 7, "id": 8}),
        ({"n": True}, {"n": 8}, {"n": True}),
        ({"7": "a"}, {"7": "b", "8": "a"}, {"8": "a"}),
        ({"7": "a"}, {"7": "a", "8": "a"}, {"7": "a"}),
        ({"w1": 1}, {"w3": 1}, {"w1": 1}),
        ({"id": "w1"}, {"id": None}, {"id": "w1"}),
        (["w1"], ["w2", "w2"], ["w1"]),
        ({"id": 7.0}, {"id": 8}, {"id": 7.0}),
    ],
)
def test_names_are_exchanged_where_that_makes_the_two_equal(value: Any, like: Any, found: Any) -> None:
    assert aligned(value, like, {"w1": "w2", 7: 8}) == found


def test_the_longer_name_is_exchanged_first() -> None:
    assert aligned("w1-w12", "a-b", {"w1": "a", "w12": "b"}) == "a-b"


def test_two_names_that_are_swapped_are_both_exchanged() -> None:
    assert aligned("x of y", "y of x", {"x": "y", "y": "x"}) == "y of x"


def test_two_things_whose_names_are_swapped_are_both_exchanged() -> None:
    like = {"1": {"is": "old"}, "2": {"is": "a", "id": 2}, "3": {"is": "b", "id": 3}}
    found = {"1": {"is": "old"}, "3": {"is": "a", "id": 3}, "2": {"is": "b", "id": 2}}
    assert aligned(found, like, {3: 2, 2: 3}) == like
    assert aligned(found, like, {}) == found


def test_no_two_things_get_the_same_name() -> None:
    found = {"w1": 1, "w2": 2}
    assert aligned(found, {"w2": 2, "w3": 1}, {"w1": "w2"}) == found


def subject_of(plugin: Any, world: World, tmp_path: Path) -> Subject:
    return Subject(plugin, world, 0, source=Source(), scratch=tmp_path)


def test_what_a_server_names_by_itself_is_the_same_in_two_worlds(tmp_path: Path) -> None:
    world = widget.world()
    with world.opened(tmp_path):
        subject = subject_of(widget.plugin, world, tmp_path)
        one, other = (made(subject, subject.examples[1]) for _ in range(2))
        assert one.tree != other.tree
        same_meaning(subject, one, other, "the same")
        assert dependent_places(subject, one, other) == []


def test_what_differs_by_more_is_told(tmp_path: Path) -> None:
    world = widget.world()
    with world.opened(tmp_path):
        subject = subject_of(widget.plugin, world, tmp_path)
        one, other = (made(subject, raw) for raw in subject.examples[:2])
        (id_,) = one.tree["widgets"]
        found = dict(dependent_places(subject, one, other))
        assert found[("widgets", id_, "size")] == 2
        assert ("widgets", id_, "id") not in found
        with pytest.raises(Violation, match="not the same") as told:
            same_meaning(subject, one, other, "not the same")
        (its,) = other.tree["widgets"]
        assert {f"- widgets.{its}.size: 1", f"+ widgets.{its}.size: 2"} <= set(told.value.difference)


def test_names_that_are_in_no_state_are_known_by_what_they_name(tmp_path: Path) -> None:
    world = widget.world()
    plugin = but(widget.plugin, create=with_a_group)
    with world.opened(tmp_path):
        subject = subject_of(plugin, world, tmp_path)
        one = made(subject, subject.examples[0])
        other = made(subject, subject.examples[0])
        assert one.given == {("widgets",)}
        same_meaning(subject, one, other, "the same")
        assert len(names(subject, other, one)) == 3  # the two ids, and when it was created


def with_a_group(options: widget.WidgetOptions) -> Any:
    widget.ask(options, "POST", "/widgets", {"name": "group"})
    return widget.create(options)


def test_a_file_under_another_name_is_no_name_that_a_server_gave(tmp_path: Path) -> None:
    world = note.world()
    with world.opened(tmp_path):
        subject = subject_of(note.plugin, world, tmp_path)
        one = made(subject, subject.examples[0])
        Path("a.note").rename("c.note")
        with pytest.raises(Violation):
            same_meaning(subject, one, now(subject, one.raw, one.state), "renamed")
        assert one == Made(one.raw, one.state, one.tree, frozenset())
