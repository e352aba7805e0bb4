"""Ctrl-C and SIGTERM: the first one lets what runs finish and be recorded, the second one ends the process at once."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from dtm_sdk.workers import Stop

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
EXIT_INTERRUPTED: Final = 130
"""128 + SIGINT, as shells report it."""


@contextmanager
def interrupts(leave: Callable[[], None] = lambda: None) -> Iterator[Stop]:
    """A `Stop` that the first signal sets; the handlers that were there are put back at the end.

    The second one ends the process, once it has called `leave`; a third one while that lasts, without it.

    What is in the journal by the second signal is durable, and the next run looks at the intents that are open. In
    another thread than the main one, which alone may handle signals, nothing is installed.
    """
    stop = Stop()

    def handle(signum: int, frame: FrameType | None) -> None:
        if stop.is_set():
            for each in SIGNALS:
                signal.signal(each, lambda *_: os._exit(EXIT_INTERRUPTED))
            leave()
            os._exit(EXIT_INTERRUPTED)
        stop.set()

    with _handled(handle):
        yield stop


@contextmanager
def interruptible() -> Iterator[None]:
    """Inside, where nothing has begun yet, the signals raise KeyboardInterrupt."""

    def handle(signum: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    with _handled(handle):
        yield


@contextmanager
def _handled(handle: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.signal(each, handle) for each in SIGNALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
