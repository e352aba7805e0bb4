"""One way to run the commands that change the state: shown, asked about, done."""

import sys
from collections.abc import Callable, Sequence

from dtm_sdk.changes import Plan
from dtm_sdk.cli.command import chosen
from dtm_sdk.cli.console import Console
from dtm_sdk.cli.run import settings_of, written
from dtm_sdk.events import Notice, Tell
from dtm_sdk.report import Line, clean, difference_lines
from dtm_sdk.runner import Settings
from dtm_sdk.state_commands import Agree, Edit


def change(act: Callable[[Settings, Tell, Agree], bool], done: str) -> int:
    """Run a command; returns the exit code.

    Args:
        act: what it is; whether it has changed something.
        done: a sentence for when it has.
    """
    options = chosen()
    console = Console(options, sys.stdout, details=True)

    def agree(edits: Sequence[Edit]) -> bool:
        console.show([line for edit in edits for line in _lines(edit)])
        return console.ask(Plan())

    if act(settings_of(options, console), console.tell, agree):
        console.tell(Notice("success", done))
    return written(console, 0)


def _lines(edit: Edit) -> list[Line]:
    differences = [Line(None, f"    {text}") for item in edit.differences for text in difference_lines(item)]
    return [Line("info", clean(edit.text)), *differences]


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows as lines with their columns aligned; the first row is the header."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)
