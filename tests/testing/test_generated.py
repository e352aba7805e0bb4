"""Options generated from their types."""

from collections.abc import Callable
from enum import Enum
from functools import cache
from typing import Annotated, Any, Literal

from hypothesis import HealthCheck, Phase, given, settings

from dtm_sdk import Identity, Meta, Options, Secret, Tuning
from dtm_sdk.options import parse
from dtm_sdk.testing.generated import raws


class Colour(Enum):
    RED = "red"


class Inner(Options):
    """Nested."""

    deep: int


class Dog(Options, tag_field="kind", tag="dog"):
    """One of two."""

    barks: bool


class Cat(Options, tag_field="kind", tag="cat"):
    """The other."""

    name: str


class Many(Options):
    """Options of each kind."""

    name: Identity[str]
    port: Annotated[int, Meta(ge=1, le=9)]
    some: Annotated[list[int], Meta(min_length=2, max_length=3)]
    inner: Inner
    colour: Colour
    word: Literal["a", "b"]
    site: Annotated[str, Meta(pattern="^https?://[a-z]{2}", max_length=40)]
    code: Annotated[str, Meta(min_length=6)]
    share: Annotated[float, Meta(gt=0, le=1)]
    count: Annotated[int, Meta(gt=3, lt=6)]
    token: Secret
    pet: Dog | Cat
    pair: tuple[int, str]
    labels: dict[str, str] = {}  # noqa: RUF012  # msgspec copies it
    maybe: float | None = None
    url: Tuning[str] = "http://localhost"
    wait: Tuning[int] = 3


FIXED: dict[str, Any] = {"name": "given", "port": 3, "code": "sample", "maybe": 7.5, "url": "http://world"}
EACH = raws(Many, FIXED)


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(EACH)
def test_generated_options_have_the_right_types(raw: dict[str, Any]) -> None:
    parsed = parse(Many, raw)
    assert 1 <= parsed.port <= 9
    assert 2 <= len(parsed.some) <= 3
    assert parsed.site.startswith(("http://", "https://"))
    assert len(parsed.site) <= 40
    assert 0 < parsed.share <= 1
    assert parsed.count in (4, 5)


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(EACH)
def test_how_the_world_is_reached_is_as_the_example_says_and_nothing_else(raw: dict[str, Any]) -> None:
    assert raw["url"] == "http://world"
    assert "wait" not in raw


@cache
def several() -> list[dict[str, Any]]:
    """Some hundred of them, the same ones each time."""
    found: list[dict[str, Any]] = []

    @settings(max_examples=300, derandomize=True, database=None, deadline=None, phases=[Phase.generate])
    @given(EACH)
    def keep(raw: dict[str, Any]) -> None:
        found.append(raw)

    keep()
    return found


def some(holds: Callable[[dict[str, Any]], object]) -> bool:
    return any(holds(raw) for raw in several())


def test_what_names_the_resource_is_the_example_s_now_and_then() -> None:
    assert some(lambda raw: raw["name"] == "given")
    assert some(lambda raw: raw["name"] != "given")
    assert some(lambda raw: raw["port"] != 3)


def test_other_options_are_as_in_the_example_now_and_then() -> None:
    """What `validate` says is in no type: an example has it right."""
    assert some(lambda raw: raw["code"] == "sample" and raw.get("maybe") != 7.5)
    assert some(lambda raw: raw["code"] != "sample" and raw.get("maybe") == 7.5)


def test_texts_are_of_any_kind() -> None:
    assert some(lambda raw: raw["name"] == "")
    assert some(lambda raw: len(raw["name"]) > 255)
    assert some(lambda raw: any(ord(char) > 0xFFFF for char in raw["name"]))
    assert some(lambda raw: "\n" in raw["name"])


def test_options_with_a_default_are_left_out_now_and_then() -> None:
    assert some(lambda raw: "labels" not in raw)
    assert some(lambda raw: raw.get("labels"))
    assert some(lambda raw: raw.get("maybe", 0.0) is None)


def test_a_number_without_a_limit_is_as_large_as_the_types_take() -> None:
    assert some(lambda raw: abs(raw["inner"]["deep"]) > 2**60)


def test_each_of_several_types_comes() -> None:
    assert {raw["pet"]["kind"] for raw in several()} == {"dog", "cat"}
