"""A right plugin for the members of groups; the service gives and takes the list of a group as a whole.

GET /groups/NAME   the members: 200 and an ETag, or 404
PUT /groups/NAME   replaces them: 200, 404, or 412 where If-Match names another ETag than the one that they have
"""

import hashlib
import json
from collections.abc import Iterable
from http.client import HTTPException
from typing import Annotated, Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen
from wsgiref.types import StartResponse, WSGIEnvironment

from dtm_sdk import Identity, Meta, Options, Plugin, PluginError, State, TransientError, Tuning
from dtm_sdk.testing import HttpWorld

Members = dict[str, dict[str, Any]]
"""The members of a group: name -> role and remark."""


class GroupService:
    """The service: a WSGI application, with its data in `state`; the groups are there."""

    def __init__(self) -> None:
        boss = {"role": "owner", "remark": "of the house"}
        self.state: dict[str, Any] = {"groups": {"staff": {"boss": boss}, "guests": {}}}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        name = environ["PATH_INFO"].encode("latin-1").decode().removeprefix("/groups/")
        status = self.answer(name, environ)
        body = json.dumps(self.state["groups"].get(name), sort_keys=True).encode()
        headers = [("Content-Type", "application/json"), ("ETag", self.tag(name))]
        start_response(status, headers)
        return [body]

    def answer(self, name: str, environ: WSGIEnvironment) -> str:
        """The status, when it is done."""
        if name not in self.state["groups"]:
            return "404 Not Found"
        if environ["REQUEST_METHOD"] == "PUT":
            if environ.get("HTTP_IF_MATCH", "*") not in {"*", self.tag(name)}:
                return "412 Precondition Failed"
            self.state["groups"][name] = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        return "200 OK"

    def tag(self, name: str) -> str:
        """The ETag of a group (RFC 9110, section 8.8.3)."""
        text = json.dumps(self.state["groups"].get(name), sort_keys=True)
        return f'"{hashlib.sha256(text.encode()).hexdigest()}"'


class MemberOptions(Options):
    """Options of the member plugin."""

    group: Annotated[Identity[str], Meta(min_length=1, description="Name of the group, which is there already.")]
    name: Annotated[Identity[str], Meta(min_length=1, description="Name of the member.")]
    role: Annotated[str, Meta(description="What the member may do.")] = "guest"
    remark: Annotated[str, Meta(description="A remark.")] = ""
    url: Annotated[Tuning[str], Meta(description="Where the service is.")] = "https://groups.example"
    timeout: Annotated[Tuning[float], Meta(gt=0, le=600, description="Seconds to wait for an answer.")] = 5.0


EXAMPLES: list[dict[str, Any]] = [
    {"group": "staff", "name": "ann"},
    {"group": "staff", "name": "ann", "role": "editor", "remark": "on leave", "timeout": 4.0},
    {"group": "guests", "name": "bob", "role": "reader"},
]


def validate(options: MemberOptions) -> list[str]:
    """What is wrong with the options."""
    texts = [options.group, options.name, options.role, options.remark]
    messages = []
    if any(0xD800 <= ord(char) < 0xE000 for text in texts for char in text):
        messages.append("a text holds half a character")
    if not options.url.startswith(("http://", "https://")) or not options.url.isascii() or " " in options.url:
        messages.append("url starts with http:// or https://, and is ASCII without a space")
    return messages


def parsed(body: bytes) -> Members:
    """The members in an answer.

    Raises:
        ValueError: it holds none.
    """
    members = json.loads(body)
    if not isinstance(members, dict) or any({"role", "remark"} != set(each) for each in members.values()):
        raise ValueError("these are no members")
    return members


def ask(options: MemberOptions, method: str, body: Members | None = None, tag: str = "*") -> tuple[Members, str] | None:
    """The members of the group and their ETag; None where there is no such group."""
    data = json.dumps(body).encode() if body is not None else None
    headers = {"Content-Type": "application/json", **({"If-Match": tag} if body is not None else {})}
    request = Request(f"{options.url}/groups/{quote(options.group, '')}", data, headers, method=method)  # noqa: S310  # validated
    try:
        with urlopen(request, timeout=options.timeout) as answer:  # noqa: S310  # validated
            return parsed(answer.read()), answer.headers["ETag"]
    except HTTPError as error:
        with error:
            if error.code == 404:
                return None
            if error.code == 412:
                raise TransientError(f"somebody else has changed the group {options.group} meanwhile") from error
            if error.code in {429, 503}:
                raise TransientError(f"{options.url} says {error.code}", 1) from error
            raise PluginError(f"{options.url} says {error.code}", "look at its log") from error
    except (OSError, HTTPException, ValueError, TypeError) as error:
        raise PluginError(f"{options.url} can't be asked: {type(error).__name__}", "look whether it runs") from error


def changed(members: Members, name: str, member: dict[str, Any] | None) -> Members:
    """The members with another one under a name; None takes it out."""
    others = {each: what for each, what in members.items() if each != name}
    return {**others, name: member} if member else others


def put(options: MemberOptions, member: dict[str, Any] | None) -> None:
    """Put a member into the group; None takes it out."""
    found = ask(options, "GET")
    if found:
        members, tag = found
        if members.get(options.name) != member:
            found = ask(options, "PUT", changed(members, options.name, member), tag)
    if not found and member:
        raise PluginError(f"there is no group {options.group}", "make it first")


def wanted(options: MemberOptions) -> dict[str, Any]:
    """The member as the options say."""
    return {"role": options.role, "remark": options.remark}


def create(options: MemberOptions) -> State:
    """Make the member."""
    put(options, wanted(options))
    return {"group": options.group, "name": options.name, **wanted(options)}


def read(options: MemberOptions) -> State | None:
    """Describe the member."""
    found = ask(options, "GET")
    member = found[0].get(options.name) if found else None
    return {"group": options.group, "name": options.name, **member} if member else None


def update(options: MemberOptions) -> State:
    """Change the member."""
    return create(options)


def delete(options: MemberOptions) -> bool:
    """Take the member out."""
    put(options, None)
    return True


def world() -> HttpWorld:
    """A service of its own."""
    service = GroupService()
    return HttpWorld(service, service.state, url_option="url")


plugin = Plugin(
    name="member",
    options=MemberOptions,
    examples=EXAMPLES,
    validate=validate,
    create=create,
    read=read,
    update=update,
    delete=delete,
)
