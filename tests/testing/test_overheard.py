import logging
import os
import subprocess
import sys
import warnings
from pathlib import Path

from dtm_sdk.testing.overheard import Overheard, overhearing
from dtm_sdk.testing.watch import Watch


def where(heard: Overheard, word: str) -> list[str]:
    return [place for place, text in heard.texts if word in text]


def test_what_is_printed_by_whatever_means_is_heard(tmp_path: Path) -> None:
    with overhearing(tmp_path) as heard:
        print("print-word")  # noqa: T201
        sys.stderr.write("stderr-word")
        os.write(1, b"descriptor-word")
        subprocess.run(["sh", "-c", "echo child-word >&2"], check=True)
        warnings.warn("warning-word", stacklevel=1)
    assert where(heard, "warning-word") == ["a UserWarning"]
    for word in ("print-word", "stderr-word", "descriptor-word"):
        assert where(heard, word) == ["what it prints"], word
    assert where(heard, "child-word") == ["what it prints", "the arguments of a child"]


def test_what_is_logged_at_any_level_is_heard_and_levels_are_as_before(tmp_path: Path) -> None:
    strict = logging.getLogger("tests.strict")
    strict.setLevel(logging.ERROR)
    strict.propagate = False
    with overhearing(tmp_path) as heard:
        strict.debug("debug %s", "word")
        try:
            int("exception-word")
        except ValueError:
            strict.exception("it failed")
        logging.getLogger("tests.new").log(5, "trace-word")
    assert where(heard, "debug word") == ["the log of tests.strict (level DEBUG)"]
    assert "the log of tests.strict (level ERROR)" in where(heard, "exception-word")
    assert where(heard, "trace-word") == ["the log of tests.new (level Level 5)"]
    assert strict.level == logging.ERROR


def test_names_of_files_are_heard_inside_of_another_watch_too(tmp_path: Path) -> None:
    with overhearing(tmp_path) as heard:
        (tmp_path / "outer-word").touch()
        with Watch.here().watching() as seen:
            (tmp_path / "inner-word").write_text("")
        (tmp_path / "later-word").write_text("")
    assert any("inner-word" in name for name in seen.names)
    assert not any("outer-word" in name for name in seen.names)
    for word in ("outer-word", "inner-word", "later-word"):
        assert set(where(heard, word)) == {"the name of a file"}, word


def test_the_streams_are_as_before(tmp_path: Path) -> None:
    before, files = (sys.stdout, sys.stderr), set(os.listdir("/dev/fd"))  # noqa: PTH208
    with overhearing(tmp_path):
        sys.stdout.close()
    assert (sys.stdout, sys.stderr) == before
    assert set(os.listdir("/dev/fd")) <= files  # noqa: PTH208  # one of an earlier test may be closed meanwhile
