"""The work of a run grows with its changes: what it asks of the system is counted, as strace sees it, not timed.

The plugin's own part is one call for each resource, so nearly all that is counted is dtm's.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.children import environment

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="strace isn't installed")

THOROUGH = "DTM_THOROUGH" in os.environ
"""Whether 10,000 tools are counted too: `DTM_THOROUGH=1 pytest tests/test_linear.py`."""
SIZES = (100, 1000, 10_000) if THOROUGH else (100, 300, 900)
CALLS = (
    "openat,close,read,pread64,write,pwrite64,lseek,fsync,fdatasync,ftruncate,rename,renameat,renameat2,link,linkat,"
    "unlink,unlinkat,mkdir,mkdirat,newfstatat,fstat,statx,getdents64,readlink,readlinkat,symlink,access,faccessat2"
)
"""Whatever has to do with files; how often threads wait for each other is the system's affair."""

MARK = '''
"""Marks: links in a folder, by their names."""

import os

from dtm_sdk import Identity, Options, Plugin, State


class MarkOptions(Options):
    name: Identity[str]


def create(options: MarkOptions) -> State:
    os.symlink(options.name, f"marks/{options.name}")
    return {"name": options.name}


def read(options: MarkOptions) -> State | None:
    try:
        return {"name": os.readlink(f"marks/{options.name}")}
    except FileNotFoundError:
        return None


def delete(options: MarkOptions) -> bool:
    os.unlink(f"marks/{options.name}")
    return True


plugin = Plugin(name="mark", options=MarkOptions, create=create, read=read, update=read, delete=delete)
'''


class Cost(NamedTuple):
    """What a run asked of the system.

    Attributes:
        syncs: how often it waited for the disk.
        calls: how often it called the system, in all.
        written: how many bytes it wrote, its log included.
    """

    syncs: int
    calls: int
    written: int


def make(folder: Path, count: int, *, chained: bool = False) -> Path:
    """A folder with a config of so many tools; chained, each has to wait for the one before."""
    info = folder / ".devstream" / "dtm_mark-1.dist-info"
    info.mkdir(parents=True)
    (folder / ".devstream" / "dtm_mark.py").write_text(MARK)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: dtm-mark\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[dtm.plugins]\nmark = dtm_mark:plugin\n")
    (folder / "marks").mkdir()
    names = [f"m{number:05}" for number in range(count)]
    tools = [
        {"name": name, "plugin": "mark", "options": {"name": name}, "dependsOn": needs}
        for name, needs in zip(names, [[], *([f"{name}.mark"] if chained else [] for name in names)], strict=False)
    ]
    (folder / "config.yaml").write_text(json.dumps({"tools": tools}))
    return folder


def cost(folder: Path, command: str, parallelism: int = 10) -> Cost:
    """Run a command, and count."""
    trace = folder / "trace"
    strace = ["strace", "-f", "-qq", "-s", "0", "-e", f"trace={CALLS}", "--seccomp-bpf", "-o", str(trace)]
    done = subprocess.run(
        [*strace, sys.executable, "-m", "dtm_sdk", "-y", command, "--parallelism", str(parallelism)],
        cwd=folder,
        env={**environment(), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr
    counted, written = Counter[str](), 0
    for name, value in re.findall(
        r"^\d+ +(?:<\.\.\. )?(\w+)(?:\(| resumed).*= (\d+)", trace.read_text("utf-8"), re.MULTILINE
    ):
        counted[name] += 1
        written += int(value) if name in ("write", "pwrite64") else 0
    return Cost(counted["fsync"] + counted["fdatasync"], counted.total(), written)


def for_each(costs: dict[int, Cost], field: str) -> list[float]:
    """What one more tool costs, between each size and the next."""
    return [
        (getattr(costs[more], field) - getattr(costs[less], field)) / (more - less) for less, more in pairwise(SIZES)
    ]


@pytest.fixture(scope="module")
def costs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[int, Cost]]:
    """Command -> size -> what it costs: to make everything, to find everything made, to delete everything."""
    found: dict[str, dict[int, Cost]] = {"apply": {}, "verify": {}, "destroy": {}}
    for size in SIZES:
        folder = make(tmp_path_factory.mktemp("marks"), size)
        for command, by_size in found.items():
            by_size[size] = cost(folder, command)
    return found


@pytest.mark.parametrize("command", ["apply", "verify", "destroy"])
def test_a_tool_costs_the_same_however_many_there_are(costs: dict[str, dict[int, Cost]], command: str) -> None:
    calls, written = for_each(costs[command], "calls"), for_each(costs[command], "written")
    assert calls[1] < 1.2 * calls[0] + 4  # how many share an append, and a line of the log, is left to chance
    # A journal that grows is folded in now and then: that doubles what is written, and no more than that.
    assert written[1] < (2.2 if THOROUGH else 1.2) * written[0] + 10


def test_what_changes_nothing_syncs_nothing(costs: dict[str, dict[int, Cost]]) -> None:
    assert [each.syncs for each in costs["verify"].values()] == [0] * len(SIZES)


@pytest.mark.parametrize("command", ["apply", "destroy"])
def test_a_change_costs_two_syncs_at_most_and_fewer_where_more_are_made_at_once(
    costs: dict[str, dict[int, Cost]], tmp_path: Path, command: str
) -> None:
    size = SIZES[0]
    chain = make(tmp_path, size, chained=True)
    alone = {name: cost(chain, name) for name in ("apply", "destroy")}
    assert size <= alone[command].syncs <= 2 * size + 10
    for many, each in costs[command].items():
        assert each.syncs < many * alone[command].syncs / size / 2
