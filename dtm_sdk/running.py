"""What is being called, and since when: to name what hangs, and to give up on what takes too long."""

import time
from collections.abc import Callable, Iterable

from dtm_sdk.workers import Stop


class Running:
    """The calls that are under way.

    Args:
        stop: what an interrupt sets.
        limit: seconds that one call may take; None for no limit.
        grace: seconds that calls may go on after an interrupt; None for no limit.
        clock: monotonic seconds.
    """

    def __init__(
        self, stop: Stop, limit: float | None, grace: float | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stop = stop
        self._limit = limit
        self._grace = grace
        self._clock = clock
        self._since: dict[int, float] = {}
        self._stopped: float | None = None

    @property
    def limited(self) -> bool:
        """Whether calls have to be told of when they begin."""
        return self._limit is not None

    def began(self, id_: int) -> None:
        """A call begins."""
        self._since[id_] = self._clock()

    def ended(self, id_: int) -> None:
        """It has ended, or was given up."""
        self._since.pop(id_, None)

    def has(self, id_: int) -> bool:
        """Whether a call is under way."""
        return id_ in self._since

    def seconds(self, id_: int) -> float:
        """How long a call has been under way."""
        return self._clock() - self._since[id_]

    def waited_for(self, calls: Iterable[tuple[int, str]]) -> str:
        """What to tell of the calls, each with a name, that a run which stops waits for; empty where there is none."""
        names = ", ".join(f"{name} ({self.seconds(id_):.0f} s)" for id_, name in calls if self.has(id_))
        again = "interrupt again" if self._stop.because == "interrupted" else "interrupt"
        why = self._stop.because.capitalize()
        return f"{why}: waiting for {names}; {again} to leave at once, the next run looks at them." if names else ""

    def overdue(self) -> list[int]:
        """The calls that have taken longer than the limit, or than the grace after an interrupt allows."""
        now = self._clock()
        if self._stop.is_set() and self._stopped is None:
            self._stopped = now
        if self._stopped is not None and self._grace is not None and now >= self._stopped + self._grace:
            return list(self._since)
        if self._limit is None:
            return []
        return [id_ for id_, since in self._since.items() if now >= since + self._limit]

    def wait(self) -> float | None:
        """How many seconds there are until one may be overdue; None for ever."""
        now, ends = self._clock(), []
        if self._limit is not None and self._since:
            ends.append(min(self._since.values()) + self._limit)
        if self._stopped is not None and self._grace is not None:
            ends.append(self._stopped + self._grace)
        return max(0.0, min(ends) - now) if ends else None
