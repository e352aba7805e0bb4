import os
import threading
from collections.abc import Callable
from itertools import pairwise

import pytest

from dtm_sdk.testing import turns
from dtm_sdk.testing.turns import by_turns


def writing(log: list[str], name: str, count: int) -> Callable[[], None]:
    def note(number: int) -> None:
        log.append(f"{name}{number}")

    def work() -> None:
        for number in range(count):
            note(number)

    return work


def shared_variable() -> tuple[dict[str, str], Callable[[str], Callable[[], None]]]:
    seen: dict[str, str] = {}
    current = ""

    def use(name: str) -> None:
        seen[name] = current

    def worker(name: str) -> Callable[[], None]:
        def work() -> None:
            nonlocal current
            current = name
            use(name)

        return work

    return seen, worker


@pytest.mark.parametrize("strides", [(1, 1), (3, 1), (1, 4)])
def test_both_do_all_their_work(strides: tuple[int, int]) -> None:
    log: list[str] = []
    assert by_turns([writing(log, "a", 5), writing(log, "b", 9)], strides) == [None, None]
    assert [each for each in log if each[0] == "a"] == [f"a{number}" for number in range(5)]
    assert [each for each in log if each[0] == "b"] == [f"b{number}" for number in range(9)]


def test_the_steps_of_both_alternate_and_do_so_each_time() -> None:
    logs = []
    for _ in range(5):
        log: list[str] = []
        by_turns([writing(log, "a", 8), writing(log, "b", 8)], (1, 1))
        logs.append(log)
    changes = sum(one[0] != other[0] for one, other in zip(logs[0], logs[0][1:], strict=False))
    assert changes >= 8
    assert logs[1:] == logs[:-1]


def test_after_many_steps_they_are_left_to_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "STEPS", 8)
    log: list[str] = []
    by_turns([writing(log, "a", 200), writing(log, "b", 200)], (1, 1))
    changes = sum(one[0] != other[0] for one, other in pairwise(log))
    assert len(log) == 400
    assert changes < 100


def test_what_two_share_is_seen_to_be_shared_each_time() -> None:
    for _ in range(20):
        seen, worker = shared_variable()
        by_turns([worker("a"), worker("b")], (1, 1))
        assert seen != {"a": "a", "b": "b"}


def test_what_one_raises_is_told_and_the_other_goes_on() -> None:
    log: list[str] = []

    def fail() -> None:
        raise ValueError("no")

    first, second = by_turns([fail, writing(log, "b", 4)], (1, 1))
    assert isinstance(first, ValueError)
    assert second is None
    assert len(log) == 4


def test_a_lock_that_both_want_blocks_neither_for_good() -> None:
    lock = threading.Lock()
    log: list[str] = []

    def work(name: str) -> Callable[[], None]:
        def locked() -> None:
            with lock:
                writing(log, name, 3)()

        return locked

    assert by_turns([work("a"), work("b")], (1, 1)) == [None, None]
    assert sorted(log) == ["a0", "a1", "a2", "b0", "b1", "b2"]
    assert log in (["a0", "a1", "a2", "b0", "b1", "b2"], ["b0", "b1", "b2", "a0", "a1", "a2"])


def test_no_profile_function_is_left_and_what_does_io_is_a_step() -> None:
    log: list[str] = []

    def work(name: str) -> Callable[[], None]:
        def ask() -> None:
            for _ in range(3):
                os.stat(".")  # noqa: PTH116  # it is to be one call
                log.append(name)

        return ask

    by_turns([work("a"), work("b")], (1, 1))
    assert log not in (["a"] * 3 + ["b"] * 3, ["b"] * 3 + ["a"] * 3)


def test_who_computes_longer_falls_behind_unless_the_steps_are_by_io() -> None:
    def read_by_both(*, by_io: bool) -> bool:
        """Whether both have looked before one has done what changes it."""
        log: list[str] = []

        def work(name: str, count: int) -> Callable[[], None]:
            def change() -> None:
                writing([], name, count)()
                os.stat(".")  # noqa: PTH116  # it is to be one call
                log.append("looked")
                os.stat(".")  # noqa: PTH116  # it is to be one call
                log.append("changed")

            return change

        assert by_turns([work("a", 1), work("b", 50)], (1, 1), by_io=by_io) == [None, None]
        return log[:2] == ["looked", "looked"]

    assert not read_by_both(by_io=False)
    assert read_by_both(by_io=True)
