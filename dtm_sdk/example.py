"""A plugin's options as a config to start from: YAML with what each of them means. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin

from msgspec import Struct

from dtm_sdk.options import Json, Secret, choices, members, peel
from dtm_sdk.plugin import Plugin
from dtm_sdk.shape import Option, declared
from dtm_sdk.yaml_text import block, scalar

WIDTH: Final = 100
"""Where comments are wrapped."""


def example(plugin: Plugin) -> str:
    """A config with one tool: the values of the plugin's first example; the options that it leaves out as comments."""
    options = declared(plugin.options)
    given = dict(plugin.examples[0]) if plugin.examples else sample(plugin.options)
    notes = [] if plugin.examples else ["The plugin gives no examples: these values are made up."]
    variables: list[str] = []
    for option in options:
        if any(member is Secret for member, _ in members(option.type)):
            given = from_environment(given, option.path.split("."), plugin.name, option.path, variables)
    notes += [f"Set the environment variable {name}: a secret has no place in a file." for name in variables]
    lines = [f"# {note}" for note in notes]
    lines += ["tools:", f"- name: my-{plugin.name}", f"  plugin: {plugin.name}"]
    lines.append("  options:" if given else "  options: {}")
    for option in options:
        if not re.search(r"[.\[]", option.path):
            inner = [item for item in options if item.path.startswith((f"{option.path}.", f"{option.path}["))]
            lines += (f"    {line}" for line in _option(option, inner, given))
    return "\n".join(lines)


def _option(option: Option, inner: Sequence[Option], given: Mapping[str, Json]) -> Iterator[str]:
    yield from _comment(f"{option.description} ({_kind(option)})")
    for item in inner:
        yield from _comment(f"{item.path}: {item.description} ({_kind(item)})", "  ")
    shown = option.path in given
    for line in block({option.path: given[option.path] if shown else option.default}):
        yield line if shown else f"# {line}"


def _comment(text: str, indent: str = "") -> Iterator[str]:
    for line in wrap(" ".join(text.split()), WIDTH):
        yield f"# {indent}{line}"


def _kind(option: Option) -> str:
    """What may stand there, e.g. `string, required, names the resource`."""
    role = {"identity": "names the resource", "tuning": "no part of the resource"}.get(option.role, "")
    need = "required" if option.required else "" if option.default is None else f"default {scalar(option.default)}"
    return ", ".join(filter(None, (type_words(option.type), need, role)))


def type_words(kind: Any) -> str:
    """A type in words, e.g. `integer or string`; of a choice, its values."""
    kind = peel(kind)[0]
    if get_origin(kind) in (Union, UnionType):
        return " or ".join(dict.fromkeys(type_words(member) for member in get_args(kind) if member is not NoneType))
    values = choices(kind)
    return f"one of {', '.join(map(scalar, values))}" if values else json_type(kind)


def json_type(kind: Any) -> str:
    """The type of an option, as the docs of a plugin name it.

    That is string, integer, number, boolean, array, object or secret; `integer or string` where it may be either.
    """
    kind = peel(kind)[0]
    if get_origin(kind) in (Union, UnionType):
        return " or ".join(dict.fromkeys(json_type(member) for member in get_args(kind) if member is not NoneType))
    values = choices(kind)
    if values:
        return " or ".join(dict.fromkeys(json_type(type(value)) for value in values if value is not None))
    base = get_origin(kind) or kind
    named = {Secret: "secret", str: "string", bool: "boolean", int: "integer", float: "number"}
    return named.get(base) or ("array" if base in (list, tuple) else "object")


def sample(kind: Any) -> Json:
    """Some value of a type, with what is required in it; its limits are not looked at."""
    kind = peel(kind)[0]
    if get_origin(kind) in (Union, UnionType):
        return sample(next(member for member in get_args(kind) if member is not NoneType))
    if isinstance(kind, type) and issubclass(kind, Struct):
        required = (option for option in declared(kind) if option.required and not re.search(r"[.\[]", option.path))
        return {option.path: sample(option.type) for option in required}
    if choices(kind):
        return choices(kind)[0]
    samples = {"secret": "change-me", "string": "text", "boolean": True, "integer": 1, "number": 1.5, "array": []}
    return samples.get(json_type(kind), {})


def from_environment(value: Json, path: Sequence[str], plugin: str, whole: str, variables: list[str]) -> Json:
    """A copy with the secret at this path taken from an environment variable, whose name is added to `variables`."""
    if not path:
        name = re.sub(r"\W", "_", f"{plugin}_{whole}").upper()
        variables.append(name)
        return f"[[ env {name} ]]"
    if not isinstance(value, Mapping) or path[0] not in value:
        return value
    return {**value, path[0]: from_environment(value[path[0]], path[1:], plugin, whole, variables)}
