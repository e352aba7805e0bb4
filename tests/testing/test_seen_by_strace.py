"""Nothing is hidden from faults and deaths: each call to the system that localfile makes for its files is seen.

`Watch` sees the functions that are called, strace from outside the calls to the system: they are the same, in order.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CALLS = {
    "lstat": ("lstat", "newfstatat", "statx"),
    "stat": ("stat", "newfstatat", "statx"),
    "fstat": ("fstat", "newfstatat", "statx"),
    "open": ("open", "openat"),
    "read": ("read",),
    "write": ("write",),
    "fsync": ("fsync",),
    "fchmod": ("fchmod",),
    "close": ("close",),
    "replace": ("rename", "renameat", "renameat2"),
    "unlink": ("unlink", "unlinkat"),
}
"""A function of `os` -> the calls to the system of which it makes one."""
OTHERS = (
    *("readv", "pread64", "writev", "pwrite64", "mkdir", "mkdirat", "rmdir", "link", "linkat", "symlink", "symlinkat"),
    *("truncate", "ftruncate", "fdatasync", "chmod", "fchmodat", "readlink", "getdents64", "access", "faccessat2"),
)
"""Calls that would be missed if they came."""
WORK = """
import json, os, sys
from dtm_localfile import plugin
from dtm_sdk.testing.watch import Watch

one, other = (plugin.parse(example) for example in plugin.examples)
todo = [("create", one), ("read", one), ("update", one), ("update", other), ("delete", other), ("read", other),
        ("delete", other)]
for operation, options in todo:  # what is done once only, imports and the like, is done then
    getattr(plugin, operation)(options)
seen = []
for number, (operation, options) in enumerate(todo):
    os.mkdir(f"begin-{number}")
    with Watch.here().watching() as watched:
        getattr(plugin, operation)(options)
    os.mkdir(f"end-{number}")
    seen.append([operation, [call.name for call in watched.calls]])
sys.stdout.write(json.dumps(seen))
"""


def traced(text: str, number: int) -> list[str]:
    """The names of the calls between two marks."""
    inside = text.partition(f'"begin-{number}"')[2].partition(f'"end-{number}"')[0]
    return re.findall(r"^(?:\d+ +)?(\w+)\(", inside, re.MULTILINE)[:-1]  # the last one makes the mark


@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("strace"), reason="strace isn't installed")
def test_each_call_that_localfile_makes_for_its_files_is_seen(tmp_path: Path) -> None:
    wanted = ",".join(f"?{name}" for name in {each for calls in CALLS.values() for each in calls}.union(OTHERS))
    ran = subprocess.run(
        ["strace", "-f", "-o", str(tmp_path / "trace"), "-e", f"trace={wanted}", sys.executable, "-c", WORK],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'example_plugins/localfile/src'}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    trace = (tmp_path / "trace").read_text()
    for number, (operation, calls) in enumerate(json.loads(ran.stdout)):
        made = traced(trace, number)
        assert made
        wrong = [(call, name) for call, name in zip(calls, made, strict=False) if name not in CALLS.get(call, ())]
        assert (operation, wrong, len(calls)) == (operation, [], len(made)), (calls, made)
