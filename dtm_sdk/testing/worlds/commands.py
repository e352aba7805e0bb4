"""Command-line tools that fail: a program of the same name is found before the real one."""

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from shutil import which
from typing import Final

from dtm_sdk.testing.watch import Watch
from dtm_sdk.testing.worlds.world import Fault, Strike

BROKEN: Final = {
    "the command fails": "echo 'it can not be done' >&2; exit 1",
    "the command is killed": "kill -9 $$",
    "the command prints nonsense": "{real} \"$@\" >/dev/null 2>&1; code=$?; echo '<<< nonsense >>>'; exit $code",
}
"""What stands in place of a command, as a shell script; one that prints nonsense has done its work."""
MISSING: Final = "the command is missing"


def command_faults(commands: Sequence[str], scratch: Path) -> list[Fault]:
    """The ways in which commands fail; none without commands.

    Args:
        commands: their names, as they are found in PATH.
        scratch: a folder for what stands in their place.

    The strike of each takes the number of the one command that it is to befall, from 1; 0, by default, for all.
    """
    if not commands:
        return []
    broken = [Fault(name, _replaced(commands, scratch, body), "nonsense" not in name) for name, body in BROKEN.items()]
    return [*broken, Fault(MISSING, _hidden(scratch), single=False)]


@contextmanager
def counted(commands: Sequence[str], scratch: Path) -> Iterator[Callable[[], int]]:
    """Inside, commands are counted, and do what they do; gives how many were started."""
    with _shims(commands, scratch, lambda real: f'exec {real} "$@"') as log:
        yield lambda: len(log.read_text()) if commands else 0


def _replaced(commands: Sequence[str], scratch: Path, body: str) -> Strike:
    @contextmanager
    def replaced(only: int = 0) -> Iterator[Callable[[], int]]:
        def script(real: str) -> str:
            passed = f'[ {only} = 0 ] || [ "$n" = {only} ] || exec {real} "$@"'
            return f"{passed}\n{body.replace('{real}', real)}"

        with _shims(commands, scratch, script) as log:
            yield lambda: int(len(log.read_text()) >= only) if only else len(log.read_text())

    return replaced


@contextmanager
def _shims(commands: Sequence[str], scratch: Path, script: Callable[[str], str]) -> Iterator[Path]:
    """Inside, shell scripts stand in place of commands; gives a file that holds a byte for each that was started.

    Args:
        commands: their names.
        scratch: a folder for the scripts.
        script: takes the path of the real one; in it, `$n` is the number of the command among those started so far.
    """
    folder, log, path = scratch / "shims", scratch / "shims.log", os.environ["PATH"]
    with Watch.here().unguarded():
        folder.mkdir(exist_ok=True)
        log.write_text("")
        for command in commands:
            count = f"printf . >>{quote(str(log))}; n=$(($(wc -c <{quote(str(log))})))"
            shim = folder / command
            shim.write_text(f"#!/bin/sh\n{count}\n{script(quote(which(command) or command))}\n")
            shim.chmod(stat.S_IRWXU)
    os.environ["PATH"] = f"{folder}{os.pathsep}{path}"
    try:
        yield log
    finally:
        os.environ["PATH"] = path


def _hidden(scratch: Path) -> Strike:
    @contextmanager
    def hidden(only: int = 0) -> Iterator[Callable[[], int]]:
        """No command is found, whichever is asked for; each child that was to be started is taken for one."""
        path = os.environ["PATH"]
        os.environ["PATH"] = str(scratch / "nowhere")
        try:
            with Watch.here().watching() as seen:
                yield lambda: len(seen.children)
        finally:
            os.environ["PATH"] = path

    return hidden
