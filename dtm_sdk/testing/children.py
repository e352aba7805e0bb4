"""Commands that a plugin has started and that are still at work when it was killed or interrupted."""

import ctypes
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

PATIENCE: Final = 5.0
"""Seconds to wait for them: one may be there to stay."""
_SUBREAPER: Final = 36
"""PR_SET_CHILD_SUBREAPER, as <linux/prctl.h> has it."""


def children() -> frozenset[int]:
    """The child processes of this one, as Linux's /proc lists them (proc(5)); none elsewhere."""
    found: set[int] = set()
    for path in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):
            found.update(map(int, path.read_bytes().split()))
    return frozenset(found)


def adopt() -> None:
    """Become the parent of the orphans among our descendants, so that they can be waited for (prctl(2)); Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)


def outlive(group: int) -> None:
    """Wait for those that the dead leader of a process group has left."""
    _wait(lambda: os.waitpid(-group, os.WNOHANG)[0] >= 0)


def outlive_new(before: frozenset[int]) -> None:
    """Wait for those of this process that weren't there before."""
    for pid in children() - before:
        _wait(lambda pid=pid: os.waitpid(pid, os.WNOHANG)[0] == 0)  # type: ignore[misc]  # mypy knows no such default


def _wait(more: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    with suppress(ChildProcessError):
        while more() and time.monotonic() < end:
            threading.Event().wait(0.002)
