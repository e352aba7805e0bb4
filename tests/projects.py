"""Projects made from the template, raw or filled, and the tools that their authors run in them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from itertools import combinations, product
from pathlib import Path
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from cookiecutter.main import cookiecutter  # type: ignore[import-untyped]  # it has no types
from copier import run_copy

ROOT = Path(__file__).parents[1]
TEMPLATE = ROOT / "templates" / "plugin"
BIN = Path(sys.executable).parent
NAMES = {"files": "localfile", "http": "board-note", "command": "tally"}
"""World -> the name of the plugin for which there are bodies."""
FILLED = {
    "files": ROOT / "example_plugins" / "localfile",
    "http": ROOT / "tests" / "templates" / "http",
    "command": ROOT / "tests" / "templates" / "command",
}
OWNED = ("src/", "docs/", "README.md", "config.yaml", "conftest.py", "LICENSE")
"""What the author of a plugin owns: an update leaves it alone."""
ANSWERS = ".copier-answers.yml"


def by_copier(folder: Path, answers: Mapping[str, str], template: Path = TEMPLATE) -> Path:
    """A project, made by Copier without trust."""
    run_copy(str(template), folder, data=dict(answers), defaults=True, quiet=True, unsafe=False)
    return folder


def by_cookiecutter(folder: Path, answers: Mapping[str, str], template: Path = TEMPLATE) -> Path:
    """A project, made by Cookiecutter, in a folder of its own below this one."""
    made: str = cookiecutter(
        str(template), no_input=True, extra_context=dict(answers), output_dir=str(folder), default_config=True
    )
    return Path(made)


def tree(folder: Path) -> dict[str, bytes]:
    """The files of a project: path -> bytes."""
    found = (path for path in folder.rglob("*") if path.is_file() and ".git" not in path.relative_to(folder).parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found if path.suffix != ".pyc"}


def raw(folder: Path, world: str) -> Path:
    """A project with nothing filled in."""
    return by_copier(folder, {"name": NAMES[world], "world": world})


def filled(folder: Path, world: str) -> Path:
    """A project with the bodies that stand in `FILLED`, and a sentence for each place in the docs."""
    raw(folder, world)
    for part in ("src", "docs", "README.md", "conftest.py", "tests/tool"):
        source = FILLED[world] / part
        if source.is_dir():
            shutil.copytree(source, folder / part, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy2(source, folder / part)
    for path in (folder / "README.md", *(folder / "docs").iterdir()):
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join("It keeps what a config says.\n" if "TODO(dtm)" in line else line for line in lines))
    return folder


def run(folder: Path, *command: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command in a project; its two streams are one."""
    return subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1", **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


def succeeded(folder: Path, *command: str, env: Mapping[str, str] | None = None) -> str:
    """What a command prints that must succeed."""
    done = run(folder, *command, env=env)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}"
    return done.stdout


def installed(project: Path, where: Path) -> dict[str, str]:
    """Install a project beside the packages of the tests; what to add to the environment to find it."""
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--disable-pip-version-check", "--no-index"]
    succeeded(project, "python", "-m", "pip", "install", *options, "--target", str(where), ".")
    return {"PYTHONPATH": str(where)}


def git(folder: Path, *arguments: str) -> None:
    """Run git in a folder, as somebody."""
    who = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def committed(folder: Path, tag: str = "") -> None:
    """Commit all of a folder, whether it is a repository yet or not."""
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", tag or "changed")
    if tag:
        git(folder, "tag", tag)


def pairwise(questions: Mapping[str, Iterable[str]]) -> list[dict[str, str]]:
    """Answers in which each two answers of two questions occur together; few of them."""
    every = [dict(zip(questions, answers, strict=True)) for answers in product(*questions.values())]
    pairs = {id(each): set(combinations(sorted(each.items()), 2)) for each in every}
    left, chosen = set().union(*pairs.values()), []
    while left:
        best = max(every, key=lambda each: len(pairs[id(each)] & left))
        chosen.append(best)
        left -= pairs[id(best)]
    return chosen


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name it has there
        """Nothing."""


@contextmanager
def served(project: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The service of a project's conftest.py on a socket: its address and its data."""
    spec = spec_from_file_location("conftest_of_project", project / "conftest.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    service = module.Service()
    with make_server("127.0.0.1", 0, service, handler_class=_Quiet) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", service.state
        finally:
            server.shutdown()
            thread.join()
