"""A check in a process of its own: whatever the plugin does to its process, it does to none but that one."""

import faulthandler
import gc
import os
import selectors
import signal
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple, NoReturn

from msgspec import Struct

SPARE: Final = 2.0
"""Seconds that a check has after its limit to say where it hangs."""
POLL: Final = 0.05
"""Seconds between two looks at whether a child that says nothing has ended."""
WHERE: Final = signal.SIGUSR2
"""What a child answers by writing down where each of its threads is (Python's faulthandler)."""
MARK: Final = "DTM_CONFORMANCE"
"""The variable that tells the programs that a check has started, those too that have left its session."""


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
    reader, writer = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    with warnings.catch_warnings():  # Python 3.12 warns of threads; the child calls no lock that one of them may hold
        warnings.simplefilter("ignore", DeprecationWarning)
        gc.freeze()  # a collection in the child would touch, and so copy, each page that it shares
        pid = os.fork()
    if pid == 0:
        os.close(reader)
        os.environ[MARK] = str(scratch)
        _child(work, trace, writer)
    gc.unfreeze()
    os.close(writer)
    data, status, hung = _received(reader, pid, start + limit, trace)
    left = _kill_rest(pid, f"{MARK}={scratch}")
    said = trace.read_text(encoding="utf-8", errors="replace") if trace.exists() else ""
    seconds = time.monotonic() - start
    if data is not None:
        return Returned(data, left=left, seconds=seconds)
    died = f"it did not end within {limit:g} s" if hung else _how(status)
    return Returned(None, died, said, left, seconds)


def _child(work: Callable[[], bytes], trace: Path, writer: int) -> NoReturn:
    code = 70
    try:
        os.setsid()
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
        _send(writer, len(data).to_bytes(8, "big") + data)
        code = 0
    finally:
        with suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _send(writer: int, data: bytes) -> None:
    while data:
        data = data[os.write(writer, data) :]


def _received(reader: int, pid: int, deadline: float, trace: Path) -> tuple[bytes | None, int, bool]:
    """What a child sends, None if it isn't whole; its exit status; and whether it had to be ended at the deadline."""
    data, status = b"", None
    with selectors.DefaultSelector() as selector:
        selector.register(reader, selectors.EVENT_READ)
        while not _whole(data):
            if selector.select(POLL):
                piece = os.read(reader, 1 << 20)
                data += piece
                if not piece:
                    break
            elif status is not None or time.monotonic() > deadline:
                break  # what it has forked may hold the pipe open for good
            elif status is None:
                status = _status(pid)
    os.close(reader)
    hung = status is None and not _whole(data) and time.monotonic() > deadline
    if hung:
        _end(pid, trace)
    if status is None:
        status = os.waitpid(pid, 0)[1]
    return data[8:] if _whole(data) else None, status, hung


def _end(pid: int, trace: Path) -> None:
    """Let a child say where it hangs, then kill it."""
    with suppress(ProcessLookupError):
        os.kill(pid, WHERE)
        end = time.monotonic() + SPARE
        while time.monotonic() < end and "(most recent call first)" not in trace.read_text(errors="replace"):
            time.sleep(POLL)
        os.kill(pid, signal.SIGKILL)


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


class _Process(NamedTuple):
    pid: int
    command: str


def _kill_rest(session: int, mark: str) -> tuple[str, ...]:
    """Kill what is left of a session, and the programs that were started in it; the command lines of what was there."""
    found = _processes(session, mark.encode())
    for process in found:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(process.pid, signal.SIGKILL)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(session, signal.SIGKILL)  # where there is no /proc to look at
    return tuple(process.command for process in found)


def _processes(session: int, mark: bytes) -> list[_Process]:
    """The processes of a session, and orphans with the mark, as Linux's /proc lists them (proc(5)); none elsewhere."""
    found = []
    heirs = ("1", str(os.getpid()))  # who inherits orphans: this one, where it is a subreaper (prctl(2))
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):
            fields = (entry / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            ours = int(fields[3]) == session
            if not ours and fields[1] in heirs:
                ours = mark in (entry / "environ").read_bytes().split(b"\0")
            if ours and fields[0] != "Z":
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                found.append(_Process(int(entry.name), command[:200]))
    return found
