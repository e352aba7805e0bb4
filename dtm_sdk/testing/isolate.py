"""A check in a process of its own: whatever the plugin does to its process, it does to none but that one."""

import faulthandler
import gc
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, NoReturn

from msgspec import Struct

from dtm_sdk.testing.children import adopt, adopting, children, descendants, end_all, fork

SPARE: Final = 2.0
"""Seconds that a check has after its limit to say where it hangs."""
POLL: Final = 0.05
"""Seconds between two looks at whether a child that says nothing has ended."""
WHERE: Final = signal.SIGUSR2
"""What a child answers by writing down where each of its threads is (Python's faulthandler)."""


class Returned(Struct, frozen=True):
    """How a process ended.

    Attributes:
        data: what the work returned; None where it didn't get so far.
        died: how it ended instead, e.g. "it exited with code 3"; empty where it returned.
        trace: where it was at its time limit.
        left: command lines of the processes that it left behind; they were killed.
        seconds: of wall time.
    """

    data: bytes | None
    died: str = ""
    trace: str = ""
    left: tuple[str, ...] = ()
    seconds: float = 0.0


def isolated(work: Callable[[], bytes], limit: float, scratch: Path) -> Returned:
    """Do some work in a child process and return what it returned; every process that it leaves behind is killed.

    Args:
        work: run in the child, which is the leader of a new session and of no terminal.
        limit: seconds that it may take.
        scratch: a folder for the traceback of a child that hangs.
    """
    start = time.monotonic()
    trace = scratch / "trace.txt"
    ours, theirs = socket.socketpair()
    sys.stdout.flush()
    sys.stderr.flush()
    before = children()
    with adopting():  # its orphans come to the child, as long as it lives, and then to us
        gc.freeze()  # a collection in the child would touch, and so copy, each page that it shares
        pid = fork()
        if pid == 0:
            ours.close()
            _child(work, trace, theirs)
        gc.unfreeze()
        theirs.close()
        data, status = _received(ours, pid, start + limit)
        hung = data is None and status is None
        if hung:
            _stop(pid, trace)
        left = end_all(lambda: descendants(pid) if status is None else children() - before)
        ours.close()
        if hung:
            os.kill(pid, signal.SIGKILL)
        if status is None:
            status = os.waitpid(pid, 0)[1]
        _tidy(pid, before)
    said = _text(trace)
    seconds = time.monotonic() - start
    if data is not None:
        return Returned(data, left=left, seconds=seconds)
    died = f"it did not end within {limit:g} s" if hung else _how(status)
    return Returned(None, died, said, left, seconds)


def _child(work: Callable[[], bytes], trace: Path, theirs: socket.socket) -> NoReturn:
    code = 70
    try:
        os.setsid()
        adopt()  # what it starts is found below it, in whatever session
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
        with Path(os.devnull).open(encoding="utf-8") as nothing:
            os.dup2(nothing.fileno(), 0)
        with trace.open("w", encoding="utf-8") as file:
            faulthandler.enable(file)
            faulthandler.register(WHERE, file)  # no watchdog: its thread would be missing in a child of this one
            data = work()
            faulthandler.unregister(WHERE)
            faulthandler.disable()
        theirs.sendall(len(data).to_bytes(8, "big") + data)
        theirs.recv(1)  # until what has been started here has been looked for
        code = 0
    finally:
        with suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _received(ours: socket.socket, pid: int, deadline: float) -> tuple[bytes | None, int | None]:
    """What a child sends, None if it isn't whole; and its exit status, None where it hasn't ended by itself."""
    data, status = b"", None
    with selectors.DefaultSelector() as selector:
        selector.register(ours, selectors.EVENT_READ)
        while not _whole(data) and status is None and time.monotonic() < deadline:
            if selector.select(POLL):
                piece = _piece(ours)
                data += piece
                if not piece:
                    selector.unregister(ours)  # it has closed what isn't its, and may still hang
            else:  # what it has forked may hold the connection open for good
                status = _status(pid)
    return data[8:] if _whole(data) else None, status


def _piece(ours: socket.socket) -> bytes:
    try:
        return ours.recv(1 << 20)
    except ConnectionError:
        return b""


def _stop(pid: int, trace: Path) -> None:
    """Let a child say where it hangs, then stop it, so that it starts nothing more."""
    os.kill(pid, WHERE)
    end = time.monotonic() + SPARE
    while time.monotonic() < end and "(most recent call first)" not in _text(trace):
        time.sleep(POLL)
    os.kill(pid, signal.SIGSTOP)


def _text(trace: Path) -> str:
    try:
        return trace.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""


def _whole(data: bytes) -> bool:
    return len(data) >= 8 and len(data) - 8 >= int.from_bytes(data[:8], "big")


def _status(pid: int) -> int | None:
    found, status = os.waitpid(pid, os.WNOHANG)
    return status if found else None


def _how(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        return f"it was ended by {signal.Signals(-code).name}"
    return f"it exited with code {code}" if code else "it ended early, without a word"


def _tidy(session: int, before: frozenset[int]) -> None:
    """Kill what a child has started at the last moment, or left where there is no /proc to look at."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(session, signal.SIGKILL)
    for pid in children() - before:
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
