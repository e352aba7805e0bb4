import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from dtm_sdk.errors import LockedError, StateError
from dtm_sdk.files import Folder, open_folder
from dtm_sdk.lock_file import locked
from dtm_sdk.testing.children import fork
from tests.children import python, said, started, tell

HOLD = """
import os, sys
from dtm_sdk.files import open_folder
from dtm_sdk.lock_file import locked
with open_folder(".", "here") as folder, locked(folder, "lock", "apply", float(sys.argv[1]), "it"):
    print("held", os.getpid(), flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    with open_folder(str(tmp_path), "here") as found:
        yield found


STRACE = pytest.mark.skipif(shutil.which("strace") is None, reason="strace isn't installed")


def watched(folder: Path) -> list[str]:
    """A command that starts a child whose tries for a lock are seen by `wait_for_refusal`."""
    return ["strace", "-e", "trace=flock", "-o", str(folder / "trace")]


def wait_for_refusal(folder: Path, child: subprocess.Popen[str]) -> None:
    """Return when a child has tried for a lock and not got it."""
    trace = folder / "trace"
    while not (trace.exists() and "EAGAIN" in trace.read_text("utf-8")):
        assert child.poll() is None


def refused(folder: Folder, wait: float = 0) -> LockedError:
    with pytest.raises(LockedError) as caught, locked(folder, "lock", "verify", wait, "it"):
        pass
    return caught.value


def test_a_second_holder_is_told_who_the_first_is(folder: Folder, tmp_path: Path) -> None:
    with started(HOLD, tmp_path, "0") as child:
        pid = int(said(child).split()[1])
        error = refused(folder)
    assert re.fullmatch(
        rf"it is held by `dtm apply`, process {pid} on {re.escape(os.uname().nodename)}, "
        r"started by \S+ at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ; wait until it has ended, or end it",
        str(error),
    )
    assert sorted(error.holder) == ["command", "host", "id", "pid", "started", "user"]
    assert error.holder["pid"] == pid


def test_a_second_holder_in_the_same_process_is_refused(folder: Folder) -> None:
    with locked(folder, "lock", "apply", 0, "it"):
        assert refused(folder).holder["pid"] == os.getpid()


def test_the_lock_is_free_after_its_holder(folder: Folder, tmp_path: Path) -> None:
    for _ in range(2):
        with locked(folder, "lock", "apply", 0, "it"):
            assert (tmp_path / "lock").stat().st_size > 0
        assert (tmp_path / "lock").read_bytes() == b""


def test_the_lock_is_free_although_a_child_of_its_holder_lives(folder: Folder) -> None:
    reader, writer = os.pipe()
    with locked(folder, "lock", "apply", 0, "it"):
        child = fork()
        if child == 0:
            os.close(writer)
            os.read(reader, 1)
            os._exit(0)
    with locked(folder, "lock", "plan", 0, "it"):
        pass
    os.close(writer)
    os.waitpid(child, 0)
    os.close(reader)


def test_a_killed_holder_holds_nothing(folder: Folder, tmp_path: Path) -> None:
    with started(HOLD, tmp_path, "0") as child:
        said(child)
        child.kill()
        child.wait()
    assert b'"command":"apply"' in (tmp_path / "lock").read_bytes()
    with locked(folder, "lock", "verify", 0, "it"):
        pass


def test_a_shorter_note_leaves_nothing_of_a_longer_one(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "lock").write_bytes(b"x" * 5000)
    with locked(folder, "lock", "apply", 0, "it"):
        assert (tmp_path / "lock").read_bytes().count(b"x") == 0
        assert refused(folder).holder["command"] == "apply"


@STRACE
def test_one_that_waits_gets_it_when_the_first_has_ended(tmp_path: Path) -> None:
    with started(HOLD, tmp_path, "0") as first:
        said(first)
        with started(HOLD, tmp_path, "60", before=watched(tmp_path)) as second:
            wait_for_refusal(tmp_path, second)
            tell(first)
            assert said(second).startswith("held")
            tell(second)
            assert second.wait() == 0


def test_what_is_left_of_a_longer_note_is_not_read(folder: Folder, tmp_path: Path) -> None:
    with locked(folder, "lock", "apply", 0, "it"):
        # The next holder writes its note over the one of a killed holder, and cuts off the rest then.
        (tmp_path / "lock").write_bytes((tmp_path / "lock").read_bytes() + b"rest of a longer note\n")
        assert refused(folder).holder["pid"] == os.getpid()


def test_one_that_waits_too_long_is_refused(folder: Folder) -> None:
    with locked(folder, "lock", "apply", 0, "it"):
        assert refused(folder, 0.1).holder["pid"] == os.getpid()


def test_a_holder_that_never_says_who_it_is_is_another_run(folder: Folder, tmp_path: Path) -> None:
    with locked(folder, "lock", "apply", 0, "it"):
        (tmp_path / "lock").write_bytes(b"")
        assert str(refused(folder)) == "it is held by another run; wait until it has ended, or end it"
        (tmp_path / "lock").write_bytes(b'{"pid": 1}\n')
        assert refused(folder).holder == {}


REFUSED = """
from dtm_sdk.errors import LockedError
from dtm_sdk.files import open_folder
from dtm_sdk.lock_file import locked
try:
    with open_folder(".", "here") as folder, locked(folder, "lock", "apply", 0, "it"):
        pass
except LockedError as error:
    print(error.holder["pid"])
"""


@STRACE
def test_a_holder_is_given_a_moment_to_say_who_it_is(folder: Folder, tmp_path: Path) -> None:
    with locked(folder, "lock", "apply", 0, "it"):
        note = (tmp_path / "lock").read_bytes()
        (tmp_path / "lock").write_bytes(b"")
        with started(REFUSED, tmp_path, before=watched(tmp_path)) as child:
            wait_for_refusal(tmp_path, child)
            (tmp_path / "lock").write_bytes(note)
            assert said(child) == str(os.getpid())


def test_one_of_many_gets_it(tmp_path: Path) -> None:
    race = """
import subprocess, sys
hold = '''
import sys
from dtm_sdk.errors import LockedError
from dtm_sdk.files import open_folder
from dtm_sdk.lock_file import locked
sys.stdin.readline()
try:
    with open_folder(".", "here") as folder, locked(folder, "lock", "apply", 0, "it"):
        print("held", __import__("os").getpid(), flush=True)
        sys.stdin.readline()
except LockedError as error:
    print("refused", error.holder["pid"], flush=True)
'''
pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
children = [subprocess.Popen([sys.executable, "-c", hold], **pipes) for _ in range(8)]
for child in children:
    child.stdin.write("\\n")
    child.stdin.flush()
print(*[child.stdout.readline().rstrip() for child in children], sep="\\n")
for child in children:
    child.communicate("\\n")
"""
    told = [line.split() for line in python(race, tmp_path).stdout.splitlines()]
    winner = [pid for what, pid in told if what == "held"]
    assert len(winner) == 1
    assert [pid for what, pid in told if what == "refused"] == winner * 7


AS_NOBODY = """
import os
from dtm_sdk.errors import LockedError
from dtm_sdk.files import open_folder
from dtm_sdk.lock_file import locked
os.chown(".", 54321, 54321)
with open_folder(".", "here") as folder:
    os.setuid(54321)
    try:
        with locked(folder, "lock", "apply", 0, "it"), locked(folder, "lock", "apply", 0, "it"):
            pass
    except LockedError as error:
        print(error.holder["user"])
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_a_holder_without_a_name_is_told_by_number(tmp_path: Path) -> None:
    child = python(AS_NOBODY, tmp_path)
    assert child.stdout == "54321\n", child.stderr


UNABLE = """
import os
from dtm_sdk.errors import StateError
from dtm_sdk.files import open_folder
from dtm_sdk.lock_file import locked
files = sorted(os.listdir("/dev/fd"))
try:
    with open_folder(".", "here") as folder, locked(folder, "lock", "apply", 0, "it"):
        pass
except StateError as error:
    print(error, sorted(os.listdir("/dev/fd")) == files)
"""


@STRACE
def test_a_file_system_without_locks_is_told(tmp_path: Path) -> None:
    child = python(UNABLE, tmp_path, before=["strace", "-o", "trace", "-e", "inject=flock:error=ENOLCK"])
    assert child.stdout == "can't lock here/lock: No locks available True\n"


def test_a_folder_that_was_removed_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with open_folder(str(tmp_path / "a"), "here") as folder:
        (tmp_path / "a").rmdir()
        with (
            pytest.raises(StateError, match="here was removed; run again"),
            locked(folder, "lock", "apply", 0, "it"),
        ):
            pass


def test_a_link_where_the_lock_should_be_is_refused(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(b"precious")
    (tmp_path / "lock").symlink_to(tmp_path / "precious")
    with (
        pytest.raises(StateError, match="can't open here/lock: it is a link"),
        locked(folder, "lock", "apply", 0, "it"),
    ):
        pass
    assert (tmp_path / "precious").read_bytes() == b"precious"
