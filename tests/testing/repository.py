"""A repository of a plugin in a folder, and pytest started in it: what the tests of the pytest plugin share."""

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[2]

NOTE = '''
"""A plugin that keeps a text file."""

from pathlib import Path
from typing import Annotated

from dtm_sdk import Identity, Meta, Options, Plugin


class NoteOptions(Options):
    """Options of a note."""

    path: Annotated[Identity[str], Meta(min_length=1, description="Name of the file.")]
    text: Annotated[str, Meta(description="What it says.")] = ""


def described(options):
    path = Path(options.path)
    return {"path": options.path, "text": READ} if path.exists() else None


def save(options):
    Path(options.path).write_text(options.text)
    return {"path": options.path, "text": options.text}


def delete(options):
    Path(options.path).unlink(missing_ok=True)
    return True


plugin = Plugin(
    name="NAME", options=NoteOptions, create=save, read=described, update=save, delete=delete,
    examples=[{"path": "a.txt", "text": "one"}, {"path": "a.txt", "text": "two"}],
)
'''
RIGHT = "path.read_text()"


class Repository:
    """A folder with plugins that are not installed, and pytest in it.

    Args:
        folder: an empty one.
        plugins: name -> what their Read says of the text, an expression; `RIGHT` is right.
    """

    def __init__(self, folder: Path, **plugins: str) -> None:
        self.folder = folder
        points = "\n".join(f'{name} = "dtm_{name}:plugin"' for name in plugins)
        self.pyproject = dedent("""
            [project]
            name = "plugins-under-test"
            version = "1.2"
            [project.entry-points."dtm.plugins"]
            {points}
            [tool.pytest.ini_options]
            addopts = "-p no:cacheprovider"
            """).format(points=points)
        self.configure("")
        for name, read in plugins.items():
            (folder / "src").mkdir(exist_ok=True)
            text = NOTE.replace("NAME", name).replace("READ", read)
            (folder / "src" / f"dtm_{name}.py").write_text(text)

    def configure(self, more: str) -> None:
        """Write `pyproject.toml`, with more at its end."""
        (self.folder / "pyproject.toml").write_text(self.pyproject + dedent(more))

    def write(self, path: str, text: str) -> None:
        """Write a file."""
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(dedent(text))

    def pytest(self, *arguments: str, below: str = ".") -> subprocess.CompletedProcess[str]:
        """Run pytest to its end."""
        unset = ("COVERAGE_PROCESS_START", "PYTEST_ADDOPTS", "PYTEST_CURRENT_TEST", "PYTEST_XDIST_WORKER")
        environment = {key: value for key, value in os.environ.items() if key not in unset[1:]}
        return subprocess.run(
            [sys.executable, "-m", "pytest", *arguments],
            cwd=self.folder / below,
            env={**environment, "NO_COLOR": "1", "COLUMNS": "200"},
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )


def verdicts(output: str) -> dict[str, str]:
    """Node id -> PASSED, FAILED ..., of a run with `-v`."""
    found = {}
    for line in output.splitlines():
        node, _, rest = line.partition(" ")
        node = node.removeprefix("../")
        if node.startswith("conformance/") and rest.split():
            found[node] = rest.split()[0]
    return found
