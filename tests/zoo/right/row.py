"""A right plugin that keeps a row of an SQLite database, and rows of another table that belong to it."""

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from typing import Annotated, Any

from dtm_sdk import Identity, Meta, Options, Plugin, PluginError, State, Tuning
from dtm_sdk.testing import FileWorld


class RowOptions(Options):
    """Options of the row plugin."""

    base: Annotated[Identity[str], Meta(min_length=1, description="Name of the database, which is there already.")]
    name: Annotated[Identity[str], Meta(min_length=1, description="Name of the item.")]
    price: Annotated[int, Meta(ge=0, le=2**53, description="What it costs, in cents.")]
    note: Annotated[str | None, Meta(description="A remark.")] = None
    labels: Annotated[dict[str, str], Meta(description="Labels of one's own.")] = {}
    timeout: Annotated[Tuning[float], Meta(gt=0, le=60, description="Seconds to wait for a lock.")] = 5.0


EXAMPLES: list[dict[str, Any]] = [
    {"base": "shop.db", "name": "tea", "price": 350, "labels": {"shelf": "1", "colour": "green"}},
    {"base": "shop.db", "name": "tea", "price": 400, "note": "the last one", "labels": {"shelf": "2"}, "timeout": 4.0},
    {"base": "shop.db", "name": "tea%", "price": 1},
]

SCHEMA = """
create table items (id integer primary key, name text not null unique, price integer not null, note text);
create table labels (item integer not null, key text not null, value text not null, primary key (item, key))
    without rowid;
insert into items (name, price) values ('coffee', 500), ('teapot', 1500);
insert into labels values (1, 'shelf', '7'), (2, 'shelf', '8');
"""


def validate(options: RowOptions) -> list[str]:
    """What is wrong with the options."""
    texts = [options.base, options.name, options.note or "", *options.labels, *options.labels.values()]
    messages = []
    if any(0xD800 <= ord(char) < 0xE000 for text in texts for char in text):
        messages.append("a text holds half a character")
    if not re.fullmatch(r"[a-z0-9.-]{1,60}", options.base) or options.base in {".", ".."}:
        messages.append("base is at most 60 lower-case letters, digits, '.' and '-'")
    if any("\0" in text for text in texts):
        messages.append("a text has no NUL in it")
    return messages


@contextmanager
def opened(options: RowOptions) -> Iterator[sqlite3.Connection | None]:
    """The database, in a transaction; None where there is none."""
    try:
        os.stat(options.base)
    except FileNotFoundError:
        yield None
        return
    except OSError as error:
        raise PluginError(f"{options.base} can't be opened: {error.strerror}", "look at it") from error
    try:
        address = f"file:{options.base}?mode=rw"
        with closing(sqlite3.connect(address, timeout=options.timeout, isolation_level=None, uri=True)) as base:
            base.execute("begin immediate")
            yield base
            base.execute("commit")
    except sqlite3.Error as error:
        raise PluginError(f"{options.base} can't be used: {error}", "look at it") from error


def found(base: sqlite3.Connection, options: RowOptions) -> State | None:
    """What there is of the item."""
    row = base.execute("select id, price, note from items where name = ?", (options.name,)).fetchone()
    if not row:
        return None
    id_, price, note = row
    labels = base.execute("select key, value from labels where item = ? order by key", (id_,)).fetchall()
    return {
        "base": options.base,
        "name": options.name,
        "price": price,
        "note": note,
        "labels": dict(labels),
        "outputs": {"id": id_},
    }


def save(options: RowOptions) -> State:
    """Make the item as the options say, or change it."""
    with opened(options) as base:
        if not base:
            raise PluginError(f"there is no database {options.base}", "make it first")
        base.execute(
            "insert into items (name, price, note) values (?, ?, ?) "
            "on conflict (name) do update set price = excluded.price, note = excluded.note",
            (options.name, options.price, options.note),
        )
        (id_,) = base.execute("select id from items where name = ?", (options.name,)).fetchone()
        base.execute("delete from labels where item = ?", (id_,))
        rows = [(id_, key, value) for key, value in options.labels.items()]
        base.executemany("insert into labels (item, key, value) values (?, ?, ?)", rows)
        state = found(base, options)
    if not state:
        raise PluginError(f"the item {options.name} has gone", "apply again")
    return state


def create(options: RowOptions) -> State:
    """Make the item."""
    return save(options)


def read(options: RowOptions) -> State | None:
    """Describe the item."""
    with opened(options) as base:
        return found(base, options) if base else None


def update(options: RowOptions) -> State:
    """Change the item."""
    return save(options)


def delete(options: RowOptions) -> bool:
    """Remove the item and its labels."""
    with opened(options) as base:
        if base:
            base.execute("delete from labels where item = (select id from items where name = ?)", (options.name,))
            base.execute("delete from items where name = ?", (options.name,))
    return True


@cache
def shop() -> bytes:
    """A database with items of others."""
    with closing(sqlite3.connect(":memory:")) as base:
        base.executescript(SCHEMA)
        return base.serialize()


def world() -> FileWorld:
    """A folder with the database in it."""
    return FileWorld({"shop.db": shop()})


plugin = Plugin(
    name="row",
    options=RowOptions,
    examples=EXAMPLES,
    validate=validate,
    create=create,
    read=read,
    update=update,
    delete=delete,
    stable=["outputs.id"],
)
