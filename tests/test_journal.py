import math
from typing import Any
from zlib import crc32

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtm_sdk.errors import StateError
from dtm_sdk.journal import (
    Base,
    Journal,
    decode,
    decode_snapshot,
    encode_base,
    encode_entries,
    encode_snapshot,
    follow,
)
from dtm_sdk.state import Begin, Drop, End, Entry, Put, State
from tests.records import LINEAGE, drawn_records, exact, record, state, states

BASE = Base(LINEAGE, 3, "0" * 64)
A = record("a", "one")
APPENDS: list[list[Entry]] = [
    [Begin(1, "create", A), Begin(2, "delete", record("b"))],
    [End(1, A), End(2, error="no permission")],
    [Put(record("c"), was="d.p"), Drop("e.p"), Begin(3, "update", record("a", "two"))],
]


def written(*appends: list[Entry]) -> bytes:
    """The bytes of a journal."""
    return encode_base(BASE) + b"".join(encode_entries(entries) for entries in appends)


def line(value: Any) -> bytes:
    """A line of a journal, made without its code."""
    data = msgspec.json.encode(value)
    return b"%08x " % crc32(data) + data + b"\n"


entries = st.one_of(
    st.builds(Put, drawn_records, st.just("") | st.just("x.p")),
    st.builds(Drop, st.sampled_from(["a.a", "on.yes"])),
)


@given(st.lists(st.lists(entries, min_size=1, max_size=3), max_size=3))
def test_what_is_appended_is_read_back_exactly(appends: list[list[Entry]]) -> None:
    expected = Journal(BASE, tuple(entry for each in appends for entry in each))
    assert exact(decode(written(*appends), "j")) == exact(expected)


def test_every_kind_of_entry_is_read_back() -> None:
    assert decode(written(*APPENDS), "j") == Journal(BASE, tuple(entry for each in APPENDS for entry in each))


def test_a_line_is_a_checksum_and_json() -> None:
    assert encode_entries([Drop("a.p")]) == line([{"drop": {"key": "a.p"}}])
    assert encode_base(BASE) == line({"lineage": LINEAGE, "serial": 3, "sha256": "0" * 64, "format": 1})


def test_an_append_is_one_line() -> None:
    assert encode_entries([Put(record("a", "a\nb")), Drop("c.p")]).count(b"\n") == 1


def test_every_prefix_gives_the_appends_that_are_whole_or_is_refused() -> None:
    whole = written(*APPENDS)
    ends = [len(written(*APPENDS[:count])) for count in range(len(APPENDS) + 1)]
    for size in range(len(whole)):
        if size < ends[0]:
            with pytest.raises(StateError, match="j:1: the first line of the journal is damaged; run `dtm state acc"):
                decode(whole[:size], "j")
        else:
            count = max(count for count, end in enumerate(ends) if end <= size)
            assert decode(whole[:size], "j") == decode(written(*APPENDS[:count]), "j")


def test_every_flipped_bit_gives_the_appends_before_it_or_is_refused() -> None:
    whole = written(*APPENDS)
    prefixes = [decode(written(*APPENDS[:count]), "j") for count in range(len(APPENDS))]
    for index in range(len(whole)):
        for bit in range(8):
            flipped = bytearray(whole)
            flipped[index] ^= 1 << bit
            try:
                found = decode(bytes(flipped), "j")
            except StateError:
                continue
            # Only the last append may seem never to have been finished.
            assert found.damage or found == prefixes[-1] or found == prefixes[-2], f"byte {index}, bit {bit}"


def test_damage_before_a_whole_line_is_told_with_its_line() -> None:
    damaged = written(*APPENDS).replace(b"no permission", b"no permissioN")
    found = decode(damaged, "here/journal")
    assert found.damage == "here/journal:3: this line of the journal is damaged"
    assert found.entries == tuple(APPENDS[0])


@pytest.mark.parametrize(
    "wrong",
    [
        [{"end": {"id": 9}}],
        [{"begin": {"id": 3, "operation": "create", "record": A}}],
        [{"drop": {"key": "a.p"}, "end": {"id": 3}}],
        [{}],
        [{"drop": {"key": "a.p"}, "unknown": 1}],
        [{"drop": {"key": 1}}],
        {"drop": {"key": "a.p"}},
    ],
    ids=str,
)
def test_a_whole_line_that_makes_no_sense_is_damage(wrong: Any) -> None:
    found = decode(written(*APPENDS) + line(wrong), "j")
    assert found.damage == "j:5: this line of the journal is damaged"
    assert found.entries == decode(written(*APPENDS), "j").entries


def test_a_newer_journal_is_refused() -> None:
    newer = line({"lineage": LINEAGE, "serial": 3, "sha256": "0" * 64, "format": 2})
    with pytest.raises(StateError, match="a newer version of dtm wrote this journal; use the dtm that wrote it"):
        decode(newer, "j")
    with pytest.raises(StateError, match="a newer version"):
        decode(line({"more": "of it"}), "j")


def test_what_is_open_and_what_it_amounts_to() -> None:
    found = decode(written(*APPENDS), "j")
    assert found.open == (Begin(3, "update", record("a", "two")),)
    before = {each.key: each for each in (record("b"), record("d"), record("e"))}
    assert found.replayed(before).records == {"b.p": record("b"), "a.p": A, "c.p": record("c")}


def test_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(StateError, match=r"can't be written as JSON: .*surrogates not allowed"):
        encode_entries([Put(record("a", "\ud800"))])


def test_numbers_keep_their_kind_and_sign() -> None:
    numbers = [1, 1.0, -0.0, 1e16, 2**64 - 1, -(2**63), 5e-324]
    found = decode(written([Put(record("a", numbers))]), "j").entries[0]
    assert isinstance(found, Put)
    read = found.record.options["content"]
    assert [type(each) for each in read] == [type(each) for each in numbers]
    assert read == numbers
    assert math.copysign(1, read[2]) == -1


def test_an_intent_is_followed_to_its_end() -> None:
    intents: dict[int, Begin] = {}
    follow(Begin(1, "create", A), intents)
    follow(Put(A), intents)
    assert list(intents) == [1]
    follow(End(1), intents)
    assert intents == {}


def test_an_intent_begins_and_ends_once() -> None:
    with pytest.raises(ValueError, match="operation 1 has begun already"):
        follow(Begin(1, "create", A), {1: Begin(1, "create", A)})
    with pytest.raises(ValueError, match="operation 1 has not begun"):
        follow(End(1), {})


@given(states)
def test_a_snapshot_is_read_back_exactly(drawn: State) -> None:
    found = decode_snapshot(encode_snapshot(drawn, "f" * 64))
    assert found is not None
    assert exact(found.state) == exact(drawn)
    assert found.base.sha256 == "f" * 64


def test_a_damaged_snapshot_is_none() -> None:
    whole = encode_snapshot(state(A), "f" * 64)
    # Without the newline at its end it says the same.
    assert [size for size in range(len(whole)) if decode_snapshot(whole[:size])] == [len(whole) - 1]
    for index in range(len(whole) - 1):
        for bit in range(8):
            flipped = bytearray(whole)
            flipped[index] ^= 1 << bit
            assert decode_snapshot(bytes(flipped)) is None


def test_the_snapshot_of_another_version_is_none() -> None:
    base = {"lineage": LINEAGE, "serial": 1, "sha256": "0" * 64, "format": 2}
    assert decode_snapshot(line({"base": base, "records": []})) is None
    assert decode_snapshot(line({"records": []})) is None
