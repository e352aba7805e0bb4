"""Faults at single calls: which kinds fit a call that a plugin makes, and how each is made to happen.

An exception raised in place of a call is true to life where the call is one system call: the call is not made, and the
plugin is told. It is not where Python buffers: what was handed to `write` would still reach the file later. There
`/dev/full` is put under the file's descriptor, so that the system itself says that the disk is full, at the write, the
flush or the closing, whichever comes to it (full(4)).
"""

import errno
import os
import socket
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct

from dtm_sdk.testing.watch import Call


class Blow(Struct, frozen=True):
    """One fault at one call.

    Attributes:
        number: of the call, from 1.
        call: its name.
        kind: what happens, e.g. "no space".
    """

    number: int
    call: str
    kind: str

    def __str__(self) -> str:
        return f"{self.kind} at call {self.number} ({self.call})"


def _os_error(code: int) -> Callable[[], Exception]:
    return lambda: OSError(code, os.strerror(code))


ERRORS: Final[Mapping[str, Callable[[], BaseException]]] = {
    "Ctrl-C": KeyboardInterrupt,
    "no permission": _os_error(errno.EACCES),
    "I/O error": _os_error(errno.EIO),
    "no space": _os_error(errno.ENOSPC),
    "interrupted": _os_error(errno.EINTR),
    "refused": _os_error(errno.ECONNREFUSED),
    "reset": _os_error(errno.ECONNRESET),
    "broken pipe": _os_error(errno.EPIPE),
    "time-out": lambda: TimeoutError("timed out"),
    "unknown host": lambda: socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"),
    "no memory": _os_error(errno.ENOMEM),
    "database error": lambda: sqlite3.OperationalError("disk I/O error"),
    "database full": lambda: sqlite3.OperationalError("database or disk is full"),
}
"""Kind -> what is raised in place of a call: what the system says then (errno(3)), and what Python makes of it."""
FULL: Final = "disk full"
INTERRUPT: Final = "Ctrl-C"

_LOOKS: Final = ("no permission", "I/O error")
_MAKES: Final = ("no space", "no permission", "I/O error")
_FITTING: Final[Mapping[str, Sequence[str]]] = {
    **dict.fromkeys(["stat", "lstat", "listdir", "scandir", "readlink"], _LOOKS),
    **dict.fromkeys(["open", "mkdir", "rename", "replace", "link", "symlink", "mkfifo"], (*_MAKES, "interrupted")),
    **dict.fromkeys(["unlink", "remove", "rmdir", "chmod", "fchmod", "chown", "utime"], _LOOKS),
    **dict.fromkeys(
        ["truncate", "ftruncate", "fsync", "fdatasync", "write", "FileIO.write"], ("no space", "I/O error")
    ),
    **dict.fromkeys(["read", "readv", "pread", "FileIO.read", "FileIO.readall", "BufferedReader.read"], ("I/O error",)),
    **dict.fromkeys(["TextIOWrapper.read", "BufferedReader.readline"], ("I/O error",)),
    **dict.fromkeys(["BufferedWriter.write", "TextIOWrapper.write", "BufferedRandom.write"], (FULL,)),
    **dict.fromkeys(["BufferedWriter.flush", "TextIOWrapper.flush", "BufferedWriter.close"], (FULL,)),
    **dict.fromkeys(["TextIOWrapper.close", "BufferedWriter.__exit__", "TextIOWrapper.__exit__"], (FULL,)),
    **dict.fromkeys(["connect", "socket.connect"], ("refused", "time-out")),
    **dict.fromkeys(["socket.send", "socket.sendall"], ("reset", "broken pipe")),
    **dict.fromkeys(["socket.recv", "socket.recv_into"], ("reset", "time-out")),
    "getaddrinfo": ("unknown host",),
    "fork_exec": ("no memory",),
    "posix_spawn": ("no memory",),
    **dict.fromkeys(["Connection.execute", "Cursor.execute"], ("database error",)),
    **dict.fromkeys(["Connection.commit", "Connection.__exit__"], ("database full",)),
}
"""Name of a call -> the kinds that fit it. A call that isn't here can't fail by itself (close, seek, getpid)."""


def blows(calls: Sequence[Call]) -> Iterator[Blow]:
    """Every fault that fits one of some calls, in their order."""
    for call in calls:
        for kind in _FITTING.get(call.name, ()):
            if kind != FULL or call.writable >= 0:
                yield Blow(call.number, call.name, kind)


def interrupts(calls: Sequence[Call]) -> Iterator[Blow]:
    """A Ctrl-C before each of some calls that can take long or fail, in their order."""
    yield from (Blow(call.number, call.name, INTERRUPT) for call in calls if call.name in _FITTING)


def sampled(every: Sequence[Blow], most: int) -> list[Blow]:
    """Some of many: each pair of call and kind at its first and its last place, then those between, evenly."""
    if len(every) <= most:
        return list(every)
    by_form: dict[tuple[str, str], list[Blow]] = {}
    for blow in every:
        by_form.setdefault((blow.call, blow.kind), []).append(blow)
    chosen = {blow for same in by_form.values() for blow in (same[0], same[-1])}
    rest = [blow for blow in every if blow not in chosen]
    room = max(most - len(chosen), 0)
    step = len(rest) / room if room else 0
    chosen |= {rest[int(index * step)] for index in range(min(room, len(rest)))}
    return [blow for blow in every if blow in chosen]


class Striker:
    """Makes one blow happen; what `Watch.watching` takes as its `act`.

    Attributes:
        fired: whether it has happened.
    """

    def __init__(self, blow: Blow) -> None:
        self.blow = blow
        self.fired = False

    def __call__(self, call: Call) -> None:
        """At each call: nothing but at the one.

        Raises:
            BaseException: what the system would say, as `ERRORS` has it.
        """
        if self.fired or call.number != self.blow.number or call.name != self.blow.call:
            return
        if self.blow.kind == FULL:
            if call.writable >= 0:
                self.fired = True
                _fill(call.writable)
            return
        self.fired = True
        error = ERRORS[self.blow.kind]()
        raise error


def _fill(number: int) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        os.dup2(full, number, inheritable=False)
    finally:
        os.close(full)
