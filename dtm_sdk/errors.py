"""What can go wrong, sorted by what its reader does next.

An error holds data; only the CLI turns it into text and an exit code. Every message is one line: what is wrong, where,
what to do.
"""

from collections.abc import Sequence
from typing import NamedTuple


class DtmError(Exception):
    """Something that a user can act on; never shown with a traceback.

    Attributes:
        message: one line: what is wrong, and where.
        hint: what to do next, or an empty string.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = str(message)  # an author may pass on what was raised
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


class UsageError(DtmError):
    """The command line asks for something that can't be: the reader corrects the command."""


class Problem(NamedTuple):
    """One thing wrong in a config, and where.

    Attributes:
        where: `file:line:column` (both from 1), or what is known of that.
        what: what is wrong.
        hint: what to do, or an empty string.
    """

    where: str
    what: str
    hint: str = ""

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}"
        return f"{text}; {self.hint}" if self.hint else text


class ConfigError(DtmError):
    """The config is wrong: the reader mends the file. Holds every problem, in the order of the file."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


class OptionsError(DtmError):
    """Options are not what a plugin takes. Holds every problem as (path, message); the path is dotted."""

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{path}: {message}" if path else message for path, message in problems))
        self.problems = tuple(problems)


class UnresolvedError(DtmError):
    """A reference names an output that isn't there: the reader mends the reference, or the tool that it names."""


class StateError(DtmError):
    """The state can't be read, or can't be written: the reader recovers it; nothing was changed."""


class BackendOptionsError(StateError):
    """The config says of the state what can't be: no such backend, or wrong options; the reader corrects it there."""


class LockedError(StateError):
    """Another run holds the state: the reader waits for it, or ends it.

    Attributes:
        holder: who holds it, e.g. `{"pid": 12, "host": "a", "user": "b", "command": "apply", "started": "..."}`.
    """

    def __init__(self, message: str, hint: str, holder: dict[str, object]) -> None:
        super().__init__(message, hint)
        self.holder = holder


class PluginError(DtmError):
    """A plugin can't do what is asked, for a reason that a user can act on: shown as one line, without a traceback."""


class AlreadyExistsError(PluginError):
    """Create found a resource that is there already and that it won't take over."""


class TransientError(PluginError):
    """It may work in a while: the runner tries again, with backoff.

    Attributes:
        retry_after: seconds to wait before the next try, where the service said so.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
