"""Something real that a plugin acts on through a client or a command: a server, or a command-line tool."""

import os
import signal
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final

from dtm_sdk.testing.watch import Watch
from dtm_sdk.testing.worlds.commands import command_faults, counted
from dtm_sdk.testing.worlds.world import Fault, Tree, World

PROMPT: Final = 5.0
"""Seconds in which the threads of a process that is to stand still do so, however busy the machine is."""


class ProcessWorld(World):
    """A real server or command-line tool that a fixture starts; a subclass says how to see what is in it.

    Args:
        pid: the process of the server, where it can be stopped for a while: a plugin then meets a time-out.
        commands: names of the command-line tools that the plugin starts: each can be made to fail, to be missing or to
            print nonsense.
        environment: variables of the process of each check, e.g. where the server is.
    """

    name = "process"

    def __init__(
        self, *, pid: int | None = None, commands: Sequence[str] = (), environment: Mapping[str, str] | None = None
    ) -> None:
        self.pid = pid
        self.commands = tuple(commands)
        self.environment = dict(environment or {})
        self._scratch = Path()

    @contextmanager
    def opened(self, scratch: Path) -> Iterator[None]:
        """Set the environment, and make an empty folder the working directory."""
        self._scratch = scratch
        folder = scratch / "world"
        folder.mkdir()
        if self.pid:
            os.kill(self.pid, signal.SIGCONT)  # a check that ran out of time may have left it paused
        before, variables = Path.cwd(), dict(os.environ)
        os.chdir(folder)
        os.environ.update(self.environment)
        try:
            self.prepare()
            yield
        finally:
            os.environ.clear()
            os.environ.update(variables)
            os.chdir(before)

    def prepare(self) -> None:
        """Put a server that the checks share to how it is at first, whatever the last one left; nothing by default."""

    @abstractmethod
    def snapshot(self) -> Tree:
        """What is in the server, asked for without the plugin."""

    @abstractmethod
    def restore(self, tree: Tree) -> None:
        """Make the server hold just what the tree says."""

    @property
    def writable(self) -> Sequence[Path]:
        """The working directory."""
        return (self._scratch / "world",)

    def faults(self) -> Sequence[Fault]:
        """The server that doesn't answer; each tool that fails, prints nonsense, is killed or missing."""
        server = [Fault("the server does not answer", self._paused, single=False)] if self.pid else []
        return [*server, *command_faults(self.commands, self._scratch)]

    def counting(self) -> AbstractContextManager[Callable[[], int]]:
        """Inside, commands are counted."""
        return counted(self.commands, self._scratch)

    @contextmanager
    def _paused(self, only: int = 0) -> Iterator[Callable[[], int]]:  # noqa: ARG002  # a server pauses as a whole
        if self.pid is None:
            raise ValueError("no process to pause")
        _pause(self.pid)
        try:
            yield lambda: 1
        finally:
            os.kill(self.pid, signal.SIGCONT)
            with Watch.here().unguarded():
                self.snapshot()  # once it answers, it has done what was asked of it meanwhile


def _pause(pid: int) -> None:
    """Stop a process. The signal reaches one of its threads; the others go on until that one has run."""
    os.kill(pid, signal.SIGSTOP)
    end = time.monotonic() + PROMPT
    while not _stands_still(pid) and time.monotonic() < end:
        time.sleep(0.001)


def _stands_still(pid: int) -> bool:
    """Whether no thread of a process runs, where the system tells (Linux, proc(5)); else it is taken for that."""
    try:
        states = [path.read_text().rpartition(")")[2].split()[0] for path in Path(f"/proc/{pid}/task").glob("*/stat")]
    except (FileNotFoundError, ProcessLookupError):  # a thread has ended meanwhile
        return False
    return all(state in "TtZX" for state in states)
