"""A child process does what it likes, and the one that made it learns how that ended."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from dtm_sdk.testing.isolate import Returned, isolated


def nothing() -> bytes:
    return b"done"


def hang() -> bytes:
    threading.Event().wait()
    return b""


def hang_deaf() -> bytes:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)
    return hang()


def crash() -> bytes:
    os.kill(os.getpid(), signal.SIGSEGV)
    return b""


def leave_a_process() -> bytes:
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    return b"done"


def leave_a_daemon() -> bytes:
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    return b"done"


def leave_a_fork_that_holds_the_pipe() -> bytes:
    if os.fork() == 0:
        hang()
    return b"done"


def die_and_leave_a_fork_that_holds_the_pipe() -> bytes:
    if os.fork() == 0:
        hang()
    os._exit(3)


def leave_a_thread() -> bytes:
    threading.Thread(target=hang).start()
    return b"done"


def remove_the_working_directory() -> bytes:
    Path("gone").mkdir()
    os.chdir("gone")
    Path("../gone").rmdir()
    return b"done"


def change_the_process() -> bytes:
    os.environ["LEFT"] = "behind"
    sys.path.append("left behind")
    os.umask(0o777)
    return b"done"


def run(work: Callable[[], bytes], folder: Path, limit: float = 20.0) -> Returned:
    return isolated(work, limit, folder)


@pytest.mark.parametrize("work", [nothing, leave_a_thread, remove_the_working_directory, change_the_process])
def test_what_the_work_returns_comes_back_and_nothing_else_changes(
    work: Callable[[], bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = dict(os.environ), list(sys.path), Path.cwd(), threading.active_count()
    returned = run(work, tmp_path)
    assert (returned.data, returned.died, returned.left) == (b"done", "", ())
    assert (dict(os.environ), list(sys.path), Path.cwd(), threading.active_count()) == before


def test_much_data_comes_back_whole(tmp_path: Path) -> None:
    data = os.urandom(3_000_000)
    assert run(lambda: data, tmp_path).data == data


@pytest.mark.parametrize(
    ("work", "said"),
    [
        (lambda: os._exit(0), "it ended early, without a word"),
        (lambda: os._exit(7), "it exited with code 7"),
        (crash, "it was ended by SIGSEGV"),
        (die_and_leave_a_fork_that_holds_the_pipe, "it exited with code 3"),
    ],
)
def test_how_it_died_is_told(work: Callable[[], bytes], said: str, tmp_path: Path) -> None:
    returned = run(work, tmp_path)
    assert (returned.data, returned.died) == (None, said)


@pytest.mark.parametrize("work", [hang, hang_deaf])
def test_one_that_hangs_is_ended_and_says_where(work: Callable[[], bytes], tmp_path: Path) -> None:
    returned = run(work, tmp_path, 0.5)
    assert (returned.data, returned.died) == (None, "it did not end within 0.5 s")
    assert "in hang" in returned.trace


@pytest.mark.parametrize("work", [leave_a_process, leave_a_daemon, leave_a_fork_that_holds_the_pipe])
def test_processes_left_behind_are_killed_and_named(work: Callable[[], bytes], tmp_path: Path) -> None:
    returned = run(work, tmp_path)
    assert returned.data == b"done"
    assert len(returned.left) == 1
    assert "python" in returned.left[0]
