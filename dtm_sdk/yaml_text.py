"""Plain values as block YAML for people; strings are as JSON writes them: all versions of YAML agree on these. Pure."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

from dtm_sdk.options import Json

PLAIN_KEY: Final = re.compile(r"(?!(?:true|false|null|yes|no|on|off|y|n)$)[a-z_][-\w]*", re.ASCII | re.IGNORECASE)
"""A key that needs no quotes, whichever version of YAML it is read as."""


def block(value: Json) -> Iterator[str]:
    """The lines of a mapping or a list."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _item(f"{key if PLAIN_KEY.fullmatch(key) else scalar(key)}:", item, nested="  ")
    else:
        for item in value:
            yield from _item("-", item, nested="")


def _item(mark: str, value: Json, nested: str) -> Iterator[str]:
    if not (isinstance(value, Mapping | list) and value):
        yield f"{mark} {scalar(value)}"
    elif nested:
        yield mark
        yield from (f"{nested}{line}" for line in block(value))
    else:
        first, *rest = block(value)
        yield f"{mark} {first}"
        yield from (f"  {line}" for line in rest)


def scalar(value: Json) -> str:
    """A value on one line."""
    return json.dumps(value, ensure_ascii=False)
