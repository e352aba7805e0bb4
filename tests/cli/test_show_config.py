"""Tests of `dtm show config` and of `dtm_sdk.example`, which makes what it prints."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Annotated, Any, Literal

import msgspec
import pytest
import yaml

from dtm_sdk import Identity, Meta, Options, Plugin, Secret, Tuning
from dtm_sdk.example import example, type_words
from tests.workplace import Workplace


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


def test_it_prints_the_config_and_nothing_that_a_plugin_prints(workplace: Workplace) -> None:
    done = workplace.run("show", "config", "--plugin", "probe")
    assert done.returncode == 0
    assert yaml.safe_load(done.stdout)["tools"][0]["plugin"] == "probe"
    assert "the probe is imported" in done.stderr


@pytest.mark.parametrize("name", ["localfile", "probe"])
def test_the_config_works_as_it_is(workplace: Workplace, name: str) -> None:
    workplace.config(workplace.run("show", "config", "--plugin", name).stdout)
    done = workplace.run("apply", "-y", env={"PROBE_TOKEN": "not-a-secret"})
    assert done.returncode == 0
    assert len(workplace.files()) == 1


def test_it_is_printed_though_the_terminal_knows_ascii_alone(workplace: Workplace) -> None:
    done = workplace.run("show", "config", "--plugin", "probe", env={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert '    name: "?"\n' in done.stdout


def test_a_plugin_that_cannot_be_imported_is_one_line_and_exit_code_1(workplace: Workplace) -> None:
    (workplace.folder / ".devstream" / "dtm_probe.py").write_text("import not_there\n")
    done = workplace.run("show", "config", "--plugin", "probe")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: plugin 'probe' of dtm_probe 0.1.0: dtm_probe:plugin can't be imported: ")
    assert done.stderr.count("\n") == 1


def test_an_unknown_plugin_gets_the_nearest(workplace: Workplace) -> None:
    done = workplace.run("show", "config", "--plugin", "prob")
    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean 'probe'?" in done.stderr
