"""Other ways to keep a state, each around the same files: one loop, no plugin, no plan, no threads.

`sqlite`: two transactions a file, one that notes the intent and one that records the outcome. `yaml`: the whole state
is written once after each file, as the ancestor does it, but durably.
"""

import os
import sqlite3
import sys
from collections.abc import Callable
from functools import partial
from json import dumps
from time import perf_counter, process_time

from dtm_sdk.options import Json
from dtm_sdk.state import Record, State
from dtm_sdk.state_text import dump
from tests.bench.contenders import WHOLE
from tests.bench.loops import name, text, write


def main(store: str, count: int) -> None:
    """Make the files; prints the seconds, wall and CPU, that it takes or would take with every writing."""
    wall, cpu = {"sqlite": _sqlite, "yaml": _yaml}[store](count)
    sys.stdout.write(f"{wall} {cpu}\n")


def _sqlite(count: int) -> tuple[float, float]:
    def work() -> None:
        base = sqlite3.connect("state.db", isolation_level=None)
        base.execute("PRAGMA journal_mode=WAL")
        base.execute("PRAGMA synchronous=FULL")
        base.execute("CREATE TABLE intents (key TEXT PRIMARY KEY, record TEXT)")
        base.execute("CREATE TABLE records (key TEXT PRIMARY KEY, record TEXT)")
        for number in range(count):
            wanted = dumps(_fields(number))
            base.execute("INSERT INTO intents VALUES (?, ?)", (f"file-{number:05}.localfile", wanted))
            write(number, fsync=True, folder=True)
            base.execute("BEGIN")
            base.execute("INSERT INTO records VALUES (?, ?)", (f"file-{number:05}.localfile", wanted))
            base.execute("DELETE FROM intents WHERE key = ?", (f"file-{number:05}.localfile",))
            base.execute("COMMIT")
        base.close()

    return _timed(work)


def _yaml(count: int) -> tuple[float, float]:
    every = 1 if count <= WHOLE else count // 100
    records: dict[str, Record] = {}
    wall = cpu = 0.0
    for number in range(count):
        more = _timed(partial(write, number, fsync=True, folder=True))
        fields = _fields(number)
        record = Record(fields["name"], "localfile", (), fields["options"], fields["options"])
        records[record.key] = record
        written = (
            _timed(lambda: _replace(dump(State(records, 1, "0" * 32)))) if number % every == every // 2 else (0, 0)
        )
        wall += more[0] + written[0] * every
        cpu += more[1] + written[1] * every
    return wall, cpu


def _timed(work: Callable[[], None]) -> tuple[float, float]:
    wall, cpu = perf_counter(), process_time()
    work()
    return perf_counter() - wall, process_time() - cpu


def _fields(number: int) -> dict[str, Json]:
    options = {"filename": name(number), "content": text(number)}
    return {"name": f"file-{number:05}", "plugin": "localfile", "options": options, "resource": options}


def _replace(data: bytes) -> None:
    """Put a state file in place, durably."""
    with open("state.new", "wb") as file:  # noqa: PTH123  # pathlib is what a plain loop does without
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace("state.new", "devstream.state")  # noqa: PTH105  # see above
    here = os.open(".", os.O_RDONLY)
    os.fsync(here)
    os.close(here)
