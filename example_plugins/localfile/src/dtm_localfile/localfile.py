"""What the operations share: a text file is loaded, saved and removed, wholly or not at all."""

import os
import stat
from contextlib import suppress

from dtm_sdk import PluginError

SUFFIX = ".dtm-tmp"
PIECE = 2**16
KINDS = {stat.S_IFDIR: "a directory", stat.S_IFLNK: "a link"}


def load(filename: str) -> str | None:
    """The text of the file; None when there is none.

    Raises:
        PluginError: it can't be read, isn't UTF-8, or something else stands in its place.
    """
    try:
        data = _bytes(filename) if _look(filename) else None
    except OSError as error:
        raise _explained("read", filename, error) from error
    try:
        return None if data is None else data.decode()
    except UnicodeDecodeError as error:
        raise PluginError(f"{filename!r} is no UTF-8 text (byte {error.start})", "remove it and apply again") from error


def save(filename: str, text: str) -> None:
    """Make the file hold the text, durably: at any moment it is the old file or the whole new one.

    Raises:
        PluginError: it can't be done, or something else stands in its place.
    """
    data, beside = text.encode(), temporary(filename)
    try:
        found = _look(filename)
        if found and _bytes(filename) == data:
            _discard(beside)
        else:
            _put(data, beside, filename, found)
        _settle(filename)
    except OSError as error:
        raise _explained("written", filename, error) from error


def remove(filename: str) -> None:
    """Remove the file, durably, and what a crash left beside it; that it is gone already is fine.

    Raises:
        PluginError: it can't be done, or something else stands in its place.
    """
    try:
        _look(filename)
        _discard(temporary(filename))
        _discard(filename)
        with suppress(FileNotFoundError, NotADirectoryError):
            _settle(filename)
    except OSError as error:
        raise _explained("deleted", filename, error) from error


def temporary(filename: str) -> str:
    """Where the text is written first: always the same name, so that what a crash left there is found again."""
    folder, name = os.path.split(filename)
    return os.path.join(folder, f".{name}{SUFFIX}")


def _explained(verb: str, filename: str, error: OSError) -> PluginError:
    """What the system refuses in one line: which file, what the system said, what to do."""
    folder = os.path.dirname(filename) or "."
    where = f" ({error.filename!r})" if error.filename not in (None, filename) else ""
    hint = f"put that right in the folder {folder!r}, then apply again"
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        hint = f"make the folder {folder!r} first, none is made for you"
    return PluginError(f"{filename!r} can't be {verb}: {error.strerror or error}{where}", hint)


def _look(filename: str) -> os.stat_result | None:
    """What the system knows of the file; None when there is none. Refuses what is no file."""
    try:
        found = os.lstat(filename)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except UnicodeEncodeError as error:
        hint = "run in a locale of UTF-8 (LC_ALL=C.UTF-8), or choose another filename"
        raise PluginError(f"{filename!r} can't be a name where names are {error.encoding}", hint) from error
    if not stat.S_ISREG(found.st_mode):
        kind = KINDS.get(stat.S_IFMT(found.st_mode), "a special file")
        raise PluginError(f"{filename!r} is {kind}, no text file", "move it away, or choose another filename")
    return found


def _bytes(filename: str) -> bytes:
    # The flags are for what may take the file's place just now: a link isn't followed, a pipe isn't waited for.
    number = os.open(filename, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        pieces = [os.read(number, PIECE)]
        while pieces[-1]:
            pieces.append(os.read(number, PIECE))
    finally:
        os.close(number)
    return b"".join(pieces)


def _put(data: bytes, beside: str, filename: str, replaced: os.stat_result | None) -> None:
    """Write beside the file, then put that in its place; what was written goes when that fails."""
    try:
        _write(beside, data, replaced)
        os.replace(beside, filename)
    except BaseException:
        with suppress(OSError):
            _discard(beside)
        raise


def _write(filename: str, data: bytes, replaced: os.stat_result | None) -> None:
    # A file that replaces another has its mode before its text: others may not open what is to be private.
    mode = 0o666 if replaced is None else replaced.st_mode & 0o777
    number = _new(filename, mode)
    try:
        if replaced is not None:
            os.fchmod(number, mode)  # the umask took from it above
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(number, rest) :]
        os.fsync(number)
    finally:
        os.close(number)


def _new(filename: str, mode: int) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        return os.open(filename, flags, mode)
    except FileExistsError:  # a crash left it
        os.unlink(filename)
        return os.open(filename, flags, mode)


def _discard(filename: str) -> None:
    with suppress(FileNotFoundError, NotADirectoryError):
        os.unlink(filename)


def _settle(filename: str) -> None:
    # Without this a power cut could undo the rename or the removal after it was reported.
    number = os.open(os.path.dirname(filename) or ".", os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
