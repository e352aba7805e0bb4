"""A folder: the working directory of the plugin, with neighbours that it must leave alone."""

import os
import resource
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Final

from dtm_sdk.testing.watch import Watch
from dtm_sdk.testing.worlds.commands import command_faults, counted
from dtm_sdk.testing.worlds.sqlite import BESIDE, content, fill, is_sqlite
from dtm_sdk.testing.worlds.world import Fault, Tree, World

NEIGHBOURS: Final[Mapping[str, bytes | str | None]] = {
    "neighbour": None,
    "neighbour/a.txt": b"nobody's business\n",
    "neighbour.txt": b"here before\n",
    ".neighbour": b"\x00\xff not text",
    "link": "neighbour.txt",
}
"""What lies beside the resource: a path -> the bytes of a file, the target of a link, or None for a folder."""


class FileWorld(World):
    """A folder of the check's own, which is the working directory of the plugin.

    A tree is `{path: {"kind": ..., "mode": ..., ...}}`, the path relative, with `/`: a file has its `content` as bytes,
    a link its `target`, a SQLite file what `dtm_sdk.testing.worlds.sqlite.content` says of it, so that two files with
    the same rows are the same.

    Args:
        files: what lies there at first beside the neighbours, e.g. a file that the plugin keeps a section of:
            path -> text, or bytes.
        commands: names of the command-line tools that the plugin starts; each can be made to fail.
        environment: variables of the process of each check, e.g. a PATH on which the tools are found.
    """

    name = "files"

    def __init__(
        self,
        files: Mapping[str, str | bytes] | None = None,
        *,
        commands: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._files = dict(files or {})
        for path, text in self._files.items():
            if not isinstance(text, str | bytes):
                raise TypeError(f"FileWorld: {path} is to hold {type(text).__name__}, and can hold str or bytes")
        self.planted = tuple(path for path in NEIGHBOURS if path not in self._files)
        self._commands = tuple(commands)
        self._environment = dict(environment or {})
        self._folder = Path()

    @contextmanager
    def opened(self, scratch: Path) -> Iterator[None]:
        """Make the folder, plant the neighbours, and make it the working directory."""
        self._folder = scratch / "world"
        self._folder.mkdir()
        before, variables = Path.cwd(), dict(os.environ)
        self.plant()
        os.chdir(self._folder)
        os.environ.update(self._environment)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(variables)
            os.chdir(before)

    @property
    def folder(self) -> Path:
        """The working directory of the plugin."""
        return self._folder

    @property
    def writable(self) -> Sequence[Path]:
        """The folder."""
        return (self._folder,)

    def faults(self) -> Sequence[Fault]:
        """The process has no descriptor left; commands fail; what else may befall a call is the suite's own."""
        none_left = Fault("no file can be opened", _no_descriptor, blind=False, single=False)
        return [none_left, *command_faults(self._commands, self._folder.parent)]

    def counting(self) -> AbstractContextManager[Callable[[], int]]:
        """Inside, commands are counted."""
        return counted(self._commands, self._folder.parent)

    def plant(self) -> None:
        """Put the neighbours and the files there."""
        own = {path: what.encode() if isinstance(what, str) else what for path, what in self._files.items()}
        for path, what in {**NEIGHBOURS, **own}.items():
            place = self._folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            if what is None:
                place.mkdir(exist_ok=True)
            elif isinstance(what, bytes):
                place.write_bytes(what)
            else:
                place.symlink_to(what)

    def snapshot(self) -> Tree:
        """Every file, folder and link, with its mode."""
        found: Tree = {}
        for folder, folders, files in os.walk(self._folder):
            for name in sorted([*folders, *files]):
                path = Path(folder, name)
                try:
                    entry = _entry(path)
                except FileNotFoundError:  # a thread that the plugin has left behind is at work
                    continue
                if entry:
                    found[os.path.relpath(path, self._folder)] = entry  # a fake path is relative to no real one
        return found

    def restore(self, tree: Tree) -> None:
        """Make the folder hold just what the tree says; what is right already is not touched."""
        self._folder.mkdir(exist_ok=True)
        now = self.snapshot()
        for path in sorted(now, reverse=True):
            kind = tree[path].get("kind") if path in tree else None
            if kind != now[path]["kind"]:
                _remove(self._folder / path)
                for suffix in BESIDE:
                    _remove(self._folder / f"{path}{suffix}")
        for path in sorted(tree):
            if tree[path] != now.get(path) and not _is_below_a_file(path, tree):
                _put(self._folder / path, tree[path])


@contextmanager
def _no_descriptor(only: int = 0) -> Iterator[Callable[[], int]]:
    """Inside, each open fails with EMFILE (getrlimit(2)), for root too; `only` one can't be chosen."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        with Watch.here().watching() as seen:
            yield lambda: len([*seen.names, *seen.children, *seen.libraries])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _entry(path: Path) -> dict[str, Any] | None:
    found = path.lstat()
    mode = stat.S_IMODE(found.st_mode)
    if stat.S_ISLNK(found.st_mode):
        return {"kind": "link", "target": str(path.readlink())}
    if stat.S_ISDIR(found.st_mode):
        return {"kind": "folder", "mode": mode}
    if not stat.S_ISREG(found.st_mode):
        return {"kind": "special", "mode": found.st_mode}
    if path.name.endswith(BESIDE) and is_sqlite(path.with_name(path.name.rpartition("-")[0])):
        return None
    tables = content(path) if is_sqlite(path) else None
    if tables is not None:
        return {"kind": "sqlite", "mode": mode, **tables}
    return {"kind": "file", "mode": mode, "content": path.read_bytes()}


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _is_below_a_file(path: str, tree: Tree) -> bool:
    """Whether a place lies below what is no folder: a change of one place may make a file of a folder with others."""
    return any(tree.get(str(above), {}).get("kind", "folder") != "folder" for above in Path(path).parents)


def _put(path: Path, entry: Mapping[str, Any]) -> None:
    """Make an entry; one that lacks something is what a change of one place makes, say of a file into a link."""
    kind = entry["kind"]
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "folder":
        path.mkdir(exist_ok=True)
    elif kind == "link":
        _remove(path)
        path.symlink_to(entry.get("target", "nowhere"))
        return
    elif kind == "file":
        path.write_bytes(entry.get("content", b""))
    elif kind == "sqlite":
        fill(path, entry)
    elif kind == "special" and stat.S_ISFIFO(entry["mode"]):
        os.mkfifo(path)
    else:
        raise ValueError(f"{path.name} is of the kind {kind!r}, which can't be put back: name it in `volatile`")
    path.chmod(stat.S_IMODE(entry.get("mode", 0o755 if kind == "folder" else 0o644)))
