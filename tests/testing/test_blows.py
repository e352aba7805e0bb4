"""Which faults fit which calls, and how they are made to happen."""

import errno
import os
import resource
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from dtm_sdk.testing import blows as blows_module
from dtm_sdk.testing.blows import FULL, INTERRUPT, Blow, Striker, blows, interrupts, sampled, small_files
from dtm_sdk.testing.watch import Call, Watch


def calls(*names: str) -> list[Call]:
    """Calls of these names, of files that can be written where they have methods for it."""
    return [Call(number, name, 9 if "Writer" in name else -1) for number, name in enumerate(names, 1)]


def test_an_open_meets_what_an_open_can_meet_and_a_close_nothing() -> None:
    assert [str(blow) for blow in blows(calls("open", "close"))] == [
        "no space at open, call 1 of that name",
        "no permission at open, call 1 of that name",
        "I/O error at open, call 1 of that name",
        "interrupted at open, call 1 of that name",
    ]


def test_a_buffered_write_meets_a_full_disk_only_where_the_file_is_open_for_writing() -> None:
    reading = Call(1, "TextIOWrapper.__exit__", -1)
    writing = Call(2, "TextIOWrapper.__exit__", 5)
    assert list(blows([reading, writing])) == [Blow("TextIOWrapper.__exit__", 2, FULL)]


def test_calls_are_counted_by_their_names() -> None:
    found = list(interrupts(calls("open", "fsync", "close", "open")))
    assert found == [Blow("open", 1, INTERRUPT), Blow("fsync", 1, INTERRUPT), Blow("open", 2, INTERRUPT)]


def test_a_sample_keeps_the_first_and_the_last_of_each_form() -> None:
    every = list(blows(calls(*["open"] * 20, "fsync", *["open"] * 20, "fsync", "unlink")))
    found = sampled(every, 30)
    assert len(found) == 30
    assert found == [blow for blow in every if blow in found]  # in their order
    for form in {(blow.call, blow.kind) for blow in every}:
        same = [blow for blow in every if (blow.call, blow.kind) == form]
        assert same[0] in found
        assert same[-1] in found


def test_a_sample_is_no_less_than_the_ends_of_each_form_and_all_where_there_is_room() -> None:
    every = list(blows(calls(*["fsync"] * 9)))
    ends = [Blow("fsync", 1, "no space"), Blow("fsync", 1, "I/O error")]
    ends += [Blow("fsync", 9, "no space"), Blow("fsync", 9, "I/O error")]
    assert sampled(every, 1) == ends
    assert sampled(every, len(every)) == every


def test_what_lies_between_the_ends_is_sampled_evenly() -> None:
    every = list(blows(calls(*["rmdir"] * 102)))
    found = [blow.nth for blow in sampled(every, 24) if blow.kind == "I/O error"]
    assert max(b - a for a, b in pairwise(found)) <= 12


def struck(blow: Blow, folder: Path) -> tuple[list[str], bool]:
    """What a function that makes two files meets with a blow."""
    striker = Striker(blow)
    met = []
    with Watch.here().watching(striker):
        for name in ("a", "b"):
            try:
                os.close(os.open(folder / name, os.O_CREAT | os.O_WRONLY))
            except OSError as error:
                met.append(f"{name}: {errno.errorcode[error.errno or 0]}")
    return met, striker.fired


def test_a_striker_fires_once_and_the_call_is_not_made(tmp_path: Path) -> None:
    assert struck(Blow("open", 1, "no space"), tmp_path) == (["a: ENOSPC"], True)
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_a_striker_waits_for_its_call(tmp_path: Path) -> None:
    assert struck(Blow("open", 2, "no permission"), tmp_path) == (["b: EACCES"], True)


def test_a_striker_whose_call_does_not_come_has_not_fired(tmp_path: Path) -> None:
    assert struck(Blow("open", 3, "no permission"), tmp_path) == ([], False)


@pytest.fixture(params=["with /dev/full", "without"])
def told(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """What a write to a full disk fails with, where the system has a device for that and where it has none."""
    if request.param == "without":
        monkeypatch.setattr(blows_module, "DEVICE", "/dev/no-such-device")
        return errno.EBADF
    if not Path(blows_module.DEVICE).exists():
        pytest.skip("macOS has no /dev/full")
    return errno.ENOSPC


@pytest.mark.parametrize("call", ["BufferedWriter.write", "BufferedWriter.flush", "BufferedWriter.__exit__"])
def test_a_full_disk_is_told_by_the_system_and_nothing_reaches_the_file(call: str, tmp_path: Path, told: int) -> None:
    path = tmp_path / "file"
    striker = Striker(Blow(call, 1, FULL))

    def write() -> None:
        with Watch.here().watching(striker), path.open("wb") as file:
            file.write(b"text")
            if call != "BufferedWriter.__exit__":
                file.flush()

    with pytest.raises(OSError, match=os.strerror(told)):
        write()
    assert striker.fired
    assert path.read_bytes() == b""


def test_a_file_that_is_closed_by_hand_meets_a_full_disk_then(tmp_path: Path, told: int) -> None:
    path = tmp_path / "file"
    file = path.open("wb")
    file.write(b"text")
    with (
        pytest.raises(OSError, match=os.strerror(told)),
        Watch.here().watching(Striker(Blow("BufferedWriter.close", 1, FULL))),
    ):
        file.close()
    assert path.read_bytes() == b""


def test_another_file_is_written_while_one_meets_a_full_disk(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    with Watch.here().watching(Striker(Blow("BufferedWriter.write", 1, FULL))), suppress(OSError):
        with other.open("wb", buffering=0) as kept:
            kept.write(b"kept")
        with one.open("wb") as file:
            file.write(b"lost")
    assert (one.read_bytes(), other.read_bytes()) == (b"", b"kept")


def test_what_is_raised_keeps_nothing_open_that_was_called(tmp_path: Path) -> None:
    """A cursor that lives has its statement, and with it the connection that was closed, which has its lock."""
    path = tmp_path / "base"

    def transaction() -> Any:
        with closing(sqlite3.connect(path, timeout=0.0, isolation_level=None)) as base:
            base.execute("begin immediate")
            return base.execute("select 1 union select 2").fetchone()

    striker = Striker(Blow("Cursor.fetchone", 1, "database error"))
    with pytest.raises(sqlite3.OperationalError) as raised, Watch.here().watching(striker):
        transaction()
    assert striker.fired
    assert transaction() == (1,)
    del raised  # until here it was kept


def test_a_small_file_takes_a_short_write_then_none(tmp_path: Path) -> None:
    number = os.open(tmp_path / "file", os.O_CREAT | os.O_WRONLY)
    try:
        with small_files(3):
            assert os.write(number, b"text") == 3
            with pytest.raises(OSError, match="File too large"):
                os.write(number, b"t")
        assert os.write(number, b"t") == 1
    finally:
        os.close(number)
    assert (tmp_path / "file").read_bytes() == b"text"


@pytest.mark.parametrize(
    "command",
    [["sh", "-c", "echo text >file"], [sys.executable, "-c", "open('file', 'w', 1).write('text\\n')"]],
    ids=["of a shell", "of Python"],
)
def test_a_small_file_is_one_for_children_too(command: Sequence[str], tmp_path: Path) -> None:
    with small_files(0):
        ran = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert ran.returncode > 0, "it is told, and not killed: it may clean up"
    assert (tmp_path / "file").read_bytes() == b""


@pytest.mark.parametrize("kind", ["reset", "broken pipe"])
def test_a_socket_that_could_not_be_sent_through_is_at_its_end(kind: str) -> None:
    """A client may go on to read, for an answer that came before (urllib3): it would wait for its time-out."""
    mine, other = socket.socketpair()
    with mine, other:
        mine.settimeout(20)
        with Watch.here().watching(Striker(Blow("socket.sendall", 1, kind))), pytest.raises(ConnectionError):
            mine.sendall(b"text")
        assert mine.recv(10) == b""


def test_the_limit_is_as_before_when_an_operation_raises() -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with suppress(KeyError), small_files(0):
        raise KeyError
    assert resource.getrlimit(resource.RLIMIT_FSIZE) == before
