"""Tests of `dtm_sdk.state_commands` on the local backend; its commands are tested in tests/cli/test_state.py."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from dtm_sdk.backends import Backend, Holder, Loaded
from dtm_sdk.backends.local import LocalBackend
from dtm_sdk.decide import Difference
from dtm_sdk.errors import LockedError, StateError, UsageError
from dtm_sdk.events import Event, Notice
from dtm_sdk.state import Begin, Put, State
from dtm_sdk.state_commands import (
    Edit,
    accept,
    commit,
    edits,
    forget,
    history,
    known,
    open_state,
    pick,
    restore,
    unlock,
)
from tests.records import record

A, B = record("a"), record("b")
CREATE, UPDATE = Begin(1, "create", record("c")), Begin(2, "update", A)


@pytest.fixture
def backend(tmp_path: Path) -> LocalBackend:
    """A state with two records, and a run that died in two operations."""
    backend = LocalBackend(str(tmp_path / "devstream.state"))
    with backend.lock("apply") as session:
        session.commit(State({"a.p": A, "b.p": B}))
    with backend.lock("apply") as session:
        session.append([CREATE, UPDATE])
    return backend


class Asked:
    """Answers a question, and keeps what was shown."""

    def __init__(self, *, answer: bool = True, meanwhile: Callable[[], None] = lambda: None) -> None:
        self.shown: Sequence[Edit] = ()
        self._answer = answer
        self._meanwhile = meanwhile

    def __call__(self, found: Sequence[Edit]) -> bool:
        self.shown = found
        self._meanwhile()
        return self._answer

    @property
    def texts(self) -> list[str]:
        """The sentences that were shown."""
        return [edit.text for edit in self.shown]


def refuse(found: Sequence[Edit]) -> bool:
    raise AssertionError(found)


def loaded(backend: Backend) -> tuple[list[str], list[int]]:
    """The keys of the records, and the ids of the intents."""
    found = backend.load()
    return list(found.state.records), [intent.id for intent in found.open]


def test_what_is_known_is_what_is_recorded_and_what_has_begun(backend: LocalBackend) -> None:
    found = known(backend.load())
    assert {key: (each.recorded, each.interrupted) for key, each in found.items()} == {
        "a.p": (True, "update has begun and not ended"),
        "b.p": (True, ""),
        "c.p": (False, "create has begun and not ended"),
    }
    assert [each.record for each in found.values()] == [A, B, CREATE.record]
    twice = known(Loaded(State(), (CREATE, Begin(3, "delete", record("c")), Begin(4, "create", record("c"))), b""))
    assert twice["c.p"].interrupted == "create and delete has begun and not ended"


def test_each_key_is_picked_once_and_an_unknown_one_gets_the_nearest(backend: LocalBackend) -> None:
    found = backend.load()
    assert [each.record.key for each in pick(found, ["c.p", "a.p", "c.p"])] == ["c.p", "a.p"]
    with pytest.raises(UsageError, match=r"nothing is recorded of a\.b; did you mean a\.p\?"):
        pick(found, ["a.p", "a.b"])
    with pytest.raises(UsageError, match=r"`dtm state list` shows what is; a key is NAME\.PLUGIN"):
        pick(found, ["something-else"])


def test_forgetting_takes_the_record_and_what_has_begun_and_nothing_else(backend: LocalBackend) -> None:
    asked = Asked()
    assert forget(backend, ["a.p", "c.p"], asked)
    assert asked.texts == [
        "Tool a (p) will be forgotten, its resource stays.",
        "Tool c (p) will be forgotten: nothing looks for what its create may have made.",
    ]
    assert loaded(backend) == (["b.p"], [])


def test_forgetting_one_leaves_the_intents_of_the_others(backend: LocalBackend) -> None:
    assert forget(backend, ["b.p"], Asked())
    assert loaded(backend) == (["a.p"], [1, 2])


@pytest.mark.parametrize("act", [lambda b, ask: forget(b, ["a.p"], ask), lambda b, ask: restore(b, 1, ask)])
def test_a_no_changes_nothing_and_the_state_is_held_while_it_is_asked(
    backend: LocalBackend, act: Callable[[Backend, Asked], bool], tmp_path: Path
) -> None:
    tried: list[LockedError] = []

    def apply() -> None:
        with pytest.raises(LockedError) as caught, LocalBackend(str(tmp_path / "devstream.state")).lock("apply"):
            pass
        tried.append(caught.value)

    before = (tmp_path / "devstream.state").read_bytes(), loaded(backend)
    asked = Asked(answer=False, meanwhile=apply)
    assert not act(backend, asked)
    assert len(asked.shown) == len(tried) == 1
    assert ((tmp_path / "devstream.state").read_bytes(), loaded(backend)) == before


def test_edits_say_what_happens_to_each_record() -> None:
    changed = record("a", "other")
    found = list(edits({"a.p": A, "b.p": B}, {"c.p": CREATE.record, "a.p": changed}))
    assert found == [
        Edit(
            "Tool a (p) will be recorded differently.",
            [Difference("options.content", "hello", "other"), Difference("resource.content", "hello", "other")],
        ),
        Edit("Tool b (p) will be forgotten, its resource stays."),
        Edit("Tool c (p) will be recorded."),
    ]
    assert list(edits({"a.p": A}, {"a.p": A})) == [Edit("The records stay the same.")]
    assert [edit.text for edit in edits(None, {"a.p": A})] == [
        "What was recorded before can't be told.",
        "Tool a (p) will be recorded.",
    ]


def test_restoring_keeps_what_has_begun(backend: LocalBackend) -> None:
    forget(backend, ["b.p"], Asked())
    asked = Asked()
    assert restore(backend, 1, asked)
    assert asked.texts == ["Tool b (p) will be recorded."]
    assert loaded(backend) == (["a.p", "b.p"], [1, 2])


def test_the_history_counts_the_records_and_says_what_is_damaged(backend: LocalBackend, tmp_path: Path) -> None:
    forget(backend, ["b.p"], Asked())
    assert [(each.serial, each.records) for each in history(backend)] == [(1, 2), (2, 1)]
    copy = tmp_path / ".devstream.state.d" / "backups" / "2.yaml"
    copy.write_bytes(copy.read_bytes().replace(b"hello", b"HELLO"))
    damaged = history(backend)[1]
    assert (damaged.records, "edited or damaged" in damaged.error) == (None, True)


def test_accepting_shows_the_difference_to_what_was_recorded_last(backend: LocalBackend, tmp_path: Path) -> None:
    told: list[Event] = []
    assert not accept(backend, told.append, refuse)
    path = tmp_path / "devstream.state"
    path.write_bytes(path.read_bytes().replace(b"hello", b"HELLO", 1))
    asked = Asked()
    assert accept(backend, told.append, asked)
    assert asked.shown == [
        Edit("Tool a (p) will be recorded differently.", [Difference("options.content", "hello", "HELLO")])
    ]
    assert [type(event) for event in told] == [Notice, Notice]
    assert loaded(backend) == (["a.p", "b.p"], [1, 2])


def test_a_commit_records_what_it_is_given(backend: LocalBackend) -> None:
    with backend.lock("test") as session:
        commit(session, [Put(record("d"))])
    assert loaded(backend) == (["a.p", "b.p", "d.p"], [1, 2])


HOLDER = Holder(7, "there", "somebody", "apply", "2022-03-29T11:25:17Z", "abc")


class LeasedBackend(LocalBackend):
    """A state whose lock may outlive its holder."""

    def __init__(self, path: Path, held_by: Holder | None) -> None:
        super().__init__(str(path / "devstream.state"))
        self._holder = held_by

    def holder(self) -> Holder | None:
        """Who holds it."""
        return self._holder

    def unlock(self, id_: str) -> None:
        """End that."""
        assert self._holder
        assert self._holder.id == id_
        self._holder = None


def test_a_lease_is_ended_by_its_id_once_its_holder_was_shown(tmp_path: Path) -> None:
    backend = LeasedBackend(tmp_path, HOLDER)
    with pytest.raises(UsageError, match=r"process 7 on there, started by somebody at .*, with the id abc; give abc"):
        unlock(backend, "other", refuse_event, refuse)
    assert not unlock(backend, "abc", refuse_event, Asked(answer=False))
    assert backend.holder() == HOLDER
    asked = Asked()
    assert unlock(backend, "abc", refuse_event, asked)
    assert asked.texts[0].startswith("`dtm apply`, process 7 on there, started by somebody at 2022-03-29T11:25:17Z")
    assert backend.holder() is None
    told: list[Event] = []
    assert not unlock(backend, "abc", told.append, refuse)
    assert len(told) == 1


def refuse_event(event: Event) -> None:
    raise AssertionError(event)


class Plain:
    """A backend with no ability beyond the protocol."""

    def __init__(self, inner: LocalBackend) -> None:
        self.describe = inner.describe
        self.load = inner.load
        self.lock = inner.lock


def test_what_a_backend_cannot_do_is_said(backend: LocalBackend) -> None:
    plain = Plain(backend)
    where = backend.describe()
    with pytest.raises(StateError, match=f"can't be done with {where}: it keeps no copies"):
        history(plain)
    with pytest.raises(StateError, match="it keeps no copies"):
        restore(plain, 1, refuse)
    with pytest.raises(StateError, match="there is no file in it to be edited"):
        accept(plain, refuse_event, refuse)


def test_where_the_state_is_doesnt_depend_on_the_tools(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(f"config: {{state: {{backend: local, options: {{stateFile: {tmp_path}/x}}}}}}\ntools: [wrong]\n")
    assert open_state(str(config), "").describe() == f"{tmp_path}/x"


def test_a_session_that_is_not_agreed_to_writes_nothing(backend: LocalBackend, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert not forget(backend, ["a.p"], Asked(answer=False))
    assert not restore(backend, 1, Asked(answer=False))
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
