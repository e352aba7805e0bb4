"""Tests of `dtm_sdk.intents`."""

from dtm_sdk.intents import Intents
from dtm_sdk.state import Begin, End
from tests.records import record


def test_numbers_go_on_where_those_of_the_dead_ended() -> None:
    assert Intents([]).number() == 1
    intents = Intents([Begin(7, "create", record("a")), Begin(3, "update", record("a"))])
    assert [intents.number(), intents.number()] == [8, 9]


def test_what_has_begun_on_a_tool_ends_once_when_something_succeeds_on_it() -> None:
    intents = Intents(
        [Begin(1, "create", record("a")), Begin(2, "delete", record("b")), Begin(3, "update", record("a"))]
    )
    assert intents.open("a.p")
    assert intents.done_again("a.p") == [End(1, error="done again"), End(3, error="done again")]
    assert not intents.open("a.p")
    assert intents.done_again("a.p") == []


def test_what_has_begun_moves_with_its_tool() -> None:
    intents = Intents([Begin(1, "create", record("a"))])
    assert intents.moved(record("b"), "a.p") == [End(1, error="moved to b.p"), Begin(2, "create", record("b"))]
    assert intents.moved(record("b"), "a.p") == []
    assert intents.done_again("a.p") == []
    assert intents.done_again("b.p") == [End(2, error="done again")]
