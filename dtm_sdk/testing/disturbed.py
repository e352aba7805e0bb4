"""Operations that meet a fault, of the world or at each call that does I/O: what a plugin does on its way out shows."""

import errno
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final

from dtm_sdk.plugin import OPERATIONS, Operation, State
from dtm_sdk.testing.subject import Raw, Subject
from dtm_sdk.testing.watch import Call, Watch

CLEARING: Final = frozenset({"chdir", "fchdir", "umask", "close", "dup2", "closerange"})
"""Calls that undo something: that they fail is nothing a plugin could mend."""
CALLS: Final = 12
"""At how many calls of an operation a fault is tried."""
LONG: Final = 0.3
"""Seconds; a fault that takes longer, such as a time-out, is tried with one operation only."""

Raised = Callable[[BaseException], None]


def disturbed(
    subject: Subject, first: Raw, second: Raw, raised: Raised = lambda error: None
) -> Iterator[tuple[Operation, str]]:
    """Call each operation where it can succeed, with each fault; gives the operation and the fault after each call.

    Args:
        subject: whose world is changed; it is fresh at the end.
        first: the options that the resource is made with.
        second: those that it is changed to, and deleted with.
        raised: takes what an operation raised.
    """
    subject.fresh()
    state = subject.create(first)
    there = subject.snapshot()
    raws = dict(zip(OPERATIONS, (first, first, second, first), strict=True))
    long: set[str] = set()
    for operation in OPERATIONS:
        tree = subject.empty if operation == "create" else there
        given = None if operation == "create" else state
        for fault in subject.world.faults():
            if fault.name not in long:
                subject.restore(tree, "as it was")
                start = time.monotonic()
                with fault.strike():
                    _called(subject, operation, raws[operation], given, raised)
                long |= {fault.name} if time.monotonic() - start > LONG else set()
                yield operation, fault.name
        for number in range(1, CALLS + 1):
            subject.restore(tree, "as it was")
            name = _failing(subject, operation, raws[operation], given, number, raised)
            if not name:
                break
            yield operation, f"{name} raises an I/O error"
    subject.fresh()


def _failing(subject: Subject, operation: Operation, raw: Raw, state: State | None, number: int, raised: Raised) -> str:
    """Call an operation whose call of that number fails; that call, empty where there is none."""
    struck: list[str] = []
    counted = 0

    def act(call: Call) -> None:
        nonlocal counted
        if call.name.rpartition(".")[2] in CLEARING:
            return
        counted += 1
        if counted == number:
            struck.append(str(call))
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    with Watch.here().watching(act):
        _called(subject, operation, raw, state, raised)
    return struck[0] if struck else ""


def _called(subject: Subject, operation: Operation, raw: Raw, state: State | None, raised: Raised) -> None:
    try:
        subject.call(operation, raw, state)
    except BaseException as error:  # noqa: BLE001  # the boundary to an author's code
        raised(error)
    finally:
        subject.leftovers.likely = True  # one that hides its fault may leave something at work too
        with suppress(IndexError):
            subject.steps.pop()
