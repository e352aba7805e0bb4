"""Tests of `dtm_sdk.cli.output`: streams that are closed, full, or know few characters."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dtm_sdk import __version__
from tests.workplace import run_without_reader

ROOT = Path(__file__).parents[2]


def shell(command: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run a shell command in which $DTM is the real one."""
    env = {**os.environ, "DTM": f"{sys.executable} -m dtm_sdk", "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(["bash", "-c", command], env=env, capture_output=True, timeout=60, check=False)


@pytest.mark.parametrize("arguments", ["version", "--help", "version --output text", "completion fish"])
def test_a_reader_that_leaves_is_no_error(arguments: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = run_without_reader([sys.executable, "-m", "dtm_sdk", *arguments.split()], ROOT, environment)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="macOS has no /dev/full")
@pytest.mark.parametrize("arguments", ["version", "--help", "version --output json", "completion zsh"])
def test_a_full_disk_is_one_line_and_exit_code_1(arguments: str) -> None:
    done = shell(f"$DTM {arguments} >/dev/full")
    assert (done.returncode, done.stderr) == (1, b"Error: stdout can't be written: No space left on device\n")


def test_a_closed_stdout_is_one_line_and_exit_code_1() -> None:
    done = shell("$DTM version >&-")
    assert (done.returncode, done.stderr) == (1, b"Error: stdout is closed\n")


def test_a_closed_stderr_leaves_the_exit_code() -> None:
    done = shell("$DTM instal 2>&-")
    assert (done.returncode, done.stdout, done.stderr) == (2, b"", b"")


def test_both_are_written_though_the_terminal_knows_ascii_alone() -> None:
    done = shell("$DTM 'größer'", PYTHONIOENCODING="ascii")
    assert done.returncode == 2
    assert done.stderr.startswith(b"Error: there is no command 'gr??er'")


def test_version_prints_the_version_and_nothing_else() -> None:
    for arguments in ("version", "--version", "-d version", "version --output text"):
        done = shell(f"$DTM {arguments}")
        assert (done.returncode, done.stdout.decode(), done.stderr) == (0, f"{__version__}\n", b"")
    assert shell("$DTM --output json version").stdout.decode() == f'{{"version": "{__version__}"}}\n'


def test_help_is_the_same_with_click_and_without() -> None:
    short, long = shell("$DTM --help"), shell("$DTM -y --help")
    assert short.stdout == long.stdout != b""


@pytest.mark.parametrize("arguments", ["--help", "version", "--version"])
def test_help_and_version_import_next_to_nothing(arguments: str) -> None:
    code = (
        "import sys; bare = set(sys.modules)\n"
        f"from dtm_sdk.cli import dispatch; assert dispatch({arguments.split()!r}) == 0\n"
        "heavy = {'click', 'msgspec', 'yaml', 'asyncio', 'rich', 'importlib.metadata', 'inspect', 'subprocess'}\n"
        "print(sorted(heavy & set(sys.modules) - bare), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "[]\n")
