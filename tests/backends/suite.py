"""What every backend must do, as tests. The tests of a backend inherit `BackendSuite` and say where a state may live.

A `Place` is what the suite needs to know of a backend besides its protocol: how another run opens the same state, in
this process or in another one, and how something else than dtm changes it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest
from msgspec.structs import replace

from dtm_sdk.backends import Accepting, Backend, Fit, Historied, Keyed, Loaded, as_it_is
from dtm_sdk.errors import LockedError, StateError
from dtm_sdk.state import Begin, Drop, End, Entry, Put, Record, State
from tests.children import said, started, tell
from tests.records import TRICKY, exact, record

A, B, C = record("a"), record("b"), record("c")


class Place(Protocol):
    """Where one state lives, empty at first.

    Attributes:
        folder: the working directory for processes that open it.
        code: Python statements that set `backend` to a backend at this place, in another process.
    """

    folder: Path
    code: str

    def backend(self, *, fit: Fit = as_it_is) -> Backend:
        """A backend at this place, as another run would open it."""

    def meddle(self) -> None:
        """Change what is stored, by other means than dtm's."""


HOLD = """
import os, sys
from dtm_sdk.errors import LockedError
from dtm_sdk.state import Begin, End, Put, Record
try:
    with backend.lock(sys.argv[1]) as session:
        if sys.argv[1] == "apply":
            session.append([Put(Record("a", "p", (), {"content": "hello"}, {"content": "hello"}))])
            session.append([Begin(1, "create", Record("b", "p", (), {"content": "hello"}, {"content": "hello"}))])
        print("held", os.getpid(), flush=True)
        sys.stdin.readline()
except LockedError as error:
    print("refused", error.holder["pid"], flush=True)
"""


RACE = """
import sys
from dtm_sdk.errors import LockedError
print("ready", flush=True)
for line in sys.stdin:
    try:
        with backend.lock("apply") as session:
            print("held", session.loaded.state.serial, flush=True)
            sys.stdin.readline()
            session.commit(session.loaded.state)
        print("done", flush=True)
    except LockedError as error:
        print("refused", error.holder["pid"], flush=True)
"""

RACERS = 16


@contextmanager
def racing(place: Place) -> Iterator[Callable[[], None]]:
    """Many processes that hold a state when they are told to; what is given tells them all, and sees who does."""
    with ExitStack() as stack:
        racers = [stack.enter_context(started(place.code + RACE, place.folder)) for _ in range(RACERS)]
        assert {said(racer) for racer in racers} == {"ready"}

        def race() -> None:
            for racer in racers:
                tell(racer)
            told = {racer: said(racer) for racer in racers}
            winners = [racer for racer in racers if told[racer].startswith("held")]
            assert len(winners) == 1
            assert set(told.values()) == {told[winners[0]], f"refused {winners[0].pid}"}
            tell(winners[0])
            assert said(winners[0]) == "done"

        yield race


def commit(place: Place, *records: Record) -> State:
    """A run that records these, and nothing else."""
    with place.backend().lock("apply") as session:
        return session.commit(State({each.key: each for each in records}))


def die(place: Place, *appends: Sequence[Entry]) -> None:
    """A run that appends these, and ends without a commit."""
    with place.backend().lock("apply") as session:
        for entries in appends:
            session.append(entries)


def as_fit(record: Record, key: bytes) -> Record:
    """The record with another content, once the key is there that it takes."""
    assert len(key) == 32
    return replace(record, options={"content": "fit"}, resource={"content": "fit"})


class BackendSuite(ABC):
    """Inherit it in a class `Test...`, and give it a fixture `place`."""

    @pytest.fixture
    @abstractmethod
    def place(self) -> Any:
        """A place of its own for each test."""

    def test_it_says_where_it_is(self, place: Place) -> None:
        assert place.backend().describe()

    # What is stored

    def test_there_is_nothing_at_first(self, place: Place) -> None:
        found = place.backend().load()
        assert (found.state, found.open, len(found.key)) == (State(), (), 32)

    def test_what_is_committed_is_loaded(self, place: Place) -> None:
        committed = commit(place, A, B)
        assert committed.records == {"a.p": A, "b.p": B}
        assert place.backend().load().state == committed
        with place.backend().lock("apply") as session:
            assert session.loaded.state == committed

    def test_every_value_is_loaded_exactly(self, place: Place) -> None:
        numbers = [0, 1, -1, 1.0, -0.0, 1e16, 5e-324, 2**64 - 1, -(2**63), True, None]
        awkward = {"numbers": numbers, "texts": TRICKY, **{text: [{text: text}] for text in TRICKY}}
        kept = Record("a", "p", ("b.p", "c.p"), awkward, {"empty": [{}, []]}, {"adopted": True})
        die(place, [Put(kept)])
        assert exact(place.backend().load().state.records) == exact({"a.p": kept})
        commit(place, kept)
        assert exact(place.backend().load().state.records) == exact({"a.p": kept})

    def test_records_stay_in_their_order(self, place: Place) -> None:
        records = [record(name) for name in ("c", "a", "d", "b")]
        commit(place, *records)
        assert list(place.backend().load().state.records) == ["c.p", "a.p", "d.p", "b.p"]

    def test_an_empty_state_is_committed_too(self, place: Place) -> None:
        commit(place, A)
        commit(place)
        assert place.backend().load().state.records == {}

    def test_the_serial_counts_the_commits_and_the_lineage_stays(self, place: Place) -> None:
        committed = [commit(place, A), commit(place, A), commit(place)]
        assert [each.serial for each in committed] == [1, 2, 3]
        assert len({each.lineage for each in committed}) == 1
        assert committed[0].lineage

    def test_one_session_may_commit_more_than_once(self, place: Place) -> None:
        with place.backend().lock("apply") as session:
            session.append([Put(A)])
            first = session.commit(State({"a.p": A}))
            session.append([Put(B)])
            assert place.backend().load().state.records == {"a.p": A, "b.p": B}
            second = session.commit(State({"a.p": A, "b.p": B}))
        assert (first.serial, second.serial) == (1, 2)
        assert place.backend().load() == Loaded(second, (), session.loaded.key)

    def test_serial_and_lineage_of_what_is_committed_are_not_looked_at(self, place: Place) -> None:
        commit(place, A)
        with place.backend().lock("apply") as session:
            committed = session.commit(State({"b.p": B}, serial=77, lineage="other"))
        assert committed.serial == 2
        assert committed.lineage == session.loaded.state.lineage

    # The journal

    def test_what_was_appended_is_loaded_though_the_run_died(self, place: Place) -> None:
        before = commit(place, A, B)
        die(
            place,
            [Begin(1, "update", record("a", "new")), Begin(2, "delete", B)],
            [End(1, record("a", "new")), End(2)],
            [Put(C)],
        )
        found = place.backend().load()
        assert found.state == State({"a.p": record("a", "new"), "c.p": C}, before.serial, before.lineage)
        assert found.open == ()

    def test_what_was_appended_before_the_first_commit_is_loaded(self, place: Place) -> None:
        die(place, [Put(A)])
        found = place.backend().load().state
        assert (found.records, found.serial) == ({"a.p": A}, 0)
        assert commit(place, A).lineage == found.lineage

    def test_a_failure_leaves_the_record_alone(self, place: Place) -> None:
        commit(place, A)
        die(place, [Begin(1, "delete", A)], [End(1, error="no permission")])
        assert place.backend().load().state.records == {"a.p": A}

    def test_a_record_is_moved_and_dropped(self, place: Place) -> None:
        commit(place, A, B)
        die(place, [Put(C, was="a.p"), Drop("b.p")])
        assert place.backend().load().state.records == {"c.p": C}

    def test_intents_without_an_end_are_loaded_in_their_order(self, place: Place) -> None:
        intents = [Begin(2, "create", A), Begin(1, "create", B), Begin(3, "create", C)]
        die(place, intents[:2], [intents[2], End(1, B)])
        assert place.backend().load().open == (intents[0], intents[2])

    def test_the_next_run_goes_on_with_what_was_open(self, place: Place) -> None:
        die(place, [Begin(1, "create", A), Begin(2, "create", B)])
        with place.backend().lock("apply") as session:
            assert session.loaded.open == (Begin(1, "create", A), Begin(2, "create", B))
            session.append([End(1, A)])
        with place.backend().lock("apply") as session:
            assert session.loaded.open == (Begin(2, "create", B),)
            assert session.loaded.state.records == {"a.p": A}
            session.append([Begin(3, "create", C), End(2, error="gone")])
        found = place.backend().load()
        assert (found.open, found.state.records) == ((Begin(3, "create", C),), {"a.p": A})

    def test_a_commit_closes_what_it_isnt_told_to_keep_open(self, place: Place) -> None:
        intents = [Begin(1, "create", B), Begin(2, "create", C)]
        with place.backend().lock("apply") as session:
            session.append([Put(A), *intents])
            session.commit(State({"a.p": A}), intents[1:])
            assert place.backend().load().open == tuple(intents[1:])
            session.append([Put(B)])
        found = place.backend().load()
        assert (found.open, found.state.records) == (tuple(intents[1:]), {"a.p": A, "b.p": B})
        commit(place, A)
        assert place.backend().load().open == ()

    def test_an_operation_begins_and_ends_once(self, place: Place) -> None:
        with place.backend().lock("apply") as session:
            session.append([Begin(1, "create", A)])
            with pytest.raises(ValueError, match="operation 1 has begun already"):
                session.append([Put(B), Begin(1, "create", A)])
            with pytest.raises(ValueError, match="operation 2 has not begun"):
                session.append([End(2)])
            session.append([End(1, A)])
        assert place.backend().load().state.records == {"a.p": A}

    def test_what_cant_be_stored_is_refused_before_anything_is_written(self, place: Place) -> None:
        with place.backend().lock("apply") as session:
            with pytest.raises(StateError, match="surrogate"):
                session.append([Put(record("a", "\ud800"))])
            with pytest.raises(StateError, match="surrogate"):
                session.commit(State({"a.p": record("a", "\ud800")}))
        assert place.backend().load().state == State()

    def test_a_load_beside_a_run_sees_what_is_durable_and_changes_nothing(self, place: Place) -> None:
        with place.backend().lock("apply") as session:
            session.append([Put(A), Begin(1, "create", B)])
            found = place.backend().load()
            assert (found.state.records, found.open) == ({"a.p": A}, (Begin(1, "create", B),))
            session.append([End(1, B)])
            session.commit(State({"a.p": A, "b.p": B}))
        assert place.backend().load().state.records == {"a.p": A, "b.p": B}

    # The key

    def test_the_environment_may_give_the_key(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DTM_FINGERPRINT_KEY", "ab" * 32)
        with place.backend().lock("apply") as session:
            assert session.loaded.key == b"\xab" * 32
            assert isinstance(session, Keyed)
            session.take_key(b"\xab" * 32)
        assert place.backend().load().key == b"\xab" * 32
        monkeypatch.delenv("DTM_FINGERPRINT_KEY")
        assert place.backend().load().key != b"\xab" * 32

    def test_the_key_is_made_once(self, place: Place) -> None:
        with place.backend().lock("apply") as first:
            pass
        with place.backend().lock("apply") as second:
            pass
        assert len(first.loaded.key) == 32
        assert second.loaded.key == first.loaded.key == place.backend().load().key

    # What something else wrote

    def test_records_that_dtm_didnt_write_are_made_fit_wherever_they_go(self, place: Place) -> None:
        commit(place, A, replace(B, meta={"state_version": 1}))
        fit = {"a.p": record("a", "fit"), "b.p": replace(B, meta={"state_version": 1})}
        serial = place.backend().load().state.serial
        assert place.backend(fit=as_fit).load().state.records == fit
        backend = place.backend(fit=as_fit)
        assert isinstance(backend, Historied)
        assert backend.version(serial).records == fit
        with backend.lock("apply") as session:
            assert session.loaded.state.records == fit

    def test_a_state_that_a_person_may_have_edited_is_made_fit_whoever_wrote_it(self, place: Place) -> None:
        ours = {"state_version": 1}
        commit(place, replace(A, meta=ours), B)
        place.meddle()
        seen: list[object] = []
        backend = place.backend(fit=as_fit)
        assert isinstance(backend, Accepting)
        fit = {"a.p": replace(record("a", "fit"), meta=ours), "b.p": record("b", "fit")}
        backend.accept(check=lambda before, after: seen.extend([before, after.records]))
        assert seen == [{"a.p": replace(A, meta=ours), "b.p": record("b", "fit")}, fit]
        assert place.backend().load().state.records == fit
        assert isinstance(backend, Historied)
        backend.restore(1)
        assert place.backend().load().state.records == fit

    # The lock

    def test_a_second_run_is_refused_and_told_who_holds_the_state(self, place: Place) -> None:
        with started(place.code + HOLD, place.folder, "verify") as child:
            pid = int(said(child).split()[1])
            with pytest.raises(LockedError, match=r"`dtm verify`, process \d+ on ") as caught, ExitStack() as stack:
                stack.enter_context(place.backend().lock("apply"))
        assert caught.value.holder["pid"] == pid
        assert sorted(caught.value.holder) == ["command", "host", "id", "pid", "started", "user"]

    def test_of_many_runs_one_works(self, place: Place) -> None:
        with ExitStack() as stack:
            children = [stack.enter_context(started(place.code + HOLD, place.folder, "verify")) for _ in range(5)]
            told = [said(child).split() for child in children]
            winner = [pid for what, pid in told if what == "held"]
            assert len(winner) == 1
            assert [pid for what, pid in told if what == "refused"] == winner * 4

    def test_the_state_is_free_after_a_run(self, place: Place) -> None:
        with started(place.code + HOLD, place.folder, "verify") as child:
            said(child)
            tell(child)
            assert child.wait() == 0
            commit(place, A)

    def test_a_run_that_was_killed_holds_nothing_and_loses_nothing(self, place: Place) -> None:
        with started(place.code + HOLD, place.folder, "apply") as child:
            said(child)
            child.kill()
            child.wait()
        with place.backend().lock("apply") as session:
            assert session.loaded.state.records == {"a.p": A}
            assert session.loaded.open == (Begin(1, "create", B),)

    # Other writers

    def test_what_something_else_changed_is_not_loaded(self, place: Place) -> None:
        commit(place, A)
        place.meddle()
        with pytest.raises(StateError, match="dtm state accept"):
            place.backend().load()
        with pytest.raises(StateError, match="dtm state accept"), place.backend().lock("apply"):
            pass

    def test_what_something_else_changed_meanwhile_is_not_overwritten(self, place: Place) -> None:
        commit(place, A)
        with place.backend().lock("apply") as session:
            session.append([Put(B)])
            place.meddle()
            with pytest.raises(StateError):
                session.commit(State({"a.p": A, "b.p": B}))
            with pytest.raises(StateError):
                session.append([Put(C)])
        with pytest.raises(StateError, match="dtm state accept"):
            place.backend().load()
