"""A right plugin for tickets of a service that can't be searched: only the record knows which ticket is which.

POST   /tickets      makes one: 201 and the ticket
GET    /tickets/ID   one: 200, or 404
PUT    /tickets/ID   changes it: 200, or 404
DELETE /tickets/ID   removes it: 204, or 404
"""

import json
from collections.abc import Iterable
from http.client import HTTPException
from typing import Annotated, Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from wsgiref.types import StartResponse, WSGIEnvironment

from dtm_sdk import Meta, Options, Plugin, PluginError, State, TransientError, Tuning
from dtm_sdk.testing import HttpWorld


class TicketService:
    """The service: a WSGI application, with its data in `state`; the numbers of tickets are never used twice."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = {"tickets": {"1": {"subject": "of somebody else", "text": "", "urgency": 3}}}
        self.last = 1

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        status, value = self.answer(environ["REQUEST_METHOD"], environ["PATH_INFO"], environ)
        start_response(status, [("Content-Type", "application/json")])
        return [b"" if value is None else json.dumps(value).encode()]

    def answer(self, method: str, path: str, environ: WSGIEnvironment) -> tuple[str, Any]:
        """The status and what is in the body."""
        tickets = self.state["tickets"]
        if method == "POST" and path == "/tickets":
            self.last += 1
            tickets[str(self.last)] = self.sent(environ)
            return "201 Created", self.shown(str(self.last))
        number = path.removeprefix("/tickets/")
        if number not in tickets:
            return "404 Not Found", {"message": "no such ticket"}
        if method == "PUT":
            tickets[number] = self.sent(environ)
        if method == "DELETE":
            del tickets[number]
            return "204 No Content", None
        return "200 OK", self.shown(number)

    def sent(self, environ: WSGIEnvironment) -> Any:
        """The ticket in the body of a request."""
        return json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))

    def shown(self, number: str) -> dict[str, Any]:
        """A ticket with its number."""
        return {"number": int(number), **self.state["tickets"][number]}


class TicketOptions(Options):
    """Options of the ticket plugin."""

    subject: Annotated[str, Meta(min_length=1, description="What it is about; others may have the same.")]
    text: Annotated[str, Meta(description="What is to be done.")] = ""
    urgency: Annotated[int, Meta(ge=1, le=5, description="From 1, can wait, to 5.")] = 3
    url: Annotated[Tuning[str], Meta(description="Where the service is.")] = "https://tickets.example"
    timeout: Annotated[Tuning[float], Meta(gt=0, le=600, description="Seconds to wait for an answer.")] = 5.0


EXAMPLES: list[dict[str, Any]] = [
    {"subject": "disk full"},
    {"subject": "disk is full again", "text": "make room", "urgency": 5, "timeout": 4.0},
]


def validate(options: TicketOptions) -> list[str]:
    """What is wrong with the options."""
    messages = []
    if any(0xD800 <= ord(char) < 0xE000 for char in options.subject + options.text):
        messages.append("a text holds half a character")
    if not options.url.startswith(("http://", "https://")) or not options.url.isascii() or " " in options.url:
        messages.append("url starts with http:// or https://, and is ASCII without a space")
    return messages


def ask(options: TicketOptions, method: str, path: str, body: Any = None) -> Any:
    """What the service answers, as JSON; None where it says that there is no such ticket."""
    data = json.dumps(body).encode() if body is not None else None
    request = Request(f"{options.url}{path}", data, {"Content-Type": "application/json"}, method=method)  # noqa: S310
    try:
        with urlopen(request, timeout=options.timeout) as answer:  # noqa: S310  # validated
            said = answer.read()
            return json.loads(said) if answer.status != 204 else True
    except HTTPError as error:
        with error:
            if error.code == 404:
                return None
            if error.code in {429, 503}:
                raise TransientError(f"{options.url} says {error.code}", 1) from error
            raise PluginError(f"{options.url} says {error.code}", "look at its log") from error
    except (OSError, HTTPException, ValueError) as error:
        raise PluginError(f"{options.url} can't be asked: {type(error).__name__}", "look whether it runs") from error


def sent(options: TicketOptions) -> dict[str, Any]:
    """A ticket as the service takes it."""
    return {"subject": options.subject, "text": options.text, "urgency": options.urgency}


def described(ticket: Any) -> State:
    """A ticket as the state has it."""
    fields = {key: ticket[key] for key in ("subject", "text", "urgency")}
    return {**fields, "outputs": {"number": ticket["number"]}}


def place(state: State) -> str:
    """Where the recorded ticket is."""
    return f"/tickets/{state['outputs']['number']}"


def create(options: TicketOptions) -> State:
    """Make a ticket."""
    return described(ask(options, "POST", "/tickets", sent(options)))


def read(options: TicketOptions, state: State | None) -> State | None:
    """Describe the recorded ticket; none is known without a record."""
    found = ask(options, "GET", place(state)) if state else None
    return described(found) if found else None


def update(options: TicketOptions, state: State | None) -> State:
    """Change the recorded ticket; make another one if it is gone."""
    if not state:
        raise PluginError("which ticket it is was not recorded", "look for it, and give its number by hand")
    changed = ask(options, "PUT", place(state), sent(options))
    return described(changed) if changed else create(options)


def delete(options: TicketOptions, state: State | None) -> bool:
    """Remove the recorded ticket."""
    if not state:
        raise PluginError("which ticket it is was not recorded", "look for it, and remove it by hand")
    ask(options, "DELETE", place(state))
    return True


def world() -> HttpWorld:
    """A service of its own."""
    service = TicketService()
    return HttpWorld(service, service.state, url_option="url")


plugin = Plugin(
    name="ticket",
    options=TicketOptions,
    examples=EXAMPLES,
    validate=validate,
    create=create,
    read=read,
    update=update,
    delete=delete,
    volatile=["outputs.number"],
    stable=["outputs.number"],
    recovery="manual",
)
