"""What the author of a plugin imports, and what that loads."""

import subprocess
import sys
from pathlib import Path

import pytest

import dtm_sdk
from dtm_sdk import errors, options, plugin

TYPING = Path(__file__).parent / "typing"
NAMES = {
    "AlreadyExistsError": errors,
    "DtmError": errors,
    "Identity": options,
    "Meta": options,
    "Options": options,
    "OptionsError": errors,
    "Plugin": plugin,
    "PluginError": errors,
    "Secret": options,
    "State": plugin,
    "TransientError": errors,
    "Tuning": options,
}
HEAVY = (
    "asyncio boto3 click copier cookiecutter importlib.metadata jinja2 json msgspec pytest rich stamina tempfile yaml"
)


def child(code: str) -> str:
    """What a new interpreter prints, in which nothing is loaded yet but what it starts with."""
    # Without its environment: a measurement of coverage would load modules of its own.
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env={})
    return ran.stdout


@pytest.mark.parametrize("name", NAMES)
def test_each_public_name_is_that_of_its_module(name: str) -> None:
    assert getattr(dtm_sdk, name) is getattr(NAMES[name], name)


def test_there_are_no_other_public_names() -> None:
    assert set(dtm_sdk.__all__) == {*NAMES, "__version__"}


def test_every_name_can_be_imported_at_once() -> None:
    code = "from dtm_sdk import *; print(*(name for name in dir() if not name.startswith('__')))"
    assert set(child(code).split()) == set(NAMES)


def test_dir_lists_names_that_are_not_loaded_yet() -> None:
    code = "import dtm_sdk; offered = set(dir(dtm_sdk)); print(*offered); print(*vars(dtm_sdk))"
    offered, loaded = (set(line.split()) for line in child(code).splitlines())
    assert set(NAMES) <= offered
    assert not set(NAMES) & loaded


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import sys; before = set(sys.modules); import dtm_sdk; print(*sorted(set(sys.modules) - before))"
    loaded = set(child(code).split())
    assert "dtm_sdk" in loaded
    assert not loaded & set(HEAVY.split())


def test_the_version_is_known_without_asking_the_installation() -> None:
    code = "import sys, dtm_sdk; print(dtm_sdk.__version__, 'importlib.metadata' in sys.modules)"
    assert child(code).split() == [dtm_sdk.__version__, "False"]


def test_an_error_can_be_caught_without_loading_what_validates_options() -> None:
    code = "import sys; from dtm_sdk import PluginError; print('msgspec' in sys.modules)"
    assert child(code).strip() == "False"


def test_an_unknown_name_is_refused_by_name() -> None:
    with pytest.raises(AttributeError, match="module 'dtm_sdk' has no attribute 'Plugins'"):
        getattr(dtm_sdk, "Plugins")  # noqa: B009  (the attribute is unknown to type checkers too)


def test_a_type_checker_sees_what_an_author_gets_right_and_wrong(tmp_path: Path) -> None:
    # Each mistake carries a `type: ignore` with its code, and one that isn't needed is an error in strict mode.
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={tmp_path}", str(TYPING)]
    ran = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path)
    assert ran.stdout == "Success: no issues found in 2 source files\n", ran.stdout + ran.stderr
