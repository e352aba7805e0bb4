"""What is done otherwise on macOS, on any system: with what Python has only there, and without what it hasn't there.

Linux answers EINVAL to F_FULLFSYNC, which it doesn't know, as some file systems of macOS do.
"""

import errno
import fcntl
import os
import sys
from pathlib import Path

import pytest

from dtm_sdk.errors import StateError
from dtm_sdk.files import append, open_folder
from tests.children import python

LINUX_ALONE = [
    *("fdatasync", "posix_fallocate", "posix_fadvise", "sendfile", "copy_file_range", "splice", "memfd_create"),
    *("pidfd_open", "sched_getaffinity", "setns", "unshare", "eventfd", "timerfd_create", "getresuid", "pipe2"),
    *("getxattr", "setxattr", "O_TMPFILE", "O_PATH", "O_DIRECT", "O_NOATIME"),
]
FULL_SYNC = 51
"""F_FULLFSYNC of <sys/fcntl.h> there."""
AS_THERE = f"""
import fcntl, os, select, signal, sys
sys.platform = "darwin"
fcntl.F_FULLFSYNC = {FULL_SYNC}
for name in {LINUX_ALONE}:
    if hasattr(os, name):
        delattr(os, name)
for name in "epoll", "EPOLLIN":
    if hasattr(select, name):
        delattr(select, name)
for name in "sigtimedwait", "sigwaitinfo":
    if hasattr(signal, name):
        delattr(signal, name)
from dtm_sdk.__main__ import main
main()
"""
CONFIG = "tools: [{name: a, plugin: localfile, options: {filename: a.txt, content: one}}]\n"


@pytest.fixture(autouse=True)
def there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(fcntl, "F_FULLFSYNC", FULL_SYNC, raising=False)
    monkeypatch.delattr(os, "fdatasync", raising=False)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The syncs that the system was asked for, in order."""
    calls: list[str] = []
    theirs, fsync = fcntl.fcntl, os.fsync

    def full(fd: int, command: int) -> int:
        calls.append("full" if command == FULL_SYNC else str(command))
        return theirs(fd, command)

    def plain(fd: int) -> None:
        calls.append("plain")
        fsync(fd)

    monkeypatch.setattr(fcntl, "fcntl", full)
    monkeypatch.setattr(os, "fsync", plain)
    return calls


def test_a_file_system_without_a_full_sync_is_synced_plainly(tmp_path: Path, asked: list[str]) -> None:
    with open_folder(str(tmp_path), "here") as folder:
        folder.replace("a", b"one\n", "a.tmp")
        of_the_file_and_the_folder = len(asked)
        fd = folder.open("a", os.O_WRONLY | os.O_APPEND)
        assert fd is not None
        append(fd, b"two\n", "here/a")
        os.close(fd)
    assert (tmp_path / "a").read_bytes() == b"one\ntwo\n"
    assert asked == ["full", "plain"] * 3
    assert of_the_file_and_the_folder == 4


def test_where_there_is_a_full_sync_nothing_else_is_asked_for(
    tmp_path: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fcntl, "F_FULLFSYNC", fcntl.F_GETFD)  # does nothing, and succeeds
    with open_folder(str(tmp_path), "here") as folder:
        folder.replace("a", b"one\n", "a.tmp")
    assert asked == [str(fcntl.F_GETFD)] * 2


def test_a_full_sync_that_fails_is_told_and_not_tried_in_another_way(
    tmp_path: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(fd: int, command: int) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(fcntl, "fcntl", broken)
    with open_folder(str(tmp_path), "here") as folder, pytest.raises(StateError, match="check the disk"):
        folder.replace("a", b"one\n", "a.tmp")
    assert asked == []
    assert list(tmp_path.iterdir()) == []


def test_the_command_makes_checks_and_deletes(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(CONFIG)
    for arguments, code in ((["-y", "apply"], 0), (["verify"], 0), (["show", "status"], 0)):
        run = python(AS_THERE, tmp_path, *arguments)
        assert run.returncode == code, run.stdout + run.stderr
    assert (tmp_path / "a.txt").read_text() == "one"
    (tmp_path / "a.txt").unlink()
    assert python(AS_THERE, tmp_path, "verify").returncode == 3
    assert python(AS_THERE, tmp_path, "-y", "destroy").returncode == 0
    assert python(AS_THERE, tmp_path, "state", "list").returncode == 0
