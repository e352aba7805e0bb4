"""The world that `pytest --dtm-conformance` lets the plugin act on: a service made for the tests."""

import json
from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from dtm_sdk.testing import HttpWorld


class Service:
    """The service in small: a WSGI application (PEP 3333) that keeps all that it knows in `state`."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = {"notes": {}}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        status, value = self.answer(environ["REQUEST_METHOD"], environ["PATH_INFO"], json.loads(body or b"null"))
        start_response(status, [("Content-Type", "application/json")])
        return [b"" if value is None else json.dumps(value).encode()]

    def answer(self, method: str, path: str, body: Any) -> tuple[str, Any]:  # noqa: ANN401 - whatever JSON holds
        """The status and the JSON value that answer a request."""
        notes, name = self.state["notes"], path.removeprefix("/notes/")
        if method == "PUT":
            notes[name] = body
        if name not in notes:
            return "404 Not Found", None
        if method == "DELETE":
            del notes[name]
            return "204 No Content", None
        return "200 OK", notes[name]


@pytest.fixture
def dtm_world() -> HttpWorld:
    service = Service()
    return HttpWorld(service, service.state, url_option="url")
