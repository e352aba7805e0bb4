"""Resources under identities that are near another one: a match by prefix or by part takes them for it."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, Final

from dtm_sdk.errors import DtmError
from dtm_sdk.testing.subject import Raw, Subject

AFFIXES: Final = ("2", "-2", "x", ".2", "/2")


def nearby(subject: Subject, raw: Raw) -> list[Raw]:
    """Valid options whose identity is that of others with a suffix, and with a prefix: the first of each that is."""
    found = []
    for path in subject.plugin.shape.identity:
        for before in (False, True):
            valid = (other for other in _affixed(raw, path, before=before) if _is_valid(subject, other))
            found += [other for other in [next(valid, None)] if other]
    return found


def _affixed(raw: Raw, path: tuple[str, ...], *, before: bool) -> Iterator[Raw]:
    for affix in AFFIXES:
        other = deepcopy(raw)
        inner: Any = other
        for key in path[:-1]:
            inner = inner.get(key) if isinstance(inner, dict) else None
        text = inner.get(path[-1]) if isinstance(inner, dict) else None
        if not isinstance(text, str):
            return
        folder, slash, name = text.rpartition("/") if before else ("", "", text)
        inner[path[-1]] = f"{folder}{slash}{affix[::-1]}{name}" if before else f"{name}{affix}"
        yield other


def _is_valid(subject: Subject, raw: Raw) -> bool:
    try:
        subject.plugin.parse(raw)
    except DtmError:
        return False
    return True
