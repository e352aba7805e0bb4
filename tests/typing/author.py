"""A plugin that uses every public name, as its author types it; mypy checks it, nothing runs it."""

from typing import Annotated, assert_type

from dtm_sdk import (
    AlreadyExistsError,
    DtmError,
    Identity,
    Meta,
    Options,
    OptionsError,
    Plugin,
    PluginError,
    Secret,
    State,
    TransientError,
    Tuning,
    __version__,
)


class Port(Options):
    """One port of a server."""

    number: Annotated[int, Meta(ge=1, le=65535, description="Number of the port.")]


class ServerOptions(Options):
    """Options of the server plugin; a default may stand before an option that is required."""

    size: Annotated[int, Meta(ge=1, description="Size of the server, in GiB.")] = 1
    name: Annotated[Identity[str], Meta(min_length=1, description="Name of the server.")]
    ports: Annotated[list[Port], Meta(description="Ports that are open.")] = []  # noqa: RUF012 (a new list for each)
    token: Annotated[Tuning[Secret | None], Meta(description="Token of the service.")] = None
    wait: Tuning[float] = 60.0


def validate(options: ServerOptions) -> list[str]:
    return ["size must be even"] if options.size % 2 else []


def create(options: ServerOptions) -> State:
    if options.name == "taken":
        raise AlreadyExistsError(f"server {options.name} is there already", "choose another name")
    return {"name": options.name, "outputs": {"ports": [port.number for port in options.ports]}}


def read(options: ServerOptions, state: State | None) -> State | None:
    if options.token is None:
        raise PluginError("the server has no token", "set the option token")
    assert_type(options.token.reveal(), str)
    return state


def update(options: ServerOptions) -> State:
    raise TransientError("the server is busy", retry_after=1.5)


def delete(options: ServerOptions, state: State | None) -> bool:
    return state is None


plugin = Plugin(
    name="server",
    options=ServerOptions,
    examples=[{"name": "a"}, {"name": "a", "size": 2}],
    validate=validate,
    create=create,
    read=read,
    update=update,
    delete=delete,
    volatile=["outputs.started"],
    recovery="lookup",
)

options = ServerOptions(name="a", ports=[Port(number=80)])
assert_type(options.name, str)
assert_type(options.wait, float)
assert_type(options.token, Secret | None)
assert_type(plugin.name, str)
assert_type(__version__, str)

try:
    plugin.parse({})
except OptionsError as error:
    assert_type(error.problems, tuple[tuple[str, str], ...])
except DtmError as error:
    assert_type(error.hint, str)
