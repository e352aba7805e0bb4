"""One operation of one plugin, called: the boundary to an author's code, where anything may come back."""

import sys
import time
from collections.abc import Callable
from copy import copy, deepcopy
from types import NoneType
from typing import Any, Final, Protocol

import msgspec
from msgspec import Struct
from msgspec.structs import force_setattr

from dtm_sdk.errors import DtmError, PluginError, TransientError
from dtm_sdk.options import Json, Options, Secret
from dtm_sdk.plugin import Operation, Plugin, State, checked_state


class PluginBug(PluginError):  # noqa: N818  # a bug is what it is
    """A plugin did what no plugin may do.

    Attributes:
        trace: the traceback where it raised something, for the debug log; else an empty string. It may hold secrets.
    """

    def __init__(self, message: str, trace: str = "") -> None:
        super().__init__(message, "this is a bug of the plugin")
        self.trace = trace


class Waits(Protocol):
    """What a `threading.Event` does that is set when the run is interrupted."""

    def wait(self, timeout: float, /) -> bool:
        """Wait so many seconds; at once, and True, when the run is interrupted."""
        ...


class Patience(Struct, frozen=True):
    """How long a `TransientError` is answered by trying again.

    The first wait is a second, each next one twice as long, up to 30 seconds, and up to a second longer by chance, so
    that tools which failed together don't try again together; `retry_after` takes the place of that. So 120 seconds are
    some 7 tries: a service that restarts is back by then, and who waits at a terminal is still there. google-api-core
    waits 1, 2, 4 ... and gives up after 120 seconds too; Pulumi tries 10 times.

    Attributes:
        attempts: how many calls there are at most, the first one included.
        seconds: how long after the first failure the last call may begin.
    """

    attempts: int = 10
    seconds: float = 120.0


PATIENCE: Final = Patience()
FIRST_WAIT: Final = 1.0
LONGEST_WAIT: Final = 30.0


def invoke(
    plugin: Plugin,
    operation: Operation,
    options: Options,
    state: State | None,
    *,
    say: Callable[[str], None],
    interrupted: Waits,
    patience: Patience = PATIENCE,
    clock: Callable[[], float] = time.monotonic,
) -> State | None:
    """What there is after an operation: the description of the resource; None after delete, or where read finds none.

    The plugin is handed copies: neither the options nor the recorded state can be changed by it.

    It is called off the main thread: there only is a KeyboardInterrupt sure to be the plugin's own.

    Args:
        plugin: whose operation it is.
        operation: which.
        options: typed and valid.
        state: what is recorded of the resource, if anything.
        say: takes a line when the operation will be tried again.
        interrupted: ends the waiting for that.
        patience: with a `TransientError`.
        clock: seconds, from any start.

    Raises:
        DtmError: what the plugin raised for its user, as it is; its message may hold secrets. Or an operation isn't
            written yet: it raised NotImplementedError below a mark `TODO(dtm)`.
        PluginBug: the plugin raised anything else, returned what it may not, or changed what it was given.
    """

    def once() -> State | None:
        return _once(plugin, operation, options, state)

    try:
        return once()
    except TransientError as error:
        return _again(once, error, say, interrupted, patience, clock)


class _EnoughError(Exception):
    """There is no time to try again."""


def _again(
    once: Callable[[], State | None],
    error: TransientError,
    say: Callable[[str], None],
    interrupted: Waits,
    patience: Patience,
    clock: Callable[[], float],
) -> State | None:
    """Try again until it works: stamina says whether and when; the waiting is ours, since its can't be interrupted."""
    stamina_is_ours = "stamina" not in sys.modules
    import stamina

    if stamina_is_ours:  # it would log a line of its own for each retry; where a plugin uses it too, it still does
        stamina.instrumentation.set_on_retry_hooks(())
    end = clock() + patience.seconds
    tries, pause = 1, 0.0
    try:
        for attempt in stamina.retry_context(
            on=lambda raised: 0.0 if isinstance(raised, TransientError) else False,
            attempts=patience.attempts,
            timeout=None,
            wait_initial=FIRST_WAIT,
            wait_max=LONGEST_WAIT,
        ):
            with attempt:
                if attempt.num == 1:  # made before stamina was needed
                    pause = attempt.next_wait
                    raise error
                _wait(error, pause, end - clock(), say, interrupted)
                tries, pause = attempt.num, attempt.next_wait
                try:
                    return once()
                except TransientError as latest:
                    error = latest
                    raise
    except (TransientError, _EnoughError):
        error.hint = error.hint or f"tried {tries} time{'s' * (tries > 1)}, run it again later"
        raise error from None
    raise AssertionError  # pragma: no cover  # retry_context ends by a return or an exception


def _wait(error: TransientError, pause: float, left: float, say: Callable[[str], None], interrupted: Waits) -> None:
    import random
    import threading

    asked = getattr(error, "retry_after", None)  # an author may have missed to set it, or have set anything
    if isinstance(asked, int | float) and asked >= 0:
        pause = min(asked, threading.TIMEOUT_MAX)
    pause += random.random()  # noqa: S311  # spreads tries, guards nothing
    if pause > left:
        raise _EnoughError
    say(f"{error}; trying again in {pause:.0f} s")
    if interrupted.wait(pause):
        raise _EnoughError


def _once(plugin: Plugin, operation: Operation, options: Options, state: State | None) -> State | None:
    said_by = f"{plugin.name}'s {operation}"
    given = _private(options)
    before, known = _encoded(given), _encoded(state) if plugin.takes_state(operation) else b"null"
    recorded = msgspec.json.decode(known)
    try:
        result = _checked(operation, plugin.call(operation, given, recorded), said_by)
    except BaseException as error:
        if isinstance(error, DtmError) and _text(error) is not None:
            raise
        if isinstance(error, NotImplementedError):
            _refuse_unwritten(error)
        raise _bug(said_by, error) from None
    _refuse_changes(f"{said_by} changed its options", before, given)
    if recorded is not None:
        _refuse_changes(f"{said_by} changed the recorded state", known, recorded)
    return result


def _checked(operation: Operation, result: object, said_by: str) -> State | None:
    if operation == "delete":
        if result is True:
            return None
        if result is False:
            raise PluginError(f"{said_by} says that the resource isn't gone", "look what holds it, then try again")
        raise PluginBug(f"{said_by} returned {type(result).__name__}, neither True nor False")
    return None if operation == "read" and result is None else checked_state(result, said_by)


def _bug(said_by: str, error: BaseException) -> PluginBug:
    said = (_text(error) or "").strip().partition("\n")[0]
    name = type(error).__name__
    return PluginBug(f"{said_by} raised {name}: {said}" if said else f"{said_by} raised {name}", _trace(error))


def _refuse_unwritten(error: NotImplementedError) -> None:
    """Raise what its author has still to do, where the function that raised this is marked so."""
    from dtm_sdk.todo import unwritten

    todo = unwritten(error)
    if todo:
        raise PluginError(str(todo).rstrip("."), "write it, then run this again") from None


def _text(error: BaseException) -> str | None:
    """What an exception says; None if even that raises."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001  # an author's __str__, or a message that is no string
        return None


def _trace(error: BaseException) -> str:
    """The traceback, from where the plugin's own code begins."""
    import traceback

    start = error.__traceback__
    while start and start.tb_next and start.tb_frame.f_globals.get("__name__") in (__name__, Plugin.__module__):
        start = start.tb_next
    try:
        return "".join(traceback.format_exception(type(error), error, start))
    except Exception:  # noqa: BLE001  # no memory, or a wrong class of exception: the message has to do
        return ""


def _refuse_changes(what: str, before: bytes, value: Json | Options) -> None:
    try:
        after = _encoded(value)
    except Exception:  # noqa: BLE001  # what was put into it is no JSON
        raise PluginBug(what) from None
    if after == before:
        return
    old, new = msgspec.json.decode(before), msgspec.json.decode(after)
    changed = [key for key in {**old, **new} if key not in old or key not in new or old[key] != new[key]]
    if changed:
        raise PluginBug(f"{what}: {', '.join(changed)}")


def _private(value: Any) -> Any:
    """A copy of options in which nothing that can be changed is shared; what can't be changed is."""
    kind = type(value)
    if kind in _UNCHANGING:
        return value
    if isinstance(value, Struct):
        private = copy(value)
        for name in value.__struct_fields__:
            inner = getattr(value, name)
            if type(inner) not in _UNCHANGING:
                force_setattr(private, name, _private(inner))
        return private
    if kind is dict:
        return {key: _private(item) for key, item in value.items()}
    if kind is list:
        return [_private(item) for item in value]
    return deepcopy(value)


_UNCHANGING: Final = frozenset({str, int, float, bool, NoneType, Secret})


def _reveal(value: object) -> str:
    if isinstance(value, Secret):
        return value.reveal()
    raise NotImplementedError(f"{type(value).__name__} is no type of an option")


_encoded: Final[Callable[[Json | Options], bytes]] = msgspec.json.Encoder(enc_hook=_reveal).encode
