"""How much a YAML text may ask for, how much its values are, and the error of a text that can't be read."""

from typing import Final

from msgspec import Struct

from dtm_sdk.errors import DtmError
from dtm_sdk.options import Json

_WEIGHT: Final = 40


class Limits(Struct, frozen=True):
    r"""How much a text may ask for. The defaults are a config file's.

    They hold the worst text that they let through under a second and 100 MB, and lie far above what people write.

    Attributes:
        size: bytes. It bounds the memory: a character takes up to 4 bytes in Python, and the parser keeps copies.
            4 MiB are 40,000 tools of two options.
        depth: lists and mappings inside one another. It bounds recursion, by which values are walked later; Python
            allows 1,000 calls. Kubernetes manifests, deep as they are, have about 20 levels.
        events: what the parser says: one for each key, value and alias, two for each list, mapping, document and for
            the text. It bounds the time: one takes 2 to 3 microseconds. 200,000 are 15,000 tools of two options.
        expansion: what aliases stand for, as `document.weigh` counts it: ten lines of aliases to aliases could stand
            for 10 billion values. As much as `size`: without aliases, a file could hold no more.
        control_characters: whether double-quoted text may hold the likes of `\0` and `\e`, escaped. A config has no
            use for them; a state holds whatever a resource said.
    """

    size: int = 4 * 2**20
    depth: int = 100
    events: int = 200_000
    expansion: int = 4 * 2**20
    control_characters: bool = False


CONFIG: Final = Limits()


class DocumentError(DtmError):
    """A text can't be read.

    Attributes:
        line: where, from 1.
        column: where, in characters from 1.
    """

    def __init__(self, message: str, hint: str, line: int, column: int) -> None:
        super().__init__(message, hint)
        self.line = line
        self.column = column


def weigh(value: Json, most: int) -> tuple[int, int]:
    """How much a value is, and how many lists and mappings it has inside one another.

    The weight is in characters: those of its texts, and 40 for each value, about what a short one takes in a file with
    its key. What is shared counts wherever it stands. The count stops where it exceeds `most`.
    """
    weight, depth = 0, 0
    level = [value]
    while level:
        weight += _WEIGHT * len(level) + sum(len(item) for item in level if isinstance(item, str))
        below: list[Json] = []
        for item in level:
            if isinstance(item, dict | list):
                if weight + _WEIGHT * (len(below) + len(item)) > most:
                    return most + 1, depth
                below += item.values() if isinstance(item, dict) else item
        depth += any(isinstance(item, dict | list) for item in level)
        level = below
    return weight, depth


def shown(text: str) -> str:
    """A text as a message shows it: in one line, and cut where it is long."""
    text = text if text.isprintable() else repr(text)
    return text if len(text) <= 60 else f"{text[:50]}... ({len(text)} characters)"
