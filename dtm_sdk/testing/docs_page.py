"""The docs page of a plugin, read as its readers do, and held against the JSON Schema of the options."""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct

from dtm_sdk.options import Json
from dtm_sdk.testing.schema import Said, said
from dtm_sdk.testing.subject import same

COLUMNS: Final = ("option", "type", "required", "default", "description")
_CELL: Final = re.compile(r"(?<!\\)\|")
_FENCE: Final = re.compile(r"^(`{3,}|~{3,})[ \t]*ya?ml[^\n]*\n(.*?)^\1[ \t]*$", re.MULTILINE | re.DOTALL)


class Row(Struct, frozen=True):
    """One option, as the table says it.

    Attributes:
        line: of the page, from 1.
        option: its name, e.g. `a.b`.
        types: the words for its type.
        required: "yes" or "no", or what stands there.
        default: as JSON; empty where there is none.
        description: what it means.
    """

    line: int
    option: str
    types: frozenset[str]
    required: str
    default: str
    description: str


def rows(page: str) -> list[Row]:
    """The rows of each table on a page that has our columns, in the order they are written."""
    found: list[Row] = []
    inside = False
    for number, line in enumerate(page.splitlines(), 1):
        cells = _cells(line)
        if not cells:
            inside = False
        elif tuple(cell.lower() for cell in cells) == COLUMNS:
            inside = True
        elif inside and not all(re.fullmatch(":?-+:?", cell) for cell in cells):
            found.append(_row(number, [*cells, "", "", "", ""]))
    return found


def _cells(line: str) -> list[str]:
    text = line.strip()
    if not text.startswith("|"):
        return []
    cut = _CELL.split(text)[1:]
    return [cell.strip().replace(r"\|", "|") for cell in (cut[:-1] if not cut[-1].strip() else cut)]


def _row(line: int, cells: Sequence[str]) -> Row:
    words = frozenset(filter(None, (_uncoded(word) for word in re.split(r"\s+or\s+", cells[1].lower()))))
    return Row(line, _uncoded(cells[0]), words, cells[2].lower(), _uncoded(cells[3]), " ".join(cells[4].split()))


def _uncoded(text: str) -> str:
    """What is in a code span (CommonMark, section 6.1); other text as it is."""
    found = re.fullmatch(r"(`+)(.*?)\1", text.strip(), re.DOTALL)
    if not found:
        return text.strip()
    inner = found[2]
    padded = len(inner) > 2 and inner[0] == inner[-1] == " " and inner.strip()
    return inner[1:-1] if padded else inner


def configs(page: str) -> list[tuple[int, str]]:
    """The blocks of YAML on a page, each with the line of its first one."""
    return [(page.count("\n", 0, found.start(2)) + 1, found[2]) for found in _FENCE.finditer(page)]


def differences(page: str, schema: Mapping[str, Json]) -> Iterator[str]:
    """What the tables of a page say otherwise than a JSON Schema of options, a line each."""
    found, asked = rows(page), said(schema)
    if not found and asked:
        yield "it has no table `Option | Type | Required | Default | Description`"
        return
    seen: set[str] = set()
    for row in found:
        where = f"line {row.line}: `{row.option}`"
        if row.option in seen:
            yield f"{where} is there twice"
        elif row.option not in asked:
            yield f"{where} is no option"
        else:
            yield from (f"{where}: {what}" for what in _wrong(row, asked[row.option]))
        seen.add(row.option)
    yield from (f"`{name}` is missing" for name in asked if name not in seen)


def _wrong(row: Row, asked: Said) -> Iterator[str]:
    if row.types != asked.types:
        yield f"its type is {_or(asked.types) or 'any'}, the page says {_or(row.types) or 'nothing'}"
    if row.required not in asked.required:
        yield f"required: {_or(asked.required)}, the page says {row.required or 'nothing'}"
    if not any(_same_default(row.default, default) for default in asked.defaults):
        yield f"its default is {asked.defaults[0] or 'none'}, the page says {row.default or 'nothing'}"
    if row.description not in asked.descriptions:
        yield f"its description is {asked.descriptions[0]!r}, the page says {row.description!r}"


def _or(words: Collection[str]) -> str:
    return " or ".join(sorted(words))


def _same_default(said: str, default: str) -> bool:
    """Whether they are the same JSON; where null is the default, the cell may be empty."""
    if not said:
        return default in ("", "null")
    try:
        return bool(default) and same(_number_wise(said), _number_wise(default))
    except ValueError:
        return False


def _number_wise(text: str) -> Json:
    """JSON in which 5.0 is 5."""
    return json.loads(text, parse_float=lambda digits: int(float(digits)) if float(digits) % 1 == 0 else float(digits))
