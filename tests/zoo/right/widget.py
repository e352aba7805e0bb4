"""A right plugin for a service with an HTTP API, which gives its resources ids of its own."""

import json
from http.client import HTTPConnection, HTTPException
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

from dtm_sdk import Identity, Meta, Options, Plugin, PluginError, Secret, State, TransientError, Tuning
from dtm_sdk.testing import HttpWorld
from tests.zoo.right.widget_service import TOKEN, WidgetService


class Owner(Options):
    """Who owns a widget."""

    team: Annotated[str, Meta(description="Name of the team.")] = ""
    people: Annotated[list[str], Meta(description="Their names.")] = []


class WidgetOptions(Options):
    """Options of the widget plugin."""

    name: Annotated[Identity[str], Meta(min_length=1, description="Name of the widget.")]
    size: Annotated[int, Meta(ge=1, le=1000, description="How large it is.")] = 1
    colour: Annotated[str, Meta(description="Its colour, in lower case.")] = "red"
    labels: Annotated[dict[str, str], Meta(description="Labels of one's own.")] = {}
    owner: Annotated[Owner, Meta(description="Who owns it.")] = Owner()
    key: Annotated[Secret | None, Meta(description="A key that it keeps.")] = None
    url: Annotated[Tuning[str], Meta(description="Where the service is.")] = "https://widgets.example"
    token: Annotated[Tuning[Secret], Meta(description="The token for the service.")]
    timeout: Annotated[Tuning[float], Meta(gt=0, description="Seconds to wait for an answer.")] = 5.0


EXAMPLES: list[dict[str, Any]] = [
    {"name": "one", "token": TOKEN},
    {
        "name": "one",
        "size": 2,
        "colour": "Blue",
        "labels": {"a": "b"},
        "owner": {"team": "core", "people": ["ann", "bob"]},
        "key": "first-secret-key",
        "token": TOKEN,
        "timeout": 4.0,
    },
    {"name": "two", "key": "other-secret-key", "token": TOKEN},
]


def validate(options: WidgetOptions) -> list[str]:
    """What is wrong with the options."""
    texts = [options.name, options.colour, options.owner.team, *options.owner.people]
    texts += [part for pair in options.labels.items() for part in pair]
    half = any(0xD800 <= ord(char) < 0xE000 for text in texts for char in text)
    messages = ["a text holds half a character"] if half else []
    if not options.token.reveal().isascii() or not options.token.reveal().isprintable():
        messages.append("token is printable ASCII")
    return messages


def ask(options: WidgetOptions, method: str, path: str, body: Any = None) -> Any:
    """What the service answers, as JSON; None where it says that there is no such thing."""
    parts = urlsplit(options.url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=options.timeout)
    try:
        headers = {"Authorization": f"Bearer {options.token.reveal()}", "Content-Type": "application/json"}
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        data = answer.read()
    except (OSError, HTTPException) as error:
        raise PluginError(f"{options.url} can't be asked: {type(error).__name__}", "look whether it runs") from error
    finally:
        connection.close()
    if answer.status == 404:
        return None
    if answer.status in {429, 503}:
        raise TransientError(f"{options.url} says {answer.status}", float(answer.headers.get("Retry-After") or 1))
    if answer.status >= 300:
        raise PluginError(f"{options.url} says {answer.status}", "look at its log")
    if not data:
        return True
    try:
        return json.loads(data)
    except ValueError as error:
        raise PluginError(f"{options.url} answers what is no JSON", "look whether it is the right service") from error


def sent(options: WidgetOptions) -> dict[str, Any]:
    """A widget as the service takes it."""
    owner = {"team": options.owner.team, "people": list(options.owner.people)}
    return {
        "name": options.name,
        "size": options.size,
        "colour": options.colour,
        "labels": dict(options.labels),
        "owner": owner,
        "key": options.key.reveal() if options.key else None,
    }


def described(widget: dict[str, Any]) -> State:
    """A widget as the state has it."""
    fields = ("name", "size", "colour", "labels", "owner")
    outputs = {"id": widget["id"], "created": widget["created"]}
    return {**{field: widget[field] for field in fields}, "outputs": outputs}


def find(options: WidgetOptions, state: State | None) -> dict[str, Any] | None:
    """The widget that is recorded, else the one of that name."""
    if state:
        known: dict[str, Any] | None = ask(options, "GET", f"/widgets/{state['outputs']['id']}")
        if known and known["name"] == options.name:
            return known
    found = ask(options, "GET", f"/widgets?name={quote(options.name)}")
    return found[0] if found else None


def create(options: WidgetOptions) -> State:
    """Make the widget, or take over the one of that name."""
    there = find(options, None)
    if there:
        return described(ask(options, "PUT", f"/widgets/{there['id']}", sent(options)))
    return described(ask(options, "POST", "/widgets", sent(options)))


def read(options: WidgetOptions, state: State | None) -> State | None:
    """Describe the widget."""
    found = find(options, state)
    return described(found) if found else None


def update(options: WidgetOptions, state: State | None) -> State:
    """Bring the widget to the options; make it again if it is gone."""
    found = find(options, state)
    if not found:
        return create(options)
    changed = ask(options, "PUT", f"/widgets/{found['id']}", sent(options))
    if not changed:
        raise PluginError(f"the widget {options.name} has gone", "apply again")
    return described(changed)


def delete(options: WidgetOptions, state: State | None) -> bool:
    """Remove the widget."""
    found = find(options, state)
    if found:
        ask(options, "DELETE", f"/widgets/{found['id']}")
    return True


def world() -> HttpWorld:
    """A service of its own."""
    service = WidgetService()
    return HttpWorld(service, service.state, url_option="url", volatile=["widgets.*.created"])


plugin = Plugin(
    name="widget",
    options=WidgetOptions,
    examples=EXAMPLES,
    validate=validate,
    create=create,
    read=read,
    update=update,
    delete=delete,
    volatile=["outputs.id", "outputs.created"],
    stable=["outputs.id", "outputs.created"],
    normalized=["colour"],
    recovery="lookup",
)
