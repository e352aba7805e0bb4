"""A power cut at any moment of an apply leaves a state that knows of all that was made.

The run is the real command, seen by strace; its disk after a cut is each that the calls it had made, and what it had
synced of them, allow.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from dtm_sdk.backends.local import LocalBackend
from tests.disk import TRACE, Recording, Tree

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="strace isn't installed")

STEP = 1 if "DTM_THOROUGH" in os.environ else 11
"""Which of the disks are looked at: all of them by `DTM_THOROUGH=1 pytest tests/test_power_cut.py`."""

RUNS = ({"a": "one", "b": "one"}, {"a": "two", "c": "one"})
"""The text of each file in the configs that are applied one after the other."""


def recorded(folder: Path, runs: Sequence[dict[str, str]]) -> Recording:
    """Applies of configs, each with the text of each file."""
    root, trace, config = folder / "root", folder / "trace", folder / "config.yaml"
    root.mkdir()
    recording = Recording(root)
    for files in runs:
        tools = [
            {"name": name, "plugin": "localfile", "options": {"filename": f"{name}.txt", "content": text}}
            for name, text in files.items()
        ]
        config.write_text(json.dumps({"tools": tools}))
        command = [sys.executable, "-m", "dtm_sdk", "-y", "apply", "-f", str(config), "--parallelism", "2"]
        before = ["env", "PYTHONDONTWRITEBYTECODE=1", *TRACE, "-o", str(trace)]
        subprocess.run([*before, *command], cwd=root, check=True, capture_output=True, timeout=120)
        recording.add(trace.read_text("utf-8"))
    return recording


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """Two applies: the first makes two files, the second changes one, deletes one, and makes one."""
    return recorded(tmp_path_factory.mktemp("applied"), RUNS)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """Three applies of one file, which is made, changed and deleted."""
    return recorded(tmp_path_factory.mktemp("alone"), [{"a": "one"}, {"a": "two"}, {}])


def wrong(tree: Tree, folder: Path, said: str) -> str:
    """What is wrong with a disk, by what had been said before; nothing where it is as it should be."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for path, content in tree.items():
        if content is None:
            (folder / path).mkdir(0o700)
        else:
            (folder / path).write_bytes(content)
    loaded = LocalBackend(str(folder / "devstream.state")).load()
    known = {*loaded.state.records, *(intent.record.key for intent in loaded.open)}
    made = {f"{path.stem}.localfile" for path in folder.glob("?.txt")}
    if made - known:
        return f"nobody knows of {made - known}"
    for name, what in re.findall(r"Plugin (\w) ?\(localfile\) (\w+) done", said):
        record = loaded.state.records.get(f"{name}.localfile")
        if what == "delete" and record:
            return f"{name} is recorded, though it was said to be deleted"
        deleted = f"Tool {name} (localfile) will be deleted" in said  # it is recorded before it is said to be done
        stale = record is None or (what == "Update" and record.resource["content"] != "two")
        if what != "delete" and not deleted and stale:
            return f"{what} of {name} was said to be done, and isn't recorded"
    return ""


def test_a_power_cut_leaves_nothing_that_nobody_knows_of(applied: Recording, tmp_path: Path) -> None:
    said = applied.said(len(applied.steps))
    assert [said.count(f"{what} done") for what in ("Create", "Update", "delete")] == [3, 1, 1]
    disks = {
        repr((applied.said(count), tree)): (applied.said(count), tree)
        for count in range(len(applied.steps) + 1)
        for tree in applied.after_power_cut(count)
    }
    assert len(disks) > 100
    looked_at = list(disks.values())[::STEP]
    assert [(said, found) for said, tree in looked_at if (found := wrong(tree, tmp_path / "tree", said))] == []


def undone(recording: Recording, without: int | None = None) -> Iterator[str]:
    """Where a power cut takes back what was said to be done to the file."""
    for count in range(without or 0, len(recording.steps) + 1):
        said = recording.said(count)
        done = sum(f"{what} done" in said for what in ("Create", "Update", "delete"))
        begun = said.count("Apply started.")
        for tree in recording.after_power_cut(count, without):
            if tree.get("a.txt") not in [None, b"one", b"two", None][done : begun + 1]:
                yield f"after {said!r} there is {tree.get('a.txt')!r}"


def test_a_power_cut_takes_no_file_back(alone: Recording) -> None:
    assert alone.said(len(alone.steps)).count(" done.") == 6  # of the operations, and of the processing
    assert list(undone(alone)) == []


def test_each_sync_of_the_plugin_is_needed(alone: Recording) -> None:
    syncs = {
        index: f"{name} after {last.old} became {last.new or None}" if last else name
        for index, name, last in alone.syncs()
        if "a.txt" in (f"{last.old} {last.new}" if last else name)
    }
    kinds = [".a.txt.dtm-tmp", ". after .a.txt.dtm-tmp became a.txt"]
    needed = [what for index, what in syncs.items() if next(undone(alone, index), None)]
    assert needed == [*kinds, *kinds, ". after a.txt became None"]
