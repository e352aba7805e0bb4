"""Faults at single calls: which kinds fit a call that a plugin makes, and how each is made to happen.

An exception raised in place of a call is true to life where the call is one system call: the call is not made, and the
plugin is told. It is not where Python buffers: what was handed to `write` would still reach the file later. There
`/dev/full` is put under the file's descriptor, so that the system itself says that the disk is full, at the write, the
flush or the closing, whichever comes to it (full(4)). Where there is none, as on macOS, it is a descriptor that takes
no writing: it fails there too, with EBADF.
"""

import errno
import os
import resource
import signal
import socket
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Final

from msgspec import Struct

from dtm_sdk.testing.watch import SENDS, Call


class Blow(Struct, frozen=True):
    """One fault at one call.

    Attributes:
        call: the name of the call.
        nth: which of the calls of that name, from 1; how many others come before may vary.
        kind: what happens, e.g. "no space".
        place: where the author's code makes the call; empty where that isn't seen.
    """

    call: str
    nth: int
    kind: str
    place: str = ""

    def __str__(self) -> str:
        where = f" in {self.place}" if self.place else ""
        return f"{self.kind} at {self.call}{where}, call {self.nth} of that name"


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
    "database locked": lambda: sqlite3.OperationalError("database is locked"),
    "database full": lambda: sqlite3.OperationalError("database or disk is full"),
}
"""Kind -> what is raised in place of a call: what the system says then (errno(3)), and what Python makes of it."""
FULL: Final = "disk full"
DEVICE: Final = "/dev/full"
"""Every write to it fails with ENOSPC (full(4)); Linux has it."""
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
    "socket.connect": ("refused", "time-out"),
    **dict.fromkeys(["socket.send", "socket.sendall"], ("reset", "broken pipe")),
    **dict.fromkeys(["socket.recv", "socket.recv_into"], ("reset", "time-out")),
    "getaddrinfo": ("unknown host",),
    "fork_exec": ("no memory",),
    "posix_spawn": ("no memory",),
    "connect": ("database error",),
    **dict.fromkeys(["Connection.execute", "Cursor.execute"], ("database error", "database locked")),
    **dict.fromkeys(["Connection.executemany", "Cursor.executemany"], ("database error", "database full")),
    **dict.fromkeys(["Connection.executescript", "Cursor.executescript"], ("database error", "database full")),
    **dict.fromkeys(["Cursor.fetchone", "Cursor.fetchmany", "Cursor.fetchall"], ("database error",)),
    **dict.fromkeys(["Connection.commit", "Connection.__exit__"], ("database full", "database locked")),
}
"""Name of a call -> the kinds that fit it. A call that isn't here can't fail by itself (close, seek, getpid)."""


def blows(calls: Sequence[Call]) -> Iterator[Blow]:
    """Every fault that fits one of some calls, in their order."""
    for call, nth in _counted(calls):
        for kind in _FITTING.get(call.name, ()):
            if kind != FULL or call.writable >= 0:
                yield Blow(call.name, nth, kind, call.place)


def interrupts(calls: Sequence[Call]) -> Iterator[Blow]:
    """A Ctrl-C before each of some calls that can take long or fail, in their order."""
    every = ((call, nth) for call, nth in _counted(calls) if call.name in _FITTING)
    yield from (Blow(call.name, nth, INTERRUPT, call.place) for call, nth in every)


def _counted(calls: Sequence[Call]) -> Iterator[tuple[Call, int]]:
    """Each call with its number among those of its name."""
    counts: Counter[str] = Counter()
    for call in calls:
        counts[call.name] += 1
        yield call, counts[call.name]


def sampled(every: Sequence[Blow], most: int) -> list[Blow]:
    """Some of many: each pair of call and kind at its first and its last place, then those between, evenly of each."""
    if len(every) <= most:
        return list(every)
    by_form: dict[tuple[str, str], list[Blow]] = {}
    for blow in every:
        by_form.setdefault((blow.call, blow.kind), []).append(blow)
    chosen = {blow for same in by_form.values() for blow in (same[0], same[-1])}
    rest = [blow for same in by_form.values() for blow in same[1:-1]]
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
        self._left = blow.nth

    def __call__(self, call: Call) -> None:
        """At each call: nothing but at the one.

        Raises:
            BaseException: what the system would say, as `ERRORS` has it.
        """
        if call.name != self.blow.call:
            return
        self._left -= 1
        if self._left:
            return
        if self.blow.kind == FULL:
            if call.writable >= 0:
                self.fired = True
                _fill(call.writable)
            return
        self.fired = True
        if call.name in SENDS and call.writable >= 0:
            _cut(call.writable)
        made = ERRORS[self.blow.kind]
        raise made()  # kept nowhere: a frame that holds its own error keeps what the plugin has open


SIZES: Final = (0, 1)
"""Bytes that files may have in a run with `small_files`: none at all, or a first write that is a short one."""


@contextmanager
def small_files(size: int) -> Iterator[None]:
    """Inside, no file grows beyond some bytes, of this process or of the children that it starts.

    A write that begins before is short, the next one fails with EFBIG (setrlimit(2), RLIMIT_FSIZE). So it meets writes
    that no Python sees: of C libraries, and of commands. These would be killed by a signal, and leave their locks; so
    it is blocked, which children inherit.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGXFSZ})
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _cut(number: int) -> None:
    """Nothing more comes through a socket: a client that goes on to read (urllib3) hears the end, as it would then."""
    with socket.socket(fileno=os.dup(number)) as same, suppress(OSError):
        same.shutdown(socket.SHUT_RDWR)


def _fill(number: int) -> None:
    try:
        full = os.open(DEVICE, os.O_WRONLY)
    except FileNotFoundError:
        full = os.open(os.devnull, os.O_RDONLY)
    try:
        os.dup2(full, number, inheritable=False)
    finally:
        os.close(full)
