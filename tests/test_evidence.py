from collections.abc import Sequence

import pytest

from dtm_sdk.errors import StateError
from dtm_sdk.evidence import Evidence, accepted, differences, judge, latest, recorded
from dtm_sdk.journal import Base, Snapshot, decode_snapshot, encode_base, encode_entries, encode_snapshot
from dtm_sdk.state import Begin, Entry, Put, Record, State
from dtm_sdk.state_text import digest, dump
from tests.records import record, state

A, B, C = record("a"), record("b"), record("c")
NONE = state(serial=0)
OLD = state(A, serial=3)
NOW = state(A, B, serial=4)
OTHER = state(A, serial=9, lineage="f" * 32)
ANCESTOR = b"a_p:\n  name: a\n  plugin: p\n  options: {content: hello}\n  resource: {content: hello}\n"
EDITED = dump(NOW).replace(b"content: hello", b"content: edited", 1)
EDITED_A = record("a", "edited", content="hello")
OPEN = Begin(1, "create", record("d"))


def snapshot(of: State) -> Snapshot | None:
    """The snapshot of a state."""
    return decode_snapshot(encode_snapshot(of, digest(dump(of))))


def journal(of: State, data: bytes | None = None, entries: Sequence[Entry] = (Put(C), OPEN)) -> bytes:
    """A journal that continues a state, in which c was made and d was begun."""
    base = Base(of.lineage, of.serial, digest(dump(of) if data is None else data))
    return encode_base(base) + encode_entries(entries)


def evidence(
    data: bytes | None, snapshot: Snapshot | None = None, journal: bytes | None = None, newest: int = 0
) -> Evidence:
    return Evidence("here/s", data, snapshot, journal, "here/j", newest)


TRUSTED = {
    "nothing": (evidence(None), State(), False),
    "an empty file": (evidence(b""), State(), False),
    "the ancestor's file": (evidence(ANCESTOR), State({A.key: A}), False),
    "a file brought from elsewhere": (evidence(dump(NOW)), NOW, False),
    "file and snapshot": (evidence(dump(NOW), snapshot(NOW), None, 4), NOW, False),
    "file, and a damaged snapshot": (evidence(dump(NOW), None, None, 4), NOW, False),
    "file and journal": (evidence(dump(NOW), None, journal(NOW)), state(A, B, C, serial=4), True),
    "file, snapshot and journal": (
        evidence(dump(NOW), snapshot(NOW), journal(NOW), 4),
        state(A, B, C, serial=4),
        True,
    ),
    "a run died before its first commit": (evidence(None, None, journal(NONE, b"")), state(C, serial=0), True),
    "a run died before its first commit on the ancestor's file": (
        evidence(ANCESTOR, None, journal(NONE, ANCESTOR)),
        state(A, C, serial=0),
        True,
    ),
    "a run died right after its first commit": (evidence(dump(state(C)), None, journal(NONE, b"")), state(C), True),
    "a run died right after a commit": (evidence(dump(NOW), snapshot(OLD), journal(OLD), 3), NOW, True),
    "a run died after the snapshot": (evidence(dump(NOW), snapshot(NOW), journal(OLD), 3), NOW, True),
    "two runs died, right after a commit and later": (
        evidence(dump(NOW), snapshot(OLD), journal(NOW), 3),
        state(A, B, C, serial=4),
        True,
    ),
}


@pytest.mark.parametrize(("found", "expected", "opened"), TRUSTED.values(), ids=TRUSTED)
def test_what_belongs_together_is_the_state(found: Evidence, expected: State, opened: bool) -> None:  # noqa: FBT001
    verdict = judge(found)
    assert verdict.state == expected
    assert verdict.intents == ((OPEN,) if opened else ())


def test_a_snapshot_is_taken_for_the_file_that_it_mirrors() -> None:
    mirror = decode_snapshot(encode_snapshot(NOW, digest(dump(OLD))))
    assert judge(evidence(dump(OLD), mirror)).state == NOW


MEND = "mend it there, then run `dtm state accept`"
BACK_OR_MEND = f"run `dtm state restore 4`, or {MEND}"
ACCEPT = "run `dtm state accept` to go on from what is there now"
OLDER = "here/s is writing 3 of the state, but writing 4 was made: it is an older copy"
BACK = "run `dtm state restore 4`, or `dtm state accept` to go on from the older one"
NOTHING = "run `dtm state restore 4`, or run `dtm state accept` to start from nothing"
DIFFERS = " (a.p.options.content: 'hello' -> 'edited')"
UNREADABLE = (
    "here/s:23:1: the state can't be read: no valid YAML: could not find expected ':', while scanning a simple key"
)
REFUSED = {
    "an edit": (evidence(EDITED), f"here/s was edited or damaged: its checksum doesn't match; {ACCEPT}"),
    "an edit beside a snapshot": (
        evidence(EDITED, snapshot(NOW)),
        f"here/s was edited or damaged: its checksum doesn't match{DIFFERS}; {ACCEPT}",
    ),
    "an edit of the layout": (
        evidence(dump(NOW) + b"# mine\n", snapshot(NOW)),
        f"here/s was edited or damaged: its checksum doesn't match (the records are the same); {ACCEPT}",
    ),
    "an edit that can't be read": (
        evidence(dump(NOW) + b"x\n", snapshot(NOW)),
        f"here/s was edited or damaged: its checksum doesn't match ({UNREADABLE}); {MEND}",
    ),
    "an edit that can't be read, where there are copies": (
        evidence(dump(NOW) + b"x\n", snapshot(NOW), None, 4),
        f"here/s was edited or damaged: its checksum doesn't match ({UNREADABLE}); {BACK_OR_MEND}",
    ),
    "an edit with a new checksum": (
        evidence(dump(state(EDITED_A, B, serial=4)), snapshot(NOW)),
        f"here/s was changed since it was written{DIFFERS}; {ACCEPT}",
    ),
    "an edit with a new checksum under a journal": (
        evidence(dump(state(EDITED_A, B, serial=4)), None, journal(NOW)),
        f"here/s was changed since it was written; {ACCEPT}",
    ),
    "an older copy beside a snapshot": (evidence(dump(OLD), snapshot(NOW)), f"{OLDER}; {BACK}"),
    "an older copy beside a journal": (evidence(dump(OLD), None, journal(NOW)), f"{OLDER}; {BACK}"),
    "an older copy and its snapshot beside a journal": (
        evidence(dump(OLD), snapshot(OLD), journal(NOW)),
        f"{OLDER}; {BACK}",
    ),
    "an older copy beside backups": (evidence(dump(OLD), None, None, 4), f"{OLDER}; {BACK}"),
    "another lineage": (
        evidence(dump(OTHER), snapshot(NOW)),
        f"here/s belongs to another lineage of states than what lies beside it; {ACCEPT}",
    ),
    "gone beside a snapshot": (
        evidence(None, snapshot(NOW)),
        f"here/s is gone, but writing 4 of the state was made; {NOTHING}",
    ),
    "gone beside backups": (
        evidence(None, None, None, 4),
        f"here/s is gone, but writing 4 of the state was made; {NOTHING}",
    ),
    "empty beside a journal": (
        evidence(b"", None, journal(NOW)),
        f"here/s is empty, but writing 4 of the state was made; {NOTHING}",
    ),
    "gone before the first commit": (
        evidence(None, None, journal(NONE, ANCESTOR)),
        f"here/s is gone, but a run had begun with what was there; put it back, or {NOTHING.partition(', or ')[2]}",
    ),
    "written by the ancestor beside a snapshot": (
        evidence(ANCESTOR, snapshot(NOW)),
        f"here/s isn't what dtm wrote there last: something else wrote it (b.p is missing); {ACCEPT}",
    ),
    "written by the ancestor beside backups": (
        evidence(ANCESTOR, None, None, 1),
        f"here/s isn't what dtm wrote there last: something else wrote it; {ACCEPT}",
    ),
    "written by the ancestor before the first commit": (
        evidence(ANCESTOR, None, journal(NONE, b"")),
        f"here/s isn't what dtm wrote there last: something else wrote it; {ACCEPT}",
    ),
    "a journal with a damaged first line": (
        evidence(dump(NOW), snapshot(NOW), journal(NOW)[1:]),
        f"here/j:1: the first line of the journal is damaged; {ACCEPT}",
    ),
    "a damaged journal": (
        evidence(dump(NOW), snapshot(NOW), journal(NOW) + b"x\n" + encode_entries([Put(B)])),
        f"here/j:3: this line of the journal is damaged; {ACCEPT}",
    ),
    "a damaged journal of a run that died after a commit": (
        evidence(dump(NOW), snapshot(NOW), journal(OLD) + b"x\n" + encode_entries([Put(B)])),
        f"here/j:3: this line of the journal is damaged; {ACCEPT}",
    ),
}


@pytest.mark.parametrize(("found", "message"), REFUSED.values(), ids=REFUSED)
def test_what_doesnt_belong_together_is_refused_with_a_way_out(found: Evidence, message: str) -> None:
    with pytest.raises(StateError) as caught:
        judge(found)
    assert str(caught.value) == message


TAKEN = {
    "an edit": (evidence(EDITED, snapshot(NOW), None, 4), state(EDITED_A, B, serial=4), False),
    "an edit after a crash gets what was done": (
        evidence(EDITED, snapshot(NOW), journal(NOW)),
        state(EDITED_A, B, C, serial=4),
        True,
    ),
    "an edit after a crash, without a snapshot": (
        evidence(EDITED, None, journal(NOW)),
        state(EDITED_A, B, C, serial=4),
        True,
    ),
    "an edit after a commit that the journal doesn't know of": (
        evidence(EDITED, snapshot(NOW), journal(OLD)),
        state(EDITED_A, B, serial=4),
        True,
    ),
    "an older copy": (evidence(dump(OLD), snapshot(NOW), None, 4), state(A, serial=4), False),
    "an older copy after a crash": (evidence(dump(OLD), None, journal(NOW)), state(A, C, serial=4), True),
    "nothing": (evidence(None, snapshot(NOW)), state(serial=4), False),
    "what the ancestor wrote": (evidence(ANCESTOR, snapshot(NOW), None, 7), state(A, serial=7), False),
    "another lineage": (evidence(dump(OTHER), snapshot(NOW)), state(A, serial=9), False),
    "another lineage where nothing else is": (evidence(dump(OTHER)), OTHER, False),
    "damaged comments": (
        evidence(dump(NOW).replace(b"serial: 4", b"serial: x"), snapshot(NOW)),
        state(A, B, serial=4),
        False,
    ),
    "a journal that is damaged in the middle": (
        evidence(dump(NOW), snapshot(NOW), journal(NOW) + b"x\n" + encode_entries([Put(record("e"))])),
        state(A, B, C, serial=4),
        True,
    ),
    "a journal that is damaged at its start": (
        evidence(dump(NOW), snapshot(NOW), journal(NOW)[1:]),
        state(A, B, serial=4),
        False,
    ),
}


@pytest.mark.parametrize(("found", "expected", "opened"), TAKEN.values(), ids=TAKEN)
def test_what_is_there_can_be_taken_over(found: Evidence, expected: State, opened: bool) -> None:  # noqa: FBT001
    verdict = accepted(found)
    assert verdict.state == expected
    assert verdict.intents == ((OPEN,) if opened else ())


def test_what_cant_be_read_or_is_newer_cant_be_taken_over() -> None:
    with pytest.raises(StateError, match="here/s:1: the state holds no mapping of records"):
        accepted(evidence(b"x\n", snapshot(NOW)))
    with pytest.raises(StateError, match="a newer version of dtm wrote this state"):
        accepted(evidence(dump(NOW).replace(b"format: 1", b"format: 2")))


def test_other_records_can_follow_whatever_is_there() -> None:
    verdict = latest(evidence(EDITED, snapshot(NOW), journal(NOW), 6), {B.key: B})
    assert verdict.state == state(B, serial=6)
    assert verdict.intents == (OPEN,)
    seems_newer = dump(NOW).replace(b"format: 1", b"format: 2")
    assert latest(evidence(seems_newer, None, None, 6), {B.key: B}).state == State({B.key: B}, 6, "")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (evidence(dump(NOW), None, journal(NOW)), [A, B, C]),
        (evidence(EDITED, snapshot(NOW), journal(NOW)), [A, B, C]),
        (evidence(EDITED, snapshot(NOW), journal(OLD)), [A, B]),
        (evidence(EDITED, snapshot(NOW), b"damaged"), [A, B]),
        (evidence(None, snapshot(NOW)), [A, B]),
        (evidence(EDITED, None, journal(NOW)), None),
    ],
)
def test_what_was_recorded_last_is_known_without_the_file(found: Evidence, expected: list[Record] | None) -> None:
    records = recorded(found)
    assert (records if records is None else list(records.values())) == expected


def test_differences_name_the_path_and_both_values_in_one_line() -> None:
    before = {"a": {"b": [1], "c": "x" * 50, "d": None}, "e\n": 1}
    after = {"a": {"b": [1], "c": "y\n", "d": {}}, "f": 1}
    assert list(differences(before, after)) == [
        "a.c: '" + "x" * 36 + "... -> 'y\\n'",
        "a.d: None -> {}",
        "'e\\n' is missing",
        "f is new",
    ]


def test_a_message_shows_three_differences_and_counts_the_rest() -> None:
    other = [record(name, "edited") for name in "abcd"]
    found = evidence(dump(state(*other, serial=4)), snapshot(state(*map(record, "abcd"), serial=4)))
    with pytest.raises(StateError, match=r"c\.p\.options\.content|b\.p\.options\.content") as caught:
        judge(found)
    assert caught.value.message.count(" -> ") == 3
    assert caught.value.message.endswith(", and 5 more)")


def test_what_took_the_place_of_a_secret_is_not_shown() -> None:
    hidden = "secret-hmac-sha256-0123456789abcdef0123456789abcdef"
    before = {"token": hidden, "note": f"of {hidden}", "keys": [hidden], "text": "old"}
    after = {"token": "hunter2", "note": "of hunter2", "keys": "hunter2", "text": "new"}
    shown = [*differences(before, after)]
    assert shown == [*(f"{name}: (secret) -> (secret)" for name in ("token", "note", "keys")), "text: 'old' -> 'new'"]
