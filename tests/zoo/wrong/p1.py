"""Shares what it should not with an instance that is at work at the same time."""

import json
import os
from contextlib import suppress
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote, urlsplit

from dtm_sdk import PluginError, State
from tests.zoo.right import note, widget
from tests.zoo.zoo import Wrong, but


class Current:
    """What is being worked on."""

    options: Any = None


def save_the_current() -> State:
    """Put the current file there."""
    return note.save(Current.options)


def write_the_current(options: note.NoteOptions) -> State:
    """Make the file, by way of a variable of the module."""
    Current.options = options
    return save_the_current()


def write_by_one_temporary(options: note.NoteOptions) -> State:
    """Make the file; all of them are written to one place first."""
    data, mode = note.written(options), note.MODES[options.access]
    if os.path.isdir(options.path) or os.path.islink(options.path):
        raise PluginError(f"{options.path} is no file", "move it away")
    if not note.holds(options.path, data, mode):
        try:
            with open(".note.tmp", "wb") as file:
                os.fchmod(file.fileno(), mode)
                file.write(data)
            os.replace(".note.tmp", options.path)
        except OSError as error:
            with suppress(OSError):
                os.unlink(".note.tmp")
            raise PluginError(f"{options.path} can't be written: {error.strerror}", "look at the disk") from error
    return note.state(options.path, options.text, options.header.title, list(options.header.lines), mode)


def delete_by_the_current(options: note.NoteOptions) -> bool:
    """Remove the file, by way of a variable of the module."""
    Current.options = options
    return remove_the_current()


def remove_the_current() -> bool:
    """Remove the current file."""
    return note.delete(Current.options)


class Client:
    """One connection to the service for all, opened when it is needed and closed when it is not."""

    connection: HTTPConnection | None = None

    @classmethod
    def ask(cls, options: widget.WidgetOptions, path: str) -> Any:
        """What the service answers to a GET."""
        parts = urlsplit(options.url)
        cls.connection = HTTPConnection(parts.hostname or "", parts.port, timeout=options.timeout)
        try:
            cls.send(options, path)
            answer = cls.connection.getresponse()
            data = answer.read()
        except Exception as error:
            raise PluginError(f"{options.url} can't be asked: {type(error).__name__}", "look at it") from error
        finally:
            if cls.connection is not None:
                cls.connection.close()
        if answer.status != 200:
            raise PluginError(f"{options.url} says {answer.status}", "look at its log")
        try:
            return json.loads(data)
        except ValueError as error:
            raise PluginError(f"{options.url} answers what is no JSON", "look at it") from error

    @classmethod
    def send(cls, options: widget.WidgetOptions, path: str) -> None:
        """Send a GET."""
        headers = {"Authorization": f"Bearer {options.token.reveal()}"}
        if cls.connection is not None:
            cls.connection.request("GET", path, None, headers)


def read_by_the_client(options: widget.WidgetOptions) -> State | None:
    """Describe the widget."""
    found = Client.ask(options, f"/widgets?name={quote(options.name)}")
    return widget.described(found[0]) if found else None


WRONG = [
    Wrong(
        rule="P1",
        name="works-on-a-variable-of-the-module",
        plugin=but(note.plugin, create=write_the_current, update=write_the_current),
        world=note.world,
    ),
    Wrong(
        rule="P1",
        name="writes-to-one-temporary",
        plugin=but(note.plugin, create=write_by_one_temporary, update=write_by_one_temporary),
        world=note.world,
    ),
    Wrong(
        rule="P1",
        name="deletes-by-a-variable-of-the-module",
        plugin=but(note.plugin, delete=delete_by_the_current),
        world=note.world,
    ),
    Wrong(
        rule="P1",
        name="has-one-connection-for-all",
        plugin=but(widget.plugin, read=read_by_the_client),
        world=widget.world,
    ),
]
