"""What F1 asks holds too where the faults come from outside of Python: so none was missed.

strace lets single calls to the system fail, whoever makes them; a small file system is truly full.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dtm_sdk.plugin import OPERATIONS
from tests.children import ROOT, can_mount, environment, on_tmpfs
from tests.testing.outside import PAGE, PAGES, Found

STRACE = pytest.mark.skipif(sys.platform != "linux" or not shutil.which("strace"), reason="strace isn't installed")
MOUNT = pytest.mark.skipif(not can_mount(), reason="no file system can be mounted here, which takes root")
SMALL = on_tmpfs(f"size={16 * PAGE}")


def run(how: str, name: str, folder: Path, *before: str) -> subprocess.CompletedProcess[str]:
    env = environment()
    env["PYTHONPATH"] += f":{ROOT / 'example_plugins/localfile/src'}"
    return subprocess.run(
        [*before, sys.executable, "-B", "-m", "tests.testing.outside", how, name],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@STRACE
def test_each_call_to_the_system_fails_and_localfile_tells_the_truth(tmp_path: Path) -> None:
    done = run("strace", "localfile", tmp_path)
    assert done.returncode == 0, done.stderr
    fired: Found = json.loads(done.stdout)
    kinds = {operation: {name.partition(" ")[0] for name in names} for operation, names in fired.items()}
    changing = {call for call in kinds["create"] if call.startswith(("open", "write", "fsync", "rename"))}
    assert len(changing) == 4
    assert changing <= kinds["update"]
    assert any(call.startswith("unlink") for call in kinds["delete"])
    assert {name: len(names) > len(kinds[name]) for name, names in fired.items()} == dict.fromkeys(OPERATIONS, True)


@MOUNT
def test_the_disk_is_full_and_localfile_tells_the_truth(tmp_path: Path) -> None:
    done = run("full", "localfile", tmp_path, *SMALL)
    assert done.returncode == 0, done.stderr
    lacking = [f"{pages} pages free" for pages in range(PAGES - 1)]
    assert json.loads(done.stdout) == {"create": lacking, "read": [], "update": lacking, "delete": []}


@STRACE
def test_a_plugin_that_only_logs_is_found_by_strace(tmp_path: Path) -> None:
    done = run("strace", "f1-note-logs-a-full-disk", tmp_path)
    assert "in spite of a fault create returned what Read doesn't confirm" in done.stderr


@MOUNT
@pytest.mark.parametrize("name", ["logs-a-full-disk", "takes-a-short-write-for-a-whole-one", "does-not-ask-tee"])
def test_a_plugin_that_takes_what_fits_is_found_by_a_full_disk(name: str, tmp_path: Path) -> None:
    done = run("full", f"f1-note-{name}", tmp_path, *SMALL)
    assert done.returncode == 1
    assert "# fault: 0 pages free" in done.stderr or "# fault: 1 pages free" in done.stderr
