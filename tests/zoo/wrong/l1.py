"""Works when it is called directly, and not under the runner: in another process, or in a thread."""

import signal
import threading
from collections.abc import Callable
from typing import Any

from dtm_sdk import PluginError, State
from tests.zoo.right import note, widget
from tests.zoo.zoo import Wrong, but

_ids: dict[str, str] = {}


def create_and_keep_the_id(options: widget.WidgetOptions) -> State:
    """Make the widget; its id is kept in memory."""
    made = widget.create(options)
    _ids[options.name] = made["outputs"]["id"]
    return made


def read_by_the_kept_id(options: widget.WidgetOptions) -> State | None:
    """Describe the widget that this process made."""
    if options.name not in _ids:
        return None
    found = widget.ask(options, "GET", f"/widgets/{_ids[options.name]}")
    return widget.described(found) if found else None


def read_and_take_the_state_apart(options: widget.WidgetOptions, state: State | None) -> State | None:
    """Describe the widget; the id is taken out of the record."""
    if not state:
        return widget.read(options, None)
    outputs = state.pop("outputs")
    return widget.read(options, {**state, "outputs": outputs})


def in_time(operation: Callable[..., Any], seconds: int = 5) -> Callable[[Any], Any]:
    """An operation that is interrupted when it takes long, by a signal."""

    def expired(number: int, frame: object) -> None:
        raise PluginError("the disk is too slow", "look at it")

    def timed(options: Any) -> Any:
        before = signal.signal(signal.SIGALRM, expired)
        signal.alarm(seconds)
        try:
            return operation(options)
        finally:
            signal.alarm(0)
            signal.signal(signal.SIGALRM, before)

    return timed


_session = threading.local()
_session.encoding = "utf-8"


def read_with_the_session(options: note.NoteOptions) -> State | None:
    """Describe the file; what is set at import is there in the importing thread only."""
    found = note.describe(options.path)
    return found and {**found, "text": found["text"].encode().decode(_session.encoding)}


WRONG = [
    Wrong(
        rule="L1",
        name="keeps-ids-in-memory",
        plugin=but(widget.plugin, create=create_and_keep_the_id, read=read_by_the_kept_id),
        world=widget.world,
        also=("R5", "U5"),  # nor is a widget read that has another id: in a world put back, or made by Update
    ),
    Wrong(
        rule="L1",
        name="takes-the-recorded-state-apart",
        plugin=but(widget.plugin, read=read_and_take_the_state_apart),
        world=widget.world,
    ),
    Wrong(
        rule="L1",
        name="times-out-by-a-signal",
        plugin=but(note.plugin, create=in_time(note.create), read=in_time(note.read)),
        world=note.world,
    ),
    Wrong(
        rule="L1",
        name="has-a-session-of-the-importing-thread",
        plugin=but(note.plugin, read=read_with_the_session),
        world=note.world,
    ),
]
