"""Two pieces of work in two threads, one step at a time by turns: what they share shows, and shows each time.

A step ends where the author's code calls or is called, and where anything calls a C function that does I/O; or there
alone, so that who computes longer on the way doesn't fall behind. Threads left to themselves change over there once in
a million times; here they do each time.
"""

import sys
import threading
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any, Final

from dtm_sdk.testing.watch import MODULES, QUIET, is_authors

PATIENCE: Final = 0.1
"""Seconds that one waits for the other's step before it takes it to be blocked, e.g. by a lock that the first holds."""
STEPS: Final = 4000
"""Steps after which the threads are left to themselves: an operation has some hundred."""

STEPPING: Final = frozenset({"call", "return", "c_call"})
"""Events of a profile function at which a step ends in an author's code."""


def by_turns(
    works: Sequence[Callable[[], object]], strides: Sequence[int], *, by_io: bool = False
) -> list[BaseException | None]:
    """Do two pieces of work at once; what each raised.

    Args:
        works: two functions.
        strides: how many steps each takes at a turn.
        by_io: a step ends only where I/O is done.
    """
    turns = _Turns(strides, by_io=by_io)
    raised: list[BaseException | None] = [None, None]

    def run(me: int) -> None:
        try:
            turns.enter()
            sys.setprofile(turns.profiler(me))
            works[me]()
        except BaseException as error:  # noqa: BLE001  # the boundary to an author's code
            raised[me] = error
        finally:
            sys.setprofile(None)
            turns.leave(me)

    threads = [threading.Thread(target=run, args=(me,), name=f"dtm-company-{me}") for me in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


class _Turns:
    """Whose turn it is."""

    def __init__(self, strides: Sequence[int], *, by_io: bool) -> None:
        self._strides = strides
        self._by_io = by_io
        self._condition = threading.Condition()
        self._entered = threading.Barrier(2)
        self._turn = 0
        self._left = strides[0]
        self._steps = 0
        self._away = [False, False]  # done, or blocked outside of our sight

    def enter(self) -> None:
        """Wait until both are there."""
        self._entered.wait()

    def leave(self, me: int) -> None:
        """End: the other one goes on alone."""
        with self._condition:
            self._away[me] = True
            self._steps = STEPS
            self._condition.notify_all()

    def step(self, me: int) -> None:
        """Wait for one's turn, before a step; the other one's begins where the last step of it is done."""
        if self._steps >= STEPS:
            return
        other = 1 - me
        with self._condition:
            self._away[me] = False
            self._steps += 1
            if self._turn == me and not self._left and not self._away[other]:
                self._turn, self._left = other, self._strides[other]
                self._condition.notify_all()
            while self._turn != me and not self._away[other] and self._steps < STEPS:
                if not self._condition.wait(PATIENCE):
                    self._away[other] = True
            if self._turn != me or not self._left:
                self._turn, self._left = me, self._strides[me]
            self._left -= 1

    def profiler(self, me: int) -> Callable[[FrameType, str, Any], None]:
        """What is called at each call and return of a thread."""

        def profile(frame: FrameType, event: str, called: Any) -> None:
            authors = not self._by_io and event in STEPPING and is_authors(frame.f_code.co_filename)
            if authors or (event == "c_call" and _does_io(called)):
                self.step(me)

        return profile


def _does_io(called: Any) -> bool:
    owner = getattr(called, "__self__", None)
    module = getattr(called, "__module__", None) or type(owner).__module__
    return module in MODULES and called.__name__ not in QUIET
