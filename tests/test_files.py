import os
import re
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dtm_sdk.errors import StateError
from dtm_sdk.files import Folder, append, open_folder, opened
from tests.children import NOBODY, can_mount, on_tmpfs, others_folder, python

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    with open_folder(str(tmp_path), "here") as found:
        yield found


def a_link(path: Path) -> None:
    path.symlink_to(path.parent / "elsewhere")


def a_link_to_nothing(path: Path) -> None:
    path.symlink_to(path.parent / "nothing")


def a_fifo(path: Path) -> None:
    os.mkfifo(path)


def a_folder(path: Path) -> None:
    path.mkdir()


IN_THE_WAY = [a_link, a_link_to_nothing, a_fifo, a_folder]


@pytest.mark.parametrize("planted", IN_THE_WAY)
def test_only_a_regular_file_is_read(folder: Folder, tmp_path: Path, planted: Callable[[Path], None]) -> None:
    (tmp_path / "elsewhere").write_bytes(b"precious")
    planted(tmp_path / "a")
    with pytest.raises(StateError, match="can't open here/a: "):
        folder.read("a")


@pytest.mark.parametrize("planted", IN_THE_WAY)
def test_only_a_regular_file_is_taken_for_what_a_crash_left(
    folder: Folder, tmp_path: Path, planted: Callable[[Path], None]
) -> None:
    (tmp_path / "elsewhere").write_bytes(b"precious")
    planted(tmp_path / "a.tmp")
    with pytest.raises(StateError, match=r"can't open here/a\.tmp: "):
        folder.replace("a", b"new", "a.tmp")
    assert (tmp_path / "elsewhere").read_bytes() == b"precious"
    assert not (tmp_path / "a").exists()
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize("planted", [a_link, a_link_to_nothing, a_fifo])
def test_only_a_folder_is_taken_for_one(folder: Folder, tmp_path: Path, planted: Callable[[Path], None]) -> None:
    (tmp_path / "elsewhere").mkdir()
    planted(tmp_path / "a")
    with pytest.raises(StateError, match="can't open here/a: it is a link or no folder"):
        folder.made_folder("a")


@ROOT_ONLY
@pytest.mark.parametrize("name", ["file", "folder"])
def test_what_belongs_to_another_user_is_refused(folder: Folder, tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"theirs")
    (tmp_path / "folder").mkdir()
    os.chown(tmp_path / name, NOBODY, NOBODY)
    with pytest.raises(StateError, match=rf"here/{name} belongs to another user \(uid 65534\)"):
        folder.read(name) if name == "file" else folder.folder(name)


def test_a_folder_that_others_may_write_in_is_refused(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a").chmod(0o770)
    with pytest.raises(StateError, match="other users may write in here/a; run `chmod 700 here/a`"):
        folder.folder("a")


def test_what_is_refused_is_not_left_open(folder: Folder, tmp_path: Path) -> None:
    before = set(os.listdir("/dev/fd"))  # noqa: PTH208
    test_a_folder_that_others_may_write_in_is_refused(folder, tmp_path)
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(StateError, match="no regular file"):
        folder.read("fifo")
    assert set(os.listdir("/dev/fd")) <= before  # noqa: PTH208  # one of an earlier test may be closed meanwhile


def test_what_isnt_there_is_none(folder: Folder) -> None:
    assert folder.read("a") is None
    assert folder.folder("a") is None
    assert folder.stamp("a") is None
    folder.remove("a")
    with opened(folder, "a") as found:
        assert found is None
    with opened(None, "a") as found:
        assert found is None


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="can't open here: No such file or directory; make the folder, or correct"):
        open_folder(str(tmp_path / "a"), "here")


def test_what_is_replaced_is_read_back_and_nothing_else_is_left(folder: Folder, tmp_path: Path) -> None:
    folder.replace("a", b"one", "a.tmp")
    folder.replace("a", b"two", "a.tmp", durable=False)
    assert folder.read("a") == b"two"
    assert os.listdir(tmp_path) == ["a"]  # noqa: PTH208
    assert folder.names() == ["a"]


def test_what_a_crash_left_of_a_temporary_file_is_removed(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "a.tmp").write_bytes(b"half of a much longer tex")
    folder.replace("a", b"new", "a.tmp")
    assert (tmp_path / "a").read_bytes() == b"new"
    assert not (tmp_path / "a.tmp").exists()


def test_a_file_that_cant_be_replaced_is_as_it_was(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(StateError, match="can't write here/a: Is a directory; move the folder away"):
        folder.replace("a", b"new", "a.tmp")
    assert folder.names() == ["a"]


def test_a_stamp_has_size_and_time(folder: Folder, tmp_path: Path) -> None:
    folder.replace("a", b"12345", "a.tmp")
    assert folder.stamp("a") == (5, (tmp_path / "a").stat().st_mtime)


def test_nothing_is_done_through_a_folder_that_was_moved_and_replaced(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with open_folder(str(tmp_path / "a"), "a") as folder:
        (tmp_path / "a").rename(tmp_path / "b")
        (tmp_path / "a").symlink_to(tmp_path / "c")
        folder.replace("file", b"new", "tmp")
    assert (tmp_path / "b" / "file").read_bytes() == b"new"


def modes(folder: Path) -> dict[str, str]:
    """Name -> permissions of everything below a folder."""
    return {str(path.relative_to(folder)): oct(stat.S_IMODE(path.lstat().st_mode)) for path in folder.rglob("*")}


MAKE = """
import os, sys
from dtm_sdk.files import open_folder
os.umask(int(sys.argv[1], 8))
with open_folder(".", "here") as folder:
    folder.replace("a", b"x", "tmp")
    with folder.made_folder("d") as inner:
        os.close(inner.open("b", os.O_RDWR | os.O_CREAT))
"""


@pytest.mark.parametrize("umask", ["000", "022", "077"])
def test_what_is_made_is_for_its_owner_only(tmp_path: Path, umask: str) -> None:
    assert python(MAKE, tmp_path, umask).returncode == 0
    assert modes(tmp_path) == {"a": "0o600", "d": "0o700", "d/b": "0o600"}


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace isn't installed")
def test_a_file_is_never_open_to_others_even_while_it_is_made(tmp_path: Path) -> None:
    trace = ["strace", "-f", "-e", "trace=openat,mkdirat,chmod,fchmod,fchmodat", "-o", str(tmp_path / "trace")]
    assert python(MAKE, tmp_path, "000", before=trace).returncode == 0
    calls = (tmp_path / "trace").read_text("utf-8")
    made = re.findall(r"(?:O_CREAT.*, |mkdirat\(.*, )(0\d+)\)", calls)
    assert made == ["0600", "0700", "0600"]
    assert calls.count('"tmp", O_WRONLY|O_CREAT|O_EXCL|O_NONBLOCK|O_NOFOLLOW|O_CLOEXEC') == 1
    assert "chmod" not in calls


CUT = """
import os, resource, sys
from dtm_sdk.errors import StateError
from dtm_sdk.files import append, open_folder
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
with open_folder(".", "here") as folder:
    try:
        folder.replace("a", b"n" * 1000, "a.tmp")
    except StateError as error:
        print(error)
    for size in 1000, 1:
        try:
            append(folder.open("b", os.O_WRONLY | os.O_APPEND), b"n" * size, "here/b")
        except StateError as error:
            print(error)
"""


def test_what_doesnt_fit_is_told_and_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "b").write_bytes(b"old")
    child = python(CUT, tmp_path)
    assert child.stdout.splitlines() == [
        "can't write here/a: File too large; raise the limit on the size of files (ulimit -f), then run again",
        "can't write here/b: only 97 of 1000 bytes went in; make room there, then run again",
        "can't write here/b: File too large; raise the limit on the size of files (ulimit -f), then run again",
    ]
    assert (tmp_path / "a").read_bytes() == b"old"
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]  # noqa: PTH208


def test_an_append_goes_to_the_end(tmp_path: Path, folder: Folder) -> None:
    folder.replace("a", b"one\n", "a.tmp")
    fd = folder.open("a", os.O_WRONLY | os.O_APPEND)
    assert fd is not None
    append(fd, b"two\n", "here/a")
    append(fd, b"three\n", "here/a")
    os.close(fd)
    assert (tmp_path / "a").read_bytes() == b"one\ntwo\nthree\n"


def test_an_append_to_what_cant_be_synced_is_told() -> None:
    reader, writer = os.pipe()
    with pytest.raises(StateError, match="can't write here/a: Invalid argument"):
        append(writer, b"x", "here/a")
    os.close(reader)
    os.close(writer)


AS_NOBODY = """
import os, sys
from dtm_sdk.errors import StateError
from dtm_sdk.files import open_folder
os.setgid(65534)
os.setuid(65534)
with open_folder(".", "here") as folder:
    folder.check_writable()
    os.chmod(".", 0o555)
    for act in folder.check_writable, lambda: folder.replace("a", b"x", "tmp"), lambda: folder.made_folder("d"):
        try:
            act()
        except StateError as error:
            print(error)
    os.chmod(".", 0o755)
"""


@ROOT_ONLY
def test_a_folder_without_the_right_to_write_is_told() -> None:
    with others_folder() as folder:
        child = python(AS_NOBODY, folder)
    hint = "let this user read and write there, or name another place with stateFile"
    assert child.stdout.splitlines() == [
        f"can't write in here: it is read-only, or this user may not; {hint}",
        f"can't write here/a: Permission denied; {hint}",
        f"can't make here/d: Permission denied; {hint}",
    ], child.stderr


FULL = """
import os
from dtm_sdk.errors import StateError
from dtm_sdk.files import append, open_folder
with open_folder(".", "here") as folder:
    folder.replace("a", b"old", "a.tmp")
    try:
        folder.replace("a", b"n" * 100_000, "a.tmp")
    except StateError as error:
        print(error)
    print(folder.read("a"), folder.names())
    try:
        append(folder.open("a", os.O_WRONLY | os.O_APPEND), b"n" * 100_000, "here/a")
    except StateError as error:
        print(error)
"""


@pytest.mark.skipif(not can_mount(), reason="a file system can't be mounted here")
def test_a_full_disk_is_told_and_leaves_the_old_file(tmp_path: Path) -> None:
    child = python(FULL, tmp_path, before=on_tmpfs("size=16k"))
    told = child.stdout.splitlines()
    assert told[0] == "can't write here/a: No space left on device; make room there, then run again", child.stderr
    assert told[1] == "b'old' ['a']"
    assert told[2].startswith("can't write here/a: only ")


READ_ONLY = """
from dtm_sdk.errors import StateError
from dtm_sdk.files import open_folder
with open_folder(".", "here") as folder:
    try:
        folder.check_writable()
    except StateError as error:
        print(error)
"""


@pytest.mark.skipif(not can_mount(), reason="a file system can't be mounted here")
def test_a_read_only_file_system_is_told(tmp_path: Path) -> None:
    child = python(READ_ONLY, tmp_path, before=on_tmpfs("ro"))
    hint = "let this user read and write there, or name another place with stateFile"
    assert child.stdout == f"can't write in here: it is read-only, or this user may not; {hint}\n", child.stderr
