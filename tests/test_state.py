import pytest

from dtm_sdk.state import Begin, Drop, End, Ledger, Put
from tests.records import record

A, B = record("a"), record("b")
CHANGED = record("a", "changed")


def test_an_intent_is_open_until_it_ends_and_changes_no_record() -> None:
    ledger = Ledger({A.key: A})
    ledger.fold(Begin(1, "update", CHANGED))
    assert ledger.open == {1: Begin(1, "update", CHANGED)}
    assert ledger.records == {A.key: A}


def test_a_success_is_recorded_and_closes_its_intent() -> None:
    ledger = Ledger({A.key: A})
    ledger.fold(Begin(1, "update", CHANGED))
    ledger.fold(End(1, CHANGED))
    assert ledger.open == {}
    assert ledger.records == {A.key: CHANGED}


def test_a_delete_takes_the_record_away() -> None:
    ledger = Ledger({A.key: A, B.key: B})
    ledger.fold(Begin(1, "delete", A))
    ledger.fold(End(1))
    assert ledger.records == {B.key: B}


def test_a_failure_closes_its_intent_and_leaves_the_records_alone() -> None:
    ledger = Ledger({A.key: A})
    ledger.fold(Begin(1, "delete", A))
    ledger.fold(End(1, error="no permission"))
    assert ledger.open == {}
    assert ledger.records == {A.key: A}


def test_the_end_of_what_has_not_begun_is_refused() -> None:
    with pytest.raises(KeyError):
        Ledger({}).fold(End(1))


def test_a_put_stores_a_record() -> None:
    ledger = Ledger({A.key: A})
    ledger.fold(Put(CHANGED))
    assert ledger.records == {A.key: CHANGED}


def test_a_moved_record_is_no_longer_under_its_old_key() -> None:
    ledger = Ledger({A.key: A})
    ledger.fold(Put(B, was=A.key))
    assert ledger.records == {B.key: B}


def test_a_dropped_record_is_forgotten_and_a_missing_one_is_no_error() -> None:
    ledger = Ledger({A.key: A, B.key: B})
    ledger.fold(Drop(A.key))
    ledger.fold(Drop(A.key))
    assert ledger.records == {B.key: B}


def test_intents_are_kept_in_the_order_they_began() -> None:
    ledger = Ledger({}, [Begin(7, "create", A)])
    ledger.fold(Begin(3, "create", B))
    assert list(ledger.open) == [7, 3]


def test_the_records_it_was_given_are_left_as_they_were() -> None:
    given = {A.key: A}
    Ledger(given).fold(Drop(A.key))
    assert given == {A.key: A}
