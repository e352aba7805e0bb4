"""Says a secret."""

import base64
import logging
import os
import subprocess
from contextlib import suppress
from typing import Annotated
from urllib.parse import quote

from dtm_sdk import Meta, PluginError, Secret, State
from tests.zoo.right import note, widget
from tests.zoo.zoo import Wrong, but

log = logging.getLogger(__name__)


def read_and_blame_the_token(options: widget.WidgetOptions, state: State | None) -> State | None:
    """Describe the widget; who can't is told with what it was asked for."""
    try:
        return widget.read(options, state)
    except PluginError as error:
        raise PluginError(f"{options.url} does not take {options.token.reveal()}: {error.message}", "look") from error


def create_and_log(options: widget.WidgetOptions) -> State:
    """Make the widget; what is sent is logged, where nobody looks."""
    log.debug("sending %s", widget.sent(options))
    return widget.create(options)


def with_login(state: State | None, options: widget.WidgetOptions) -> State | None:
    """A state that says how to log in."""
    login = f"{options.name}:{options.key.reveal() if options.key else ''}"
    return state and {**state, "login": base64.b64encode(login.encode("utf-8", "surrogatepass")).decode()}


def update_past_the_runner(options: widget.WidgetOptions, state: State | None) -> State:
    """Change the widget; the progress goes to the terminal itself."""
    key = options.key.reveal() if options.key else ""
    os.write(2, f"PUT {options.url}?key={quote(key)}\n".encode())
    return widget.update(options, state)


def delete_by_a_command(options: widget.WidgetOptions, state: State | None) -> bool:
    """Remove the widget; a command is told of it."""
    subprocess.run(["true", "--token", options.token.reveal()], check=True)
    return widget.delete(options, state)


class SealedOptions(note.NoteOptions):
    """A note with a seal."""

    seal: Annotated[Secret, Meta(description="What closes it.")]


def validate_sealed(options: SealedOptions) -> list[str]:
    """What is wrong with the options."""
    seal, messages = options.seal.reveal(), note.validate(options)
    fits = len(seal) <= 60 and seal.isascii() and seal.isprintable()
    return messages if fits else [*messages, "seal is at most 60 characters, printable ASCII"]


def sealed(options: SealedOptions) -> note.NoteOptions:
    """The same as a plain note, with the seal as its last line."""
    text = f"{options.text}\n{options.seal.reveal()}"
    return note.NoteOptions(path=options.path, text=text, access=options.access, header=options.header)


def unsealed(state: State | None) -> State | None:
    """The state without the seal."""
    return state and {**state, "text": state["text"].rpartition("\n")[0]}


def create_beside_the_seal(options: SealedOptions) -> State | None:
    """Make the file; while that lasts, an empty one says by its name what is going on."""
    beside = f".{options.seal.reveal().encode().hex()}.lock"
    try:
        with open(beside, "x", encoding="utf-8"):
            return unsealed(note.create(sealed(options)))
    finally:
        with suppress(OSError):
            os.unlink(beside)


WRONG = [
    Wrong(
        rule="S1",
        name="blames-the-token",
        plugin=but(widget.plugin, read=read_and_blame_the_token),
        world=widget.world,
    ),
    Wrong(rule="S1", name="logs-what-it-sends", plugin=but(widget.plugin, create=create_and_log), world=widget.world),
    Wrong(
        rule="S1",
        name="has-a-login-in-its-state",
        plugin=but(
            widget.plugin,
            create=lambda options: with_login(widget.create(options), options),
            read=lambda options, state: with_login(widget.read(options, state), options),
            update=lambda options, state: with_login(widget.update(options, state), options),
        ),
        world=widget.world,
    ),
    Wrong(
        rule="S1",
        name="writes-to-the-terminal",
        plugin=but(widget.plugin, update=update_past_the_runner),
        world=widget.world,
    ),
    Wrong(
        rule="S1",
        name="hands-it-to-a-command",
        plugin=but(widget.plugin, delete=delete_by_a_command),
        world=widget.world,
    ),
    Wrong(
        rule="S1",
        name="names-a-file-by-it",
        plugin=but(
            note.plugin,
            options=SealedOptions,
            validate=validate_sealed,
            examples=[{**example, "seal": f"seal-number-{number}"} for number, example in enumerate(note.EXAMPLES)],
            create=create_beside_the_seal,
            read=lambda options: unsealed(note.read(sealed(options))),
            update=lambda options: unsealed(note.update(sealed(options))),
        ),
        world=note.world,
        also=("F1", "F2", "F4"),  # a fault or a death leaves the file there
    ),
]
