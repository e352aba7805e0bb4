"""References `${{ name.plugin.outputs.key }}` in options: found, and replaced by what they name. Pure.

A backslash before `${{` makes it text. A value that is one reference as a whole takes the type of what it names; inside
a longer string it becomes text. Keys of objects are left as they are.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

import msgspec

from dtm_sdk.errors import UnresolvedError
from dtm_sdk.options import Json
from dtm_sdk.plugin import NAME
from dtm_sdk.secret_text import holds_fingerprint

_TOKEN: Final = re.compile(r"\\\$\{\{|\$\{\{(?:([^{}]*)\}\})?")
"""An escaped `${{`; or a reference, or `${{` alone where none of that form follows."""
_OUTPUT: Final = re.compile(r"[^\s.]+")


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

    def __str__(self) -> str:
        """As a message shows it: in one line."""
        return " ".join(self.text.split())


Lookup = Callable[[Reference], Json]
"""Gives the value that a reference names, or raises `UnresolvedError`."""


def holds_reference(text: object) -> bool:
    """Whether a value is a string with a reference in it, well formed or not."""
    return isinstance(text, str) and "${{" in text and any(map(_is_reference, _TOKEN.finditer(text)))


def _is_reference(match: re.Match[str]) -> bool:
    return not match[0].startswith("\\")


def find(value: Json) -> Iterator[Reference]:
    """Every reference in a plain value, at any depth, in the order they are written.

    Raises:
        UnresolvedError: something that starts with `${{` isn't of the form above.
    """
    if isinstance(value, str):
        if "${{" in value:
            yield from map(_parse, filter(_is_reference, _TOKEN.finditer(value)))
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from find(item)
    elif isinstance(value, list):
        for item in value:
            yield from find(item)


def resolve(value: Json, lookup: Lookup) -> Json:
    """A copy of a plain value with each reference replaced, and each escaped `${{` unescaped.

    What `lookup` gives is shared, not copied.

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
    if whole and _is_reference(whole):
        return lookup(_parse(whole))

    def replace(match: re.Match[str]) -> str:
        if not _is_reference(match):
            return match[0][1:]
        reference = _parse(match)
        found = lookup(reference)
        if isinstance(found, dict | list):
            kind = "an object" if isinstance(found, dict) else "a list"
            raise UnresolvedError(f"{reference} is {kind} and stands inside a longer text", "let it stand alone")
        return found if isinstance(found, str) else msgspec.json.encode(found).decode()

    return _TOKEN.sub(replace, text)


def _parse(match: re.Match[str]) -> Reference:
    """The key ends at the first label `outputs` that leaves it a name and a plugin: either may have that label."""
    parts = (match[1] or "").strip().split(".")
    at = parts.index("outputs", 2) if "outputs" in parts[2:] else 0
    key, path = ".".join(parts[:at]), parts[at + 1 :]
    if not (NAME.fullmatch(key) and path and all(map(_OUTPUT.fullmatch, path))):
        shown = match[0][:60] if match[1] is not None else match.string[match.start() :][:40]
        hint = r"write ${{ name.plugin.outputs.key }}, or \${{ for the text itself"
        raise UnresolvedError(f"{' '.join(shown.split())} is no reference", hint)
    return Reference(key, tuple(path), match[0])


def output(resource: Mapping[str, Json], reference: Reference) -> Json:
    """The value that a reference names in the resource of its tool.

    Raises:
        UnresolvedError: there is no such output, or it holds a secret, of which only the fingerprint is known.
    """
    value: Json = resource.get("outputs")
    for depth, key in enumerate(reference.path):
        if not isinstance(value, Mapping) or key not in value:
            below = ".".join(("outputs", *reference.path[:depth]))
            known = ", ".join(sorted(value)) if isinstance(value, Mapping) else ""
            hint = f"it has {known}" if known else "it has none"
            raise UnresolvedError(f"{reference}: {reference.key} has no {key} in its {below}", hint)
        value = value[key]
    if _is_masked(value):
        what = f"{reference}: it holds a secret of {reference.key}, whose text isn't kept"
        raise UnresolvedError(what, "give the secret itself, by a variable both can use")
    return value


def _is_masked(value: Json) -> bool:
    if isinstance(value, str):
        return holds_fingerprint(value)
    if isinstance(value, Mapping):
        return any(_is_masked(key) or _is_masked(item) for key, item in value.items())
    return isinstance(value, list) and any(map(_is_masked, value))
