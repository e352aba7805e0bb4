"""Tests of `dtm_sdk.example`, which makes what `dtm show config` prints."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Annotated, Any, Literal

import msgspec
import pytest
import yaml

from dtm_sdk import Identity, Meta, Options, Plugin, Secret, Tuning
from dtm_sdk.example import example, json_type, type_words


class Kind(Enum):
    ONE = "one"
    TWO = "two"


class Port(Options):
    number: Annotated[int, Meta(description="Its number.", ge=1)]
    name: str = "http"


class Login(Options):
    user: str
    password: Secret


class Wide(Options):
    name: Annotated[Identity[str], Meta(description="Name of\nthe thing.")]
    kind: Kind
    mode: Literal["a", "b"] = "a"
    size: Annotated[float | None, Meta(description="How large.")] = None
    wait: Annotated[Tuning[bool], Meta(description="Whether to wait.")] = True
    ports: list[Port] = msgspec.field(default_factory=list)
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    login: Login | None = None


def nothing(options: Wide) -> dict[str, Any]:
    return {}


def plugin(examples: Sequence[Mapping[str, Any]]) -> Plugin:
    return Plugin(
        name="wide",
        options=Wide,
        examples=examples,
        create=nothing,
        read=nothing,
        update=nothing,
        delete=lambda options: True,
    )


EXAMPLE = {
    "name": 'a "quoted"\n\ttext: - # é',
    "kind": "two",
    "ports": [{"number": 1, "name": "yes"}, {"number": 2}],
    "labels": {"yes": "012", "a.b/c": "22:22", "null": "~"},
    "login": {"user": "me", "password": "not-a-secret"},
}


def options_of(text: str) -> Any:
    (tool,) = yaml.safe_load(text)["tools"]
    assert (tool["name"], tool["plugin"]) == ("my-wide", "wide")
    return tool["options"]


def test_the_values_are_those_of_the_first_example_but_for_secrets() -> None:
    text = example(plugin([EXAMPLE, {}]))
    assert options_of(text) == {**EXAMPLE, "login": {"user": "me", "password": "[[ env WIDE_LOGIN_PASSWORD ]]"}}
    assert "# Set the environment variable WIDE_LOGIN_PASSWORD" in text
    assert "not-a-secret" not in text


def test_what_the_example_leaves_out_is_a_comment_with_its_default() -> None:
    text = example(plugin([EXAMPLE]))
    assert '    # mode: "a"\n' in text
    assert "    # size: null\n" in text


def test_every_option_is_described_nested_ones_too() -> None:
    text = example(plugin([EXAMPLE]))
    assert "    # Name of the thing. (string, required, names the resource)\n" in text
    assert '    # (one of "a", "b", default "a")\n' in text
    assert "    # How large. (number)\n" in text
    assert "    # Whether to wait. (boolean, default true, no part of the resource)\n" in text
    assert "    #   ports[].number: Its number. (integer, required)\n" in text
    assert "    #   login.password: (secret, required)\n" in text


def test_comments_uncommented_are_options_too() -> None:
    text = example(plugin([{"name": "a", "kind": "one"}]))
    names = ("mode", "size", "wait", "ports", "labels", "login")
    for name in names:
        text = text.replace(f"    # {name}: ", f"    {name}: ")
    assert plugin([]).parse(options_of(text)) == Wide(name="a", kind=Kind.ONE)


def test_a_plugin_without_examples_gets_values_of_the_right_types() -> None:
    text = example(plugin([]))
    assert text.startswith("# The plugin gives no examples: these values are made up.\n")
    assert plugin([]).parse(options_of(text)) == Wide(name="text", kind=Kind.ONE)


def test_a_plugin_without_options_has_none() -> None:
    class Empty(Options):
        pass

    empty = Plugin(
        name="wide",
        options=Empty,
        recovery="manual",
        create=nothing,
        read=nothing,
        update=nothing,
        delete=lambda options: True,
    )
    assert options_of(example(empty)) == {}


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (str, "string"),
        (int, "integer"),
        (float, "number"),
        (bool, "boolean"),
        (list[str], "array"),
        (tuple[int, ...], "array"),
        (dict[str, Any], "object"),
        (Port, "object"),
        (Secret, "secret"),
        (Secret | None, "secret"),
        (int | str | None, "integer or string"),
        (Annotated[str, Meta(description="x")], "string"),
        (Literal["a", 1], 'one of "a", 1'),
        (Kind, 'one of "one", "two"'),
    ],
)
def test_types_are_named_as_the_docs_of_plugins_name_them(kind: Any, words: str) -> None:
    assert type_words(kind) == words


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Literal["a", 1] | None, "string or integer"),
        (Kind | None, "string"),
        (Kind | int, "string or integer"),
        (Annotated[Secret | None, Meta(description="x")], "secret"),
        (list[Port] | None, "array"),
    ],
)
def test_of_a_choice_the_docs_name_the_type_of_its_values(kind: Any, words: str) -> None:
    assert json_type(kind) == words
