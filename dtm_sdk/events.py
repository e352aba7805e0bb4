"""What a run tells while it runs: values that `report` turns into text or JSON."""

from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from dtm_sdk.changes import Plan
from dtm_sdk.decide import Action
from dtm_sdk.state import Record

Command = Literal["apply", "delete", "destroy", "plan", "verify"]
Level = Literal["debug", "info", "success", "warning", "error"]


class Started(Struct, frozen=True):
    """A command has begun.

    Attributes:
        command: which.
        plugin_dir: the folder where it looks for plugins beside the installed ones.
    """

    command: Command
    plugin_dir: str


class Planned(Struct, frozen=True):
    """The plan is made; nothing was changed yet."""

    command: Command
    plan: Plan


class Executing(Struct, frozen=True):
    """The operations begin.

    Attributes:
        total: how many there will be, as far as is known: a Replace is two.
    """

    total: int


class Began(Struct, frozen=True):
    """One operation of one tool begins; its lines follow, from other threads too, until its outcome."""

    key: str
    name: str
    plugin: str
    action: Action


class Said(Struct, frozen=True):
    """A line about one tool while it is worked on: what its plugin logged or printed, a retry; secrets masked."""

    key: str
    level: Level
    text: str


class Done(Struct, frozen=True):
    """An operation succeeded and is recorded.

    Attributes:
        record: what is recorded now; None after a Delete.
    """

    key: str
    name: str
    plugin: str
    action: Action
    record: Record | None


class Failed(Struct, frozen=True):
    """An operation failed, or a tool can't be decided; the records are as they were.

    Attributes:
        error: why, in one line, secrets masked.
        trace: the traceback of a bug of the plugin; empty for an error that a user can act on.
    """

    key: str
    name: str
    plugin: str
    action: Action
    error: str
    trace: str = ""


class Skipped(Struct, frozen=True):
    """Nothing was done for a tool, because of another one, an answer, or an interrupt."""

    key: str
    name: str
    plugin: str
    action: Action
    because: str


class Kept(Struct, frozen=True):
    """A tool that was decided late needs nothing after all."""

    key: str
    name: str
    plugin: str


class Notice(Struct, frozen=True):
    """A line that belongs to no tool."""

    level: Level
    text: str


class Finished(Struct, frozen=True):
    """The command has ended.

    Attributes:
        changed: how many operations succeeded.
        failed: how many failed or were skipped.
        interrupted: a signal ended it early.
    """

    command: Command
    changed: int
    failed: int
    interrupted: bool = False


Outcome = Done | Failed | Skipped | Kept
Event = Started | Planned | Executing | Began | Said | Outcome | Notice | Finished
Tell = Callable[[Event], None]
"""Takes an event; called from several threads, one at a time for each tool."""
