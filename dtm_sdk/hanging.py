"""Whether this process must not wait for all of its threads when it ends.

A call of a plugin that was given up may go on for ever, and Python waits for the threads that such a call has started.
How the command ends otherwise, by an error or an interrupt, doesn't matter then: so this is kept for the process.
"""

_given_up = False


def give_up() -> None:
    """Note that a call of a plugin is no longer waited for."""
    global _given_up  # noqa: PLW0603  # a process ends once
    _given_up = True


def given_up() -> bool:
    """Whether any is."""
    return _given_up
