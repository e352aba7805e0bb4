"""Threads that run jobs and put what comes of them where one reader takes it."""

import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from math import inf
from queue import Empty, SimpleQueue
from typing import Final, NamedTuple

from dtm_sdk.hanging import give_up

TURN: Final = 0.004
"""Seconds, at most, that results are gathered for."""
QUICK: Final = 0.00002
"""Seconds that a quick job takes: a turn is no longer than those that wait would need."""
AWAKE: Final = 1.0
"""Seconds, at most, that the main thread sleeps: a signal that comes right before a sleep, or to another thread, does
not end it (CPython looks at signals before it sleeps, and a lock ends early only for one that comes while it does)."""


class Stop:
    """Set once, by an interrupt or a state that can't be written: nothing new starts.

    Attributes:
        because: why, as the end of a sentence.
        wake: called when it is set, so that whoever waits for results looks at it; may run in a signal handler.
    """

    def __init__(self) -> None:
        self._event = threading.Event()
        self._is_set = False
        self.because = "interrupted"
        self.wake: Callable[[], None] = lambda: None

    def set(self) -> None:
        """Stop."""
        if self._is_set:  # a signal handler comes here while the thread that it interrupts may hold the event's lock
            return
        self._is_set = True
        self._event.set()
        self.wake()

    def is_set(self) -> bool:
        """Whether to stop."""
        return self._is_set

    def wait(self, seconds: float) -> bool:
        """Wait until it is set, at most so long; whether it is."""
        return self._event.wait(seconds)


class _Raised(NamedTuple):
    """What a job raised: a bug of ours."""

    error: BaseException


class Workers:
    """At most `count` threads, started as jobs come.

    They leave SIGINT to the main thread; it is blocked in them, which the children they start inherit: a Ctrl-C of the
    terminal reaches the whole process group, and a tool that a plugin has started must end its work all the same.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._threads: list[threading.Thread] = []
        self._jobs: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._results: SimpleQueue[object] = SimpleQueue()
        self.put = self._results.put

    def submit(self, job: Callable[[], object], *, threads: int | None = None) -> None:
        """Run a job in one of the threads. It puts what the reader should see; what it raises, the reader gets.

        Args:
            job: what to run.
            threads: how many threads may be started by now; all of them by default.
        """
        self._jobs.put(job)
        if len(self._threads) < (self.count if threads is None else min(threads, self.count)):
            self._start()

    def gather(self) -> float:
        """Let results come in while jobs wait for the threads: to take each by itself would only disturb them.

        Returns:
            How many seconds passed for each result that there is; infinity where there is none, 0 where no job waits.
        """
        turn = min(TURN, QUICK * self._jobs.qsize())
        if not turn:
            return 0
        time.sleep(turn)
        found = self._results.qsize()
        return turn / found if found else inf

    def double(self) -> bool:
        """Start as many threads again as there are, if so many may be; False where there are as many as may be."""
        more = min(len(self._threads), self.count - len(self._threads))
        for _ in range(more):
            self._start()
        return more > 0

    def _start(self) -> None:
        thread = threading.Thread(target=self._run, name=f"dtm-{len(self._threads)}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def results(self, seconds: float | None = None) -> list[object]:
        """What was put since the last time; waits until there is something, at most so long and not above `AWAKE`."""
        found: list[object] = []
        with suppress(Empty):
            found.append(self._results.get(timeout=AWAKE if seconds is None else min(seconds, AWAKE)))
            while True:
                found.append(self._results.get_nowait())
        for result in found:
            if isinstance(result, _Raised):
                raise result.error
        return found

    def give_up_one(self) -> None:
        """One of the threads hangs: another one takes its place, and the jobs that wait for it."""
        give_up()
        self.count += 1
        self._start()

    def close(self) -> None:
        """End the threads once they have nothing left to do; doesn't wait for one that hangs."""
        for _ in self._threads:
            self._jobs.put(None)

    def _run(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        while job := self._jobs.get():
            try:
                job()
            except BaseException as error:  # noqa: BLE001  # a job that is never heard of again would hang the run
                self.put(_Raised(error))
