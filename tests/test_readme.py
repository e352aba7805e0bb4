"""What the README shows is what happens: its files are written, its commands run, its output compared."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
TIME = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ", re.MULTILINE)


class Block(NamedTuple):
    """A fenced block: its language and its lines."""

    language: str
    text: str


BLOCKS = [Block(*found) for found in re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)]


def named(block: Block) -> tuple[str, str]:
    """The name in the first line of a block, and what follows; the story's config has none."""
    first, _, rest = block.text.partition("\n")
    return (first[2:], rest) if first.startswith("# ") else ("config.yaml", block.text)


def run(command: str, folder: Path) -> str:
    """What a command prints in a shell, times left out."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    return TIME.sub("", done.stdout)


def test_the_tour_goes_as_it_is_told(tmp_path: Path) -> None:
    told = 0
    for block in BLOCKS:
        if block.language == "yaml":
            name, _ = named(block)
            (tmp_path / name).write_text(block.text)
        if block.language == "console":
            for step in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
                command, _, output = step.partition("\n")
                assert run(command, tmp_path).rstrip("\n") == TIME.sub("", output).rstrip("\n"), command
                told += 1
    assert told >= 9


def test_its_python_is_that_of_the_example_plugin() -> None:
    python = [named(block) for block in BLOCKS if block.language == "python"]
    assert [name for name, _ in python] == ["dtm_localfile/options.py", "dtm_localfile/create.py"]
    for name, text in python:
        assert text == (ROOT / "example_plugins" / "localfile" / "src" / name).read_text()


def test_its_two_commands_are_there() -> None:
    first, second = (block.text for block in BLOCKS if block.language == "sh")
    assert first.rstrip().endswith("cat foo.txt")
    assert second.rstrip().endswith(".venv/bin/pytest -n auto")
