"""Whether this process must not wait for all of its threads when it ends, and what it does last then.

A call of a plugin that was given up may go on for ever, and Python waits for the threads that such a call has started.
How the command ends otherwise, by an error or an interrupt, doesn't matter then: so this is kept for the process.
"""

from collections.abc import Callable
from typing import Final

_given_up = 0
_last: Final[list[Callable[[], None]]] = []


def give_up() -> None:
    """Note that a call of a plugin is no longer waited for."""
    global _given_up  # noqa: PLW0603  # a process ends once
    _given_up += 1


def given_up() -> int:
    """How often one was given up so far."""
    return _given_up


def at_end(act: Callable[[], None]) -> None:
    """Have something done right before the process ends without waiting for its threads."""
    _last.append(act)


def end() -> None:
    """Do that: from here on the process ends."""
    for act in _last:
        act()
