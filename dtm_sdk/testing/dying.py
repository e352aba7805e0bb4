"""The runner in a child process that dies in the middle of a plugin's operation, at a call that is chosen."""

import atexit
import os
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import wraps
from typing import Any, Final

from msgspec import Struct

from dtm_sdk.plugin import Operation, Plugin
from dtm_sdk.testing.children import adopt, fork, outlive
from dtm_sdk.testing.subject import Subject
from dtm_sdk.testing.watch import Call, Watch


class Death(Struct, frozen=True):
    """How a child ended.

    Attributes:
        died: it was killed where it should be.
        call: name of the call at which; empty where it got to its end.
    """

    died: bool
    call: str = ""


def dying(subject: Subject, operation: Operation, number: int, work: Callable[[Plugin], object]) -> Death:
    """Do some work in a child, whose process is killed just before a plugin's operation makes its n-th call.

    Args:
        subject: whose plugin it is.
        operation: the one that dies.
        number: of the call to the system, from 1; one more than there are is the moment after the operation is done, 0
            the one before it begins.
        work: takes the plugin, which dies.
    """
    subject.world.hang_up()  # and what a thread of it holds when it forks, the child would wait for without end
    reader, writer = os.pipe()
    adopt()
    pid = fork()
    if pid == 0:
        os.setpgid(0, 0)
        os.close(reader)
        code = 1
        try:
            work(mortal(subject.plugin, operation, number, lambda call: os.write(writer, call.encode())))
            code = 0
        finally:
            os._exit(code)
    os.close(writer)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    outlive(pid)
    os.set_blocking(reader, False)  # what it has left at work may hold the other end
    call = ""
    with os.fdopen(reader, "rb") as said, suppress(BlockingIOError):
        call = os.read(said.fileno(), 1000).decode()
    subject.world.settle()
    if status > 0:
        subject.fail(f"the run that was to die in {operation} ended with a bug of its own")
    return Death(status == -signal.SIGKILL, call)


def mortal(plugin: Plugin, operation: Operation, number: int, say: Callable[[str], object]) -> Plugin:
    """A plugin whose process dies in an operation, at its n-th call; `say` is told the call just before."""
    function = getattr(plugin, operation)

    def die(name: str) -> None:
        say(name)
        os.kill(os.getpid(), signal.SIGKILL)

    def act(call: Call) -> None:
        if call.number == number:
            die(str(call))

    @wraps(function)
    def dies(*arguments: Any) -> Any:
        if number == 0:
            die("the start")
        with Watch.here().watching(act) as seen:
            result = function(*arguments)
        if len(seen.calls) == number - 1:
            die("the end")
        return result

    changed: dict[str, Any] = {operation: dies}
    return replace(plugin, **changed)


def ending(subject: Subject, work: Callable[[], object]) -> None:
    """Do some work in a child, whose process ends as soon as it is done: so do threads, and exit handlers run."""
    subject.world.hang_up()
    pid = fork()
    if pid == 0:
        code = 1
        atexit._clear()  # noqa: SLF001  # what the processes above have registered is theirs
        try:
            work()
            atexit._run_exitfuncs()  # noqa: SLF001  # as the interpreter does when it ends
            code = 0
        finally:
            os._exit(code)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    subject.world.settle()
    if status:
        subject.fail(f"a run ended with code {status}")


CHANGING: Final = frozenset(
    {
        *("open", "mkdir", "rename", "replace", "link", "symlink", "unlink", "remove", "rmdir", "chmod", "fchmod"),
        *("write", "fsync", "fdatasync", "truncate", "ftruncate", "FileIO.write", "BufferedWriter.write"),
        *("TextIOWrapper.write", "BufferedWriter.flush", "BufferedWriter.close", "TextIOWrapper.close"),
        *("BufferedWriter.__exit__", "TextIOWrapper.__exit__", "socket.send", "socket.sendall", "fork_exec"),
        *("posix_spawn", "Connection.execute", "Cursor.execute", "Connection.commit", "Connection.__exit__"),
        *("Connection.executemany", "Cursor.executemany", "Connection.executescript", "Cursor.executescript"),
    }
)
"""Calls that change something, or ask for it."""


def turning_points(names: Sequence[str]) -> list[int]:
    """The numbers of the calls before which something has just been changed, or will be; one more for the end.

    Where no call is seen, of an operation that leaves all to a C library, they are the start and the end.
    """
    if not names:
        return [0, 1]
    changing = [number for number, name in enumerate(names, 1) if name in CHANGING]
    return sorted({1, len(names) + 1, *changing, *(number + 1 for number in changing)})


def evenly(numbers: Sequence[int], most: int) -> list[int]:
    """Some of many, evenly: the first and the last among them."""
    if len(numbers) <= most:
        return list(numbers)
    return sorted({numbers[round(index * (len(numbers) - 1) / (most - 1))] for index in range(most)})
