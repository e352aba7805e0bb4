"""How a check ends: what its body raises to say so, and the finding that is made of it."""

from typing import Final, Literal, NoReturn

from msgspec import Struct

Verdict = Literal["passed", "failed", "skipped", "unsupported", "blocked", "excepted"]
"""As in CONTRACT, section 4. `excepted`: it failed, and an exception that is valid says why."""


LEFT: Final = "left a process behind, which was killed: "
"""How a note begins that names a process which the plugin has left."""


class Finding(Struct, frozen=True, omit_defaults=True):
    """What a check found.

    Attributes:
        rule: id of the rule.
        check: name of the test.
        verdict: how it ended.
        message: why, in one or a few lines; empty where it passed.
        steps: the calls that show it, oldest first.
        difference: lines that say what differs, `-` wanted or before, `+` found.
        trace: the traceback of what the plugin raised, or where it hung.
        script: lines of a test that shows it by itself; empty where the steps say enough.
        notes: what it saw and left alone, such as processes that were left behind.
        seconds: how long it took.
        by: what blocks it, e.g. "C2" or "TODO src/create.py:12"; empty where nothing does.
    """

    rule: str
    check: str
    verdict: Verdict
    message: str = ""
    steps: tuple[str, ...] = ()
    difference: tuple[str, ...] = ()
    trace: str = ""
    script: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    by: str = ""


class Ended(Exception):  # noqa: N818  # a check that ends early is no error of ours
    """A check has ended early, with a verdict.

    Attributes:
        verdict: which.
        message: why.
        difference: see `Finding`.
        trace: see `Finding`.
        script: see `Finding`.
    """

    verdict: Verdict = "failed"

    def __init__(
        self, message: str, difference: tuple[str, ...] = (), trace: str = "", script: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message)
        self.message = message
        self.difference = difference
        self.trace = trace
        self.script = script


class Violation(Ended):
    """The plugin breaks the rule."""


class Unsupported(Ended):
    """The rule can't be asked of this plugin: that was declared or measured, and looked at."""

    verdict: Verdict = "unsupported"


class Skipped(Ended):
    """The rule can't be checked here, for a reason that was not looked at: the level is forfeited."""

    verdict: Verdict = "skipped"


def unsupported(reason: str) -> NoReturn:
    """End the check: it doesn't concern this plugin.

    Raises:
        Unsupported: always.
    """
    raise Unsupported(reason)


def skip(reason: str) -> NoReturn:
    """End the check: it can't be made here.

    Raises:
        Skipped: always.
    """
    raise Skipped(reason)
