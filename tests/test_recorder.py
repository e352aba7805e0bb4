"""What a run records while it goes on, against the local backend."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dtm_sdk.backends import Backend, Session
from dtm_sdk.backends.local import LocalBackend
from dtm_sdk.errors import StateError
from dtm_sdk.events import Event, Notice
from dtm_sdk.recorder import COMPACT, Recorder
from dtm_sdk.state import Begin, End, Entry, Ledger
from dtm_sdk.workers import Stop
from tests.records import record

Recording = tuple[Recorder, Session, Stop, list[Event]]


def made(first: int, last: int) -> list[Entry]:
    """Operations that made the tools of these numbers."""
    records = [(number, record(f"t{number}")) for number in range(first, last)]
    return [entry for number, each in records for entry in (Begin(number, "create", each), End(number, each))]


@pytest.fixture
def backend(tmp_path: Path) -> Backend:
    return LocalBackend(str(tmp_path / "devstream.state"))


@contextmanager
def recording(backend: Backend) -> Iterator[Recording]:
    stop, told = Stop(), list[Event]()
    with backend.lock("apply") as session:
        loaded = session.loaded
        yield Recorder(session, Ledger(loaded.state.records, loaded.open), told.append, stop), session, stop, told


def test_a_journal_that_grows_is_folded_into_the_state_in_mid_run(backend: Backend, tmp_path: Path) -> None:
    journal = tmp_path / ".devstream.state.d" / "journal"
    with recording(backend) as (recorder, *_):
        recorder.append([*made(1, 10), Begin(10, "create", record("t10"))])
        recorder.append(made(11, COMPACT // 2 - 8))
        before = journal.stat().st_size
        assert backend.load().state.serial == 0
        recorder.append(made(COMPACT // 2 - 8, COMPACT // 2 + 2))
        assert backend.load().state.serial == 1
        assert journal.stat().st_size < before / 100
        recorder.append([End(10, record("t10")), *made(COMPACT // 2 + 2, COMPACT // 2 + 10)])
    # It ends here without its commit, as a run that dies.
    loaded = backend.load()
    assert set(loaded.state.records) == {f"t{number}.p" for number in range(1, COMPACT // 2 + 10)}
    assert (loaded.open, loaded.state.serial) == ((), 1)


def test_what_is_open_stays_open_when_the_journal_is_folded_in(backend: Backend) -> None:
    intent = Begin(1, "create", record("t1"))
    with recording(backend) as (recorder, *_):
        recorder.append([intent])
        recorder.append(made(2, COMPACT // 2 + 2))
    loaded = backend.load()
    assert (loaded.open, loaded.state.serial) == ((intent,), 1)
    assert "t1.p" not in loaded.state.records


def test_a_state_is_written_once_for_twice_as_many_entries(backend: Backend) -> None:
    with recording(backend) as (recorder, *_):
        for first in range(1, 2 * COMPACT, 1000):
            recorder.append(made(first, first + 1000))
        recorder.commit()
    # After 10,000 entries, the next 10,000, and the next 20,000: twice the 10,000 records there are then.
    assert backend.load().state.serial == 3


def test_a_run_whose_journal_can_not_be_folded_in_stops_and_keeps_what_it_recorded(
    backend: Backend, tmp_path: Path
) -> None:
    with recording(backend) as (recorder, _, stop, told):
        recorder.append(made(1, 2))
        recorder.commit()
        (tmp_path / "devstream.state").write_bytes(b"# edited\n")
        recorder.append(made(2, COMPACT // 2 + 2))
        assert stop.is_set()
        assert [each.level for each in told if isinstance(each, Notice)] == ["error"]
        recorder.append([Begin(10**6, "create", record("late"))])
    copy = (tmp_path / ".devstream.state.d" / "backups" / "1.yaml").read_bytes()
    (tmp_path / "devstream.state").write_bytes(copy)
    assert len(backend.load().state.records) == COMPACT // 2 + 1


@pytest.mark.parametrize("place", ["TMPDIR", "HOME"])
def test_what_was_not_recorded_is_saved_in_the_first_folder_that_takes_it(
    backend: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    gone, there = tmp_path / "gone", tmp_path / "there"
    for folder in (gone, there):
        folder.mkdir()
    for name in ("TMPDIR", "HOME"):
        monkeypatch.setenv(name, str(there if name == place else gone))
    monkeypatch.chdir(gone)
    gone.rmdir()
    with recording(backend) as (recorder, _, _, told):
        (tmp_path / ".devstream.state.d" / "journal.tmp").mkdir()
        recorder.append([Begin(1, "create", record("t1"))])
        recorder.append([End(1, record("t1")), Begin(2, "delete", record("t2"))])
        recorder.append([End(2)])
        with pytest.raises(StateError, match=r"journal\.tmp: it is no regular file"):
            recorder.commit()
    (saved,) = there.iterdir()
    first, second = map(json.loads, saved.read_text("utf-8").splitlines())
    assert (first["key"], first["record"]["name"], second) == ("t1.p", "t1", {"key": "t2.p", "record": None})
    assert told[-1] == Notice("error", f"what was not recorded is in {saved}")
