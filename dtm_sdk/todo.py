"""The marks at what an author has still to write: `# TODO(dtm): what belongs here`."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct

MARK: Final = re.compile(r"TODO\(dtm\):?\s*(.*?)\s*(?:-->|\")?\s*$")


class Todo(Struct, frozen=True):
    """One place to fill.

    Attributes:
        path: of the file, from the repository.
        line: its number, from 1.
        text: what belongs there.
    """

    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"TODO(dtm): {self.path}:{self.line}: {self.text}"


def marks(text: str, path: str) -> Iterator[Todo]:
    """The marks in the text of a file."""
    for number, line in enumerate(text.splitlines(), 1):
        found = MARK.search(line)
        if found:
            yield Todo(path, number, found[1])


def unwritten(error: NotImplementedError) -> Todo | None:
    """The mark in the function that raised this, above the line that did; None where there is none."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    if trace is None:
        return None
    code = trace.tb_frame.f_code
    path = Path(code.co_filename)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    lines = range(code.co_firstlineno, trace.tb_lineno + 1)
    return next((todo for todo in marks(text, shown.as_posix()) if todo.line in lines), None)
