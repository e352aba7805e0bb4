"""What is in a SQLite file, by meaning: its tables with their rows, whatever pages, journal or free space there is."""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote

HEADER: Final = b"SQLite format 3\x00"
"""How a SQLite file starts (sqlite.org/fileformat2.html, section 1.3.1)."""
BESIDE: Final = ("-journal", "-wal", "-shm")
"""The ends of the names of files that belong to one (sqlite.org/tempfiles.html)."""


def is_sqlite(path: Path) -> bool:
    """Whether a file is one."""
    try:
        with path.open("rb") as file:
            return file.read(len(HEADER)) == HEADER
    except OSError:
        return False


def content(path: Path) -> dict[str, Any] | None:
    """What is in a file; None where SQLite says that it is no database, whatever its first bytes say.

    Returns:
        `tables`: name -> {"sql": how it was made, "rows": {key: {column: value}}}, where the key is the primary key, or
        the rowid of a table that has none; `others`: name -> how an index, a view or a trigger was made; `version`: the
        number that its user keeps in it. Columns that are computed are left out.
    """
    with closing(_opened(path)) as base:
        try:
            tables = {table.name: {"sql": table.sql, "rows": _rows(base, table)} for table in _tables(base)}
            return {"tables": tables, "others": _others(base), "version": _version(base)}
        except sqlite3.OperationalError:  # it is locked, say: that tells nothing of what is in it
            raise
        except sqlite3.DatabaseError:
            return None


def fill(path: Path, wanted: Mapping[str, Any]) -> None:
    """Make a file hold just what `content` said; a table that is as it should be is not touched."""
    path.touch()
    with closing(_opened(path)) as base:
        base.execute("pragma synchronous = off")  # a test's world need not outlast a power cut
        base.execute("begin immediate")
        tables: Mapping[str, Any] = wanted.get("tables", {})
        for name, kind in _droppable(base):
            base.execute(f"drop {kind} if exists {_quoted(name)}")
        there = {table.name: table for table in _tables(base)}
        for name, table in there.items():
            if name not in tables or tables[name]["sql"] != table.sql:
                base.execute(f"drop table {_quoted(name)}")
        for name, table in tables.items():
            if name not in there or there[name].sql != table["sql"]:
                base.execute(table["sql"])
        for table in _tables(base):
            if _rows(base, table) != tables[table.name]["rows"]:
                _put(base, table, tables[table.name]["rows"])
        for sql in sorted(wanted.get("others", {}).values(), key=_order):
            base.execute(sql)
        base.execute(f"pragma user_version = {int(wanted.get('version', 0))}")
        base.execute("commit")


class _Table(NamedTuple):
    name: str
    sql: str
    columns: Sequence[str]
    key: Sequence[str]


def _opened(path: Path) -> sqlite3.Connection:
    # To write too: a journal that a process left when it was killed can only be rolled back by one that may.
    return sqlite3.connect(f"file:{quote(str(path))}?mode=rw", timeout=1.0, uri=True, isolation_level=None)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _tables(base: sqlite3.Connection) -> list[_Table]:
    """The tables that a person made; those that keep a virtual one are part of it."""
    shadows = {name for name, kind in base.execute("select name, type from pragma_table_list") if kind == "shadow"}
    made = base.execute("select name, sql from sqlite_schema where type = 'table' order by name").fetchall()
    return [_table(base, name, sql) for name, sql in made if name not in shadows and not name.startswith("sqlite_")]


def _table(base: sqlite3.Connection, name: str, sql: str) -> _Table:
    described = "select name, pk, hidden from pragma_table_xinfo(?)"
    columns = base.execute(described, (name,)).fetchall()
    key = sorted((place, column) for column, place, _ in columns if place)
    return _Table(name, sql, [column for column, _, hidden in columns if not hidden], [column for _, column in key])


def _rows(base: sqlite3.Connection, table: _Table) -> dict[str, dict[str, Any]]:
    key = ", ".join(map(_quoted, table.key)) or "rowid"
    columns = ", ".join(map(_quoted, table.columns))
    found: dict[str, dict[str, Any]] = {}
    count = len(table.key) or 1
    for row in base.execute(f"select {key}, {columns} from {_quoted(table.name)} order by {key}"):  # noqa: S608
        text = _key(row[:count])
        while text in found:
            text += "'"  # NULL is no key, and 1 and "1" are two
        found[text] = dict(zip(table.columns, row[count:], strict=True))
    return found


def _key(values: Sequence[Any]) -> str:
    texts = [value if isinstance(value, str) else repr(value) for value in values]
    return texts[0] if len(texts) == 1 else json.dumps(texts, ensure_ascii=False)


def _put(base: sqlite3.Connection, table: _Table, rows: Mapping[str, Mapping[str, Any]]) -> None:
    base.execute(f"delete from {_quoted(table.name)}")  # noqa: S608  # names can't be parameters
    for key, row in rows.items():
        given: dict[str, Any] = dict(row) if table.key else {"rowid": int(key), **row}
        columns, marks = ", ".join(map(_quoted, given)), ", ".join("?" * len(given))
        base.execute(f"insert into {_quoted(table.name)} ({columns}) values ({marks})", tuple(given.values()))  # noqa: S608


def _others(base: sqlite3.Connection) -> dict[str, str]:
    made = "select name, sql from sqlite_schema where type <> 'table' and sql is not null order by name"
    return dict(base.execute(made).fetchall())


def _droppable(base: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """What goes before rows are written: a trigger would act on them."""
    kinds = "select name, type from sqlite_schema where type <> 'table' and sql is not null"
    yield from base.execute(kinds).fetchall()


def _order(sql: str) -> int:
    """Views before the triggers on them."""
    return sql.lower().lstrip().startswith("create trigger") or sql.lower().lstrip().startswith("create temp trigger")


def _version(base: sqlite3.Connection) -> int:
    (version,) = base.execute("pragma user_version").fetchone()
    return int(version)
