"""Runs that die at a call that is chosen."""

import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dtm_sdk.options import Options
from dtm_sdk.plugin import Operation, Plugin
from dtm_sdk.testing.dying import dying, ending, evenly, turning_points
from dtm_sdk.testing.forked import forked
from dtm_sdk.testing.verdicts import Violation
from tests.testing.subjects import idle, subject_of


class NoOptions(Options):
    """None."""


def three_files(options: NoOptions) -> dict[str, Any]:
    """Make three files, a call each."""
    for name in ("one", "two", "three"):
        os.mkdir(name)  # noqa: PTH102  # it is one call
    return {}


MKDIR = f"mkdir in testing/test_dying.py:{three_files.__code__.co_firstlineno + 3}"


def creating(plugin: Plugin) -> object:
    """A run."""
    return plugin.call("create", NoOptions(), None)


def left(tmp_path: Path, number: int, create: Callable[[NoOptions], Any] = three_files) -> tuple[bool, str, set[str]]:
    """Whether the run died, before which call, and what it has made until then."""
    scene = tmp_path / str(number)
    with subject_of(idle(NoOptions, recovery="manual", create=create), scene) as subject:
        death = dying(subject, "create", number, creating)
        made = set(subject.snapshot()) - set(subject.empty)
    return death.died, death.call, made


@pytest.mark.parametrize(
    ("number", "died"),
    [
        (0, (True, "the start", set())),
        (1, (True, MKDIR, set())),
        (2, (True, MKDIR, {"one"})),
        (3, (True, MKDIR, {"one", "two"})),
        (4, (True, "the end", {"one", "two", "three"})),
        (5, (False, "", {"one", "two", "three"})),
    ],
)
def test_a_run_dies_just_before_a_call(number: int, died: tuple[bool, str, set[str]], tmp_path: Path) -> None:
    assert left(tmp_path, number) == died


def test_a_plugin_whose_calls_are_not_seen_dies_at_its_start_and_at_its_end(tmp_path: Path) -> None:
    assert turning_points([]) == [0, 1]
    deaths = [left(tmp_path, number, lambda options: {})[:2] for number in turning_points([])]
    assert deaths == [(True, "the start"), (True, "the end")]


@pytest.mark.parametrize("platform", [sys.platform, "darwin"])  # there, nobody can adopt them
def test_commands_that_a_dead_run_has_left_at_work_are_waited_for(
    platform: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)

    def create(options: NoOptions) -> dict[str, Any]:
        subprocess.Popen(["sh", "-c", "sleep 0.3; echo done >late"])
        return {}

    died, call, made = forked(lambda: left(tmp_path, 1000, create))  # which adopts nobody yet
    assert (died, call, made) == (False, "", {"late"})


@pytest.mark.parametrize("operation", ["update", "delete"])
def test_only_the_operation_that_is_named_dies(operation: Operation, tmp_path: Path) -> None:
    with subject_of(idle(NoOptions, recovery="manual", create=three_files), tmp_path) as subject:
        assert not dying(subject, operation, 1, creating).died


def test_nothing_is_said_of_threads_where_a_run_dies_or_ends(tmp_path: Path) -> None:
    """A fork warns of them from Python 3.12 on, and raises from 3.15 on where an author makes errors of warnings."""
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    try:
        plugin = idle(NoOptions, recovery="manual")
        with warnings.catch_warnings(record=True) as said, subject_of(plugin, tmp_path) as subject:
            warnings.simplefilter("always")
            dying(subject, "create", 1, creating)
            ending(subject, lambda: creating(subject.plugin))
            forked(lambda: creating(subject.plugin))
    finally:
        end.set()
        thread.join()
    assert [str(each.message) for each in said] == []


def test_a_run_that_ends_by_a_bug_is_not_taken_for_one_that_died(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def create(options: NoOptions) -> dict[str, Any]:
        raise ZeroDivisionError

    with (
        subject_of(idle(NoOptions, recovery="manual", create=create), tmp_path) as subject,
        pytest.raises(Violation, match="bug of its own"),
    ):
        dying(subject, "create", 100, creating)


def test_exit_handlers_run_where_a_process_ends(tmp_path: Path) -> None:
    def create(options: NoOptions) -> dict[str, Any]:
        import atexit

        atexit.register(Path("left").touch)
        return {}

    with subject_of(idle(NoOptions, recovery="manual", create=create), tmp_path) as subject:
        ending(subject, lambda: creating(subject.plugin))
        assert set(subject.snapshot()) - set(subject.empty) == {"left"}


def test_turning_points_are_before_and_after_what_changes_something() -> None:
    names = ["stat", "stat", "open", "read", "close", "stat", "unlink", "stat", "stat"]
    assert turning_points(names) == [1, 3, 4, 7, 8, 10]
    assert turning_points(["stat", "stat"]) == [1, 3]


@pytest.mark.parametrize(
    ("count", "most", "chosen"),
    [(3, 5, [0, 1, 2]), (5, 5, [0, 1, 2, 3, 4]), (11, 3, [0, 5, 10]), (100, 4, [0, 33, 66, 99]), (9, 2, [0, 8])],
)
def test_some_of_many_are_chosen_evenly_with_both_ends(count: int, most: int, chosen: list[int]) -> None:
    assert evenly(range(count), most) == chosen
