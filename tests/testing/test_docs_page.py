"""Tests of `dtm_sdk.testing.docs_page` and `schema`: what a page says, held against a JSON Schema."""

from typing import Annotated, Any, Literal

import pytest
from msgspec import field

from dtm_sdk import Identity, Meta, Options, Secret
from dtm_sdk.shape import json_schema
from dtm_sdk.testing.docs_page import configs, differences, rows
from dtm_sdk.testing.schema import said


class Cat(Options, tag="cat", tag_field="kind"):
    name: Annotated[str, Meta(description="Its name.")]


class Dog(Options, tag="dog", tag_field="kind"):
    name: Annotated[int, Meta(description="Its number.")] = 1


class Tree(Options):
    name: Annotated[Identity[str], Meta(description="a|b")]
    parts: Annotated[list["Part"], Meta(description="What hangs on it.")] = field(default_factory=list)
    kind: Annotated[Literal["a", 1], Meta(description="Which.")] = 1
    mode: Annotated[Literal["a", "b"] | None, Meta(description="How.")] = None
    pets: Annotated[dict[str, Cat | Dog], Meta(description="Who.")] = field(default_factory=dict)
    pair: Annotated[tuple[int, Cat | None], Meta(description="Two.")] = (1, None)
    token: Annotated[Secret | None, Meta(description="Hidden.")] = None
    wait: Annotated[float, Meta(description="Seconds.")] = 5.0
    on: Annotated[bool, Meta(description="Whether.")] = True
    free: Annotated[dict[str, Any], Meta(description="Anything.")] = field(default_factory=dict)


class Part(Options):
    name: Annotated[str, Meta(description="Its name.")]
    parts: Annotated[list["Part"], Meta(description="Its own.")] = field(default_factory=list)


RIGHT = r"""
| Option | Type | Required | Default | Description |
|:---|---|:-:|---|---:|
| `name` | string | yes | | a\|b |
| `parts` | array | no | `[]` | What hangs on it. |
| `parts[].name` | string | yes | | Its name. |
| `parts[].parts` | array | no | `[]` | Its own. |
| `kind` | string or integer | no | `1` | Which. |
| `mode` | string | no | | How. |
| pets | object | no | {} | Who. |
| `pets.*.kind` | string | yes | | |
| `pets.*.name` | integer or string | yes | | Its number. |
| `pair` | array | no | `[1,  null]` | Two. |
| `pair[1].kind` | string | yes | | |
| `pair[1].name` | string | yes | | Its name. |

Something else.

|Option|Type|Required|Default|Description|
|-|-|-|-|-|
| `token` | secret | no | `null` | Hidden. |
| `wait` | number | no | `5` | Seconds. |
| `on` | boolean | no | `true` | Whether. |
| `free` | object | no | `{}` | Anything. |

| Name | Type | Required | Default | Description |
|---|---|---|---|---|
| `other` | string | no | | Of something else. |
"""
SCHEMA = json_schema(Tree)


def test_a_page_that_says_what_the_schema_says_has_no_difference() -> None:
    assert list(differences(RIGHT, SCHEMA)) == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("| `wait` | number", "| `wait` | integer", "line 22: `wait`: its type is number, the page says integer"),
        ("| string or integer | no", "| string | no", "`kind`: its type is integer or string, the page says string"),
        ("| `on` | boolean | no", "| `on` | boolean | yes", "`on`: required: no, the page says yes"),
        ("`true`", "`1`", "`on`: its default is true, the page says 1"),
        ("`5`", "five", "`wait`: its default is 5.0, the page says five"),
        ("`5`", "", "`wait`: its default is 5.0, the page says nothing"),
        ("| yes | | a", '| yes | `""` | a', '`name`: its default is none, the page says ""'),
        ("Hidden.", "Shown.", "`token`: its description is 'Hidden.', the page says 'Shown.'"),
        ("| `parts[].parts` | array | no | `[]` | Its own. |\n", "", "`parts[].parts` is missing"),
        ("| `on` |", "| `off` |", "`off` is no option"),
        ("| `free` |", "| `on` |", "`on` is there twice"),
    ],
)
def test_what_differs_is_told(old: str, new: str, told: str) -> None:
    assert old in RIGHT
    assert any(told in line for line in differences(RIGHT.replace(old, new), SCHEMA))


def test_a_page_without_the_table_is_told_once() -> None:
    assert len(list(differences("# Tree\n", SCHEMA))) == 1


def test_code_may_be_in_longer_fences() -> None:
    table = (
        '| Option | Type | Required | Default | Description |\n|-|-|-|-|-|\n| `` a`b `` | string | no | `` "`" `` | x |'
    )
    (row,) = rows(table)
    assert (row.option, row.default) == ("a`b", '"`"')


def test_configs_are_blocks_of_yaml_with_their_lines() -> None:
    page = "# x\n\n```yaml\na: 1\n```\n\n```text\nno\n```\n~~~ yml title\nb: 2\n~~~\n"
    assert configs(page) == [(4, "a: 1\n"), (11, "b: 2\n")]


def test_what_takes_anything_is_untyped_but_the_content_of_an_object() -> None:
    class Loose(Options):
        any: Any
        many: list[Any]
        both: list[dict[str, Any]]
        deep: dict[str, list[Any]]
        free: dict[str, Any]
        null: str | None
        pair: tuple[int, Any]

    untyped = [name for name, option in said(json_schema(Loose)).items() if option.untyped]
    assert untyped == ["any", "many", "deep", "pair"]
