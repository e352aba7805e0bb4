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
from pathlib import Path

import pytest

from dtm_sdk.backends.local import LocalBackend
from tests.disk import TRACE, Recording, Tree

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="strace isn't installed")

STEP = 1 if "DTM_THOROUGH" in os.environ else 11
"""Which of the disks are looked at: all of them by `DTM_THOROUGH=1 pytest tests/test_power_cut.py`."""

RUNS = ({"a": "one", "b": "one"}, {"a": "two", "c": "one"})
"""The text of each file in the configs that are applied one after the other."""


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """Two applies: the first makes two files, the second changes one, deletes one, and makes one."""
    folder = tmp_path_factory.mktemp("applied")
    root, trace, config = folder / "root", folder / "trace", folder / "config.yaml"
    root.mkdir()
    recording = Recording(root)
    for files in RUNS:
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
        deleted = f"Processing: {name} (localfile) -> Delete" in said
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
