"""Changes what belongs to the whole process, or leaves more behind with each call."""

import atexit
import locale
import os
import socket
import sys
import threading
from collections.abc import Callable
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from dtm_sdk import Plugin, State
from dtm_sdk.testing import World
from tests.zoo.right import note, widget
from tests.zoo.zoo import Wrong, but


def create_under_a_umask(options: note.NoteOptions) -> State:
    """Make the file, in a way that nobody else may read it."""
    os.umask(0o027)
    return note.create(options)


def read_in_its_folder(options: note.NoteOptions) -> State | None:
    """Describe the file, from where it lies; who fails stays there."""
    before = os.getcwd()
    os.chdir("neighbour")
    found = note.describe(f"../{options.path}")
    os.chdir(before)
    return found and {**found, "path": options.path, "outputs": {"path": options.path}}


def read_with_the_token_set(options: widget.WidgetOptions, state: State | None) -> State | None:
    """Describe the widget; a library takes the token from the environment."""
    os.environ["WIDGET_TIMEOUT"] = str(options.timeout)
    return widget.read(options, state)


def update_with_a_time_out(options: widget.WidgetOptions, state: State | None) -> State:
    """Change the widget; no socket may hang."""
    socket.setdefaulttimeout(options.timeout)
    return widget.update(options, state)


def sorted_by_the_locale(options: note.NoteOptions) -> State:
    """Write the file; its lines are compared as the user's language does."""
    locale.setlocale(locale.LC_ALL, "C.UTF-8" if locale.setlocale(locale.LC_ALL) == "C" else "C")
    return note.save(options)


def delete_with_a_library(options: note.NoteOptions) -> bool:
    """Remove the file, by a library that lies beside it."""
    sys.path.insert(0, os.getcwd())
    return note.delete(options)


_connections: list[HTTPConnection] = []


def read_and_stay_connected(options: widget.WidgetOptions, state: State | None) -> State | None:
    """Describe the widget; the connection that looks whether the service is there stays open."""
    parts = urlsplit(options.url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=options.timeout)
    found = widget.read(options, state)
    connection.connect()
    _connections.append(connection)
    return found


def read_through_a_descriptor(options: note.NoteOptions) -> State | None:
    """Describe the file; the folder is opened to look at it, and never closed."""
    found = note.describe(options.path)
    os.open(".", os.O_RDONLY)
    return found


_over = threading.Event()
atexit.register(_over.set)


def with_a_heartbeat(operation: Callable[..., Any]) -> Callable[[Any], Any]:
    """An operation that starts a thread which tells somebody that it is at work."""

    def beating(options: Any) -> Any:
        threading.Thread(target=_over.wait, daemon=True).start()
        return operation(options)

    return beating


def wrong(name: str, plugin: Plugin, world: Callable[[], World], also: tuple[str, ...] = ()) -> Wrong:
    """One of this rule."""
    return Wrong(rule="P2", name=name, plugin=plugin, world=world, also=also)


WRONG = [
    wrong("leaves-a-umask", but(note.plugin, create=create_under_a_umask), note.world),
    # Another thread finds itself in that folder meanwhile.
    wrong("stays-in-another-folder-when-it-fails", but(note.plugin, read=read_in_its_folder), note.world, ("P1",)),
    wrong("sets-a-variable", but(widget.plugin, read=read_with_the_token_set), widget.world),
    wrong("sets-the-default-time-out", but(widget.plugin, update=update_with_a_time_out), widget.world),
    wrong("sets-the-locale", but(note.plugin, update=sorted_by_the_locale), note.world),
    wrong("adds-to-the-path", but(note.plugin, delete=delete_with_a_library), note.world),
    wrong("stays-connected", but(widget.plugin, read=read_and_stay_connected), widget.world),
    wrong("leaves-a-descriptor", but(note.plugin, read=read_through_a_descriptor), note.world),
    wrong("leaves-a-thread", but(note.plugin, update=with_a_heartbeat(note.update)), note.world),
]
