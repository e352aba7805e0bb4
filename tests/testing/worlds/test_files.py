"""A folder, seen and put back."""

import os
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtm_sdk.testing import FileWorld, Tree
from dtm_sdk.testing.worlds.commands import command_faults
from dtm_sdk.testing.worlds.files import NEIGHBOURS

MODES = st.sampled_from([0o600, 0o644, 0o755, 0o400])
FILES = st.builds(
    lambda content, mode: {"kind": "file", "mode": mode, "content": content}, st.binary(max_size=20), MODES
)
LINKS = st.builds(lambda target: {"kind": "link", "target": target}, st.sampled_from(["nowhere", "a", "../b", "/"]))
NAMES = st.sampled_from(["a", "b", ".c", "d e", "ü", "-x"])
NESTED = st.recursive(FILES | LINKS, lambda inner: st.dictionaries(NAMES, inner, max_size=3))


def flat(nested: dict[str, Any], above: str = "") -> Tree:
    """The tree of a nested one: whatever has no kind is a folder."""
    tree: Tree = {}
    for name, entry in nested.items():
        path = f"{above}{name}"
        if isinstance(entry.get("kind"), str):
            tree[path] = entry
        else:
            tree |= {path: {"kind": "folder", "mode": 0o755}, **flat(entry, f"{path}/")}
    return tree


TREES = st.dictionaries(NAMES, NESTED, max_size=4).map(flat)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[FileWorld]:
    found = FileWorld({"own.txt": "own", "own.bin": b"\xff"})
    with found.opened(tmp_path):
        yield found


@settings(deadline=None, max_examples=40)
@given(one=TREES, other=TREES)
def test_a_tree_that_is_restored_is_what_is_seen(one: Tree, other: Tree) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = FileWorld()
        with found.opened(Path(folder)):
            for tree in (one, other, one):
                found.restore(tree)
                assert found.snapshot() == tree


def test_what_is_planted_is_seen(world: FileWorld) -> None:
    tree = world.snapshot()
    assert set(tree) == {*NEIGHBOURS, "own.txt", "own.bin"}
    assert tree["own.bin"]["content"] == b"\xff"


def test_what_is_right_already_is_not_touched(world: FileWorld) -> None:
    before, tree = Path("own.txt").stat(), world.snapshot()
    Path("own.bin").write_bytes(b"other")
    world.restore(tree)
    assert Path("own.txt").stat() == before
    assert Path("own.bin").read_bytes() == b"\xff"


def test_a_pipe_is_put_back_and_what_can_not_be_is_refused(world: FileWorld) -> None:
    os.mkfifo("pipe")
    tree = world.snapshot()
    Path("pipe").unlink()
    world.restore(tree)
    assert Path("pipe").is_fifo()
    with pytest.raises(ValueError, match="'tape', which can't be put back"):
        world.restore({**tree, "x": {"kind": "tape"}})


@pytest.mark.parametrize("kind", ["folder", "link", "file"])
def test_an_entry_whose_kind_alone_was_changed_is_made_as_one_of_that_kind(world: FileWorld, kind: str) -> None:
    tree = world.snapshot()
    world.restore({**tree, "own.txt": {**tree["own.txt"], "kind": kind}})
    assert world.snapshot()["own.txt"]["kind"] == kind


def test_what_lies_below_a_folder_whose_kind_alone_was_changed_goes(world: FileWorld) -> None:
    before = world.snapshot()
    Path("bin").mkdir()
    Path("bin/run").write_text("text")
    tree = world.snapshot()
    world.restore(before)
    world.restore({**tree, "bin": {**tree["bin"], "kind": "file"}})
    assert world.snapshot()["bin"]["kind"] == "file"
    world.restore(tree)
    assert world.snapshot() == tree


def shop(path: str, rows: list[tuple[str, int]], *, journal: str = "delete") -> None:
    """A database with things and their prices."""
    with closing(sqlite3.connect(path, isolation_level=None)) as base:
        base.execute(f"pragma journal_mode={journal}")
        base.execute("create table if not exists things (name text primary key, price integer)")
        base.executemany("insert or replace into things values (?, ?)", rows)


def test_two_databases_with_the_same_rows_are_the_same(world: FileWorld) -> None:
    shop("a.db", [("tea", 1), ("milk", 2)])
    shop("b.db", [("milk", 2), ("tea", 0), ("tea", 1)], journal="wal")
    assert Path("a.db").read_bytes() != Path("b.db").read_bytes()
    tree = world.snapshot()
    assert tree["a.db"] == tree["b.db"]
    assert tree["a.db"]["tables"]["things"]["rows"] == {
        "milk": {"name": "milk", "price": 2},
        "tea": {"name": "tea", "price": 1},
    }


def test_files_that_belong_to_a_database_are_no_files_of_their_own(world: FileWorld) -> None:
    shop("a.db", [("tea", 1)], journal="wal")
    before = world.snapshot()
    with closing(sqlite3.connect("a.db", isolation_level=None)) as base:
        base.execute("insert into things values ('milk', 2)")
        assert Path("a.db-wal").exists()
        after = world.snapshot()
        assert set(after) == set(before)
        assert set(after["a.db"]["tables"]["things"]["rows"]) == {"milk", "tea"}
        world.restore(before)
        assert base.execute("select name from things").fetchall() == [("tea",)]
    assert world.snapshot() == before


def test_commands_fail_in_each_way_and_are_themselves_again(tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    tool = folder / "tool"
    tool.write_text('#!/bin/sh\necho "$1" >said\necho right\n')
    tool.chmod(0o755)
    found = FileWorld(commands=["tool"], environment={"PATH": f"{folder}:{os.environ['PATH']}"})
    (tmp_path / "scratch").mkdir()

    def run(word: str) -> tuple[int, str]:
        ran = subprocess.run(["tool", word], capture_output=True, text=True, check=False)
        return ran.returncode, ran.stdout

    with found.opened(tmp_path / "scratch"):
        met = {}
        for fault in (each for each in found.faults() if "command" in each.name):
            before = found.snapshot()
            with fault.strike() as count:
                try:
                    said: object = run(fault.name)
                except FileNotFoundError:
                    said = "not found"
                met[fault.name] = said, count(), found.snapshot() != before
            assert run("again") == (0, "right\n")
        with command_faults(["tool"], tmp_path)[0].strike(2) as count:
            assert [run("once"), run("twice"), run("thrice")] == [(0, "right\n"), (1, ""), (0, "right\n")]
            assert count() == 1
        with found.counting() as counted:
            assert [run("once"), run("twice")] == [(0, "right\n"), (0, "right\n")]
            assert counted() == 2
    assert met == {
        "the command fails": ((1, ""), 1, False),
        "the command is killed": ((-9, ""), 1, False),
        "the command prints nonsense": ((0, "<<< nonsense >>>\n"), 1, True),
        "the command is missing": ("not found", 1, False),
    }
