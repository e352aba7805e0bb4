"""What differs between two Creates, and what only seems to."""

from typing import Any

import pytest

from dtm_sdk.testing.meaning import Made
from dtm_sdk.testing.repeat import state_differs, world_differs


@pytest.mark.parametrize(
    ("empty", "one", "other", "wanted"),
    [
        ({}, {"w1": {"at": 5}}, {"w2": {"at": 6}}, True),
        ({}, {"w1": {"at": 5}}, {"w2": {"at": 5}}, False),
        ({}, {"w1": {"size": 5}}, {"w2": {"size": 6}}, False),
        ({"w0": {"at": 1}}, {"w0": {"at": 2}}, {"w0": {"at": 2}}, True),
        ({"w0": {"at": 1}}, {"w0": {"at": 1}, "w1": {"at": 5}}, {"w0": {"at": 1}, "w1": {"at": 5}}, False),
        ({}, {}, {}, False),
    ],
    ids=["from-one-to-the-other", "never", "elsewhere", "from-before-to-after", "never-beside-others", "nowhere"],
)
def test_a_place_of_the_world_differs(empty: Any, one: Any, other: Any, wanted: bool) -> None:  # noqa: FBT001
    assert world_differs(empty, "*.at", Made({}, {}, one), Made({}, {}, other)) is wanted


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [({"a": {"id": 1}}, {"a": {"id": 2}}, True), ({"a": {"id": 1}}, {"a": {"id": 1}}, False), ({}, {"a": 1}, False)],
)
def test_a_path_of_the_state_differs(one: Any, other: Any, wanted: bool) -> None:  # noqa: FBT001
    assert state_differs("a.id", Made({}, one, {}), Made({}, other, {})) is wanted
