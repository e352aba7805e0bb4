"""A service with an HTTP API: a stateful fake, given as a WSGI application, on a real socket of the loopback."""

import threading
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from copy import deepcopy
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Literal
from wsgiref.types import WSGIApplication

from msgspec import Struct

from dtm_sdk.options import Json
from dtm_sdk.testing.worlds.server import Server
from dtm_sdk.testing.worlds.world import Fault, Strike, Tree, World
from dtm_sdk.testing.worlds.wsgi import Answer, asked

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
        self._server: Server | None = None
        self._folder = Path()
        self.volatile = tuple(volatile)
        self.requests: list[Request] = []

    @property
    def url(self) -> str:
        """Where the service is, without a slash at its end; it is served only inside of `opened`."""
        if self._server is None:
            raise RuntimeError("the world isn't open")
        return self._server.url

    @contextmanager
    def opened(self, scratch: Path) -> Iterator[None]:
        """Serve the application, in threads; an empty folder is the working directory meanwhile."""
        from contextlib import chdir

        self._folder = scratch / "world"
        self._folder.mkdir()
        self._server = Server(self._take)
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
        """Wait until what the service was asked before is done, also by who has died or given up."""
        if self._server is not None:
            self._server.settle()

    def hang_up(self) -> None:
        """Settle, and end the connections that clients keep: as of any service, they find out when they use them."""
        if self._server is not None:
            self._server.settle()
            self._server.hang_up()
            self._server.settle()

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

    def _take(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer | None:
        """What comes of a request: the fault that befalls it, or what the application says, one request at a time."""
        request = Request(method, path, body, self._mutating(method, path))
        self.requests.append(request)
        strike = self._strike_of(request)
        kind = strike.kind if strike else None
        if kind == "silence":
            threading.Event().wait(PATIENCE)
        if kind in {"refuse", "reset", "silence"}:
            return None
        if strike and kind == "status":
            return Answer(strike.status, list(strike.headers), b'{"message": "it can not be done now"}')
        with self._lock:
            answer = asked(self._application, method, path, headers, body)
        if kind == "garble":
            answer.body = b"<<< no JSON >>>"
        answer.cut = kind == "cut"
        return None if kind == "lose" else answer

    def _strike_of(self, request: Request) -> _Strike | None:
        """What befalls a request, counted."""
        strike = next((each for each in self._strikes if each.applies(request)), None)
        if strike:
            strike.seen += 1
            if strike.only in {0, strike.seen}:
                strike.met += 1
                return strike
        return None


STATUSES: Final = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
"""What a service answers that can't be asked now; 404 is none of them: it says that there is nothing."""
