"""The four operations on real files."""

import errno
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import chdir, contextmanager
from pathlib import Path
from resource import RLIMIT_FSIZE, getrlimit, setrlimit
from threading import Barrier
from typing import Any, get_args

import pytest
from dtm_sdk import OptionsError, PluginError
from dtm_sdk.plugin import Operation
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dtm_localfile import plugin

OPERATIONS: tuple[Operation, ...] = get_args(Operation)
WRITING: tuple[Operation, ...] = ("create", "update")
TEMPORARY = ".foo.txt.dtm-tmp"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of a test, empty."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(operation: Operation, filename: str = "foo.txt", content: str = "hello, world") -> Any:  # noqa: ANN401 - as the plugin
    return plugin.call(operation, plugin.parse({"filename": filename, "content": content}))


def state(content: str, filename: str = "foo.txt") -> dict[str, str]:
    return {"filename": filename, "content": content}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@contextmanager
def without_privileges() -> Iterator[None]:
    """As a user whom the modes of files concern: root is not."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


def test_a_file_is_made_read_changed_and_deleted(folder: Path) -> None:
    assert call("read") is None
    assert call("create") == state("hello, world")
    assert Path("foo.txt").read_bytes() == b"hello, world"
    assert call("read") == state("hello, world")
    assert call("update", content="changed") == state("changed")
    assert call("read") == state("changed")
    assert call("delete") is True
    assert call("read") is None
    assert names(folder) == []


@settings(deadline=None)  # a disk takes the time that it takes
@given(content=st.text())
def test_any_text_comes_back_exactly(content: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        filename = f"{folder}/foo.txt"
        call("create", filename, content)
        assert Path(filename).read_bytes() == content.encode()
        assert call("read", filename) == state(content, filename)


@pytest.mark.parametrize("content", ["", "\n", "a\r\nb\rc\n", "\ufeff日本\u2028\0", "a" * 1_000_000])
def test_text_is_not_touched_on_its_way(content: str) -> None:
    call("create", content=content)
    assert Path("foo.txt").read_bytes() == content.encode()
    assert call("read") == state(content)


def is_taken(filename: str) -> bool:
    """Whether the file system takes the name; APFS takes none with a character that its Unicode has not."""
    try:
        Path(filename).touch()
    except OSError as error:
        if error.errno == errno.EILSEQ:
            return False
        raise
    Path(filename).unlink()
    return True


@settings(deadline=None)  # a disk takes the time that it takes
@given(filename=st.text(min_size=1))
def test_any_filename_is_refused_or_names_a_file_of_its_own(filename: str) -> None:
    assume(not filename.startswith("/") and ".." not in filename.split("/"))
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        try:
            call("read", filename)
        except OptionsError:
            return
        if "/" not in filename:
            assume(is_taken(filename))
            assert call("create", filename) == call("read", filename)
            assert names(Path()) == [filename]
        assert call("delete", filename) is True
        assert names(Path()) == []


def test_a_name_that_the_locale_cannot_write_is_refused(folder: Path) -> None:
    """Python takes UTF-8 in place of ASCII, unless it is told not to (PEP 538, PEP 540)."""
    code = """
import sys
if sys.getfilesystemencoding() != "ascii":
    sys.exit(3)
from dtm_sdk import PluginError
from dtm_localfile import plugin
for operation in ("create", "read", "update", "delete"):
    try:
        plugin.call(operation, plugin.parse({"filename": "\\u65e5.txt", "content": "a"}))
    except PluginError as error:
        print(ascii(repr(error)))
"""
    env = {**os.environ, "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    run = subprocess.run([sys.executable, "-c", code], check=False, env=env, capture_output=True, text=True)
    if run.returncode == 3:
        pytest.skip("names of files are UTF-8 here whatever the locale is, as on macOS")
    assert run.stdout.count("be a name where names are ascii") == len(OPERATIONS), run.stdout + run.stderr
    assert names(folder) == []


def test_names_up_to_the_limit_work(folder: Path) -> None:
    assert call("create", "é" * 123) == state("hello, world", "é" * 123)
    assert names(folder) == ["é" * 123]


def test_absolute_paths_and_paths_that_go_up_are_followed(folder: Path) -> None:
    Path("inner").mkdir()
    with chdir("inner"):
        call("create", "../up.txt")
        call("create", f"{folder}/absolute.txt")
    assert names(folder) == ["absolute.txt", "inner", "up.txt"]


def test_a_link_in_the_folders_of_the_path_is_followed() -> None:
    Path("real").mkdir()
    Path("link").symlink_to("real")
    call("create", "link/foo.txt")
    assert Path("real/foo.txt").read_text() == "hello, world"


@pytest.mark.parametrize("filename", ["missing/foo.txt", "file/foo.txt"])
@pytest.mark.parametrize("operation", WRITING)
def test_no_folder_is_made_and_the_error_names_the_missing_one(
    folder: Path, operation: Operation, filename: str
) -> None:
    Path("file").touch()
    parent = filename.partition("/")[0]
    with pytest.raises(PluginError, match=f"make the folder '{parent}' first") as refused:
        call(operation, filename)
    assert "\n" not in str(refused.value)
    assert names(folder) == ["file"]


@pytest.mark.parametrize("filename", ["missing/foo.txt", "file/foo.txt"])
def test_where_there_is_no_folder_there_is_no_file(filename: str) -> None:
    Path("file").touch()
    assert call("read", filename) is None
    assert call("delete", filename) is True


def test_a_file_that_is_gone_is_deleted_without_complaint_and_made_again_by_update() -> None:
    assert call("delete") is True
    assert call("update") == state("hello, world")
    assert call("read") == state("hello, world")


def test_create_takes_over_a_file_that_is_there(folder: Path) -> None:
    Path("foo.txt").write_text("something else, and longer")
    assert call("create") == state("hello, world")
    assert Path("foo.txt").read_text() == "hello, world"
    assert names(folder) == ["foo.txt"]


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_a_new_file_has_the_mode_that_the_umask_leaves(umask: int) -> None:
    before = os.umask(umask)
    try:
        call("create")
    finally:
        os.umask(before)
    assert stat.S_IMODE(Path("foo.txt").stat().st_mode) == 0o666 & ~umask


@pytest.mark.parametrize("mode", [0o600, 0o444, 0o777])
@pytest.mark.parametrize("operation", WRITING)
def test_a_file_that_is_written_again_keeps_its_mode(operation: Operation, mode: int) -> None:
    Path("foo.txt").write_text("old")
    Path("foo.txt").chmod(mode)
    call(operation)
    assert stat.S_IMODE(Path("foo.txt").stat().st_mode) == mode


@pytest.mark.parametrize("operation", WRITING)
def test_a_file_that_holds_the_text_already_is_left_alone(operation: Operation) -> None:
    Path("foo.txt").write_text("hello, world")
    os.utime("foo.txt", (1, 1))
    before = Path("foo.txt").stat()
    assert call(operation) == state("hello, world")
    after = Path("foo.txt").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_another_name_of_the_file_keeps_the_old_text() -> None:
    Path("foo.txt").write_text("old")
    Path("other.txt").hardlink_to("foo.txt")
    call("update")
    assert (Path("foo.txt").read_text(), Path("other.txt").read_text()) == ("hello, world", "old")


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("kind", ["a directory", "a link", "a link to nothing", "a link to a folder", "a special file"])
def test_what_is_no_file_is_refused_by_name_and_left_alone(folder: Path, operation: Operation, kind: str) -> None:
    Path("target").write_text("precious")
    Path("inner").mkdir()
    links = {"a link": "target", "a link to nothing": "nothing", "a link to a folder": "inner"}
    if kind in links:
        Path("foo.txt").symlink_to(links[kind])
    elif kind == "a directory":
        Path("foo.txt").mkdir()
    else:
        os.mkfifo("foo.txt")
    before = Path("foo.txt").lstat()
    with pytest.raises(PluginError, match="'foo.txt' is " + kind.partition(" to ")[0]) as refused:
        call(operation)
    assert "\n" not in str(refused.value)
    assert Path("foo.txt").lstat().st_ino == before.st_ino
    assert Path("target").read_text() == "precious"
    assert names(folder) == ["foo.txt", "inner", "target"]


def test_what_is_no_text_is_an_error_for_read_but_is_repaired_and_deleted() -> None:
    Path("foo.txt").write_bytes(b"ab\xff")
    with pytest.raises(PluginError, match=r"'foo.txt' is no UTF-8 text \(byte 2\)"):
        call("read")
    assert call("update") == state("hello, world")
    Path("foo.txt").write_bytes(b"\xff")
    assert call("delete") is True


@pytest.mark.parametrize("operation", ["create", "update", "delete"])
def test_what_a_crash_left_is_removed_and_neighbours_are_not(folder: Path, operation: Operation) -> None:
    neighbours = {"foo.txt.txt", "a.foo.txt", "foo", ".foo.txt", "foo.txt~", ".foo.txt.txt.dtm-tmp"}
    for name in neighbours:
        Path(name).write_text(name)
    Path("foo.txt").write_text("hello, world")
    Path(TEMPORARY).write_text("hello, wo")
    call(operation)
    left = neighbours if operation == "delete" else {*neighbours, "foo.txt"}
    assert set(names(folder)) == left
    assert all(Path(name).read_text() == name for name in neighbours)


def test_a_link_in_place_of_the_temporary_is_not_written_through(folder: Path) -> None:
    Path("target").write_text("precious")
    Path(TEMPORARY).symlink_to("target")
    call("create")
    assert names(folder) == ["foo.txt", "target"]
    assert Path("target").read_text() == "precious"


@pytest.mark.parametrize("operation", ["create", "update", "delete"])
def test_a_directory_in_place_of_the_temporary_is_named(operation: Operation) -> None:
    Path("foo.txt").write_text("old")
    Path(TEMPORARY).mkdir()
    with pytest.raises(PluginError, match=r"'foo.txt' can't be (written|deleted): .*'\.foo\.txt\.dtm-tmp'"):
        call(operation)
    assert Path("foo.txt").read_text() == "old"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_folder_that_may_not_be_entered_is_an_error_never_a_missing_file(operation: Operation) -> None:
    Path("shut").mkdir()
    Path("shut/foo.txt").write_text("old")
    Path().chmod(0o755)
    Path("shut").chmod(0)
    try:
        with without_privileges(), pytest.raises(PluginError, match=r"'shut/foo.txt' can't be .*: Permission denied"):
            call(operation, "shut/foo.txt")
    finally:
        Path("shut").chmod(0o755)
    assert Path("shut/foo.txt").read_text() == "old"


def test_a_file_that_may_not_be_read_is_an_error() -> None:
    Path("foo.txt").write_text("old")
    Path().chmod(0o755)
    Path("foo.txt").chmod(0)
    with without_privileges(), pytest.raises(PluginError, match=r"'foo.txt' can't be read: Permission denied"):
        call("read")


@pytest.mark.parametrize("operation", ["create", "update", "delete"])
def test_a_folder_that_may_not_be_written_is_an_error_and_nothing_changes(folder: Path, operation: Operation) -> None:
    Path("foo.txt").write_text("old")
    Path().chmod(0o555)
    try:
        with without_privileges(), pytest.raises(PluginError, match=r"put that right in the folder '\.'") as refused:
            call(operation)
    finally:
        Path().chmod(0o755)
    assert "\n" not in str(refused.value)
    assert names(folder) == ["foo.txt"]
    assert Path("foo.txt").read_text() == "old"


@pytest.mark.parametrize("operation", WRITING)
def test_a_write_that_stops_half_way_leaves_the_old_file_and_nothing_else(folder: Path, operation: Operation) -> None:
    Path("foo.txt").write_text("old")
    soft, hard = getrlimit(RLIMIT_FSIZE)
    setrlimit(RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(PluginError, match=r"'foo\.txt' can't be written: File too large"):
            call(operation, content="a" * 10_000)
    finally:
        setrlimit(RLIMIT_FSIZE, (soft, hard))
    assert names(folder) == ["foo.txt"]
    assert Path("foo.txt").read_text() == "old"


def test_two_at_the_same_time_are_as_if_alone(folder: Path) -> None:
    together = Barrier(2)

    def live(filename: str) -> None:
        for turn in range(30):
            together.wait()
            assert call("create", filename, f"{filename} {turn}") == state(f"{filename} {turn}", filename)
            assert call("read", filename) == state(f"{filename} {turn}", filename)
            assert call("update", filename, filename * 10_000) == call("read", filename)
            assert call("delete", filename) is True
            assert call("read", filename) is None

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(live, ["foo.txt", ".foo.txt"])) == [None, None]
    assert names(folder) == []


def test_no_file_stays_open() -> None:
    def all_of_them() -> int:
        Path("link").unlink(missing_ok=True)
        Path("link").symlink_to("foo.txt")
        for operation in OPERATIONS:
            call(operation)
            for filename in ("link", "missing/foo.txt" if operation in WRITING else "link"):
                with pytest.raises(PluginError):
                    call(operation, filename)
        return len(os.listdir("/dev/fd"))

    assert all_of_them() == all_of_them()
