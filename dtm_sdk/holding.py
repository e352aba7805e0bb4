"""A state held for a command: who waits for it, and how long it stays held where a plugin hangs."""

import atexit
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from dtm_sdk.backends import Backend, Leaving, Session
from dtm_sdk.errors import LockedError
from dtm_sdk.events import Notice, Tell
from dtm_sdk.hanging import at_end, given_up
from dtm_sdk.interrupts import interruptible

_KEPT: Final[list[ExitStack]] = []
"""What is held to the end: were it collected, it would let go."""


@contextmanager
def held(backend: Backend, command: str, wait: float, tell: Tell) -> Iterator[Session]:
    """Hold a state, as `Backend.lock` does. That it has to be waited for is told, and a signal ends it.

    Where a call of a plugin was given up meanwhile, it is held until the process is gone: the call may still act.

    Raises:
        KeyboardInterrupt: a signal did.
        StateError: as `Backend.lock`.
    """
    before = given_up()
    with ExitStack() as stack:
        with interruptible():
            try:
                session = stack.enter_context(backend.lock(command))
            except LockedError as error:
                if not wait:
                    raise
                tell(Notice("info", f"{error.message}; waiting for it, up to {wait:.0f} s."))
                session = stack.enter_context(backend.lock(command, wait))
        try:
            yield session
        finally:
            if given_up() > before:
                _hold_to_the_end(stack.pop_all(), session)


def leaving(session: Session) -> Callable[[], None]:
    """What a process does that ends at once while it holds a state."""
    return session.leave if isinstance(session, Leaving) else lambda: None


def _hold_to_the_end(kept: ExitStack, session: Session) -> None:
    """A lock that goes with the process needs no more than that; another one runs out a moment after the end."""
    _KEPT.append(kept)
    if isinstance(session, Leaving):
        at_end(session.leave)

        def end() -> None:
            session.leave()
            kept.close()  # here, where the threads that it waits for can still end

        atexit.register(end)  # where the process is somebody else's, and ends as they want
