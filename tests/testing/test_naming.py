"""Values that can't be the same twice, replaced by names."""

from typing import Any

import pytest

from dtm_sdk.testing.naming import meaning, names, renamed
from dtm_sdk.testing.worlds.files import FileWorld


class Counting(FileWorld):
    """A folder that counts."""

    volatile = ("count",)


def test_two_worlds_that_differ_in_their_ids_mean_the_same() -> None:
    def seen(number: int, text: str) -> dict[str, Any]:
        tree = {"count": number, "items": {f"id-{number}": {"id": f"id-{number}", "text": text}}}
        return meaning(Counting(), tree, {"outputs": {"id": f"id-{number}"}}, ["outputs.id"])

    assert seen(17, "a") == seen(23, "a") == {"items": {"<outputs.id>": {"id": "<outputs.id>", "text": "a"}}}
    assert seen(17, "a") != seen(17, "b")


def test_ids_are_found_inside_of_texts_and_lists() -> None:
    known = names({"id": "abc7", "number": 4711}, ["id", "number", "missing.path"])
    assert known == {"abc7": "<id>", 4711: "<number>"}
    assert renamed(["/things/abc7", 4711, 4712, None], known) == ["/things/<id>", "<number>", 4712, None]


def test_a_small_number_is_found_as_a_key_and_under_its_own_name_only() -> None:
    known = names({"outputs": {"number": 3}}, ["outputs.number"])
    tree = {"tickets": {"3": {"number": 3, "urgency": 3}, "13": {}}}
    assert renamed(tree, known) == {
        "tickets": {"<outputs.number>": {"number": "<outputs.number>", "urgency": 3}, "13": {}}
    }


def test_an_id_that_begins_like_another_is_another() -> None:
    known = {**names({"id": "a.b"}, ["id"], " of 0"), **names({"id": "a.b2"}, ["id"], " of 1")}
    assert renamed({"a.b2": "see a.b2, a.b"}, known) == {"<id of 1>": "see <id of 1>, <id of 0>"}


def test_names_say_of_which_resource_they_are() -> None:
    assert names({"id": "abc7"}, ["id"], " of 3") == {"abc7": "<id of 3>"}


@pytest.mark.parametrize("value", ["", "x", True, None, 1.5, ["abc"]])
def test_what_is_found_everywhere_has_no_name(value: Any) -> None:
    assert names({"id": value}, ["id"]) == {}


def test_a_truth_is_not_taken_for_the_number_that_it_equals() -> None:
    assert renamed({"id": True, "x": {"id": 1}}, {1: "<id>"}) == {"id": True, "x": {"id": "<id>"}}


def test_names_are_taken_back() -> None:
    known = names({"id": "abc7"}, ["id"])
    back = {name: value for value, name in known.items()}
    tree = {"abc7": ["x/abc7", 3]}
    assert renamed(renamed(tree, known), back) == tree
