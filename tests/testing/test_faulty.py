"""Calls that fail in turn."""

import os
from errno import EACCES, EIO
from pathlib import Path

import pytest

from dtm_sdk.testing.faulty import calls_of, faults, in_time
from tests.testing.subjects import subject_of
from tests.zoo.right import note


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that can be read."""
    path = tmp_path / "a.txt"
    path.write_text("one", encoding="utf-8")
    return path


def load(path: Path) -> bytes:
    """What a file holds, looked for in the way of many."""
    if not os.path.exists(path):  # noqa: PTH110  # it is what is watched
        return b""
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123
        return file.readall()


def test_the_calls_are_seen_but_for_those_that_close(file: Path) -> None:
    assert [call.name for call in calls_of(lambda: load(file))] == ["stat", "open", "FileIO.readall"]


def test_of_many_calls_of_one_name_the_first_ones_and_the_last_are_taken(file: Path) -> None:
    found = calls_of(lambda: [os.stat(file) for _ in range(9)])  # noqa: PTH116
    assert [call.number for call in found] == [1, 2, 9]


def test_each_call_fails_in_each_way_once(file: Path) -> None:
    met: list[tuple[str, object]] = []
    for fault in faults(calls_of(lambda: load(file))):
        with fault.strike() as count:
            try:
                met.append((fault.name, load(file)))
            except OSError as error:
                met.append((fault.name, error.errno))
        assert count() == 1
    assert [each for _, each in met] == [b"", b"", EACCES, EIO, EACCES, EIO]
    place = f"testing/test_faulty.py:{load.__code__.co_firstlineno + 2}"
    assert met[0][0] == f"stat in {place}, call 1, fails: Permission denied"


def test_what_there_is_no_time_for_is_left_out_and_named(tmp_path: Path) -> None:
    clock = iter([100.0, 101.0, 119.0, 121.0, 122.0])
    with subject_of(note.plugin, tmp_path) as subject:
        tried = in_time(subject, [(name, 0) for name in "abcd"], lambda: next(clock))
        assert [name for name, _ in tried] == ["a", "b"]
        assert subject.notes == ["left out, for Read takes long to give up: c, d"]
