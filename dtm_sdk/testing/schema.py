"""The JSON Schema of a plugin's options, read as an editor or a docs generator reads it."""

import json
from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct, field

from dtm_sdk.options import Json

Schema = Mapping[str, Json]
_SAYS: Final = ("type", "enum", "const")


class Said(Struct):
    """What a schema says of one option; where an object has several forms, what each of them says.

    Attributes:
        types: the words for its type, as the docs name them; empty where it takes anything.
        required: "yes", "no" or both.
        defaults: as JSON; an empty string where there is none.
        descriptions: what it means; white space is one space each.
        untyped: it takes anything, or a list of anything.
    """

    types: set[str] = field(default_factory=set)
    required: set[str] = field(default_factory=set)
    defaults: list[str] = field(default_factory=list)
    descriptions: list[str] = field(default_factory=list)
    untyped: bool = False


def said(schema: Schema) -> dict[str, Said]:
    """Every option that a schema declares, nested ones as `a.b`, `a[].b` or `a.*.b`."""
    found: dict[str, Said] = {}
    definitions: Schema = schema.get("$defs", {})
    for path, form in objects(schema):
        for name, inner in form["properties"].items():
            option = found.setdefault(f"{path}.{name}".removeprefix("."), Said())
            option.types |= _types(inner, definitions)
            option.required.add("yes" if name in form.get("required", ()) else "no")
            option.defaults.append(json.dumps(inner["default"], ensure_ascii=False) if "default" in inner else "")
            option.descriptions.append(" ".join(str(inner.get("description", "")).split()))
            option.untyped |= _is_untyped(inner, definitions)
    return found


def objects(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Every object whose keys are declared, with its path, the whole first; one that holds itself is there once."""
    root = {key: value for key, value in schema.items() if key not in ("$schema", "$defs", "examples")}
    yield from _objects(root, "", (root,), schema.get("$defs", {}))


def _objects(form: Schema, path: str, above: tuple[Schema, ...], definitions: Schema) -> Iterator[tuple[str, Schema]]:
    yield path, form
    for name, inner in form["properties"].items():
        for suffix, each in _held(inner, definitions):
            if each not in above:
                yield from _objects(each, f"{path}.{name}{suffix}".removeprefix("."), (*above, each), definitions)


def _held(schema: Schema, definitions: Schema) -> Iterator[tuple[str, Schema]]:
    """The objects directly inside a schema, each with the path that leads to it."""
    for form in _forms(schema, definitions):
        if "properties" in form:
            yield "", form
        for suffix, inner in _inner(form):
            yield from ((suffix + rest, each) for rest, each in _held(inner, definitions))


def _inner(form: Schema) -> Iterator[tuple[str, Schema]]:
    """The schemas of what an array or a free object holds."""
    if isinstance(form.get("items"), Mapping):
        yield "[]", form["items"]
    yield from ((f"[{index}]", item) for index, item in enumerate(form.get("prefixItems", ())))
    if isinstance(form.get("additionalProperties"), Mapping):
        yield ".*", form["additionalProperties"]


def _forms(schema: Schema, definitions: Schema) -> Iterator[Schema]:
    """A schema, or each of those that it may be, references followed."""
    if "$ref" in schema:
        yield from _forms(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    elif "anyOf" in schema:
        for each in schema["anyOf"]:
            yield from _forms(each, definitions)
    else:
        yield schema


def _types(schema: Schema, definitions: Schema) -> set[str]:
    """The words of the docs for what a schema takes; null aside."""
    words: set[str] = set()
    for form in _forms(schema, definitions):
        named = form.get("type", [])
        if form.get("writeOnly"):
            words.add("secret")
        elif named:
            words |= {named} if isinstance(named, str) else set(named)
        else:
            words |= {_word(value) for value in form.get("enum", [form["const"]] if "const" in form else [])}
    return words - {"null"}


def _word(value: Json) -> str:
    named = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}
    return named.get(type(value), "object")


def _is_untyped(schema: Schema, definitions: Schema) -> bool:
    """Whether anything may stand there, or in a list there; the content of an object may be free."""
    for form in _forms(schema, definitions):
        inner = [each for suffix, each in _inner(form) if suffix != ".*" or each]
        if not any(key in form for key in _SAYS) or (form.get("type") == "array" and not inner):
            return True
        if any(_is_untyped(each, definitions) for each in inner):
            return True
    return False
