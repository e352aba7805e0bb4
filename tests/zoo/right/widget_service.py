"""A service with an HTTP API, made up for these tests: widgets, which get their ids from it.

    POST   /widgets            makes one: 201 and the widget; its name need not be free
    GET    /widgets?name=N     those of that name
    GET    /widgets/ID         one: 200, or 404
    PUT    /widgets/ID         replaces what may be changed: 200, or 404
    DELETE /widgets/ID         removes it: 204, or 404

All but for a right bearer token are answered with 401. It writes colours in lower case and keeps a key to itself.
"""

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIEnvironment

TOKEN = "token-of-the-widgets"
FIELDS = ("name", "size", "colour", "labels", "owner", "key")


class WidgetService:
    """The service: a WSGI application, with its data in `state`."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = {"widgets": {}}
        self.serial = 1000

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        status, value = self.answer(environ)
        body = b"" if value is None else json.dumps(value).encode()
        start_response(status, [("Content-Type", "application/json")])
        return [body]

    def answer(self, environ: WSGIEnvironment) -> tuple[str, Any]:
        """The status and what is in the body."""
        if environ.get("HTTP_AUTHORIZATION") != f"Bearer {TOKEN}":
            return "401 Unauthorized", {"message": "wrong token"}
        method = environ["REQUEST_METHOD"]
        _, collection, *rest = environ["PATH_INFO"].split("/")
        if collection != "widgets":
            return "404 Not Found", {"message": "no such collection"}
        if not rest:
            return self.all_of_them(method, environ)
        if rest[0] not in self.state["widgets"]:
            return "404 Not Found", {"message": "no such widget"}
        match method:
            case "GET":
                return "200 OK", self.shown(rest[0])
            case "PUT":
                return self.replaced(rest[0], environ)
            case "DELETE":
                del self.state["widgets"][rest[0]]
                return "204 No Content", None
        return "405 Method Not Allowed", None

    def all_of_them(self, method: str, environ: WSGIEnvironment) -> tuple[str, Any]:
        """What is done with the collection."""
        if method == "POST":
            self.serial += 1
            id_ = f"w{self.serial}"
            self.state["widgets"][id_] = {"id": id_, "created": self.serial, **self.sent(environ)}
            return "201 Created", self.shown(id_)
        wanted = parse_qs(environ["QUERY_STRING"]).get("name", [None])[0]
        return "200 OK", [self.shown(id_) for id_, each in self.state["widgets"].items() if each["name"] == wanted]

    def replaced(self, id_: str, environ: WSGIEnvironment) -> tuple[str, Any]:
        """What PUT does."""
        there = self.state["widgets"][id_]
        self.state["widgets"][id_] = {"id": id_, "created": there["created"], **self.sent(environ)}
        return "200 OK", self.shown(id_)

    def sent(self, environ: WSGIEnvironment) -> dict[str, Any]:
        """The widget in the body of a request."""
        body = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        return {**{field: body.get(field) for field in FIELDS}, "colour": str(body.get("colour")).lower()}

    def shown(self, id_: str) -> dict[str, Any]:
        """A widget without its key."""
        return {key: value for key, value in self.state["widgets"][id_].items() if key != "key"}
