"""What is in a SQLite file, read and put back."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtm_sdk.testing.worlds.sqlite import content, fill, is_sqlite

VALUES = st.none() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(max_size=5) | st.binary()
KINDS = {
    "plain": "create table t (a, b)",
    "key": "create table t (a primary key, b)",
    "two": "create table t (a, b, primary key (a, b))",
    "no rowid": "create table t (id integer primary key, a, b) without rowid",
    "computed": "create table t (a, b, c generated always as (a || b))",
    "odd name": 'create table "t ""x" (a, "b c")',
}
MIXED = """
create table a (id integer primary key autoincrement, n text unique);
create table log (x);
create index i on a (n);
create view v as select n from a;
create trigger g after insert on a begin insert into log values (new.n); end;
create virtual table words using fts5 (w);
insert into a (n) values ('one'), ('two');
insert into words values ('hello world');
pragma user_version = 7;
"""


@pytest.fixture
def mixed(tmp_path: Path) -> Iterator[tuple[Path, sqlite3.Connection]]:
    path = tmp_path / "mixed.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as base:
        base.executescript(MIXED)
        yield path, base


@settings(deadline=None, max_examples=60)
@given(kind=st.sampled_from(sorted(KINDS)), rows=st.lists(st.lists(st.tuples(VALUES, VALUES), max_size=4), max_size=3))
def test_what_was_there_is_there_again(kind: str, rows: list[list[tuple[Any, Any]]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.db")
        seen = []
        for group in rows:
            with closing(sqlite3.connect(path, isolation_level=None)) as base:
                base.execute(KINDS[kind].replace("table ", "table if not exists ", 1))
                (name,) = base.execute("select name from sqlite_schema where type = 'table'").fetchone()
                columns = "(a, b)" if "odd" not in kind else ""
                quoted = name.replace('"', '""')
                base.executemany(f'insert or ignore into "{quoted}" {columns} values (?, ?)', group)  # noqa: S608
            seen.append(looked(path))
            assert len(seen[-1]["tables"][name]["rows"]) == count(path, quoted)
        for tree in (*reversed(seen), *seen):
            fill(path, tree)
            assert content(path) == tree


def looked(path: Path) -> dict[str, Any]:
    found = content(path)
    assert found is not None
    return found


def count(path: Path, quoted: str) -> int:
    with closing(sqlite3.connect(path)) as base:
        found: int = base.execute(f'select count(*) from "{quoted}"').fetchone()[0]  # noqa: S608
        return found


def test_indices_views_triggers_and_virtual_tables_come_back_and_triggers_are_not_set_off(
    mixed: tuple[Path, sqlite3.Connection],
) -> None:
    path, base = mixed
    before = looked(path)
    assert set(before["tables"]) == {"a", "log", "words"}
    assert set(before["others"]) == {"i", "v", "g"}
    base.executescript(
        "drop trigger g; drop view v; drop index i; delete from a; delete from words; create table x (y); "
        "drop table log; pragma user_version = 8"
    )
    fill(path, before)
    assert content(path) == before
    assert base.execute("select count(*) from words where w match 'hello'").fetchone() == (1,)


def test_a_file_that_is_gone_is_made_again(mixed: tuple[Path, sqlite3.Connection], tmp_path: Path) -> None:
    fill(tmp_path / "new.db", looked(mixed[0]))
    assert content(tmp_path / "new.db") == content(mixed[0])
    assert is_sqlite(tmp_path / "new.db")


def test_looking_changes_nothing(mixed: tuple[Path, sqlite3.Connection]) -> None:
    before = mixed[0].read_bytes()
    content(mixed[0])
    assert mixed[0].read_bytes() == before


def test_what_was_not_committed_is_not_there(mixed: tuple[Path, sqlite3.Connection]) -> None:
    path, base = mixed
    before = content(path)
    base.execute("begin")
    base.execute("insert into a (n) values ('three')")
    assert content(path) == before
    base.execute("commit")
    assert looked(path)["tables"]["a"]["rows"]["3"] == {"id": 3, "n": "three"}


def test_a_file_without_the_header_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"SQLite format 4\x00")
    assert not is_sqlite(tmp_path / "a.db")
    assert not is_sqlite(tmp_path / "missing.db")


def test_a_file_with_the_header_and_nothing_behind_it_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(b"SQLite format 3\x00 and so on")
    assert is_sqlite(path)
    assert content(path) is None


def test_a_database_that_is_locked_is_an_error(mixed: tuple[Path, sqlite3.Connection]) -> None:
    path, base = mixed
    base.execute("pragma locking_mode = exclusive")
    base.execute("begin exclusive")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        content(path)
