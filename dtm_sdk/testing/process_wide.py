"""What belongs to the process and not to a plugin in it: looked at before and after a call."""

import gc
import locale
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

SETTLING: Final = 0.5
"""Seconds that a thread, or a file of one, may take to end after the call that started it."""


def process_wide() -> dict[str, Any]:
    """Each thing by its name.

    Not among them: the state of `random`, which whoever takes a number changes, and the filters of warnings, to which
    libraries add when they are imported.
    """
    return {name: look() for name, look in _THINGS.items()}


def _umask() -> str:
    now = os.umask(0o077)
    os.umask(now)
    return oct(now)


def _handlers() -> dict[str, Any]:
    return {each.name: signal.getsignal(each) for each in signal.Signals}


def _logging() -> dict[str, Any]:
    root = logging.getLogger()
    return {"handlers": [*root.handlers], "level": root.level, "disabled": logging.root.manager.disable}


_THINGS: Final[Mapping[str, Callable[[], Any]]] = {
    "the working directory": os.getcwd,
    "the environment": lambda: dict(os.environ),
    "the umask": _umask,
    "the locale": lambda: locale.setlocale(locale.LC_ALL),
    "a signal handler": _handlers,
    "the alarm": lambda: signal.getitimer(signal.ITIMER_REAL)[0] > 0,
    "sys.path": lambda: [*sys.path],
    "sys.argv": lambda: [*sys.argv],
    "sys.stdin": lambda: sys.stdin,
    "sys.stdout": lambda: sys.stdout,
    "sys.stderr": lambda: sys.stderr,
    "sys.excepthook": lambda: (sys.excepthook, threading.excepthook),
    "the recursion limit": sys.getrecursionlimit,
    "the root logger": _logging,
    "the default time-out of sockets": socket.getdefaulttimeout,
    "the time zone": lambda: time.tzname,
}


def open_files() -> int:
    """How many file descriptors are open."""
    return len(os.listdir("/dev/fd")) - 1  # noqa: PTH208  # one of them is that of the listing


def threads() -> int:
    """How many threads there are."""
    return threading.active_count()


def settled(count: Callable[[], int], most: int) -> int:
    """A count, once it is no more than `most`, or has had the time to be."""
    gc.collect()
    end = time.monotonic() + SETTLING
    with suppress(OSError):
        while (now := count()) > most and time.monotonic() < end:
            threading.Event().wait(0.005)
        return now
    return most
