"""Tests of `dtm_sdk.docs`: the table of options, and the config, of a docs page."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import yaml
from msgspec import field

from dtm_sdk import Identity, Meta, Options, Plugin, Secret
from dtm_sdk.docs import config_example, options_table, page


class Cat(Options, tag="cat", tag_field="kind"):
    name: Annotated[str, Meta(description="What it is called.")]
    lives: Annotated[int, Meta(description="How many are left.")] = 9


class Dog(Options, tag="dog", tag_field="kind"):
    name: Annotated[str, Meta(description="What it is called.")]


class Home(Options):
    name: Annotated[Identity[str], Meta(description="a|b,\nin two lines")]
    pets: Annotated[list[Cat | Dog], Meta(description="Who lives there.")] = field(default_factory=list)
    quote: Annotated[str, Meta(description="With ` in it.")] = "a`b|c"
    doors: Annotated[dict[str, int], Meta(description="Name and number.")] = field(default_factory=dict)
    key: Annotated[Secret | None, Meta(description="Of the door.")] = None
    code: Annotated[Secret, Meta(description="Of the alarm.")]


def plugin(examples: Sequence[Mapping[str, Any]]) -> Plugin:
    return Plugin(
        name="home",
        options=Home,
        examples=examples,
        create=lambda options: {},
        read=lambda options: None,
        update=lambda options: {},
        delete=lambda options: True,
    )


def test_each_option_has_one_row_with_what_its_type_says() -> None:
    assert options_table(plugin([])).splitlines() == [
        "| Option | Type | Required | Default | Description |",
        "|---|---|---|---|---|",
        r"| `name` | string | yes |  | a\|b, in two lines |",
        "| `pets` | array | no | `[]` | Who lives there. |",
        "| `pets[].kind` | string | yes |  | Which form this has. |",
        "| `pets[].name` | string | yes |  | What it is called. |",
        "| `pets[].lives` | integer | no | `9` | How many are left. |",
        r'| `quote` | string | no | `` "a`b\|c" `` | With ` in it. |',
        "| `doors` | object | no | `{}` | Name and number. |",
        "| `key` | secret | no | `null` | Of the door. |",
        "| `code` | secret | yes |  | Of the alarm. |",
    ]


def test_the_config_is_the_first_example_with_its_secrets_from_the_environment() -> None:
    text = config_example(plugin([{"name": "a", "key": "not-a-secret", "code": "123456"}, {"name": "b"}]))
    assert yaml.safe_load(text) == {
        "tools": [
            {
                "name": "my-home",
                "plugin": "home",
                "options": {"name": "a", "key": "[[ env HOME_KEY ]]", "code": "[[ env HOME_CODE ]]"},
            }
        ]
    }


def test_a_plugin_without_examples_gets_values_of_the_right_types() -> None:
    (tool,) = yaml.safe_load(config_example(plugin([])))["tools"]
    assert tool["options"] == {"name": "text", "code": "[[ env HOME_CODE ]]"}


def test_the_page_has_both() -> None:
    made = plugin([{"name": "a", "code": "123456"}])
    assert options_table(made) in page(made)
    assert f"```yaml\n{config_example(made)}\n```" in page(made)
