"""A service with an HTTP API: a stateful fake, given as a WSGI application, on a real socket of the loopback."""

import io
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from copy import deepcopy
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import unquote
from wsgiref.types import WSGIApplication

from msgspec import Struct

from dtm_sdk.options import Json
from dtm_sdk.testing.worlds.world import Fault, Tree, World

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""Methods that change nothing (RFC 9110, section 9.2.1)."""
PATIENCE: Final = 1.0
"""Seconds that an answer is held back before the connection is closed without one."""

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


class Answer(Struct):
    """What the application answers: a status line such as "200 OK", headers, a body."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes


class _Strike(Struct):
    """What befalls requests.

    Attributes:
        kind: what.
        applies: to which requests.
        status: of `kind` "status".
        headers: of `kind` "status".
        met: how many have met it.
    """

    kind: Kind
    applies: Callable[[Request], bool]
    status: str = ""
    headers: tuple[tuple[str, str], ...] = ()
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
        environment: variable -> text of variables for the plugin; `{url}` in it stands for the address.
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
        """Give the service other data."""
        with self._lock:
            self._state.clear()
            self._state.update(deepcopy(tree))

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
        return [Fault(name, self._striker(kind, status)) for name, kind, status in kinds]

    def refusals(self) -> Sequence[Fault]:
        """Requests that change things are refused, in each way that is usual; what is asked is answered."""
        refused = (HTTPStatus.FORBIDDEN, HTTPStatus.CONFLICT, HTTPStatus.LOCKED, HTTPStatus.INTERNAL_SERVER_ERROR)
        return [
            Fault(
                f"what changes things is answered by {status.value}",
                lambda line=f"{status.value} {status.phrase}": self.struck("status", _is_mutating, line),  # type: ignore[misc]
            )
            for status in refused
        ]

    def _striker(self, kind: Kind, status: str) -> Callable[[], AbstractContextManager[Callable[[], int]]]:
        return lambda: self.struck(kind, lambda request: True, status)

    @contextmanager
    def struck(self, kind: Kind, applies: Callable[[Request], bool], status: str = "") -> Iterator[Callable[[], int]]:
        """Inside, requests that it applies to meet a fault; gives how many have."""
        headers = (("Retry-After", "0"),) if status[:3] in {"429", "503"} else ()
        strike = _Strike(kind, applies, status, headers)
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
            strike.met += 1
        return strike

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """What the application says, one request at a time."""
        with self._lock:
            return _asked(self._application, method, path, headers, body)

    def is_mutating(self, method: str, path: str) -> bool:
        """Whether a request changes things."""
        return self._mutating(method, path)


def _is_mutating(request: Request) -> bool:
    return request.mutating


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
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing: a client that leaves early is none of our business."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = 10

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name it has there
        """Nothing: the requests are kept."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """Answer to what is no HTTP."""
        self._send(Answer(f"{code} {message or 'Bad Request'}", [], b""))

    def handle_one_request(self) -> None:
        """Take one request, of any method."""
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        world = self.server.world
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request(self.command, self.path, body, world.is_mutating(self.command, self.path))
        world.requests.append(request)
        self._meet(world, request, world.strike_of(request))

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


def _asked(application: WSGIApplication, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """One call of a WSGI application (PEP 3333)."""
    bare, _, query = path.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(bare, "latin-1"),
        "QUERY_STRING": query,
        "CONTENT_LENGTH": str(len(body)),
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    answer = Answer("500 Internal Server Error", [], b"")

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Callable[[bytes], None]:
        answer.status, answer.headers = status, headers
        return pieces.append

    pieces: list[bytes] = []
    said: Iterable[bytes] = application(environ, start_response)
    try:
        pieces.extend(said)
    finally:
        close = getattr(said, "close", None)
        if close:
            close()
    answer.body = b"".join(pieces)
    return answer
