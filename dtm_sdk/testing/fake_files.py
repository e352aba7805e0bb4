"""A directory that is none: pyfakefs in place of what Python asks the system for files with."""

import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from types import ModuleType

LEFT_ALONE: Final = ("pyfakefs", "pytest", "_pytest", "pluggy", "hypothesis", "msgspec", "yaml", "click", "xdist")
"""Packages that no plugin works on files through; they needn't be looked through, and keep what is real."""
KEPT: Final = ("dtm_sdk.testing.watch", "dtm_sdk.testing.isolate", "dtm_sdk.testing.judge", "dtm_sdk.testing.forked")


@contextmanager
def fake_files(folder: Path) -> Iterator[None]:
    """Inside, every module that works on files, however it imported what it does that with, works on fake ones.

    Args:
        folder: made anew among them, and the working directory.
    """
    from pyfakefs.fake_filesystem_unittest import Patcher

    _mend()
    skipped: list[str | ModuleType] = [
        name
        for name in sys.modules
        if (name.partition(".")[0] in LEFT_ALONE or name in KEPT) and name != "pyfakefs.fake_filesystem_unittest"
    ]  # that one removes temporary files
    with Patcher(additional_skip_names=skipped) as patcher:
        if patcher.fs is None:
            raise RuntimeError("pyfakefs has no file system")
        patcher.fs.create_dir(folder)
        patcher.fs.cwd = str(folder)
        yield


def _mend() -> None:
    """Let pyfakefs (6.3.2) do two things as the system does them, for as long as the process of the check lasts.

    Its `os.open` gives the mode to a file that is there already, and doesn't take the umask from it (POSIX, open():
    the mode is that of a file which is created, less the umask). A file opened without a buffer has no `readall`.
    """
    from pyfakefs.fake_file import FakeFileWrapper
    from pyfakefs.fake_os import FakeOsModule

    if "readall" in vars(FakeFileWrapper):
        return
    theirs = FakeOsModule.open

    def open_(self: Any, path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        try:
            there = stat.S_IMODE(self.stat(path, dir_fd=dir_fd).st_mode)
        except OSError:
            there = mode & ~self.filesystem.umask
        number: int = theirs(self, path, flags, there, dir_fd=dir_fd)
        return number

    for owner, name, function in (
        (FakeOsModule, "open", open_),
        (FakeFileWrapper, "readall", lambda self: self.read()),
    ):
        setattr(owner, name, function)
