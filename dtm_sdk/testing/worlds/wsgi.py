"""One call of a WSGI application, without a server."""

import io
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import unquote
from wsgiref.types import WSGIApplication

from msgspec import Struct


class Answer(Struct):
    """What the application answers: a status line such as "200 OK", headers, a body, of which half may be cut off."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes
    cut: bool = False


def asked(application: WSGIApplication, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
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
