"""Exceptions to rules, as an author declares them in `pyproject.toml`.

[[tool.dtm.conformance.exceptions]]
id = "C6"
reason = "the service has no way to find a resource by its name"
expires = 2027-01-31
"""

import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from msgspec import Struct

from dtm_sdk.errors import UsageError


class Allowance(Struct, frozen=True):
    """One exception.

    Attributes:
        id: of the rule.
        reason: why the plugin breaks it.
        expires: the last day on which it counts.
        plugin: the name of the plugin that it is for; empty for every plugin of the repository.
    """

    id: str
    reason: str
    expires: date
    plugin: str = ""

    def __str__(self) -> str:
        return f"excepted until {self.expires} ({self.reason})"


def allowances(pyproject: Path, known: frozenset[str], today: date) -> tuple[list[Allowance], list[str]]:
    """The exceptions of a repository that count, and what is wrong with the others, a line each.

    Args:
        pyproject: the file.
        known: ids of the rules.
        today: the day that expiry is held against.

    Raises:
        UsageError: the file can't be read.
    """
    try:
        data = tomllib.loads(pyproject.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{pyproject} can't be read: {error}", "correct it") from None
    table = data.get("tool", {}).get("dtm", {}).get("conformance", {})
    good: list[Allowance] = []
    wrong: list[str] = []
    for index, entry in enumerate(table.get("exceptions", [])):
        problems = list(_problems(entry, known, today))
        if problems:
            wrong += [f"{pyproject.name}: [[tool.dtm.conformance.exceptions]] {index + 1}: {each}" for each in problems]
        else:
            good.append(Allowance(entry["id"], entry["reason"], entry["expires"], entry.get("plugin", "")))
    return good, wrong


def _problems(entry: Mapping[str, Any], known: frozenset[str], today: date) -> Iterator[str]:
    id_ = entry.get("id")
    if id_ not in known:
        yield f"there is no rule {id_!r}; `pytest --dtm-explain all` lists them"
    if not str(entry.get("reason", "")).strip():
        yield "it has no reason; say why the rule can't be kept"
    expires = entry.get("expires")
    if type(expires) is not date:
        yield "it has no day on which it expires; write e.g. expires = 2027-01-31"
    elif expires < today:
        yield f"it has expired on {expires}: keep the rule now, or give the exception another reason and day"
    for key in set(entry) - {"id", "reason", "expires", "plugin"}:
        yield f"its key {key!r} is unknown"
