"""Calls that fail: one of the calls that a plugin makes on this thread, each in turn."""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from errno import EACCES, EIO
from typing import Final, TypeVar

from dtm_sdk.testing.subject import Subject
from dtm_sdk.testing.watch import Call, Watch
from dtm_sdk.testing.worlds.world import Fault, Strike

ERRORS: Final = (EACCES, EIO)
"""Whoever asks may not, and the disk is broken: neither says that there is nothing."""
CLOSING: Final = frozenset({"close", "__exit__"})
"""Calls that no system lets fail without doing them: a fault there would keep a file open, and what it locks locked."""
SAMPLED: Final = 3
"""How many calls of one name are made to fail: the first ones, and the last."""
ENOUGH: Final = 20.0
"""Seconds after which no further fault is tried: a plugin that tries again, and waits, takes long at each."""

T = TypeVar("T")


def in_time(
    subject: Subject, every: Iterable[tuple[str, T]], clock: Callable[[], float] = time.monotonic
) -> Iterator[tuple[str, T]]:
    """Faults by their names, in order, as long as there is time; a note says which were left out."""
    start, late = clock(), []
    for name, fault in every:
        if clock() - start > ENOUGH:
            late.append(name)
        else:
            yield name, fault
    if late:
        subject.notes.append(f"left out, for Read takes long to give up: {', '.join(late)}")


def calls_of(work: Callable[[], object]) -> list[Call]:
    """The calls that some work makes, those that can fail, of each name some; it is done twice, first to warm up."""
    work()
    with Watch.here().watching() as seen:
        work()
    by_name: dict[str, list[Call]] = {}
    for call in seen.calls:
        if call.name.rpartition(".")[2] not in CLOSING:
            by_name.setdefault(call.name, []).append(call)
    sampled = [call for calls in by_name.values() for call in (*calls[: SAMPLED - 1], *calls[SAMPLED - 1 :][-1:])]
    return sorted(sampled)


def faults(calls: Iterable[Call]) -> Iterator[Fault]:
    """Each call with each error."""
    for call in calls:
        for code in ERRORS:
            yield Fault(f"{call}, call {call.number}, fails: {os.strerror(code)}", _strike(call, code))


def _strike(wanted: Call, code: int) -> Strike:
    @contextmanager
    def strike(only: int = 0) -> Iterator[Callable[[], int]]:  # it befalls one call in any case
        met: list[Call] = []

        def act(call: Call) -> None:
            if call[:2] == wanted[:2]:
                met.append(call)
                raise _error(call, code)

        with Watch.here().watching(act):
            yield lambda: len(met)

    return strike


def _error(call: Call, code: int) -> Exception:
    """What a call raises that fails: of SQLite an error of its own (sqlite3 documents no other)."""
    if call.name == "connect" or call.name.startswith(("Connection.", "Cursor.")):
        import sqlite3

        return sqlite3.OperationalError("disk I/O error")
    return OSError(code, os.strerror(code))
