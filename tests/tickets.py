"""A service of tickets that outlives those who call it, and the plugin for it.

Its create is not idempotent: each call makes another ticket, under a number that the service gives. So a ticket that
nobody remembers is an orphan and a second one of the same name a duplicate, and both are seen by asking the service.
"""

import json
import os
import socket
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Annotated, Any

from dtm_sdk import Identity, Meta, Options, Plugin, PluginError, State

PORT = "TICKETS_PORT"
"""The variable that says where the service listens."""

Tickets = dict[int, dict[str, str]]
"""Number -> `name` and `text`."""


class Service(socketserver.TCPServer):
    """Answers one request after the other, in the order of their connections.

    Attributes:
        tickets: those there are.
        gate: while it is cleared, creates wait.
    """

    request_queue_size = 64

    def __init__(self) -> None:
        self.tickets: Tickets = {}
        self.gate = Event()
        self.gate.set()
        self._last = 0
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever called was killed: nobody waits for the answer."""

    def answer(self, what: str, number: int, name: str, text: str) -> Any:
        """Do what is asked."""
        match what:
            case "create":
                self.gate.wait()
                self._last += 1
                self.tickets[self._last] = {"name": name, "text": text}
                return self._last
            case "find":
                return [each for each, ticket in self.tickets.items() if ticket["name"] == name]
            case "get":
                return self.tickets.get(number)
            case "set":
                self.tickets[number]["text"] = text
            case "remove":
                self.tickets.pop(number, None)
        return None


class _Handler(socketserver.StreamRequestHandler):
    server: Service

    def handle(self) -> None:
        line = self.rfile.readline()
        if line.endswith(b"\n"):  # else its sender was killed in the middle of it
            self.wfile.write(json.dumps(self.server.answer(*json.loads(line))).encode() + b"\n")


@contextmanager
def serving() -> Iterator[Service]:
    """The service, in a thread of its own."""
    with Service() as service:
        thread = Thread(target=service.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield service
        finally:
            service.shutdown()
            thread.join()


def ask(port: int, what: str, number: int = 0, name: str = "", text: str = "") -> Any:
    """Ask the service; all that was asked before is done by then."""
    with socket.create_connection(("127.0.0.1", port)) as connection, connection.makefile("rb") as answer:
        connection.sendall(json.dumps([what, number, name, text]).encode() + b"\n")
        return json.loads(answer.readline())


class TicketOptions(Options):
    """Options of a ticket."""

    name: Annotated[Identity[str], Meta(description="What the ticket is found by.")]
    text: Annotated[str, Meta(description="What it says.")] = ""


class ManualOptions(Options):
    """Options of a ticket that can't be found without its number."""

    name: Annotated[str, Meta(description="Nothing looks for this.")]
    text: Annotated[str, Meta(description="What it says.")] = ""


def _ask(what: str, **arguments: Any) -> Any:
    return ask(int(os.environ[PORT]), what, **arguments)


def _number(options: TicketOptions | ManualOptions, state: State | None) -> int:
    """The number of the ticket; 0 where there is none."""
    if state:
        return int(state["outputs"]["number"])
    found = _ask("find", name=options.name) if isinstance(options, TicketOptions) else []
    return found[0] if found else 0


def _described(options: TicketOptions | ManualOptions, number: int) -> State:
    return {"name": options.name, "text": options.text, "outputs": {"number": number}}


def _create(options: Any) -> State:
    return _described(options, _ask("create", name=options.name, text=options.text))


def _read(options: Any, state: State | None) -> State | None:
    number = _number(options, state)
    ticket = _ask("get", number=number)
    return {**ticket, "outputs": {"number": number}} if ticket else None


def _update(options: Any, state: State | None) -> State:
    number = _number(options, state)
    if not _ask("get", number=number):
        raise PluginError(f"there is no ticket {number}")
    _ask("set", number=number, text=options.text)
    return _described(options, number)


def _delete(options: Any, state: State | None) -> bool:
    _ask("remove", number=_number(options, state))
    return True


ticket = Plugin(
    name="ticket",
    options=TicketOptions,
    create=_create,
    read=_read,
    update=_update,
    delete=_delete,
    stable=["outputs.number"],
    recovery="lookup",
)
manual = Plugin(
    name="manual",
    options=ManualOptions,
    create=_create,
    read=_read,
    update=_update,
    delete=_delete,
    stable=["outputs.number"],
    recovery="manual",
)


def install(folder: Path) -> None:
    """Make a folder that is given with `-p` name the two plugins."""
    info = folder / "dtm_tickets-1.dist-info"
    info.mkdir(parents=True)
    points = "[dtm.plugins]\nticket = tests.tickets:ticket\nmanual = tests.tickets:manual\n"
    (info / "entry_points.txt").write_text(points)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: dtm-tickets\nVersion: 1\n")
