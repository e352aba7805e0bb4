"""Other processes for tests: real ones, that can be waited for, limited and killed."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NOBODY = 65534
"""The user and group that own nothing."""

CHILDREN_ARE_LISTED = pytest.mark.skipif(sys.platform != "linux", reason="only Linux lists a process's children")

_MOUNT = 'mount -t tmpfs -o "$0" none . && cd "$PWD" && exec "$@"'


def on_tmpfs(options: str) -> list[str]:
    """A command that starts a child with a file system of its own in its working directory.

    Args:
        options: of mount, e.g. "size=16k" or "ro".
    """
    return ["unshare", "--mount", "sh", "-c", _MOUNT, options]


def can_mount() -> bool:
    """Whether `on_tmpfs` works here: it takes root and its capabilities."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode == 0


@contextmanager
def others_folder() -> Iterator[Path]:
    """A folder that any user can reach, and that belongs to nobody: pytest's are closed to all but their owner."""
    path = Path(tempfile.mkdtemp())
    try:
        os.chown(path, NOBODY, NOBODY)
        path.chmod(0o755)
        yield path
    finally:
        shutil.rmtree(path)


def environment() -> dict[str, str]:
    """The environment of a child that imports what this process does.

    Its coverage isn't measured: a child that is killed would leave half a file of it, one under strace calls of it.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    return {**inherited, "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])}


def python(code: str, folder: Path, *arguments: str, before: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    """Run code in a child and wait for its end.

    Args:
        code: the code.
        folder: its working directory.
        arguments: what it finds in `sys.argv[1:]`.
        before: a command that starts it, e.g. strace with its options.
    """
    command = [*before, sys.executable, "-c", code, *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, text=True, check=False, timeout=60
    )


@contextmanager
def started(code: str, folder: Path, *arguments: str, before: Sequence[str] = ()) -> Iterator[subprocess.Popen[str]]:
    """A child that runs code, with pipes to its standard input and output; killed at the end."""
    command = [*before, sys.executable, "-c", code, *arguments]
    with subprocess.Popen(
        command, cwd=folder, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        try:
            yield child
        finally:
            child.kill()


def said(child: subprocess.Popen[str]) -> str:
    """The next line of a child; empty where it has ended."""
    assert child.stdout is not None
    return child.stdout.readline().rstrip("\n")


def tell(child: subprocess.Popen[str], line: str = "") -> None:
    """Write a line to a child."""
    assert child.stdin is not None
    child.stdin.write(line + "\n")
    child.stdin.flush()
