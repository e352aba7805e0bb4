"""A folder: the working directory of the plugin, with neighbours that it must leave alone."""

import os
import shutil
import sqlite3
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from dtm_sdk.testing.worlds.world import Tree, World

NEIGHBOURS: Final[Mapping[str, bytes | str | None]] = {
    "neighbour": None,
    "neighbour/a.txt": b"nobody's business\n",
    "neighbour.txt": b"here before\n",
    ".neighbour": b"\x00\xff not text",
    "link": "neighbour.txt",
}
"""What lies beside the resource: a path -> the bytes of a file, the target of a link, or None for a folder."""

SQLITE: Final = b"SQLite format 3\x00"
"""How a SQLite file starts (sqlite.org/fileformat2.html, section 1.3.1)."""
SQLITE_BESIDE: Final = ("-journal", "-wal", "-shm")


class FileWorld(World):
    """A folder of the check's own, which is the working directory of the plugin.

    A tree is `{path: {"kind": ..., "mode": ..., ...}}`, the path relative, with `/`: a file has its `content` as bytes,
    a link its `target`, a SQLite file its `tables` with their rows, so that two files with the same rows are the same.

    Args:
        files: what lies there at first beside the neighbours, e.g. a file that the plugin keeps a section of:
            path -> text.
    """

    name = "files"

    def __init__(self, files: Mapping[str, str] | None = None) -> None:
        self._files = dict(files or {})
        self._folder = Path()

    @contextmanager
    def opened(self, scratch: Path) -> Iterator[None]:
        """Make the folder, plant the neighbours, and make it the working directory."""
        self._folder = scratch / "world"
        self._folder.mkdir()
        before = Path.cwd()
        self.plant()
        os.chdir(self._folder)
        try:
            yield
        finally:
            os.chdir(before)

    @property
    def folder(self) -> Path:
        """The working directory of the plugin."""
        return self._folder

    @property
    def writable(self) -> Sequence[Path]:
        """The folder."""
        return (self._folder,)

    def plant(self) -> None:
        """Put the neighbours and the files there."""
        for path, what in {**NEIGHBOURS, **{path: text.encode() for path, text in self._files.items()}}.items():
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
                entry = _entry(path)
                if entry:
                    found[path.relative_to(self._folder).as_posix()] = entry
        return found

    def restore(self, tree: Tree) -> None:
        """Make the folder hold just what the tree says; what is right already is not touched."""
        self._folder.mkdir(exist_ok=True)
        now = self.snapshot()
        for path in sorted(now, reverse=True):
            if path not in tree or tree[path]["kind"] != now[path]["kind"]:
                _remove(self._folder / path)
                for suffix in SQLITE_BESIDE:
                    _remove(self._folder / f"{path}{suffix}")
        for path in sorted(tree):
            if tree[path] != now.get(path):
                _put(self._folder / path, tree[path])


def _entry(path: Path) -> dict[str, Any] | None:
    found = path.lstat()
    mode = stat.S_IMODE(found.st_mode)
    if stat.S_ISLNK(found.st_mode):
        return {"kind": "link", "target": str(path.readlink())}
    if stat.S_ISDIR(found.st_mode):
        return {"kind": "folder", "mode": mode}
    if not stat.S_ISREG(found.st_mode):
        return {"kind": "special", "mode": found.st_mode}
    if path.name.endswith(SQLITE_BESIDE) and _is_sqlite(path.with_name(path.name.rpartition("-")[0])):
        return None
    if _is_sqlite(path):
        return {"kind": "sqlite", "mode": mode, "tables": _tables(path)}
    return {"kind": "file", "mode": mode, "content": path.read_bytes()}


def _is_sqlite(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(SQLITE)) == SQLITE
    except OSError:
        return False


def _tables(path: Path) -> dict[str, Any]:
    """Name -> {"sql": how it was made, "rows": {rowid: {column: value}}}; of a table without a rowid, by position."""
    with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as base:
        base.row_factory = sqlite3.Row
        made = base.execute("select name, sql from sqlite_schema where type='table' and name not like 'sqlite_%'")
        return {name: {"sql": sql, "rows": _rows(base, name)} for name, sql in made.fetchall()}


def _rows(base: sqlite3.Connection, table: str) -> dict[str, Any]:
    quoted = '"' + table.replace('"', '""') + '"'
    try:
        rows = base.execute(f"select rowid as _dtm_row, * from {quoted}").fetchall()  # noqa: S608  # no parameter there
    except sqlite3.OperationalError:
        rows = base.execute(f"select row_number() over () as _dtm_row, * from {quoted}").fetchall()  # noqa: S608
    return {str(row[0]): dict(zip(row.keys()[1:], tuple(row)[1:], strict=True)) for row in rows}


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


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
        _fill(path, entry.get("tables", {}))
    else:
        with suppress(FileExistsError):
            os.mkfifo(path)
        return
    path.chmod(entry.get("mode", 0o755 if kind == "folder" else 0o644))


def _fill(path: Path, tables: Mapping[str, Any]) -> None:
    """Make a SQLite file hold just these rows."""
    with closing(sqlite3.connect(path)) as base, base:
        there = [name for (name,) in base.execute("select name from sqlite_schema where type='table'").fetchall()]
        for name in there:
            if name not in tables and not name.startswith("sqlite_"):
                base.execute(f'drop table "{name}"')
        for name, table in tables.items():
            if name not in there:
                base.execute(table["sql"])
            base.execute(f'delete from "{name}"')  # noqa: S608  # no parameter there
            for number, row in table["rows"].items():
                columns = ", ".join(f'"{column}"' for column in row)
                values = ", ".join("?" * len(row))
                base.execute(
                    f'insert into "{name}" (rowid, {columns}) values (?, {values})',  # noqa: S608
                    (int(number), *row.values()),
                )
