"""The five runs of the story, with the real command: each line as it was printed then, its time aside."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
RUNS = Path(__file__).parent / "cases" / "golden"
CONFIG = """\
tools:
- name: my-file
  plugin: localfile
  options:
    filename: foo.txt
    content: "hello, world"
"""
TIME = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ", re.MULTILINE)


def test_the_five_runs_of_the_story_print_what_they_printed_then(tmp_path: Path) -> None:
    (tmp_path / "config-localfile-test.yaml").write_text(CONFIG)
    plugins = tmp_path / ".devstream"
    shutil.copytree(ROOT / "example_plugins" / "localfile" / "src" / "dtm_localfile", plugins / "dtm_localfile")
    (plugins / "dtm_localfile-0.1.0.dist-info").mkdir()
    entry_points = plugins / "dtm_localfile-0.1.0.dist-info" / "entry_points.txt"
    entry_points.write_text("[dtm.plugins]\nlocalfile = dtm_localfile:plugin\n")
    told = {path.name: play(path.read_text(), tmp_path) for path in sorted(RUNS.glob("*.txt"))}
    assert told == {path.name: path.read_text() for path in sorted(RUNS.glob("*.txt"))}
    assert len(told) == 5
    assert not (tmp_path / "foo.txt").exists()


def play(transcript: str, folder: Path) -> str:
    """Run the commands of a transcript, those after a `$`; what they print, in its form."""
    played: list[str] = []
    for line in transcript.splitlines():
        if line.startswith("$ "):
            played += [line, *run(line[2:], folder)]
    return "".join(f"{line}\n" for line in played)


def run(command: str, folder: Path) -> list[str]:
    """What one command prints."""
    if not command.startswith("./dtm "):
        subprocess.run(["sh", "-c", command], cwd=folder, check=True)
        return []
    done = subprocess.run(
        [sys.executable, "-m", "dtm_sdk", *shlex.split(command)[1:]],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return TIME.sub("<time> ", done.stdout).splitlines()
