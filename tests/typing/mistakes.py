"""What a type checker tells an author; each `type: ignore` names the error that must be there. Nothing runs this."""

from dtm_sdk import (  # type: ignore[attr-defined]
    Identity,
    Options,
    Plugin,
    Plugins,  # noqa: F401
    Secret,
    State,
)


class ServerOptions(Options):
    """Options of the server plugin."""

    name: Identity[str]
    token: Secret


def create(options: ServerOptions) -> State:
    return options.name  # type: ignore[return-value]


def read(options: ServerOptions) -> State | None:
    return {1: options.name}  # type: ignore[dict-item]


def update(options: ServerOptions) -> str:
    options.name = "another"  # type: ignore[misc]
    return options.token  # type: ignore[return-value]


def delete(options: ServerOptions) -> None: ...


ServerOptions("a", Secret("secret"))  # type: ignore[call-arg]
ServerOptions(name=1, token=Secret("secret"))  # type: ignore[arg-type]
ServerOptions(name="a")  # type: ignore[call-arg]
Plugin(
    name="server",
    options=int,  # type: ignore[arg-type]
    create=create,
    read=read,
    update=update,  # type: ignore[arg-type]
    delete=delete,  # type: ignore[arg-type]
    recovery="never",  # type: ignore[arg-type]
)
