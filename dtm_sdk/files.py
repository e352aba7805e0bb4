"""Files that hold a state: for their owner only, never reached through a link, whole or not there after a crash.

Every name is opened relative to a folder that is held open, so nothing can be put in the way between a look and a use.
Each OSError becomes a `StateError` of one line.
"""

# ruff: noqa: PTH118, PTH208  # pathlib knows nothing of what is relative to an open folder

import errno
import fcntl
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Final, NamedTuple, Self

from dtm_sdk.errors import StateError

_SAFE: Final = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""A link is refused, and a FIFO that nobody writes to doesn't hang."""

_NO_FULL_SYNC: Final = {errno.ENOTSUP, errno.EINVAL, errno.ENOTTY}
"""What file systems of macOS answer that lack F_FULLFSYNC: SMB and NTFS, WebDAV, ZFS (libuv, pull request 2135)."""
_HERE: Final = "the working directory"
_HINTS: Final = {
    errno.ENOSPC: "make room there, then run again",
    errno.EDQUOT: "make room in the quota, then run again",
    errno.EFBIG: "raise the limit on the size of files (ulimit -f), then run again",
    errno.EIO: "check the disk, then run again",
    errno.EROFS: "make it writable, or name another place with stateFile",
    errno.EACCES: "let this user read and write there, or name another place with stateFile",
    errno.EPERM: "let this user read and write there, or name another place with stateFile",
    errno.ENOENT: "make the folder, or correct stateFile",
    errno.ENOTDIR: "correct stateFile",
    errno.ENAMETOOLONG: "correct stateFile",
    errno.ELOOP: "put the file itself there, or name it with stateFile",
    errno.EISDIR: "move the folder away, or correct stateFile",
}


class Stamp(NamedTuple):
    """What is told of a file without reading it.

    Attributes:
        size: in bytes.
        modified: when it was written last, in seconds since 1970.
    """

    size: int
    modified: float


@contextmanager
def told(doing: str, path: str) -> Iterator[None]:
    """Turn an OSError into a StateError: `can't <doing> <path>: <reason>`, and what to do about it."""
    try:
        yield
    except OSError as error:
        reason = "it is a link" if error.errno == errno.ELOOP else error.strerror
        raise StateError(f"can't {doing} {path or _HERE}: {reason}", _HINTS.get(error.errno or 0, "")) from error


def sync(fd: int) -> None:
    """Return once the data of a file, or the names of a folder, would survive a power cut."""
    if sys.platform == "darwin":
        # There, fsync leaves the data in the cache of the drive (man 2 fsync).
        try:
            fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
        except OSError as error:
            if error.errno not in _NO_FULL_SYNC:
                raise
        else:
            return
    os.fsync(fd)


def append(fd: int, data: bytes, path: str) -> None:
    """Add to the end of an open file with one write, durable when this returns.

    Raises:
        StateError: it may not be durable. It must not be tried again: after a failed fsync the kernel may take pages
            that never reached the disk for clean, and the next fsync would succeed.
    """
    with told("write", path):
        written = os.write(fd, data)
        if written != len(data):
            raise StateError(f"can't write {path}: only {written} of {len(data)} bytes went in", _HINTS[errno.ENOSPC])
        if sys.platform == "darwin":  # it has no fdatasync
            sync(fd)
        else:
            os.fdatasync(fd)


class Folder:
    """A folder held open, and the files in it. A context manager; closed at its end.

    Attributes:
        path: how messages name it.
    """

    __slots__ = ("_fd", "path")

    def __init__(self, fd: int, path: str) -> None:
        self._fd = fd
        self.path = path

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the folder."""
        os.close(self._fd)

    def path_of(self, name: str) -> str:
        """The path of a file in it, for messages."""
        return os.path.join(self.path, name)

    def folder(self, name: str) -> "Folder | None":
        """The folder of that name in this one; None where there is none.

        Raises:
            StateError: it is a link or no folder, it is another user's, or others may write in it.
        """
        path = self.path_of(name)
        with told("open", path):
            try:
                fd = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._fd)
            except FileNotFoundError:
                return None
            except OSError as error:
                if error.errno not in {errno.ENOTDIR, errno.ELOOP}:  # of a link, systems say the one or the other
                    raise
                raise StateError(f"can't open {path}: it is a link or no folder", "move it away") from None
        return Folder(_checked(fd, path, _check_folder), path)

    def made_folder(self, name: str) -> "Folder":
        """The folder of that name in this one, made for its owner only (0700) where there is none.

        Raises:
            StateError: as `folder`; or it can't be made.
        """
        while (found := self.folder(name)) is None:
            with told("make", self.path_of(name)), suppress(FileExistsError):
                os.mkdir(name, 0o700, dir_fd=self._fd)
        return found

    def open(self, name: str, flags: int) -> int | None:
        """A file descriptor of a regular file of this user; None where there is none.

        With O_CREAT among the flags it is made with 0600.

        Raises:
            StateError: it is something else, or another user's, or can't be opened.
        """
        path = self.path_of(name)
        with told("open", path):
            try:
                fd = os.open(name, flags | _SAFE, 0o600, dir_fd=self._fd)
            except FileNotFoundError:
                return None
        return _checked(fd, path, _check_file)

    def read(self, name: str) -> bytes | None:
        """A whole file; None where there is none.

        Raises:
            StateError: as `open`; or it can't be read.
        """
        fd = self.open(name, os.O_RDONLY)
        if fd is None:
            return None
        with told("read", self.path_of(name)), os.fdopen(fd, "rb") as file:
            return file.read()

    def stamp(self, name: str) -> Stamp | None:
        """The stamp of what has this name now; None where nothing has."""
        with told("look at", self.path_of(name)), suppress(FileNotFoundError):
            found = os.stat(name, dir_fd=self._fd, follow_symlinks=False)
            return Stamp(found.st_size, found.st_mtime)
        return None

    def replace(self, name: str, data: bytes, temporary: str, *, durable: bool = True) -> None:
        """Make a file hold `data`: at any time its name has the old content or the new one, never a part.

        Args:
            name: the file; made with 0600.
            data: what it will hold.
            temporary: name of the file in this folder that it is written to first; what a crash left there is removed.
            durable: whether it survives a power cut once this returns. Costs two fsyncs: the file, then the folder.

        Raises:
            StateError: it can't be written, and is as it was; unless the fsync of the folder failed.
        """
        with told("write", self.path_of(name)):
            self._clear(temporary)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _SAFE
            fd = os.open(temporary, flags, 0o600, dir_fd=self._fd)
            try:
                with os.fdopen(fd, "wb", buffering=0) as file:
                    rest = memoryview(data)
                    while rest:
                        rest = rest[file.write(rest) :]
                    if durable:
                        sync(fd)
                os.rename(temporary, name, src_dir_fd=self._fd, dst_dir_fd=self._fd)
            except OSError:
                with suppress(OSError):
                    os.unlink(temporary, dir_fd=self._fd)
                raise
            if durable:
                sync(self._fd)

    def _clear(self, temporary: str) -> None:
        """Remove what a crash left of a temporary file; refuse anything else of that name."""
        left = self.open(temporary, os.O_RDONLY)
        if left is not None:
            os.close(left)
            os.unlink(temporary, dir_fd=self._fd)

    def sync(self) -> None:
        """Return once the names in it would survive a power cut."""
        with told("write", self.path):
            sync(self._fd)

    def remove(self, name: str) -> None:
        """Remove a file; nothing where there is none."""
        with told("remove", self.path_of(name)), suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._fd)

    def numbers(self, suffix: str) -> list[int]:
        """The numbers that name files with a suffix, such as 7 for `7.yaml`, ascending."""
        stems = (name.removesuffix(suffix) for name in self.names() if name.endswith(suffix))
        return sorted(int(stem) for stem in stems if stem.isascii() and stem.isdigit())

    def names(self) -> list[str]:
        """The names of all that is in it, sorted."""
        with told("list", self.path):
            return sorted(os.listdir(self._fd))

    def check_writable(self) -> None:
        """Find a folder where no file can be made, without making one.

        Raises:
            StateError: it is read-only, for this user or for all.
        """
        # Where the system can't tell for the effective user, the real one is the same: dtm is no setuid program.
        if not os.access(".", os.W_OK | os.X_OK, dir_fd=self._fd, effective_ids=os.access in os.supports_effective_ids):
            what = f"can't write in {self.path or _HERE}: it is read-only, or this user may not"
            raise StateError(what, _HINTS[errno.EACCES])


def _checked(fd: int, path: str, check: Callable[[os.stat_result, str], None]) -> int:
    """A file descriptor that passes a check; closed where it doesn't."""
    try:
        found = os.fstat(fd)
        if found.st_uid != os.geteuid():
            hint = "run as that user, or name another place with stateFile"
            raise StateError(f"{path} belongs to another user (uid {found.st_uid})", hint)  # noqa: TRY301
        check(found, path)
    except StateError:
        os.close(fd)
        raise
    return fd


def _check_folder(found: os.stat_result, path: str) -> None:
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise StateError(f"other users may write in {path}", f"run `chmod 700 {path}`")


def _check_file(found: os.stat_result, path: str) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise StateError(f"can't open {path}: it is no regular file", "move it away: dtm keeps a file there")


def saved(name: str, data: bytes, folders: Iterable[str]) -> str:
    """Write a file, for its owner only, to the first folder that takes it; its path, empty where none does."""
    for folder in folders:
        with suppress(StateError), open_folder(folder, folder) as found:
            found.replace(name, data, f"{name}.tmp")
            return found.path_of(name)
    return ""


def open_folder(path: str, shown: str) -> Folder:
    """The folder at a path, whoever it belongs to; `shown` is how messages name it.

    Raises:
        StateError: there is none, or it can't be opened.
    """
    with told("open", shown):
        return Folder(os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC), shown)


@contextmanager
def opened(folder: Folder | None, name: str) -> Iterator[Folder | None]:
    """A folder in a folder, held open for a while; None where there is none."""
    found = folder.folder(name) if folder else None
    try:
        yield found
    finally:
        if found:
            found.close()
