"""A real process, seen, paused and left as it was."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dtm_sdk.testing import ProcessWorld, Tree

SERVER = """
import socketserver
class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"here\\n")
with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
    print(server.server_address[1], flush=True)
    server.serve_forever()
"""


class GreeterWorld(ProcessWorld):
    """A server that says that it is there."""

    def __init__(self, pid: int, port: int) -> None:
        super().__init__(pid=pid, environment={"GREETER_PORT": str(port)})
        self.port = port
        self.prepared = 0

    def prepare(self) -> None:
        self.prepared += 1

    def snapshot(self) -> Tree:
        return {"said": ask(self.port, 20)}

    def restore(self, tree: Tree) -> None:
        raise NotImplementedError


def ask(port: int, timeout: float) -> str:
    with socket.create_connection(("127.0.0.1", port), timeout) as client:
        return client.makefile().readline()


@pytest.fixture
def world() -> Iterator[GreeterWorld]:
    with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield GreeterWorld(process.pid, int(process.stdout.readline()))
        process.kill()


def test_a_paused_server_does_not_answer_and_does_again(world: GreeterWorld, tmp_path: Path) -> None:
    with world.opened(tmp_path):
        (fault,) = world.faults()
        with fault.strike(), pytest.raises(TimeoutError):
            ask(world.port, 0.2)
        assert ask(world.port, 20) == "here\n"


BUSY = """
import threading
for _ in range(100):
    threading.Thread(target=lambda: [print(number, flush=True) for number in range(10**9)], daemon=True).start()
input()
"""
"""A process that has something to say at any moment, in many threads."""


@pytest.mark.skipif(sys.platform != "linux", reason="the system tells only there whether a thread stands still")
def test_all_threads_of_a_paused_server_stand_still(tmp_path: Path) -> None:
    command = [sys.executable, "-c", BUSY]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        world = GreeterWorld(process.pid, 0)
        (fault,) = ProcessWorld.faults(world)
        world.snapshot = dict  # type: ignore[method-assign]  # what it says doesn't matter here
        with fault.strike():
            threads = Path(f"/proc/{process.pid}/task")
            states = [path.read_text().rpartition(")")[2].split()[0] for path in threads.glob("*/stat")]
        process.kill()
    assert set(states) == {"T"}


def test_a_server_that_was_left_paused_goes_on_when_the_world_is_opened(world: GreeterWorld, tmp_path: Path) -> None:
    os.kill(world.pid or 0, signal.SIGSTOP)
    with world.opened(tmp_path):
        assert world.snapshot() == {"said": "here\n"}


def test_the_process_has_its_environment_inside_only(world: GreeterWorld, tmp_path: Path) -> None:
    folder = Path.cwd()
    with world.opened(tmp_path):
        assert os.environ["GREETER_PORT"] == str(world.port)
        assert Path.cwd() == tmp_path / "world" == world.writable[0]
        assert world.prepared == 1
    assert "GREETER_PORT" not in os.environ
    assert Path.cwd() == folder


def test_a_world_without_a_process_to_pause_and_commands_has_no_faults() -> None:
    class Quiet(GreeterWorld):
        def __init__(self) -> None:
            ProcessWorld.__init__(self)

    assert list(Quiet().faults()) == []
