"""Calls that fail in turn."""

import os
from errno import EACCES, EIO
from pathlib import Path

import pytest

from dtm_sdk.testing.faulty import calls_of, faults
from dtm_sdk.testing.watch import Watch


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
    for name, act in faults(calls_of(lambda: load(file))):
        with Watch.here().watching(act):
            try:
                met.append((name, load(file)))
            except OSError as error:
                met.append((name, error.errno))
    assert [each for _, each in met] == [b"", b"", EACCES, EIO, EACCES, EIO]
    assert met[0][0] == "stat() fails: Permission denied"
