"""Two plugins that stop in the middle of an operation until a test lets them go on, and the command while it runs."""

import fcntl
import os
import select
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

import pytest

from tests import children
from tests.workplace import Workplace

GATED = r'''
"""Two plugins that stop in the middle of an operation, where the test has made pipes for that.

A `slow` resource is found by its name; a `manual` one only by the number that its create returned.
"""

import json
from pathlib import Path
from threading import Thread

from dtm_sdk import Identity, Options, Plugin, Secret, State


class SlowOptions(Options):
    name: Identity[str]
    content: str = ""


class ManualOptions(Options):
    content: str = ""
    token: Secret | None = None


def gate(where: str) -> None:
    def wait() -> None:
        with open(f"{where}.go") as go:
            Path(f"{where}.began").write_text("x")
            go.read(1)

    if Path(f"{where}.began").exists():
        thread = Thread(target=wait, daemon=False)  # Python doesn't end before it has ended
        thread.start()
        thread.join()


def slow(options: SlowOptions) -> State:
    state = {"name": options.name, "content": options.content}
    Path(f"{options.name}.slow").write_text(json.dumps(state))
    gate(options.name)
    return state


def read_slow(options: SlowOptions) -> State | None:
    gate(f"read-{options.name}")
    path = Path(f"{options.name}.slow")
    return json.loads(path.read_text()) if path.exists() else None


def delete_slow(options: SlowOptions) -> bool:
    gate(f"delete-{options.name}")
    Path(f"{options.name}.slow").unlink(missing_ok=True)
    return True


def create_manual(options: ManualOptions) -> State:
    number = len(list(Path().glob("*.manual"))) + 1
    state = {"content": options.content, "outputs": {"number": number}}
    Path(f"{number}.manual").write_text(json.dumps(state))
    gate("manual")
    return state


def path_of(state: State | None) -> Path:
    return Path(f"{state['outputs']['number'] if state else 0}.manual")


def read_manual(options: ManualOptions, state: State | None) -> State | None:
    return json.loads(path_of(state).read_text()) if path_of(state).exists() else None


def update_manual(options: ManualOptions, state: State | None) -> State:
    new = {**json.loads(path_of(state).read_text()), "content": options.content}
    path_of(state).write_text(json.dumps(new))
    return new


def delete_manual(options: ManualOptions, state: State | None) -> bool:
    path_of(state).unlink()
    return True


slowly = Plugin(name="slow", options=SlowOptions, create=slow, read=read_slow, update=slow, delete=delete_slow)
manual = Plugin(
    name="manual", options=ManualOptions, recovery="manual",
    create=create_manual, read=read_manual, update=update_manual, delete=delete_manual,
)
'''


def install(place: Workplace) -> None:
    """Put the two plugins into the folder of plugins of a workplace."""
    folder = place.folder / ".devstream"
    info = folder / "dtm_gated-1.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_text("[dtm.plugins]\nslow = dtm_gated:slowly\nmanual = dtm_gated:manual\n")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: dtm-gated\nVersion: 1\n")
    (folder / "dtm_gated.py").write_text(GATED)


class Gate:
    """Two pipes: by one an operation says that it has begun, by the other it waits until it may end."""

    def __init__(self, folder: Path, where: str) -> None:
        self._paths = [folder / f"{where}.began", folder / f"{where}.go"]
        for path in self._paths:
            os.mkfifo(path)
        # Both ends are open here, so that nobody waits for somebody who has died.
        self._began, self._go = (os.open(path, os.O_RDWR) for path in self._paths)

    def wait(self) -> None:
        """Wait until an operation is under way."""
        assert select.select([self._began], [], [], 30)[0], "nothing has begun"
        os.read(self._began, 1)

    def open(self) -> None:
        """Let it end."""
        os.write(self._go, b"x")

    def remove(self) -> None:
        """Let no further operation wait."""
        for path in self._paths:
            path.unlink()


@contextmanager
def started(
    place: Workplace, *arguments: str, measured: bool = True, stdout: int = subprocess.PIPE
) -> Iterator[subprocess.Popen[str]]:
    """The command while it runs; killed at the end, and before where it takes a minute: what is read from it ends."""
    environment = place.environment
    if not measured:
        environment = {name: value for name, value in environment.items() if not name.startswith("COVERAGE")}
    with subprocess.Popen(
        [sys.executable, "-m", "dtm_sdk", *arguments],
        cwd=place.folder,
        env=environment,
        stdout=stdout,
        encoding="utf-8",
    ) as process:
        timer = Timer(60, process.kill)
        timer.start()
        try:
            yield process
        finally:
            timer.cancel()
            process.kill()


@contextmanager
def under_way(
    place: Workplace, where: str, *arguments: str, command: Sequence[str] = ("apply", "-y")
) -> Iterator[tuple[subprocess.Popen[str], Gate]]:
    """A command that is in the middle of an operation; later ones won't stop there."""
    gate = Gate(place.folder, where)
    with started(place, *command, *arguments) as process:
        gate.wait()
        gate.remove()
        yield process, gate


def said_until(process: subprocess.Popen[str], text: str) -> str:
    """What is printed, up to the line with a text."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if text in line:
            return said
    raise AssertionError(said)


class Lagging:
    """A reader of what a process prints, that lags behind: the process can't go on when it prints the line after next.

    Attributes:
        writer: what the process prints to; this process is to close it once that one has it.
    """

    def __init__(self) -> None:
        self._reader, self.writer = -1, -1
        if sys.platform == "linux":
            # Each write takes a buffer of its own (pipe(2), O_DIRECT), and there is one.
            self._reader, self.writer = os.pipe2(os.O_DIRECT | os.O_CLOEXEC)
            fcntl.fcntl(self.writer, fcntl.F_SETPIPE_SZ, 1)
        else:
            pytest.skip("no other system has a pipe that holds a single write")

    def until(self, text: str) -> None:
        """Read up to what is printed with a text, and wait until more is, which isn't read."""
        said = ""
        while text not in said:
            data = os.read(self._reader, 65536)
            assert data, said
            said = data.decode()
        assert select.select([self._reader], [], [], 30)[0], "nothing more is printed"

    def rest(self) -> str:
        """All the rest."""
        with os.fdopen(self._reader, encoding="utf-8") as reader:
            return reader.read()


def hold_that_nobody_gets_the_state_while_a_plugin_may_act(place: Workplace) -> None:
    """A create that hangs is given up; while the process still has something to say, another apply is refused."""
    gate, lagging = Gate(place.folder, "a"), Lagging()
    with started(place, "apply", "-y", "--timeout", "0.1s", stdout=lagging.writer) as process:
        os.close(lagging.writer)
        lagging.until("Processing: a (slow) -> Create ...")
        gate.remove()
        other = place.run("apply", "-y")
        assert f"is held by `dtm apply`, process {process.pid} on " in other.stdout
        assert other.returncode == 1
        assert "Apply failed => 0 done, 1 failed or skipped." in lagging.rest()
        assert process.wait(30) == 1


LIBRARY = """
import sys
from dtm_sdk.events import Began
from dtm_sdk.runner import Settings, apply

bug = sys.argv[1:] == ["bug"]


def tell(event):
    if bug and isinstance(event, Began):
        raise ZeroDivisionError("a bug")


try:
    print(apply(Settings(parallelism=1, timeout=None if bug else 0.1), tell, lambda plan: True).failed)
except ZeroDivisionError as error:
    print(error)
sys.stdout.flush()
sys.stdin.readline()
"""
"""A program that applies in its own process, says what came of it, and ends once it is told to."""


def hold_that_a_program_has_the_state_until_it_ends(place: Workplace, where: str, *arguments: str, says: str) -> None:
    """A program whose apply has ended while a create goes on has the state until it ends, in its own time.

    Args:
        place: where the config has a `slow`.
        where: its name.
        arguments: of the program.
        says: what it says of its apply.
    """
    gate = Gate(place.folder, where)
    with children.started(LIBRARY, place.folder, *arguments) as program:
        gate.wait()
        assert children.said(program) == says
        gate.open()
        gate.remove()
        other = place.run("apply", "-y")
        assert f"is held by `dtm apply`, process {program.pid} on " in other.stdout
        assert other.returncode == 1
        children.tell(program)
        assert program.wait(30) == 0
