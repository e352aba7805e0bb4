"""The plugin is found under its name, and what its docs and configs say of it is so."""

import subprocess
import sys
from pathlib import Path

from dtm_sdk import Plugin

from {{ cookiecutter.__package }} import plugin

ROOT = Path(__file__).parents[1]


def test_the_entry_point_gives_the_plugin_under_its_name(dtm_plugin: Plugin) -> None:
    assert dtm_plugin is plugin


def test_the_docs_and_configs_are_in_step_with_the_options() -> None:
    command = [sys.executable, "-m", "dtm_sdk", "develop", "docs", "--check", str(ROOT)]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
