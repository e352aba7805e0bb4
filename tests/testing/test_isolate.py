"""A child process does what it likes, and the one that made it learns how that ended."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from dtm_sdk.testing.children import adopting, children
from dtm_sdk.testing.isolate import Returned, isolated
from tests.children import CHILDREN_ARE_LISTED

AGAIN = "while sleep 600 & do echo; wait; done"
SHELL = f"sh -c {AGAIN}"


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


def leave_a_daemon_without_an_environment() -> bytes:
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True, env={})
    return b"done"


def leave_a_daemon_that_forks_twice() -> bytes:
    """As daemons do, by a fork, a session of its own and another fork; nothing of it says who started it."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.write(writer, b".")
            os.closerange(0, 200)
            hang()
        os._exit(0)
    os.read(reader, 1)
    os.wait()
    return b"done"


def leave_a_daemon_and_hang() -> bytes:
    leave_a_daemon_that_forks_twice()
    return hang()


def leave_a_daemon_and_die() -> bytes:
    leave_a_daemon_that_forks_twice()
    os._exit(3)


def leave_one_that_starts_others() -> bytes:
    """A shell that starts another command as soon as one is killed."""
    with subprocess.Popen(["sh", "-c", AGAIN], start_new_session=True, stdout=subprocess.PIPE) as shell:
        assert shell.stdout
        shell.stdout.readline()
        os._exit(3)


def start_another_whenever_one_ends() -> bytes:
    def start() -> None:
        while True:
            subprocess.run(["sleep", "600"], check=False, start_new_session=True)

    threading.Thread(target=start).start()
    return hang()


def close_all_and_hang() -> bytes:
    os.closerange(3, 200)
    return hang()


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
    before, threads = (dict(os.environ), list(sys.path), Path.cwd()), set(threading.enumerate())
    returned = run(work, tmp_path)
    assert (returned.data, returned.died, returned.left) == (b"done", "", ())
    assert (dict(os.environ), list(sys.path), Path.cwd()) == before
    assert set(threading.enumerate()) <= threads  # one of an earlier test may end meanwhile


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


@pytest.mark.parametrize("work", [hang, hang_deaf, leave_a_daemon_and_hang])
def test_one_that_hangs_is_ended_and_says_where(work: Callable[[], bytes], tmp_path: Path) -> None:
    returned = run(work, tmp_path, 0.5)
    assert (returned.data, returned.died) == (None, "it did not end within 0.5 s")
    assert "in hang" in returned.trace


@CHILDREN_ARE_LISTED
@pytest.mark.parametrize(
    "work",
    [
        leave_a_process,
        leave_a_daemon,
        leave_a_daemon_without_an_environment,
        leave_a_daemon_that_forks_twice,
        leave_a_daemon_and_hang,
        leave_a_daemon_and_die,
        leave_one_that_starts_others,
        leave_a_fork_that_holds_the_pipe,
        die_and_leave_a_fork_that_holds_the_pipe,
    ],
)
def test_processes_left_behind_are_killed_and_named(work: Callable[[], bytes], tmp_path: Path) -> None:
    before = children()
    returned = run(work, tmp_path, 2.0 if work is leave_a_daemon_and_hang else 20.0)
    assert len(returned.left) == (2 if work is leave_one_that_starts_others else 1)
    assert all("python" in left or left in {"sleep 600", SHELL} for left in returned.left)
    with adopting():
        assert children() <= before  # an orphan would have come to this process


def test_one_that_hangs_starts_nothing_more(tmp_path: Path) -> None:
    returned = run(start_another_whenever_one_ends, tmp_path, 0.5)
    assert returned.died == "it did not end within 0.5 s"
    assert returned.left in ((), ("sleep 600",))


def test_one_that_has_closed_all_files_is_ended_in_time(tmp_path: Path) -> None:
    assert run(close_all_and_hang, tmp_path, 0.5).died == "it did not end within 0.5 s"


def test_what_this_process_has_started_before_outlives_a_check_that_dies(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "600"]) as server:
        assert run(leave_a_daemon_and_die, tmp_path).died == "it exited with code 3"
        assert server.poll() is None
        server.kill()


def test_orphans_of_others_are_left_alone_while_a_check_lives(tmp_path: Path) -> None:
    """A server that a fixture has started may make daemons of its own while a check runs."""
    with subprocess.Popen(
        ["sh", "-c", "read line; pid=$(sh -c 'sleep 600 >/dev/null & echo $!'); echo $pid; read line"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdin
        assert server.stdout
        reader, writer = server.stdout, server.stdin

        def ask() -> bytes:
            writer.write("\n")
            writer.flush()
            return reader.readline().encode()

        returned = run(ask, tmp_path)
        assert returned.data
        pid = int(returned.data)
        os.kill(pid, signal.SIGKILL)  # it was still there
        assert returned.left == ()
        writer.write("\n")
