"""The threads that call plugins: what they raise is heard of, and a Ctrl-C reaches neither them nor their children."""

import math
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from dtm_sdk.workers import Stop, Workers
from tests.workplace import Workplace

CHILD = '''
"""A plugin whose resource is made by a child process, which says that it has begun and waits to be let go on."""

import subprocess
from typing import Annotated

from dtm_sdk import Identity, Meta, Options, Plugin, State


class ChildOptions(Options):
    name: Annotated[Identity[str], Meta(description="Name of the file.")]


def create(options: ChildOptions) -> State:
    script = f"echo x > began && read line < go && echo made > {options.name}"
    subprocess.run(["sh", "-c", script], check=True)
    return {"name": options.name}


def read(options: ChildOptions) -> State | None:
    return None


def delete(options: ChildOptions) -> bool:
    return True


plugin = Plugin(name="child", options=ChildOptions, create=create, read=read, update=create, delete=delete)
'''


def test_a_child_of_a_plugin_ends_its_work_after_a_ctrl_c_of_the_terminal(tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    info = tmp_path / ".devstream" / "dtm_child-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: dtm-child\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[dtm.plugins]\nchild = dtm_child:plugin\n")
    (tmp_path / ".devstream" / "dtm_child.py").write_text(CHILD)
    place.config("tools:\n- {name: a, plugin: child, options: {name: a.txt}}\n")
    os.mkfifo(tmp_path / "began")
    os.mkfifo(tmp_path / "go")
    go = os.open(tmp_path / "go", os.O_RDWR)  # neither end waits for the other, so a child that died hangs nothing
    with subprocess.Popen(
        [sys.executable, "-m", "dtm_sdk", "-y", "apply"],
        cwd=tmp_path,
        env=place.environment,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,  # a terminal sends its Ctrl-C to a whole process group
    ) as process:
        assert (tmp_path / "began").read_text() == "x\n"
        os.killpg(process.pid, signal.SIGINT)
        os.write(go, b"on\n")
        output = process.communicate(timeout=60)[0]
    os.close(go)
    assert process.returncode == 130, output
    assert "Plugin a(child) Create done." in output
    assert (tmp_path / "a.txt").read_text() == "made\n"
    assert "a_child" in (tmp_path / "devstream.state").read_text()


def test_what_a_job_raises_is_raised_to_the_reader() -> None:
    workers = Workers(1)
    workers.submit(lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        workers.results(30)
    workers.close()


def names(workers: Workers, jobs: int, threads: int | None) -> set[object]:
    """The threads that jobs run in."""
    for _ in range(jobs):
        workers.submit(lambda: workers.put(threading.current_thread().name), threads=threads)
    found: list[object] = []
    while len(found) < jobs:
        found += workers.results(30)
    return set(found)


def test_no_more_threads_are_started_than_asked_for_until_they_are_doubled() -> None:
    workers = Workers(5)
    assert names(workers, 20, 1) == {"dtm-0"}
    before = set(threading.enumerate())  # one of an earlier test may end meanwhile
    assert [workers.double() for _ in range(4)] == [True, True, True, False]
    assert len(set(threading.enumerate()) - before) == 4
    workers.close()


def test_results_are_gathered_while_jobs_wait_and_only_then() -> None:
    workers, go = Workers(1), threading.Event()
    assert workers.gather() == 0
    workers.submit(lambda: go.wait(30))
    workers.submit(lambda: workers.put("first"))
    workers.submit(lambda: workers.put("second"))
    assert workers.gather() == math.inf
    go.set()
    found: list[object] = []
    while len(found) < 2:
        found += workers.results(30)
    assert (found, workers.gather()) == (["first", "second"], 0)
    workers.close()


def test_a_stop_wakes_whoever_waits_for_results() -> None:
    workers, stop = Workers(1), Stop()
    stop.wake = lambda: workers.put(None)
    workers.submit(stop.set)
    assert workers.results(30) == [None]
    assert stop.wait(0)
    workers.close()


def test_who_is_woken_by_a_stop_may_set_it_again() -> None:
    stop, woken = Stop(), []

    def wake() -> None:
        woken.append(stop.is_set())
        stop.set()

    stop.wake = wake
    stop.set()
    assert woken == [True]
