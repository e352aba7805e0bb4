"""References `${{ name.plugin.outputs.key }}` in options: found, and replaced by what they name. Pure.

A backslash before one makes it text. A value that is one reference as a whole takes the type of what it names; inside a
longer string it becomes text.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from dtm_sdk.errors import UnresolvedError
from dtm_sdk.options import Json

_TOKEN: Final = re.compile(r"(\\?)\$\{\{(.*?)\}\}", re.DOTALL)
_BODY: Final = re.compile(r"\s*([a-z0-9][-a-z0-9.]*?)\.outputs((?:\.[\w-]+)+)\s*", re.ASCII)


class Reference(NamedTuple):
    """One reference.

    Attributes:
        key: the tool it names, as `name.plugin`.
        path: the keys below that tool's `outputs`; at least one.
        text: how it is written.
    """

    key: str
    path: tuple[str, ...]
    text: str


Lookup = Callable[[Reference], Json]
"""Gives the value that a reference names, or raises `UnresolvedError`."""


def holds_reference(text: object) -> bool:
    """Whether a value is a string with a reference in it, well formed or not."""
    return isinstance(text, str) and "${{" in text and any(not match[1] for match in _TOKEN.finditer(text))


def find(value: Json) -> Iterator[Reference]:
    """Every reference in a plain value, at any depth, in the order they are written.

    Raises:
        UnresolvedError: something between `${{` and `}}` isn't of the form above.
    """
    if isinstance(value, str):
        if "${{" in value:
            yield from (_parse(match) for match in _TOKEN.finditer(value) if not match[1])
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from find(item)
    elif isinstance(value, list):
        for item in value:
            yield from find(item)


def resolve(value: Json, lookup: Lookup) -> Json:
    """A copy of a plain value with each reference replaced; parts without one are shared, not copied.

    Raises:
        UnresolvedError: from `lookup`, or for something malformed.
    """
    if isinstance(value, str):
        return _resolve_text(value, lookup) if "${{" in value else value
    if isinstance(value, Mapping):
        return {key: resolve(item, lookup) for key, item in value.items()}
    if isinstance(value, list):
        return [resolve(item, lookup) for item in value]
    return value


def _resolve_text(text: str, lookup: Lookup) -> Json:
    whole = _TOKEN.fullmatch(text)
    if whole and not whole[1] and "${{" not in whole[2]:
        return lookup(_parse(whole))

    def replace(match: re.Match[str]) -> str:
        if match[1]:
            return match[0][1:]
        reference = _parse(match)
        found = lookup(reference)
        if isinstance(found, dict | list):
            kind = "an object" if isinstance(found, dict) else "a list"
            raise UnresolvedError(f"{reference.text} is {kind} and stands inside a longer text", "let it stand alone")
        return found if isinstance(found, str) else _scalar(found)

    return _TOKEN.sub(replace, text)


def _scalar(value: Json) -> str:
    """A plain scalar as JSON writes it."""
    return {None: "null", True: "true", False: "false"}[value] if value is None or isinstance(value, bool) else repr(value)


def _parse(match: re.Match[str]) -> Reference:
    body = _BODY.fullmatch(match[2])
    if not body or "." not in body[1]:
        hint = r"write ${{ name.plugin.outputs.key }}, or \${{ for the text itself"
        raise UnresolvedError(f"{match[0]} is no reference", hint)
    return Reference(body[1], tuple(body[2][1:].split(".")), match[0])


def output(resource: Mapping[str, Json], reference: Reference) -> Json:
    """The value that a reference names in the resource of its tool.

    Raises:
        UnresolvedError: there is no such output.
    """
    value: Json = resource.get("outputs")
    for depth, key in enumerate(reference.path):
        if not isinstance(value, Mapping) or key not in value:
            below = ".".join(("outputs", *reference.path[:depth]))
            known = ", ".join(sorted(value)) if isinstance(value, Mapping) else ""
            hint = f"it has {known}" if known else "it has none"
            raise UnresolvedError(f"{reference.text}: {reference.key} has no {key} in its {below}", hint)
        value = value[key]
    return value
