"""Child processes: our own, and those that a plugin has started, which are waited for, or ended with all below them."""

import ctypes
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

PATIENCE: Final = 5.0
"""Seconds to wait for them: one may be there to stay."""
SHORT: Final = 0.1
"""Seconds to wait for the others once one was there to stay: so may be those that come after it."""
_SET: Final = 36
_GET: Final = 37
"""PR_SET_CHILD_SUBREAPER and PR_GET_CHILD_SUBREAPER, as <linux/prctl.h> has them."""


def children(pid: int | None = None) -> frozenset[int]:
    """The child processes of one, by default of this one, as Linux's /proc lists them (proc(5)); none elsewhere.

    Those are among them that have ended and that nobody has waited for.
    """
    found: set[int] = set()
    for path in Path(f"/proc/{pid or 'self'}/task").glob("*/children"):
        with suppress(OSError):
            found.update(map(int, path.read_bytes().split()))
    return frozenset(found)


def descendants(pid: int) -> frozenset[int]:
    """The children of a process, theirs and so on."""
    found, new = frozenset[int](), children(pid)
    while new:
        found |= new
        new = frozenset(below for each in new for below in children(each)) - found
    return found


def fork() -> int:
    """Fork this process (fork(2)); 0 in the child, which may take no lock that another thread of this one may hold.

    Python warns where there are threads, from 3.12 on; from 3.15 on it raises where warnings are errors.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def adopt() -> None:
    """Become the parent of the orphans among our descendants, so that they can be waited for (prctl(2)); Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET, 1, 0, 0, 0)


@contextmanager
def adopting() -> Iterator[None]:
    """Inside, orphans come to this process, as with `adopt`."""
    if sys.platform != "linux":
        yield
        return
    before = ctypes.c_int()
    ctypes.CDLL(None).prctl(_GET, ctypes.byref(before), 0, 0, 0)
    adopt()
    try:
        yield
    finally:
        ctypes.CDLL(None).prctl(_SET, before, 0, 0, 0)


def end_all(found: Callable[[], frozenset[int]]) -> tuple[str, ...]:
    """Kill processes, looking again for what they have started meanwhile; the command lines of those that lived."""
    named: dict[int, str] = {}
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        alive = {pid: command for pid in found() if (command := _command(pid))}
        if not alive:
            break
        named = alive | named
        for pid in alive:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        threading.Event().wait(0.001)
    return tuple(named.values())


def _command(pid: int) -> str:
    """The command line of a process; empty where it has ended."""
    with suppress(OSError):
        name, _, fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")
        if fields.split()[0] not in "ZX":
            words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            return words[:200] or name.partition("(")[2]
    return ""


def outlive(group: int) -> None:
    """Wait for those that the dead leader of a process group has left."""
    _wait(lambda: _has_any(group))


def _has_any(group: int) -> bool:
    """Whether a process group has any process left. One that we have adopted stays in it until we know of its end."""
    with suppress(ChildProcessError):  # none of them is ours, as on macOS, which has no way to adopt any
        while os.waitpid(-group, os.WNOHANG)[0]:
            pass
    with suppress(ProcessLookupError, PermissionError):  # of what has become another user's, we wait for nothing
        os.killpg(group, 0)
        return True
    return False


def outlive_new(before: frozenset[int]) -> None:
    """Wait for those of this process that weren't there before."""
    for pid in children() - before:
        _wait(lambda pid=pid: os.waitpid(pid, os.WNOHANG)[0] == 0)  # type: ignore[misc]  # mypy knows no such default


class Leftovers:
    """What operations that failed have left at work: it must do nothing to the world that comes next.

    Attributes:
        likely: whether one has failed since they were last waited for; those that succeed wait for what they start.
    """

    def __init__(self) -> None:
        self.likely = False
        self._known = children()

    def outlive(self) -> None:
        """Wait for them; those that are there to stay are waited for once."""
        if self.likely:
            outlive_new(self._known)
            self._known, self.likely = children(), False


class _Patience:
    """How long one is waited for.

    Attributes:
        seconds: `PATIENCE`, until one has outlived it.
    """

    seconds = PATIENCE


def _wait(more: Callable[[], bool]) -> None:
    end = time.monotonic() + _Patience.seconds
    with suppress(ChildProcessError):
        while more():
            if time.monotonic() > end:
                _Patience.seconds = SHORT
                return
            threading.Event().wait(0.002)
