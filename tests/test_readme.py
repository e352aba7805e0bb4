"""What the README shows is what happens: its files are written, its commands run, its output compared."""

import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import NamedTuple

from dtm_sdk.testing.allowances import allowances

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
TIME = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ", re.MULTILINE)


class Block(NamedTuple):
    """A fenced block: the heading that it stands under, its language and its lines."""

    heading: str
    language: str
    text: str


FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [
    Block(section.partition("\n")[0], *found)
    for section in re.split(r"^## ", README, flags=re.MULTILINE)
    for found in FENCE.findall(section)
]


def named(block: Block) -> tuple[str, str]:
    """The name in the first line of a block, and what follows; the story's config has none."""
    first, _, rest = block.text.partition("\n")
    return (first[2:], rest) if first.startswith("# ") else ("config.yaml", block.text)


def run(command: str, folder: Path, **variables: str) -> str:
    """What a command prints in a shell, times left out."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "LC_ALL": "C.UTF-8", **variables}
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


def goes_as_told(block: Block, folder: Path, **variables: str) -> int:
    """Runs the commands of a block, and compares what they print; returns how many there are."""
    steps = re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]
    for step in steps:
        command, _, output = step.partition("\n")
        assert run(command, folder, **variables).rstrip("\n") == TIME.sub("", output).rstrip("\n"), command
    return len(steps)


def test_the_tour_goes_as_it_is_told(tmp_path: Path) -> None:
    told = 0
    for block in BLOCKS:
        if block.language == "yaml":
            name, _ = named(block)
            (tmp_path / name).write_text(block.text)
        if block.language == "console" and block.heading == "The tour":
            told += goes_as_told(block, tmp_path)
    assert told >= 9


def test_a_plugin_is_made_as_it_is_told(tmp_path: Path) -> None:
    # It is installed into a folder of the test's own, by what is installed already.
    site = str(tmp_path / "site")
    pip = {"PIP_TARGET": site, "PIP_NO_DEPS": "1", "PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0"}
    variables = {**pip, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONPATH": site}
    *unfilled, filled = (each for each in BLOCKS if each.language == "console" and each.heading == "Write a plugin")
    assert sum(goes_as_told(block, tmp_path, **variables) for block in unfilled) == 3
    fill(tmp_path / "greeting")
    assert goes_as_told(filled, tmp_path, **variables) == 2


def fill(project: Path) -> None:
    """Do what is marked, with the bodies of the example plugin."""
    source = ROOT / "example_plugins" / "localfile" / "src" / "dtm_localfile"
    for body in (project / "src" / "dtm_greeting").glob("*.py"):
        if "TODO(dtm)" in body.read_text():
            text = (source / body.name).read_text()
            body.write_text(text.replace("localfile", "greeting").replace("Localfile", "Greeting"))
    for page in (project / "README.md", *(project / "docs").iterdir()):
        page.write_text(re.sub("<!-- TODO.*-->", "A file.", page.read_text()))


def test_its_python_is_that_of_the_example_plugin() -> None:
    python = [named(block) for block in BLOCKS if block.language == "python"]
    *own, (conftest, _) = python
    assert [name for name, _ in own] == ["dtm_localfile/options.py", "dtm_localfile/create.py"]
    assert conftest == "conftest.py"
    for name, text in own:
        assert text == (ROOT / "example_plugins" / "localfile" / "src" / name).read_text()


def test_its_two_commands_are_there() -> None:
    first, second = (block.text for block in BLOCKS if block.language == "sh")
    assert first.rstrip().endswith("cat foo.txt")
    assert second.rstrip().endswith(".venv/bin/pytest -n auto")


SERVICE = """
class Service:
    def __init__(self):
        self.state = {"greetings": {}}

    def __call__(self, environ, start_response):
        start_response("200 OK", [])
        return [b"hello"]
"""
ASKED = """
from urllib.request import urlopen

def test_it_is_served(dtm_world, tmp_path):
    with dtm_world.opened(tmp_path), urlopen(dtm_world.url) as answer:
        assert answer.read() == b"hello"
        assert dtm_world.snapshot() == {"greetings": {}}
        assert dtm_world.bind({"url": "anything"}) == {"url": dtm_world.url}
"""


def test_its_world_is_one(tmp_path: Path) -> None:
    (text,) = [
        text for name, text in map(named, (b for b in BLOCKS if b.language == "python")) if name == "conftest.py"
    ]
    for path, content in {"conftest.py": text, "greeting_service.py": SERVICE, "test_it.py": ASKED}.items():
        (tmp_path / path).write_text(content)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path)]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "1 passed" in run.stdout, run.stdout


def test_its_exception_is_one(tmp_path: Path) -> None:
    (block,) = [each for each in BLOCKS if each.language == "toml"]
    (tmp_path / "pyproject.toml").write_text(block.text)
    good, wrong = allowances(tmp_path / "pyproject.toml", frozenset({"C6"}), date(2027, 1, 31))
    assert (len(good), wrong) == (1, [])
