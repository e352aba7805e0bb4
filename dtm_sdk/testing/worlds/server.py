"""A server of HTTP on a socket of the loopback, which can be asked to answer once all else is done."""

import select
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedReader
from typing import Any, Final

from dtm_sdk.testing.worlds.wsgi import Answer

SETTLING: Final = 30.0
"""Seconds to wait for what the service is at work on; an application that hangs would hold up all."""
SETTLE: Final = "/dtm-settle"
"""What is asked for by who wants an answer once all that came before is done."""

Take = Callable[[str, str, Mapping[str, str], bytes], Answer | None]
"""Method, path with its query, headers, body -> what is answered; None to close the connection with a reset."""


class Server(ThreadingHTTPServer):
    """Takes each connection in a thread of its own.

    Args:
        take: what comes of a request.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, take: Take) -> None:
        self.take = take
        self._resting: dict[socket.socket, bool] = {}  # connection -> whether it waits for its next request
        self._changed = threading.Condition()
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        """Where it is, without a slash at its end."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def settle(self) -> None:
        """Wait until what was asked before is done, also by who has died or given up; for a child of this process too.

        A client that lives may keep its connection.
        """
        with socket.create_connection(("127.0.0.1", self.server_address[1])) as mine:  # is taken after those before it
            mine.sendall(f"OPTIONS {SETTLE} HTTP/1.0\r\n\r\n".encode())
            while mine.recv(1 << 16):
                pass

    def process_request(self, request: Any, client_address: Any) -> None:
        """Take a connection."""
        self._note(request, resting=False)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection; who hears of that may fork, so nothing is locked from then on."""
        with self._changed:
            self._resting.pop(request, None)
            self._changed.notify_all()
        super().shutdown_request(request)

    def server_close(self) -> None:
        """End it, and the connections too that clients have kept."""
        super().server_close()
        self.hang_up()

    def hang_up(self) -> None:
        """End the connections that clients have kept."""
        with self._changed:
            for connection in self._resting:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def resting(self, connection: socket.socket) -> Iterator[None]:
        """Inside, nothing that has come through a connection is left to do, but for what can still be read of it."""
        self._note(connection, resting=True)
        yield
        self._note(connection, resting=False)

    def _note(self, connection: socket.socket, *, resting: bool) -> None:
        with self._changed:
            self._resting[connection] = resting
            self._changed.notify_all()

    def wait_until_idle(self) -> None:
        """Wait until nothing that has come through a connection is left to do."""
        with self._changed:
            self._changed.wait_for(self._is_idle, SETTLING)

    def _is_idle(self) -> bool:
        return all(resting and not _readable(connection, 0) for connection, resting in self._resting.items())

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing: a client that leaves early is none of our business."""


def _readable(connection: socket.socket, milliseconds: int | None) -> bool:
    """Whether something has come, or the end, within a time; without one, wait until it has."""
    found = select.poll()  # select() takes no descriptor above 1023
    found.register(connection, select.POLLIN)
    return bool(found.poll(milliseconds))


class _Handler(BaseHTTPRequestHandler):
    server: Server
    connection: socket.socket
    rfile: BufferedReader
    protocol_version = "HTTP/1.1"
    timeout = 10

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name it has there
        """Nothing: whoever takes the requests may keep them."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """Answer to what is no HTTP."""
        self._send(Answer(f"{code} {message or 'Bad Request'}", [], b""))

    def handle_one_request(self) -> None:
        """Take one request, of any method."""
        self._rest()
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:  # the client has died, or given up: what it asks for is not known
            self.close_connection = True
            return
        if self.path == SETTLE:
            with self.server.resting(self.connection):
                self.server.wait_until_idle()
            self._send(Answer("204 No Content", [], b""))
            return
        answer = self.server.take(self.command, self.path, dict(self.headers.items()), body)
        if answer is None:
            self._reset()
        else:
            self._send(answer)

    def _rest(self) -> None:
        """Wait for the next request, however long its client keeps the connection, unless some of it has come."""
        self.connection.settimeout(0)
        come = self.rfile.peek(1)
        self.connection.settimeout(self.timeout)
        if not come:
            with self.server.resting(self.connection):
                _readable(self.connection, None)

    def _send(self, answer: Answer) -> None:
        headers = [(name, value) for name, value in answer.headers if name.lower() != "content-length"]
        lines = [f"HTTP/1.1 {answer.status}", *(f"{name}: {value}" for name, value in headers)]
        bodiless = self.command == "HEAD" or answer.status[:3] in {"204", "304"}
        if answer.status[:3] != "204":
            lines.append(f"Content-Length: {len(answer.body) + (1 if answer.cut and not answer.body else 0)}")
        body = b"" if bodiless else answer.body[: len(answer.body) // 2] if answer.cut else answer.body
        with suppress(OSError):
            self.wfile.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
            self.wfile.flush()
        if answer.cut:
            self.close_connection = True

    def _reset(self) -> None:
        """Close the connection with a reset, which no client takes for an end."""
        self.close_connection = True
        with suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
