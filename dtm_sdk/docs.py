"""The docs page of a plugin, as far as its types say it: the table of its options, and a config. Pure."""

from collections.abc import Iterator
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin

import msgspec
import yaml

from dtm_sdk.options import Secret, peel
from dtm_sdk.plugin import Plugin
from dtm_sdk.shape import Option, declared

HEADING: Final = "| Option | Type | Required | Default | Description |"
RULE: Final = "|---|---|---|---|---|"
_WORDS: Final = {Secret: "secret", str: "string", bool: "boolean", int: "integer", float: "number"}


def options_table(plugin: Plugin) -> str:
    """The options of a plugin as a table in Markdown, a row each, nested ones as `a.b`; it ends without a newline."""
    return "\n".join([HEADING, RULE, *map(_row, declared(plugin.options))])


def config_example(plugin: Plugin) -> str:
    """A config with one tool, of the plugin's first example, in YAML; it ends without a newline."""
    tool = {
        "name": f"my-{plugin.name}",
        "plugin": plugin.name,
        "options": dict(plugin.examples[0]) if plugin.examples else {},
    }
    return yaml.safe_dump({"tools": [tool]}, sort_keys=False, allow_unicode=True).rstrip("\n")


def _row(option: Option) -> str:
    default = "" if option.required else f"`{msgspec.json.encode(option.default).decode()}`"
    description = " ".join(option.description.split()).replace("|", "\\|")
    cells = [f"`{option.path}`", " or ".join(_types(option.type)), "yes" if option.required else "no", default]
    return "".join(f"| {cell} " if cell else "| " for cell in (*cells, description)) + "|"


def _types(kind: Any) -> dict[str, None]:
    """The types of JSON that a value may have, and `secret`, in the order they are written."""
    return dict.fromkeys(_words(kind))


def _words(kind: Any) -> Iterator[str]:
    kind = peel(kind)[0]
    base = get_origin(kind) or kind
    if base in (Union, UnionType):
        for member in get_args(kind):
            if member is not NoneType:
                yield from _words(member)
    elif base is Literal:
        yield from (_WORDS[type(value)] for value in get_args(kind) if value is not None)
    elif isinstance(base, type) and issubclass(base, Enum):
        yield from (_WORDS[type(member.value)] for member in base)
    else:
        yield _WORDS.get(base) or ("array" if base in (list, tuple) else "object")
