"""Runs a command as a process of its own; gives what the system accounts for it."""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import Popen
from time import perf_counter
from typing import Final, NamedTuple

_PEAK_UNIT: Final = 1 if sys.platform == "darwin" else 1024
"""Bytes in the unit of `ru_maxrss`: see getrusage(2) of each system."""
_SHOWN: Final = 2000
"""Characters of what a command that failed said last."""


class BenchError(Exception):
    """Something didn't run, or didn't do its work; the text says what."""


class Sample(NamedTuple):
    """One run of a whole process, its children included.

    Attributes:
        wall: seconds from before its start until its end.
        cpu: seconds, user and system together.
        peak: MiB of the largest process; never less than the bench's own, as the system inherits the figure.
    """

    wall: float
    cpu: float
    peak: float


Figure = Callable[[Sample], float]


def run(command: Sequence[str], folder: Path) -> Sample:
    """Run a command in a folder, its output in a file beside the folder.

    What was written before is on the disk first, so that no command waits for the bytes of another one.

    Raises:
        BenchError: it can't be started, or its exit code isn't 0.
    """
    log = folder.with_name("output")
    os.sync()
    with log.open("wb") as output:
        begin = perf_counter()
        try:
            process = Popen(command, cwd=folder, env=_environment(), stdin=-3, stdout=output, stderr=output)
        except OSError as error:
            raise BenchError(f"{command[0]} can't be started: {error.strerror}") from error
        _, status, usage = os.wait4(process.pid, 0)
        wall = perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        said = log.read_text("utf-8", "replace")[-_SHOWN:]
        raise BenchError(f"{' '.join(command)} ended with {process.returncode} and said:\n{said}")
    return Sample(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * _PEAK_UNIT / 2**20)


def _environment() -> dict[str, str]:
    """The same for all: what Python compiled once is kept, as on a user's machine, and nothing measures along."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COVERAGE_"))}


def least(samples: Sequence[Sample], figure: Figure) -> float:
    """The least of one figure: what else the machine does only adds to what the command takes by itself."""
    return min(figure(sample) for sample in samples)


def ratio(samples: Sequence[Sample], others: Sequence[Sample], figure: Figure) -> float:
    """The least of the one over the least of the other; they took turns, so both met the machine at its best."""
    return least(samples, figure) / least(others, figure)
