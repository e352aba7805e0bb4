"""A service with an HTTP API: a stateful fake, given as a WSGI application, on a real socket of the loopback."""

import select
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from copy import deepcopy
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedReader
from pathlib import Path
from typing import Any, Final, Literal
from wsgiref.types import WSGIApplication

from msgspec import Struct

from dtm_sdk.options import Json
from dtm_sdk.testing.worlds.world import Fault, Strike, Tree, World
from dtm_sdk.testing.worlds.wsgi import Answer, asked

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""Methods that change nothing (RFC 9110, section 9.2.1)."""
PATIENCE: Final = 1.0
"""Seconds that an answer is held back before the connection is closed without one."""
SETTLING: Final = 30.0
"""Seconds to wait for what the service is at work on; an application that hangs would hold up all."""
SETTLE: Final = "/dtm-settle"
"""What is asked for by who wants an answer once all that came before is done."""

Kind = Literal["refuse", "reset", "silence", "cut", "garble", "lose", "status"]


class Request(Struct, frozen=True):
    """One request that came.

    Attributes:
        method: e.g. "POST".
        path: with its query.
        body: as it came.
        mutating: whether it changes things.
    """

    method: str
    path: str
    body: bytes
    mutating: bool


class _Strike(Struct):
    """What befalls requests.

    Attributes:
        kind: what.
        applies: to which requests.
        status: of `kind` "status".
        headers: of `kind` "status".
        only: the number of the one that it befalls; 0 for all.
        seen: how many it applied to.
        met: how many have met it.
    """

    kind: Kind
    applies: Callable[[Request], bool]
    status: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    only: int = 0
    seen: int = 0
    met: int = 0


class HttpWorld(World):
    """A service that is a WSGI application with its data in one mapping.

    Args:
        application: the service.
        state: its data, as a JSON object that it reads and changes in place: what a snapshot copies and a restore puts
            back.
        url_option: the dotted option that takes the address of the service; in examples it may hold anything.
        mutating: whether a request (method, path) changes things; by its method if not given.
        volatile: places of the state that differ by themselves; see `World`.
    """

    name = "http"

    def __init__(
        self,
        application: WSGIApplication,
        state: MutableMapping[str, Any],
        *,
        url_option: str = "",
        mutating: Callable[[str, str], bool] | None = None,
        volatile: Sequence[str] = (),
    ) -> None:
        self._application = application
        self._state = state
        self._url_option = url_option
        self._mutating = mutating or (lambda method, path: method not in SAFE)
        self._lock = threading.RLock()
        self._strikes: list[_Strike] = []
        self._server: _Server | None = None
        self._folder = Path()
        self.volatile = tuple(volatile)
        self.requests: list[Request] = []

    @property
    def url(self) -> str:
        """Where the service is, without a slash at its end; it is served only inside of `opened`."""
        if self._server is None:
            raise RuntimeError("the world isn't open")
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @contextmanager
    def opened(self, scratch: Path) -> Iterator[None]:
        """Serve the application, in threads; an empty folder is the working directory meanwhile."""
        from contextlib import chdir

        self._folder = scratch / "world"
        self._folder.mkdir()
        self._server = _Server(self)
        thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), name="dtm-world", daemon=True)
        thread.start()
        try:
            with chdir(self._folder):
                yield
        finally:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    @property
    def writable(self) -> Sequence[Path]:
        """The working directory."""
        return (self._folder,)

    def bind(self, options: Mapping[str, Json]) -> dict[str, Json]:
        """The options with the address of the service."""
        bound: dict[str, Json] = deepcopy(dict(options))
        if self._url_option:
            *above, last = self._url_option.split(".")
            inner = bound
            for key in above:
                inner = inner.setdefault(key, {})
            inner[last] = self.url
        return bound

    def snapshot(self) -> Tree:
        """The data of the service."""
        with self._lock:
            return deepcopy(dict(self._state))

    def restore(self, tree: Tree) -> None:
        """Give the service other data, when what it was asked before is done."""
        self.settle()
        with self._lock:
            self._state.clear()
            self._state.update(deepcopy(tree))

    @contextmanager
    def counting(self) -> Iterator[Callable[[], int]]:
        """Inside, requests are counted."""
        before = len(self.requests)
        yield lambda: len(self.requests) - before

    def settle(self) -> None:
        """Wait until what was asked before is done, also by who has died or given up; for a child of this process too.

        A client that lives may keep its connection.
        """
        if self._server is None:
            return
        address = ("127.0.0.1", self._server.server_address[1])
        with socket.create_connection(address) as mine:  # it is accepted after those before it
            mine.sendall(f"OPTIONS {SETTLE} HTTP/1.0\r\n\r\n".encode())
            while mine.recv(1 << 16):
                pass

    def mutations(self) -> int:
        """How many requests that change things have come."""
        return sum(request.mutating for request in self.requests)

    def faults(self) -> Sequence[Fault]:
        """Refused and reset connections, silence, errors of the client's and the server's side, cut and garbled."""
        kinds: list[tuple[str, Kind, str]] = [
            ("the connection is refused", "refuse", ""),
            ("the connection is reset", "reset", ""),
            ("no answer comes", "silence", ""),
            ("the answer is cut short", "cut", ""),
            ("the answer is no JSON", "garble", ""),
            *((f"the answer is {status.value}", "status", f"{status.value} {status.phrase}") for status in STATUSES),
        ]
        return [Fault(name, self._striker(kind, status), kind not in {"cut", "garble"}) for name, kind, status in kinds]

    def refusals(self) -> Sequence[Fault]:
        """Requests that change things are refused, in each way that is usual; what is asked is answered."""
        refused = (HTTPStatus.FORBIDDEN, HTTPStatus.CONFLICT, HTTPStatus.LOCKED, HTTPStatus.INTERNAL_SERVER_ERROR)
        return [
            Fault(
                f"what changes things is answered by {status.value}",
                self._striker("status", f"{status.value} {status.phrase}", lambda request: request.mutating),
            )
            for status in refused
        ]

    def _striker(self, kind: Kind, status: str, applies: Callable[[Request], bool] = lambda request: True) -> Strike:
        return lambda only=0: self.struck(kind, applies, status, only)

    @contextmanager
    def struck(
        self, kind: Kind, applies: Callable[[Request], bool], status: str = "", only: int = 0
    ) -> Iterator[Callable[[], int]]:
        """Inside, requests that it applies to meet a fault, all or only the one of that number; gives how many have."""
        headers = (("Retry-After", "0"),) if status[:3] in {"429", "503"} else ()
        strike = _Strike(kind, applies, status, headers, only)
        self._strikes.append(strike)
        try:
            yield lambda: strike.met
        finally:
            self._strikes.remove(strike)

    def lost_answers(self) -> AbstractContextManager[Callable[[], int]]:
        """Inside, requests that change things are carried out, and the connection is reset before the answer."""
        return self.struck("lose", lambda request: request.mutating)

    def strike_of(self, request: Request) -> _Strike | None:
        """What befalls a request, counted."""
        strike = next((each for each in self._strikes if each.applies(request)), None)
        if strike:
            strike.seen += 1
            if strike.only in {0, strike.seen}:
                strike.met += 1
                return strike
        return None

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """What the application says, one request at a time."""
        with self._lock:
            return asked(self._application, method, path, headers, body)

    def is_mutating(self, method: str, path: str) -> bool:
        """Whether a request changes things."""
        return self._mutating(method, path)


STATUSES: Final = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
"""What a service answers that can't be asked now; 404 is none of them: it says that there is nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, world: HttpWorld) -> None:
        self.world = world
        self._resting: dict[socket.socket, bool] = {}  # connection -> whether it waits for its next request
        self._changed = threading.Condition()
        super().__init__(("127.0.0.1", 0), _Handler)

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
        """Close the connections too that clients have kept."""
        super().server_close()
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
    server: _Server
    connection: socket.socket
    rfile: BufferedReader
    protocol_version = "HTTP/1.1"
    timeout = 10

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name it has there
        """Nothing: the requests are kept."""

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
        world = self.server.world
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
        request = Request(self.command, self.path, body, world.is_mutating(self.command, self.path))
        world.requests.append(request)
        self._meet(world, request, world.strike_of(request))

    def _rest(self) -> None:
        """Wait for the next request, however long its client keeps the connection, unless some of it has come."""
        self.connection.settimeout(0)
        come = self.rfile.peek(1)
        self.connection.settimeout(self.timeout)
        if not come:
            with self.server.resting(self.connection):
                _readable(self.connection, None)

    def _meet(self, world: HttpWorld, request: Request, strike: _Strike | None) -> None:
        kind = strike.kind if strike else None
        if kind in {"refuse", "reset"}:
            self._reset()
        elif kind == "silence":
            threading.Event().wait(PATIENCE)
            self._reset()
        elif strike and kind == "status":
            self._send(Answer(strike.status, list(strike.headers), b'{"message": "it can not be done now"}'))
        else:
            answer = world.answer(request.method, request.path, dict(self.headers.items()), request.body)
            if kind == "lose":
                self._reset()
            elif kind == "garble":
                self._send(Answer(answer.status, answer.headers, b"<<< no JSON >>>"))
            else:
                self._send(answer, cut=kind == "cut")

    def _send(self, answer: Answer, *, cut: bool = False) -> None:
        headers = [(name, value) for name, value in answer.headers if name.lower() != "content-length"]
        lines = [f"HTTP/1.1 {answer.status}", *(f"{name}: {value}" for name, value in headers)]
        bodiless = self.command == "HEAD" or answer.status[:3] in {"204", "304"}
        if answer.status[:3] != "204":
            lines.append(f"Content-Length: {len(answer.body) + (1 if cut and not answer.body else 0)}")
        body = b"" if bodiless else answer.body[: len(answer.body) // 2] if cut else answer.body
        with suppress(OSError):
            self.wfile.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
            self.wfile.flush()
        if cut:
            self.close_connection = True

    def _reset(self) -> None:
        """Close the connection with a reset, which no client takes for an end."""
        self.close_connection = True
        with suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
