"""All that a process says while something runs: on its streams at the descriptor, in logs at any level, to children."""

import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from dtm_sdk.testing.watch import Watch


class Overheard(Struct):
    """What was said.

    Attributes:
        texts: (where, text), e.g. ("the log (level DEBUG)", "...").
    """

    texts: list[tuple[str, str]] = field(default_factory=list)

    def add(self, where: str, text: str) -> None:
        """Take a text."""
        self.texts.append((where, text))


@contextmanager
def overhearing(scratch: Path) -> Iterator[Overheard]:
    """Inside, what is printed, logged and warned of, and what children and files are called, is taken down.

    Args:
        scratch: a folder for what this takes.
    """
    heard = Overheard()
    with (
        _streams(heard, scratch),
        _logs(heard),
        warnings.catch_warnings(),
        Watch.here().watching() as seen,
    ):
        warnings.simplefilter("always")
        warnings.showwarning = lambda message, category, *place: heard.add(f"a {category.__name__}", str(message))
        yield heard
    for command in seen.children:
        heard.add("the arguments of a child", command)
    for name in seen.names:
        heard.add("the name of a file", name)


@contextmanager
def _streams(heard: Overheard, scratch: Path) -> Iterator[None]:
    """Standard output and error, of this process and its children."""
    streams = (sys.stdout, sys.stderr)
    for stream in streams:
        with suppress(OSError, ValueError):
            stream.flush()
    with Watch.here().unguarded():
        file = tempfile.TemporaryFile(dir=scratch)  # noqa: SIM115  # closed below, where the guard stands again
    with file:
        kept = [os.dup(number) for number in (1, 2)]
        for number in (1, 2):
            os.dup2(file.fileno(), number)
        sys.stdout, sys.stderr = (
            os.fdopen(os.dup(number), "w", encoding="utf-8", errors="backslashreplace", buffering=1)
            for number in (1, 2)
        )
        ours = (sys.stdout, sys.stderr)
        try:
            yield
        finally:
            for stream in ours:
                with suppress(OSError, ValueError):
                    stream.close()
            sys.stdout, sys.stderr = streams
            for number, old in zip((1, 2), kept, strict=True):
                os.dup2(old, number)
                os.close(old)
            file.seek(0)
            heard.add("what it prints", file.read().decode("utf-8", "replace"))


@contextmanager
def _logs(heard: Overheard) -> Iterator[None]:
    """Every record of every logger, whatever its level."""
    manager = logging.root.manager
    loggers = [logging.root, *(each for each in manager.loggerDict.values() if isinstance(each, logging.Logger))]
    levels = [(each, each.level) for each in loggers]
    before, disabled = logging.getLogRecordFactory(), manager.disable

    def factory(*given: Any, **more: Any) -> logging.LogRecord:
        record = before(*given, **more)
        text = logging.Formatter().format(record) if _can_be_formatted(record) else repr(record.msg)
        heard.add(f"the log of {record.name} (level {record.levelname})", text)
        return record

    logging.setLogRecordFactory(factory)
    manager.disable = 0
    for each in loggers:
        each.setLevel(1)
    try:
        yield
    finally:
        logging.setLogRecordFactory(before)
        manager.disable = disabled
        for each, level in levels:
            each.setLevel(level)


def _can_be_formatted(record: logging.LogRecord) -> bool:
    try:
        record.getMessage()
    except Exception:  # noqa: BLE001  # a wrong format or argument of an author's
        return False
    return True
