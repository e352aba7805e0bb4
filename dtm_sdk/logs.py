"""What is logged while a run lasts is said line by line, to whom it belongs."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from dtm_sdk.events import Level

if TYPE_CHECKING:
    import logging


class Target(Protocol):
    """Takes what is logged for one tool, or for none."""

    def say(self, level: Level, text: str) -> None:
        """Say a text of several lines."""


class Logs:
    """The root logger's only handler while a run lasts.

    Made at the first operation, since it imports logging: 5 ms, or nothing beside concurrent.futures, which does too.
    """

    def __init__(self, lines: Callable[[], Target | None], *, debug: bool) -> None:
        import logging

        self._root = logging.getLogger()
        self._level = self._root.level
        self._handlers = self._root.handlers[:]
        self._ours = _handler(lines, self._pass_on)
        self._root.handlers[:] = [self._ours]
        self._root.setLevel(min(self._level, logging.DEBUG if debug else logging.INFO))

    def put(self) -> None:
        """Put our handler back, if a plugin has configured logging anew."""
        if self._ours not in self._root.handlers:
            self._root.addHandler(self._ours)

    def close(self) -> None:
        """Put back what was there."""
        self._root.handlers[:] = self._handlers
        self._root.setLevel(self._level)

    def _pass_on(self, record: "logging.LogRecord") -> None:
        """Handle what belongs to no tool as it would be without us."""
        from logging import lastResort

        if record.levelno >= self._level:
            for handler in self._handlers or filter(None, [lastResort]):
                if record.levelno >= handler.level:
                    handler.handle(record)


def _handler(lines: Callable[[], Target | None], pass_on: Callable[["logging.LogRecord"], None]) -> "logging.Handler":
    import logging

    levels: list[tuple[int, Level]] = [(logging.ERROR, "error"), (logging.WARNING, "warning"), (logging.INFO, "info")]

    class Handler(logging.Handler):
        """Makes records lines; it has no lock, since the lines of each tool have theirs."""

        def createLock(self) -> None:  # noqa: N802  # logging's name
            self.lock = None

        def handle(self, record: logging.LogRecord) -> bool:
            target = lines()
            if target is None:
                pass_on(record)
            else:
                self._say(target, record)
            return True

        def _say(self, target: Target, record: logging.LogRecord) -> None:
            try:
                text = record.getMessage()
            except Exception:  # noqa: BLE001  # a wrong format or argument; logging says which, on stderr
                self.handleError(record)
                return
            target.say(next((level for floor, level in levels if record.levelno >= floor), "debug"), text)
            if record.exc_info and record.exc_info[0]:
                target.say("debug", logging.Formatter().formatException(record.exc_info))
            if record.stack_info:
                target.say("debug", record.stack_info)

    return Handler()
