"""Processes that somebody has left are waited for, and found whatever they do."""

import ctypes
import os
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from dtm_sdk.testing import children as module
from dtm_sdk.testing.children import Leftovers, adopt, adopting, children, descendants, end_all, outlive_new
from dtm_sdk.testing.forked import forked
from tests.children import CHILDREN_ARE_LISTED

pytestmark = CHILDREN_ARE_LISTED


def is_subreaper() -> int:
    found = ctypes.c_int()
    ctypes.CDLL(None).prctl(module._GET, ctypes.byref(found), 0, 0, 0)  # noqa: SLF001  # the number of the call
    return found.value


def test_a_new_child_is_waited_for_until_it_ends(tmp_path: Path) -> None:
    before = children()
    command = ["sh", "-c", "for n in 1 2 3 4 5 6 7 8 9; do ls / >/dev/null; done; echo done >done"]
    child = subprocess.Popen(command, cwd=tmp_path)
    outlive_new(before)
    assert (tmp_path / "done").read_text() == "done\n"
    assert children() <= before
    child.wait()  # it says so too


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> Callable[[], float]:
    """How long one is waited for, little at first; less yet once one was waited for in vain."""
    monkeypatch.setattr(module._Patience, "seconds", 0.2)  # noqa: SLF001  # 5 s are long for a test
    return lambda: module._Patience.seconds  # noqa: SLF001  # what a wait in vain leaves behind


def test_one_that_is_there_to_stay_is_waited_for_once_and_others_not_as_long(patience: Callable[[], float]) -> None:
    left = Leftovers()
    with subprocess.Popen(["sleep", "600"]) as child:
        try:
            left.likely = True
            left.outlive()
            assert child.poll() is None
            assert patience() == module.SHORT
            module._Patience.seconds = 0.2  # noqa: SLF001  # to see whether it is waited for again
            left.likely = True
            left.outlive()
            assert patience() == 0.2
        finally:
            child.kill()


def test_nobody_is_waited_for_unless_something_has_failed(patience: Callable[[], float]) -> None:
    left = Leftovers()
    with subprocess.Popen(["sleep", "600"]) as child:
        try:
            left.outlive()
            assert patience() == 0.2
        finally:
            child.kill()


def test_a_child_that_another_thread_has_started_is_found_while_that_lives() -> None:
    started, end = threading.Event(), threading.Event()
    found: list[int] = []

    def start() -> None:
        with subprocess.Popen(["sleep", "600"]) as child:
            found.append(child.pid)
            started.set()
            end.wait()
            child.kill()

    thread = threading.Thread(target=start)
    thread.start()
    started.wait()
    try:
        assert set(found) <= children()
    finally:
        end.set()
        thread.join()


def test_the_children_of_children_are_found_in_other_sessions_too() -> None:
    script = "setsid sh -c 'echo $$; sleep 600' & echo $!; wait"
    with subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        named = {int(child.stdout.readline()), int(child.stdout.readline())}
        found = descendants(child.pid)
        assert named <= found
        assert {child.pid, *found} <= descendants(os.getpid())
        end_all(lambda: descendants(child.pid))


def test_who_adopts_orphans_is_as_before() -> None:
    def work() -> list[int]:
        found = [is_subreaper()]
        with adopting():
            found.append(is_subreaper())
            with adopting():
                found.append(is_subreaper())
            found.append(is_subreaper())
        return [*found, is_subreaper()]

    assert forked(work) == [0, 1, 1, 1, 0]  # a fork adopts none at first, whoever its parent is


def test_an_orphan_comes_to_who_adopts() -> None:
    def work() -> bool:
        adopt()
        said = subprocess.run(["sh", "-c", "sleep 600 >/dev/null & echo $!"], stdout=subprocess.PIPE, check=True)
        pid = int(said.stdout)
        adopted = pid in children()
        os.kill(pid, signal.SIGKILL)
        return adopted

    assert forked(work)
