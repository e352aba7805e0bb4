"""Each operation, with each of its system calls failing once, and with the process killed at each of them.

As a script, `python test_faults.py FOLDER OPERATION`, it is what gets killed: in FOLDER/1 at the first call, in
FOLDER/2 at the second, until the operation outlives its last. A process of its own forks without a test run's threads.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from errno import EACCES, EINTR, EIO, ENOSPC
from pathlib import Path
from types import FrameType
from typing import Any, get_args

import pytest
from dtm_sdk import PluginError
from dtm_sdk.plugin import Operation

from dtm_localfile import plugin

NEW = plugin.parse({"filename": "foo.txt", "content": "new " * 50_000})
WANTED = {"filename": "foo.txt", "content": "new " * 50_000}
CALLS = {"create": 9, "update": 14, "delete": 5, "read": 3}
"""The fewest system calls that an operation is made of: if fewer were met, something was missed."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of a test, empty."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@contextmanager
def at_call(number: int, act: Callable[[], None]) -> Iterator[list[str]]:
    """Watch this thread's calls of system functions and act before the n-th; gives the names of those seen so far.

    Closing a file by `with` isn't counted: a fault there would keep Python from closing it, as no system does.
    """
    seen: list[str] = []

    def hook(_frame: FrameType, event: str, called: Any) -> None:  # noqa: ANN401 - a function or method in C
        if event != "c_call" or called.__name__ in ("__exit__", "fspath"):
            return
        if (called.__module__ or type(called.__self__).__module__) in ("posix", "io", "_io"):
            seen.append(called.__name__)
            if len(seen) == number:
                act()

    sys.setprofile(hook)
    try:
        yield seen
    finally:
        sys.setprofile(None)


def tried(operation: Operation, number: int, code: int) -> tuple[Any, list[str]]:
    """What the operation returned, or its PluginError, when its n-th call fails; and the calls it made."""

    def fail() -> None:
        raise OSError(code, os.strerror(code))

    with at_call(number, fail) as seen:
        try:
            return plugin.call(operation, NEW), seen
        except PluginError as error:
            return error, seen


@pytest.mark.parametrize("code", [ENOSPC, EIO, EACCES, EINTR])
@pytest.mark.parametrize("operation", ["create", "update", "delete"])
def test_a_call_that_fails_leaves_the_old_or_the_new_and_a_second_try_succeeds(
    folder: Path, operation: Operation, code: int
) -> None:
    number, fired = 0, True
    wanted = None if operation == "delete" else WANTED
    while fired:
        number += 1
        if operation != "create":
            Path("foo.txt").write_text("old")
        before = plugin.call("read", NEW)
        result, seen = tried(operation, number, code)
        fired = len(seen) >= number
        assert isinstance(result, PluginError) == fired, seen
        assert plugin.call("read", NEW) in ([before, wanted] if fired else [wanted]), seen
        assert names(folder) in ([], ["foo.txt"]), seen
        plugin.call(operation, NEW)
        assert plugin.call("read", NEW) == wanted
        plugin.call("delete", NEW)
        assert names(folder) == []
    assert number > CALLS[operation]


@pytest.mark.parametrize("code", [EIO, EACCES])
def test_a_read_that_fails_never_says_that_there_is_nothing(code: int) -> None:
    plugin.call("create", NEW)
    number, fired = 0, True
    while fired:
        number += 1
        result, seen = tried("read", number, code)
        fired = len(seen) >= number
        assert isinstance(result, PluginError) if fired else result == WANTED
    assert number > CALLS["read"]


def calls(operation: Operation) -> list[str]:
    """The system calls of an operation on the folder as it is."""
    with at_call(0, lambda: None) as seen:
        plugin.call(operation, NEW)
    return seen


@pytest.mark.parametrize("operation", ["create", "update"])
def test_the_text_is_on_the_disk_before_it_has_its_name_and_the_name_before_it_is_reported(
    operation: Operation,
) -> None:
    Path("foo.txt").write_text("old")
    order = [name for name in calls(operation) if name in ("write", "fsync", "replace", "unlink")]
    assert order == ["write", "fsync", "replace", "fsync"]
    assert [name for name in calls("delete") if name in ("fsync", "unlink")] == ["unlink", "unlink", "fsync"]


def test_a_cleanup_that_fails_too_does_not_hide_the_error() -> None:
    def obstruct() -> None:
        Path(".foo.txt.dtm-tmp").unlink()
        Path(".foo.txt.dtm-tmp").mkdir()

    Path("foo.txt").write_text("old")
    moment = calls("update").index("replace") + 1
    Path("foo.txt").write_text("old")
    failure = pytest.raises(PluginError, match=r"'foo\.txt' can't be written: Not a directory")
    with failure, at_call(moment, obstruct):
        plugin.call("update", NEW)
    assert Path("foo.txt").read_text() == "old"


def test_a_link_that_takes_the_files_place_in_the_last_moment_is_not_followed() -> None:
    def plant() -> None:
        Path("foo.txt").unlink()
        Path("foo.txt").symlink_to("target")

    Path("target").write_text("precious")
    plugin.call("create", NEW)
    moment = calls("read").index("open") + 1
    with pytest.raises(PluginError, match=r"'foo\.txt' can't be read"), at_call(moment, plant):
        plugin.call("read", NEW)


def test_a_link_beside_the_file_that_appears_in_the_last_moment_is_not_followed() -> None:
    Path("target").write_text("precious")
    moment = calls("create").index("open") + 1
    plugin.call("delete", NEW)
    with at_call(moment, lambda: Path(".foo.txt.dtm-tmp").symlink_to("target")):
        plugin.call("create", NEW)
    assert plugin.call("read", NEW) == WANTED
    assert sorted(names(Path())) == ["foo.txt", "target"]
    assert Path("target").read_text() == "precious"


@pytest.mark.parametrize("later", ["create", "update", "delete"])
@pytest.mark.parametrize("operation", ["create", "update", "delete"])
def test_a_process_killed_at_any_call_leaves_a_whole_file_and_nothing_that_stays(
    folder: Path, operation: str, later: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, __file__, folder, operation], check=True, env=os.environ | path)
    turns = list(folder.iterdir())
    for turn in turns:
        monkeypatch.chdir(turn)
        assert set(names(turn)) <= {"foo.txt", ".foo.txt.dtm-tmp"}
        left = plugin.call("read", NEW)
        assert left in ([None, WANTED] if operation == "create" else [{**WANTED, "content": "old"}, WANTED, None])
        assert left is not None or operation != "update"
        plugin.call(later, NEW)
        assert names(turn) == ([] if later == "delete" else ["foo.txt"])
        assert plugin.call("read", NEW) == (None if later == "delete" else WANTED)
    assert len(turns) > CALLS[operation]


def outlives(number: int, folder: Path, operation: Operation) -> bool:
    """Whether the operation, in a process that is killed before its n-th call, ends earlier."""
    folder.mkdir()
    os.chdir(folder)
    if operation != "create":
        Path("foo.txt").write_text("old")
    child = os.fork()
    if child == 0:
        with at_call(number, lambda: os.kill(os.getpid(), signal.SIGKILL)):
            plugin.call(operation, NEW)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if status not in (0, signal.SIGKILL):
        sys.exit(f"the child ended with {status}, neither well nor killed")
    return status == 0


if __name__ == "__main__":
    (asked,) = (operation for operation in get_args(Operation) if operation == sys.argv[2])
    turn = 1
    while not outlives(turn, Path(sys.argv[1], str(turn)), asked):
        turn += 1
