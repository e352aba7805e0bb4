"""No power cut takes back what a run was told is durable, and each sync in the code is needed for that."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from dtm_sdk.backends.local import LocalBackend
from dtm_sdk.errors import StateError
from tests.children import python
from tests.disk import TRACE, Recording, Synced, Tree

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="strace isn't installed")

RUN = """
import sys
from dtm_sdk.backends.local import LocalBackend
from dtm_sdk.state import Begin, End, Record, State
with LocalBackend("devstream.state").lock("apply") as session:
    records = dict(session.loaded.state.records)
    for number in map(int, sys.argv[1:]):
        made = Record(f"n{number}", "p", (), {}, {})
        session.append([Begin(number, "create", made)])
        print(f"begun {number},", end="", flush=True)
        session.append([End(number, made)])
        print(f"ended {number},", end="", flush=True)
        records[made.key] = made
    session.commit(State(records))
    print("committed", flush=True)
"""


def record(folder: Path, *runs: tuple[str, list[str]]) -> Recording:
    """What runs did in a folder, each given by what strace does to it and by the numbers of its operations."""
    root = folder / "root"
    root.mkdir()
    recording = Recording(root)
    for inject, numbers in runs:
        trace = folder / "trace"
        python(
            RUN, root, *numbers, before=["env", "PYTHONDONTWRITEBYTECODE=1", *TRACE, *inject.split(), "-o", str(trace)]
        )
        recording.add(trace.read_text("utf-8"))
    return recording


@pytest.fixture(scope="module")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """A run where nothing was before."""
    return record(tmp_path_factory.mktemp("first"), ("", ["1", "2"]))


@pytest.fixture(scope="module")
def later_run(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """A run after one that was killed when its state file was in place, and before the folder was synced."""
    folder = tmp_path_factory.mktemp("later")
    return record(folder, ("-e inject=fsync:signal=KILL:when=7", ["1"]), ("", ["2"]))


def made(tree: Tree, folder: Path) -> Path:
    """A folder that holds a tree."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for path, content in tree.items():
        if content is None:
            (folder / path).mkdir(0o700)
        else:
            (folder / path).write_bytes(content)
    return folder


def wrong(recording: Recording, folder: Path, without: int | None = None) -> Iterator[str]:
    """What is wrong after each power cut: what was said to be durable and isn't, or a state that is refused."""
    seen: set[str] = set()
    for count in range(len(recording.steps) + 1):
        said = recording.said(count)
        for tree in recording.after_power_cut(count, without):
            if repr((said, tree)) in seen:
                continue
            seen.add(repr((said, tree)))
            try:
                found = LocalBackend(str(made(tree, folder) / "devstream.state")).load()
            except StateError as error:
                yield f"after step {count}, {said!r}: {error}"
                continue
            names = {key[1:-2] for key in found.state.records}
            opened = {str(intent.id) for intent in found.open}
            if not names >= set(re.findall(r"ended (\d)", said)):
                yield f"after step {count}, {said!r}: recorded is {names}"
            if not names | opened >= set(re.findall(r"begun (\d)", said)):
                yield f"after step {count}, {said!r}: recorded is {names}, open is {opened}"
            if said and not found.key:
                yield f"after step {count}, {said!r}: the key is gone"


@pytest.mark.parametrize("run", ["first_run", "later_run"])
def test_a_power_cut_takes_nothing_back(run: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    recording: Recording = request.getfixturevalue(run)
    assert recording.said(len(recording.steps)) == "begun 1,ended 1,begun 2,ended 2,committed\n"
    assert list(wrong(recording, tmp_path / "tree")) == []


@pytest.mark.parametrize("run", ["first_run", "later_run"])
def test_each_sync_is_needed(run: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    recording: Recording = request.getfixturevalue(run)
    syncs = [index for index, step in enumerate(recording.steps) if isinstance(step, Synced)]
    # That of the folder with the key is done again by the first append: only a run without one needs it.
    needed = [index for index in syncs if index != syncs[1]]
    assert [index for index in needed if next(wrong(recording, tmp_path / "tree", index), None) is None] == []
