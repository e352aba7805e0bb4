"""Each contract of import-linter breaks where an import goes against it; that they hold is `lint-imports`' own run."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import dtm_sdk

PACKAGE = Path(dtm_sdk.__file__).parent
CONFIG = Path(__file__).parent.parent / "pyproject.toml"


def lint(package: Path) -> subprocess.CompletedProcess[str]:
    """Runs the contracts on the package in a folder."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo", "--config", str(CONFIG)]
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=package)


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("errors.py", "import dtm_sdk.options", "A lower layer never imports a higher one"),
        ("helpers.py", "", "A lower layer never imports a higher one"),
        ("options.py", "import dtm_sdk.plugin", "Imports make no circle"),
        ("runner.py", "import dtm_sdk.testing", "The runner never imports testing"),
        ("testing/model.py", "import dtm_sdk.decide", "The model of rule M1 knows nothing of what it judges"),
        ("testing/model.py", "import dtm_sdk.testing.runs", "The model of rule M1 knows nothing of what it judges"),
        ("plan.py", "import os", "The plan imports no I/O"),
        ("references.py", "from pathlib import Path", "The plan imports no I/O"),
        ("backends/other.py", "import dtm_sdk.backends.local", "Backends don't know each other"),
        ("backends/local.py", "import boto3", "Only backends.s3 imports boto3"),
        ("report.py", "from click import echo", "Only the CLI imports click"),
    ],
)
def test_an_import_against_a_contract_breaks_it(module: str, line: str, contract: str, tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / "dtm_sdk")
    (tmp_path / "dtm_sdk" / "testing.py").touch()
    with (tmp_path / "dtm_sdk" / module).open("a") as file:
        file.write(f"\n{line}\n")
    ran = lint(tmp_path)
    assert ran.returncode == 1
    assert f"\n{contract} BROKEN" in ran.stdout


def test_s3_may_import_what_no_other_backend_may(tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / "dtm_sdk")
    (tmp_path / "dtm_sdk" / "backends" / "s3.py").write_text("import boto3\nimport botocore.config\n")
    assert "\nOnly backends.s3 imports boto3 KEPT" in lint(tmp_path).stdout
