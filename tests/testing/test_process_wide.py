import locale
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dtm_sdk.testing.forked import forked
from dtm_sdk.testing.process_wide import open_files, process_wide, settled, threads


def in_tokyo() -> None:
    os.environ["TZ"] = "JST-9"
    time.tzset()


CHANGES: dict[str, Callable[[], object]] = {
    "the working directory": lambda: os.chdir("/"),
    "the environment": lambda: os.environ.update({"DTM_TEST": "x"}),
    "the umask": lambda: os.umask(0o7),
    "the locale": lambda: [locale.setlocale(locale.LC_ALL, each) for each in ("C.UTF-8", "C")],
    "a signal handler": lambda: signal.signal(signal.SIGUSR1, lambda number, frame: None),
    "the alarm": lambda: signal.alarm(100),
    "sys.path": lambda: sys.path.append("/nowhere"),
    "sys.argv": lambda: sys.argv.append("x"),
    "sys.stdout": lambda: setattr(sys, "stdout", sys.__stderr__),
    "the recursion limit": lambda: sys.setrecursionlimit(5000),
    "the root logger": lambda: logging.getLogger().addHandler(logging.NullHandler()),
    "the default time-out of sockets": lambda: socket.setdefaulttimeout(7),
    "the time zone": in_tokyo,
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_it_is_seen(name: str) -> None:
    def changed() -> list[str]:
        locale.setlocale(locale.LC_ALL, "C.UTF-8")
        before = process_wide()
        assert before == process_wide()
        CHANGES[name]()
        after = process_wide()
        return [each for each in before if before[each] != after[each]]

    assert name in forked(changed)


@contextmanager
def thread_for_a_while(ending: threading.Event) -> Iterator[None]:
    thread = threading.Thread(target=ending.wait)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join()


def test_open_files_and_threads_are_counted(tmp_path: Path) -> None:
    def counted() -> tuple[int, int]:
        files, running = open_files(), threads()
        with (tmp_path / "x").open("w"), thread_for_a_while(threading.Event()):
            return open_files() - files, threads() - running

    assert forked(counted) == (1, 1)  # in this process one of an earlier test may go meanwhile


def test_what_goes_by_itself_has_the_time_to_go() -> None:
    counts = [3, 3, 2]
    assert settled(lambda: counts.pop(0) if len(counts) > 1 else counts[0], 2) == 2


def test_what_stays_is_told() -> None:
    assert settled(lambda: 3, 2) == 3
