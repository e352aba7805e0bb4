"""stdout and stderr, for what isn't the log of a run."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

from dtm_sdk.errors import BackendOptionsError, ConfigError, DtmError, UsageError
from dtm_sdk.hanging import end


def answer(text: str) -> int:
    """Print what was asked for; returns the exit code: 1 where it can't be printed, unless its reader has left."""
    if sys.stdout is None:  # its file is closed
        return complain("stdout is closed", 1)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal may know few characters
    try:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
    except OSError as error:
        return 0 if isinstance(error, BrokenPipeError) else complain(f"stdout can't be written: {error.strerror}", 1)
    return 0


@contextmanager
def aside() -> Iterator[None]:
    """Let stdout go to stderr, for child processes too: what a plugin prints must not get into what was asked for."""
    try:
        kept = os.dup(1)
    except OSError:  # stdout is closed
        yield
        return
    try:
        os.dup2(2, 1)
        yield
    finally:
        if sys.stdout is not None:
            sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def complain(text: str, code: int) -> int:
    """Print an error as one line on stderr, control characters masked; returns the exit code."""
    if sys.stderr is not None:
        line = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
        sys.stderr.write(f"Error: {line}\n")
    return code


def leave(code: int) -> NoReturn:
    """End the process at once: a thread that hangs in a plugin is not waited for."""
    try:
        for stream in filter(None, (sys.stdout, sys.stderr)):
            with suppress(OSError):
                stream.flush()
        end()
    finally:
        os._exit(code)  # an interrupt meanwhile must not bring back what waits for threads


def describe(error: Exception) -> list[str]:
    """An error as lines: each problem of a config is one; what no user can cause is a bug of ours."""
    if isinstance(error, ConfigError):
        problems = [str(problem) for problem in error.problems]
        return problems if len(problems) == 1 else [*problems, f"the config has {len(problems)} problems"]
    if isinstance(error, DtmError):
        return [str(error)]
    return [f"this is a bug of dtm, please report it with what `-d` shows: {type(error).__name__}: {error}"]


def exit_code(error: Exception) -> int:
    """The exit code of a command that ends with this error."""
    return 2 if isinstance(error, ConfigError | UsageError | BackendOptionsError) else 1


def trace() -> None:
    """Print the traceback of the error that is handled now."""
    import traceback

    traceback.print_exc()
