"""The runs: each contender takes its turn, round after round, so that a slow minute of the machine is shared by all."""

import sys
from collections.abc import Sequence
from pathlib import Path
from shutil import rmtree
from typing import NamedTuple

from tests.bench.contenders import Contender
from tests.bench.loops import name, text
from tests.bench.measure import BenchError, Sample, run


class Entry(NamedTuple):
    """Who makes how many files."""

    contender: Contender
    files: int


class Turn(NamedTuple):
    """What one turn took.

    Attributes:
        create: making the files in a fresh folder.
        again: the same command there with nothing to do; `create` once more where the contender has none.
    """

    create: Sample
    again: Sample


Turns = dict[Entry, list[Turn]]


def take_turns(entries: Sequence[Entry], rounds: int, place: Path) -> Turns:
    """Let each entry make its files once a round; what they print before the first round isn't counted.

    Raises:
        BenchError: one didn't run, or didn't make its files.
    """
    for contender in {entry.contender.title: entry.contender for entry in entries}.values():
        _turn(Entry(contender, 10), place)  # Python compiles, the system reads the programs
    turns: Turns = {entry: [] for entry in entries}
    for number in range(rounds):
        for entry, taken in turns.items():
            _tell(f"round {number + 1} of {rounds}: {entry.files:,} files by {entry.contender.title}")
            taken.append(_turn(entry, place))
    _tell("")
    return turns


def _turn(entry: Entry, place: Path) -> Turn:
    contender, count = entry
    folder = place / "work"
    folder.mkdir()
    contender.inputs(folder, count)
    create = run(contender.create(count), folder)
    if contender.estimates:
        wall, cpu = (place / "output").read_text("utf-8").split()
        create = create._replace(wall=float(wall), cpu=float(cpu))
    made = _check(folder, entry) if contender.works else 0
    again = run(contender.again(count), folder) if contender.again else create
    if contender.again and contender.works and _check(folder, entry) != made:
        raise BenchError(f"{contender.title} wrote files again though there was nothing to do")
    rmtree(folder)
    return Turn(create, again)


def _check(folder: Path, entry: Entry) -> int:
    """See that every file holds its text; gives when the last one was written, in ns."""
    written = 0
    for number in range(entry.files):
        path = folder / name(number)
        if not path.is_file() or path.read_bytes() != text(number).encode():
            raise BenchError(f"{entry.contender.title} didn't make {path.name} of {entry.files}")
        written = max(written, path.stat().st_mtime_ns)
    return written


def _tell(what: str) -> None:
    """Show on a terminal how far it is; the table goes elsewhere."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{what}")
        sys.stderr.flush()
