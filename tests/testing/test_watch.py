"""Tests of `dtm_sdk.testing.watch`, each in a process of its own: an audit hook stays for good."""

import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

import dtm_sdk
from dtm_sdk.testing.isolate import isolated
from dtm_sdk.testing.watch import Watch


def told(work: Callable[[], object], folder: Path) -> object:
    """What a function returns in a process of its own."""
    returned = isolated(lambda: msgspec.json.encode(work()), 20.0, folder)
    assert returned.data is not None, returned.died
    return msgspec.json.decode(returned.data)


def test_what_the_frozen_modules_of_python_do_is_seen(tmp_path: Path) -> None:
    def work() -> list[str]:
        with Watch.here().watching() as seen:
            os.path.isdir(tmp_path)  # noqa: PTH112  # it is what is watched
            os.path.normpath("a/../b")
            os.makedirs(tmp_path / "a" / "b")  # noqa: PTH103  # it is what is watched
        return [call.name for call in seen.calls]

    assert told(work, tmp_path) == ["stat", "stat", "stat", "mkdir", "mkdir"]


def test_a_call_says_where_the_author_asks_for_it_however_deep_in_a_library_it_is(tmp_path: Path) -> None:
    def copy() -> None:
        shutil.copyfile(tmp_path / "a", tmp_path / "b")

    def work() -> list[str]:
        (tmp_path / "a").write_text("one")
        with Watch.here().watching() as seen:
            copy()
        return sorted({call.place for call in seen.calls})

    assert told(work, tmp_path) == [f"testing/test_watch.py:{copy.__code__.co_firstlineno + 1}"]


def test_what_calls_the_plugin_is_not_taken_for_where_it_asks(tmp_path: Path) -> None:
    def work() -> list[str]:
        with Watch.here().watching() as seen:
            installed(str(tmp_path))
        return [str(call) for call in seen.calls]

    scope: dict[str, Callable[[str], object]] = {}
    path = Path(dtm_sdk.__file__).parent / "testing" / "subject.py"
    exec(compile("import os\ndef installed(path): os.stat(path)", str(path), "exec"), scope)  # noqa: S102  # as if it were there
    installed = scope["installed"]
    assert told(work, tmp_path) == ["stat"]


def test_an_import_is_not_seen(tmp_path: Path) -> None:
    (tmp_path / "imported.py").write_text("x = 1\n")

    def work() -> list[str]:
        import sys

        sys.path.insert(0, str(tmp_path))
        with Watch.here().watching() as seen:
            __import__("imported")
        return seen.any_io

    assert told(work, tmp_path) == []


def test_a_guard_inside_of_a_guard_leaves_it_as_it_was(tmp_path: Path) -> None:
    inner, outer = tmp_path / "inner", tmp_path / "outer"
    inner.mkdir()
    outer.mkdir()

    def work() -> list[str]:
        watch = Watch.here()
        with watch.guarding(outer):
            with watch.guarding(inner):
                (inner / "a").write_text("")
            for folder in (inner, outer):
                with suppress(PermissionError):
                    (folder / "b").write_text("")
        return watch.outside

    assert told(work, tmp_path) == [str(inner / "b")]


def test_a_guarded_folder_may_be_named_where_a_temporary_file_is_made(tmp_path: Path) -> None:
    """By its absolute path, as in `NamedTemporaryFile(dir=...)`; a link in it may lead wherever it likes."""
    inner = tmp_path / "inner"
    inner.mkdir()

    def work() -> list[str]:
        watch = Watch.here()
        with watch.guarding(inner), watch.watching() as seen:
            with tempfile.NamedTemporaryFile(dir=inner, delete=False):
                pass
            (inner / "link").symlink_to("../elsewhere")
            with suppress(PermissionError), tempfile.NamedTemporaryFile(dir=tmp_path):
                pass
            with suppress(PermissionError):
                (tmp_path / "link").symlink_to("inner")
        assert "../elsewhere" in seen.names
        return watch.outside

    assert told(work, tmp_path) == [str(tmp_path), str(tmp_path / "link")]
