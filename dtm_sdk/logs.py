"""What is logged while a run lasts is said line by line, to whom it belongs."""

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from dtm_sdk.events import Level

if TYPE_CHECKING:
    import logging
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec
    from types import ModuleType


class Target(Protocol):
    """Takes what is logged for one tool, or for none."""

    def say(self, level: Level, text: str) -> None:
        """Say a text of several lines."""


class Logs:
    """The root logger's only handler while a run lasts: from its start, or from when a plugin imports logging.

    To import it takes as long as 50 operations of a plugin that doesn't.
    """

    def __init__(self, lines: Callable[[], Target | None], *, debug: bool) -> None:
        self._lines = lines
        self._debug = debug
        self._ours: logging.Handler | None = None
        self._finder = _Finder(self._install)
        if "logging" in sys.modules:
            self._install()
        else:
            sys.meta_path.insert(0, self._finder)

    def _install(self) -> None:
        import logging

        self._root = logging.getLogger()
        self._level = self._root.level
        self._handlers = self._root.handlers[:]
        self._root.setLevel(min(self._level, logging.DEBUG if self._debug else logging.INFO))
        self._ours = _handler(self._lines, self._pass_on)
        self._root.handlers[:] = [self._ours]

    def put(self) -> None:
        """Put our handler back, if a plugin has configured logging anew."""
        if self._ours and self._ours not in self._root.handlers:
            self._root.addHandler(self._ours)

    def close(self) -> None:
        """Put back what was there."""
        if self._ours:
            self._root.handlers[:] = self._handlers
            self._root.setLevel(self._level)
        elif self._finder in sys.meta_path:
            sys.meta_path.remove(self._finder)

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


class _Finder:
    """Finds logging as Python does, for once, and has something done as soon as it is imported."""

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: "ModuleType | None" = None
    ) -> "ModuleSpec | None":
        """What the other finders find, with a loader that does it."""
        if name != "logging":
            return None
        sys.meta_path.remove(self)
        spec = next(filter(None, (finder.find_spec(name, path, target) for finder in sys.meta_path)), None)
        if spec and spec.loader:
            spec.loader = _Loader(spec.loader, self._act)  # type: ignore[assignment]  # Python asks for no base class
        return spec


class _Loader:
    """Loads one module by another loader, and does something then."""

    def __init__(self, real: "Loader", act: Callable[[], None]) -> None:
        self._real = real
        self._act = act

    def create_module(self, spec: "ModuleSpec") -> "ModuleType | None":
        """What the other one makes."""
        return self._real.create_module(spec)

    def exec_module(self, module: "ModuleType") -> None:
        """As the other one, which is the module's loader from now on."""
        module.__loader__ = self._real
        if module.__spec__:
            module.__spec__.loader = self._real
        self._real.exec_module(module)
        self._act()
