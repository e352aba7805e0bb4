"""Tests of `dtm_sdk.testing.samples`: what is wrong is refused by the types, what is right is taken."""

from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from msgspec import field

from dtm_sdk import Identity, Meta, Options, Secret, Tuning
from dtm_sdk.options import problems
from dtm_sdk.testing.samples import Path, at, completed, dropped, objects, others, put, right, spots, variants, wrong


class Size(Enum):
    SMALL = 1
    LARGE = 2


class Cat(Options, tag="cat", tag_field="kind"):
    lives: int = 9


class Dog(Options, tag="dog", tag_field="kind"):
    tricks: list[str] = field(default_factory=list)


class Port(Options):
    number: Annotated[int, Meta(ge=1, le=65535)]
    name: str = ""


class Tree(Options):
    name: str
    parts: list["Tree"] = field(default_factory=list)


class Wide(Options):
    name: Annotated[Identity[str], Meta(min_length=3)]
    size: Size = Size.SMALL
    mode: Literal["a", "b"] = "a"
    ports: list[Port] = field(default_factory=list)
    pair: tuple[int, str] = (1, "x")
    pet: Cat | Dog | None = None
    labels: dict[str, str] = field(default_factory=dict)
    free: dict[str, Any] = field(default_factory=dict)
    token: Tuning[Secret | None] = None
    tree: Tree | None = None


TYPES: list[Any] = [
    bool,
    int,
    Annotated[int, Meta(ge=5, le=6)],
    Annotated[int, Meta(gt=10, multiple_of=5)],
    float,
    Annotated[float, Meta(gt=0, lt=3)],
    str,
    Annotated[str, Meta(min_length=20)],
    Annotated[str, Meta(max_length=1)],
    Secret,
    Size,
    Literal["a", "b"],
    Literal["a", 3],
    list[int],
    Annotated[list[str], Meta(min_length=2)],
    tuple[int, str],
    tuple[bool, ...],
    dict[str, int],
    Annotated[dict[str, int], Meta(min_length=2)],
    int | str,
    str | None,
    list[Size] | bool,
    Port,
    Cat | Dog,
    Tree,
]


@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_a_wrong_value_is_refused_and_there_are_some(kind: Any) -> None:
    assert len(wrong(kind)) >= 5
    assert [value for value in wrong(kind) if not problems(kind, value)] == []


@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_a_right_value_is_taken_and_there_are_two(kind: Any) -> None:
    found = right(kind)
    assert len(found) >= 2
    assert [value for value in found if problems(kind, value)] == []
    assert all(found[0] != each for each in others(kind, found[0]))


def test_anything_has_no_wrong_value() -> None:
    assert wrong(Any) == []


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (int, "60"),
        (bool, "true"),
        (bool, 1),
        (int, True),
        (int, 1.5),
        (str, 7),
        (Size, 3),
        (Literal["a"], ""),
        (str, None),
    ],
    ids=str,
)
def test_what_yaml_makes_of_a_slip_is_among_the_wrong_ones(kind: Any, expected: Any) -> None:
    assert any(type(value) is type(expected) and value == expected for value in wrong(kind))


def test_null_is_wrong_only_where_it_is_not_taken() -> None:
    assert None in wrong(str)
    assert None not in wrong(str | None)


def test_a_pattern_that_no_sample_meets_gives_none() -> None:
    assert right(Annotated[str, Meta(pattern="^zz[0-9]$")]) == []


def test_completed_options_have_something_everywhere_and_are_right() -> None:
    whole = completed(Wide, {"name": "abc"})
    assert problems(Wide, whole) == []
    names = {spot.name for spot in spots(Wide, whole)}
    assert names >= {
        "name", "size", "mode", "ports", "ports[0]", "ports[0].number", "ports[0].name", "pair[0]", "pair[1]", "pet",
        "pet.lives", "labels.key0", "free.key0", "token", "tree.parts[0].name",
    }  # fmt: skip


def test_the_other_forms_of_an_object_are_variants() -> None:
    whole = completed(Wide, {"name": "abc"})
    (other,) = variants(Wide, whole)
    assert other["pet"]["kind"] == "dog"
    assert "pet.tricks" in {spot.name for spot in spots(Wide, other)}
    assert problems(Wide, other) == []


def test_what_is_given_stays() -> None:
    given = {"name": "abc", "size": 2, "ports": [{"number": 5}], "pet": {"kind": "dog"}}
    whole = completed(Wide, given)
    assert (whole["size"], whole["pet"]["kind"]) == (2, "dog")
    assert given == {"name": "abc", "size": 2, "ports": [{"number": 5}], "pet": {"kind": "dog"}}


def test_a_spot_says_whether_it_may_be_left_out_and_takes_text() -> None:
    found = {spot.name: spot for spot in spots(Wide, completed(Wide, {"name": "abc"}))}
    assert [name for name, spot in found.items() if spot.required] == [
        "name",
        "ports[0].number",
        "tree.name",
        "tree.parts[0].name",
    ]
    assert not found["mode"].takes_text
    assert found["token"].takes_text
    assert found["token"].is_secret
    assert not found["name"].is_secret


def test_objects_are_those_with_declared_keys() -> None:
    found = {place.path: place.known for place in objects(Wide, completed(Wide, {"name": "abc"}))}
    assert found[()][0] == "name"
    assert found["ports", 0] == ("number", "name")
    assert ("labels",) not in found


def test_a_change_leaves_what_it_was_made_of() -> None:
    raw = {"a": {"b": [1, 2]}}
    path: Path = ("a", "b", 1)
    assert put(raw, (path, 5), (("c",), 6)) == {"a": {"b": [1, 5]}, "c": 6}
    assert dropped(raw, ("a", "b")) == {"a": {}}
    assert at(raw, path) == 2
    assert raw == {"a": {"b": [1, 2]}}
