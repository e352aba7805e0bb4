"""The command in forks of a process that has imported all it needs: hundreds of runs in the time that ten take else."""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module


def command(arguments: Sequence[str]) -> int:
    """Run `dtm` in this process; returns the exit code."""
    from dtm_sdk.__main__ import main

    sys.argv = ["dtm", *arguments]
    try:
        main()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1
    finally:
        sys.stdout.flush()
    return 0


def import_what_it_needs(arguments: Sequence[str], folder: str) -> None:
    """Import all that a run in a folder imports, as one in a child tells: then the runs to come needn't."""
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        os.chdir(folder)
        os.dup2(2, 1)
        command(arguments)
        os.write(writer, " ".join(sys.modules).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as names:
        for name in names.read().split():
            with suppress(ImportError):
                import_module(name)
    os.waitpid(pid, 0)
