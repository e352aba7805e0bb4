"""Two values side by side, as lines that a person reads."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from dtm_sdk.testing.worlds.world import at, places

WIDTH: Final = 300
"""How many characters of a value are shown."""


def difference(before: Any, after: Any) -> tuple[str, ...]:
    """Where two plain values differ: a line with `-` for what the first has, one with `+` for the second."""
    return tuple(_lines(before, after))


def _lines(before: Any, after: Any) -> Iterator[str]:
    for place in places(before, after):
        name = ".".join(place) or "it"
        old, new = at(before, place), at(after, place)
        if old is not ...:
            yield f"- {name}: {short(old)}"
        if new is not ...:
            yield f"+ {name}: {short(new)}"


def short(value: Any, width: int = WIDTH) -> str:
    """A value in one line, cut where it is long."""
    if value is ...:
        return "nothing"
    text = value if isinstance(value, str) and len(value) > width else _shown(value)
    text = "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
    return text if len(text) <= width else f"{text[:width]}... ({len(text)} characters)"


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_shown(key)}: {_shown(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_shown, value)) + "]"
    try:
        return repr(value)
    except Exception:  # noqa: BLE001  # an author's __repr__
        return f"<{type(value).__name__}>"
