"""The distribution, and where it runs."""

import ast
import os
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from zipfile import ZipFile

import pytest

import dtm_sdk
from tests.projects import ROOT, TEMPLATE, tree

PACKAGE = Path(dtm_sdk.__file__).parent
DISTRIBUTION = metadata.distribution("dtm-sdk")


def requirements(extra: str = "") -> set[str]:
    """Names of the distributions that ours requires: those of an extra, or of none."""
    found = set()
    for requirement in DISTRIBUTION.requires or []:
        wanted, _, marker = requirement.partition(";")
        if re.findall(r"extra == [\"'](.*?)[\"']", marker) == ([extra] if extra else []):
            found.add(re.split(r"[<>=!~ ]", wanted)[0].lower())
    return found


def older_python(version: str) -> str | None:
    """An interpreter of that version that runs, from PATH or from pyenv."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = [shutil.which(f"python{version}"), *map(str, root.glob(f"versions/{version}.*/bin/python"))]
    for python in filter(None, found):  # one on PATH may be a shim that has no interpreter behind it
        if subprocess.run([python, "-c", ""], check=False, capture_output=True).returncode == 0:
            return python
    return None


def test_the_installed_version_is_that_of_the_package() -> None:
    assert DISTRIBUTION.version == dtm_sdk.__version__


def test_the_core_needs_four_distributions() -> None:
    assert requirements() == {"click", "msgspec", "pyyaml", "stamina"}


@pytest.mark.parametrize(
    ("extra", "names"),
    [
        ("scaffold", {"cookiecutter", "copier"}),
        ("testing", {"hypothesis", "pyfakefs", "pytest"}),
        ("pretty", {"rich"}),
        ("s3", {"boto3"}),
    ],
)
def test_an_extra_adds_what_its_part_needs(extra: str, names: set[str]) -> None:
    assert requirements(extra) == names


def test_the_distribution_says_its_licence_and_its_python() -> None:
    assert DISTRIBUTION.metadata["License-Expression"] == "Apache-2.0"
    assert DISTRIBUTION.metadata["Requires-Python"] == ">=3.11"
    assert DISTRIBUTION.metadata["License-File"] == "LICENSE"


def test_the_package_tells_type_checkers_that_it_is_typed() -> None:
    assert (PACKAGE / "py.typed").is_file()


def test_a_wheel_installs_the_package_and_nothing_beside_it() -> None:
    files = [file for file in DISTRIBUTION.files or [] if file.name != "dtm"]
    if not any(file.match("dtm_sdk/__init__.py") for file in files):
        pytest.skip("installed in editable mode")
    assert {file.parts[0].split("-")[0] for file in files} == {"dtm_sdk"}


def built(hook: str, source: Path, folder: Path) -> Path:
    """What the build backend makes of a source tree."""
    code = "import sys; from hatchling import build; print(getattr(build, sys.argv[1])(sys.argv[2]))"
    command = [sys.executable, "-c", code, f"build_{hook}", str(folder)]
    return folder / subprocess.run(command, check=True, capture_output=True, text=True, cwd=source).stdout.strip()


@pytest.mark.skipif(PACKAGE.parent != ROOT, reason="the package is installed, not edited here")
def test_the_template_is_in_a_wheel_and_not_copied_for_an_editable_install(tmp_path: Path) -> None:
    shutil.unpack_archive(built("sdist", ROOT, tmp_path), tmp_path / "source", filter="data")
    (source,) = (tmp_path / "source").iterdir()
    with ZipFile(built("wheel", source, tmp_path)) as wheel:
        inside = {name.removeprefix("dtm_sdk/_template/"): wheel.read(name) for name in wheel.namelist()}
    template = tree(TEMPLATE)
    assert {name: inside.get(name) for name in template} == template
    with ZipFile(built("editable", ROOT, tmp_path)) as wheel:
        assert [name for name in wheel.namelist() if ".dist-info/" not in name] == ["_dtm_sdk.pth"]


def test_the_command_and_the_module_are_the_same_program() -> None:
    command = [str(Path(sys.executable).with_name("dtm")), "version"]
    module = [sys.executable, "-m", "dtm_sdk", "version"]
    said = [subprocess.run(start, check=True, capture_output=True, text=True).stdout for start in (command, module)]
    assert dtm_sdk.__version__ in said[0]
    assert said[0] == said[1]


@pytest.mark.parametrize("version", ["3.8", "3.9", "3.10"])
def test_an_older_python_is_told_in_one_line_what_is_needed(version: str, tmp_path: Path) -> None:
    python = older_python(version)
    if python is None:
        pytest.skip(f"no Python {version} here")
    (tmp_path / "dtm_sdk").symlink_to(PACKAGE)  # without what is installed beside it
    command = [python, "-B", "-m", "dtm_sdk", "apply"]
    ran = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path)
    assert (ran.returncode, ran.stdout) == (2, "")
    expected = rf"dtm: Python 3\.11 or newer is needed, this is {re.escape(version)}\.\d+ \(.*\); .*\n"
    assert re.fullmatch(expected, ran.stderr)


@pytest.mark.parametrize("name", ["__init__.py", "__main__.py", "_platform.py"])
def test_what_an_older_python_reads_first_is_in_its_syntax(name: str) -> None:
    ast.parse((PACKAGE / name).read_text("utf-8"), feature_version=(3, 8))


@pytest.mark.parametrize(
    ("lacking", "said"),
    [
        ("sys.version_info = (3, 10, 13, 'final', 0)", "dtm: Python 3.11 or newer is needed, this is 3.10.13 ("),
        ("sys.modules['fcntl'] = None", "dtm: Linux or macOS is needed, this is "),
    ],
)
def test_what_a_system_lacks_is_said_in_one_line(lacking: str, said: str) -> None:
    # The child's interpreter is made to lack it, as on a system that does.
    code = f"import runpy, sys; {lacking}; runpy.run_module('dtm_sdk', run_name='__main__')"
    ran = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith(said)
    assert ran.stderr.count("\n") == 1
