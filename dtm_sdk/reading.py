"""Reads outside of an execution: at the same time, and given up where one takes longer than an operation may.

A Read that waits for nothing gains nothing from company: threads that all want the interpreter take turns at it, and
the turns cost more than the Reads. So one thread begins, and more are started as long as answers are slow to come.
"""

from functools import partial
from typing import Final

from dtm_sdk.decide import Seen
from dtm_sdk.events import Notice, Said, Tell
from dtm_sdk.hanging import give_up
from dtm_sdk.operations import Calls
from dtm_sdk.plan import Question
from dtm_sdk.running import Running
from dtm_sdk.workers import Workers

SLOW: Final = 0.0005
"""Seconds: where answers are further apart, more threads are worth their turns."""


class Reads:
    """Asks plugins about tools.

    Args:
        calls: calls the plugins.
        workers: the threads that call.
        running: says which calls take too long.
        tell: takes what the plugins say.

    Attributes:
        asked: number -> key of each tool that is being read, or waits for a thread.
    """

    def __init__(self, calls: Calls, workers: Workers, running: Running, tell: Tell) -> None:
        self.asked: dict[int, str] = {}
        self._calls = calls
        self._workers = workers
        self._running = running
        self._tell = tell
        self._count = 0

    def begin(self, question: Question) -> None:
        """Ask about a tool."""
        self._count += 1
        self.asked[self._count] = question.desired.tool.key
        self._workers.submit(partial(self._read, self._count, question), threads=1)

    def _read(self, id_: int, question: Question) -> None:
        """In a worker: one call."""
        if self._running.limited:
            self._workers.put((id_, None))
        self._workers.put((id_, self._calls.read(question)))

    def answers(self) -> list[tuple[str, Seen]]:
        """What there is to say since the last time, as (key, what Read said); waits until something happens."""
        found: list[tuple[str, Seen]] = []
        while self._workers.gather() > SLOW and self._workers.double():
            pass  # before it is known how slow they are: the first answer may be long in coming
        for result in self._workers.results(self._running.wait()):
            match result:
                case (int() as id_, None):
                    self._running.began(id_)
                case (int() as id_, Seen() as seen) if id_ in self.asked:
                    self._running.ended(id_)
                    found.append((self.asked.pop(id_), seen))
                case Said() | Notice():
                    self._tell(result)
        for id_ in self._running.overdue():
            error = f"no answer after {self._running.seconds(id_):.0f} s"
            self._running.ended(id_)
            self._workers.give_up_one()
            found.append((self.asked.pop(id_), Seen(error=error)))
        return found

    def leave(self) -> None:
        """Give up those that have not ended, because of an interrupt; they are named."""
        if self.asked:
            self._tell(Notice("warning", f"Interrupted while reading {', '.join(self.asked.values())}."))
            give_up()
        self.asked.clear()
