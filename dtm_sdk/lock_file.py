"""A file that one process at a time holds, by flock: the kernel lets go of it when the holder dies, however it dies."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import msgspec

from dtm_sdk.errors import LockedError, StateError
from dtm_sdk.files import Folder, told
from dtm_sdk.holder import locked_by, this_process

_PAUSES: Final = (0.05, 1.0)
"""Seconds of the first and of the longest pause between two tries for a lock; each is varied by half."""
_UNNAMED: Final = 2.0
"""Seconds to wait for a holder that has written no note: it does so right after it has the lock."""


@contextmanager
def locked(folder: Folder, name: str, command: str, wait: float, what: str) -> Iterator[None]:
    """Hold a lock file for a while. It says who holds it, as JSON of the fields of `backends.Holder`.

    Args:
        folder: where the file is. It is made where there is none, and never renamed or removed.
        name: its name.
        command: what the holder does, e.g. "apply".
        wait: seconds to go on trying.
        what: what the lock is for, for messages.

    Raises:
        LockedError: another process holds it; it says who.
        StateError: the file can't be opened, locked or written.
    """
    fd = _acquired(folder, name, wait, what)
    try:
        note = msgspec.json.encode(this_process(command)) + b"\n"
        with told("write", folder.path_of(name)):
            os.pwrite(fd, note, 0)
            os.ftruncate(fd, len(note))
        yield
    finally:
        with suppress(OSError):
            os.ftruncate(fd, 0)
            fcntl.flock(fd, fcntl.LOCK_UN)  # a child that a plugin has forked may hold the file open for longer
        os.close(fd)


def _held(note: bytes, what: str) -> LockedError:
    try:
        return locked_by(msgspec.json.decode(note, type=dict[str, object]), what)
    except msgspec.MsgspecError:
        return locked_by({}, what)


def _acquired(folder: Folder, name: str, wait: float, what: str) -> int:
    started, pause = time.monotonic(), _PAUSES[0]
    while True:
        fd = folder.open(name, os.O_RDWR | os.O_CREAT)
        if fd is None:
            raise StateError(f"{folder.path} was removed", "run again")
        if _flock(fd, folder.path_of(name)):
            return fd
        note = os.pread(fd, 4096, 0).partition(b"\n")[0]
        os.close(fd)
        left = started + max(wait, 0 if note else _UNNAMED) - time.monotonic()
        if left <= 0:
            raise _held(note, what)
        time.sleep(min(left, pause * (0.5 + os.urandom(1)[0] / 255)))
        pause = min(2 * pause, _PAUSES[1])


def _flock(fd: int, path: str) -> bool:
    try:
        with told("lock", path):
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
    except StateError:
        os.close(fd)
        raise
    return True
