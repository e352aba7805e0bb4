"""A plugin that refuses its own declaration is one line, and that plugin's alone."""

import subprocess
import sys
from pathlib import Path

import pytest

PLUGIN = """
from typing import Annotated
from dtm_sdk import Identity, Meta, Options, Plugin

class Named(Options):
    name: Annotated[Identity[str], Meta(description="Its name.")]

def one(options):
    return {}

def two(options, state):
    return {}

plugin = Plugin(name="thing", options=Named, create=one, read=one, update=two, delete=two)
"""


def collected(folder: Path, entry: str, source: str) -> subprocess.CompletedProcess[str]:
    """What pytest says of a repository with a right plugin and this one."""
    (folder / "dtm_thing.py").write_text(PLUGIN)
    (folder / "dtm_other.py").write_text(source)
    points = f'[project.entry-points."dtm.plugins"]\nthing = "dtm_thing:plugin"\n{entry} = "dtm_other:plugin"\n'
    (folder / "pyproject.toml").write_text(f'[project]\nname = "dtm-thing"\nversion = "1"\n{points}')
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--dtm-conformance",
        "-k",
        "a1 or test_the_plugin_loads",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
    ]
    return subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("entry", "old", "new", "what"),
    [
        (
            "others",
            'name="thing"',
            'name="other"',
            "dtm_other:plugin calls itself 'other'; give it and its entry point the same name",
        ),
        (
            "other",
            "create=one",
            "create=two",
            "plugin thing: create takes (options, state); write `def create(options)`",
        ),
        (
            "other",
            "Identity[str]",
            "str",
            "plugin thing: recovery='identity' needs an Identity option; write e.g. `name: Identity[str]`",
        ),
    ],
)
def test_a_plugin_that_refuses_its_declaration_is_a_line(
    entry: str, old: str, new: str, what: str, tmp_path: Path
) -> None:
    assert old in PLUGIN
    done = collected(tmp_path, entry, PLUGIN.replace(old, new))
    assert done.returncode == 1, done.stdout
    assert f"FAILED conformance/{entry}::test_the_plugin_loads" in done.stdout
    (line,) = [line for line in done.stdout.splitlines() if line.startswith(f"plugin {entry!r} of dtm-thing 1: ")]
    assert what in line
    assert "Traceback" not in done.stdout
    assert " passed" in done.stdout
