"""Where a run is shown: its log, its questions, its progress."""

import io
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final, TextIO

from dtm_sdk.changes import Change, Plan
from dtm_sdk.cli.command import Chosen
from dtm_sdk.events import Done, Event, Executing, Failed, Finished, Kept, Skipped
from dtm_sdk.report import Line, Narrator, change_lines, clean, log_line

COLORS: Final = {"debug": "2", "info": "36", "success": "32", "warning": "33", "error": "31"}
"""Level -> SGR parameter (ECMA-48, section 8.3.117)."""
LONG: Final = 20
"""From how many operations on a progress bar is shown."""
REFRESH: Final = 0.1
"""Seconds that lines above the bar are gathered for: to draw it again for each one would take longer than the work."""


class Console:
    """Shows the events of one run; may be told them from several threads.

    Args:
        options: what the command line says.
        out: where to; None where that is closed.
        details: show what a plan changes, value by value.
    """

    def __init__(self, options: Chosen, out: TextIO | None, *, details: bool) -> None:
        self.problem: OSError | None = None
        self._narrator = Narrator(details=details)
        self._debug, self._yes = options.debug, options.yes
        self._out = out
        self._color = is_terminal(out) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        self._lock = threading.RLock()
        self._bar: Any = None
        self._held: list[str] = []
        if isinstance(out, io.TextIOWrapper):
            out.reconfigure(errors="replace")  # a terminal may know few characters

    def tell(self, event: Event) -> None:
        """Show an event, or hold it until it is its turn."""
        with self._lock:
            if isinstance(event, Executing) and event.total >= LONG and is_terminal(self._out):
                self._bar = _bar(self._out, event.total)
            elif isinstance(event, Done | Failed | Skipped | Kept) and self._bar:
                self._bar.advance(0)
            elif isinstance(event, Finished):
                self._stop_bar()
            self._show(self._narrator.take(event))

    def end(self, errors: Sequence[str]) -> None:
        """Show what is still held, then what ended the run early."""
        with self._lock:
            self._stop_bar()
            self._show([*self._narrator.rest(), *(Line("error", clean(text)) for text in errors)])

    def show(self, lines: list[Line]) -> None:
        """Show lines that belong to no event."""
        with self._lock:
            self._show(lines)

    def ask(self, what: Plan | Change) -> bool:
        """Ask whether to go on; no where there is no answer.

        Raises:
            KeyboardInterrupt: a signal came instead, and nothing has begun yet.
        """
        if self._yes:
            return True
        with self._lock:
            self._stop_bar()
            if isinstance(what, Change):
                self._show(change_lines(what))
            answer = self._answer("Continue? [y/n] ", begun=isinstance(what, Change))
            if not answer:
                why = "There is no answer, which means no; give -y to go on without a question."
                self._write("\n")
                self._show([Line("warning", why)])
            elif not is_terminal(sys.stdin):
                self._write("\n")
            agreed = answer.strip().lower() in ("y", "yes")
            if not agreed and isinstance(what, Plan):
                self._show([Line("info", "Nothing was changed.")])
        return agreed

    def _answer(self, question: str, *, begun: bool) -> str:
        """The line that is typed; empty where there is none."""
        if isinstance(sys.stdin, io.TextIOWrapper) and sys.stdin.errors != "replace":
            sys.stdin.reconfigure(errors="replace")  # anything may be typed

        def read() -> str:
            self._write(question)
            return sys.stdin.readline() if sys.stdin else ""

        line = _typed(read, begun=begun)
        return "\n" if line is None else line

    def ask_secret(self, question: str) -> str:
        """Ask for a secret, without showing what is typed; empty where there is no answer, or a signal came instead."""
        from getpass import getpass

        with self._lock:
            self._stop_bar()
            try:
                return _typed(lambda: getpass(clean(question), self._out), begun=True) or ""
            except EOFError:
                return ""

    def _show(self, lines: list[Line]) -> None:
        now = time.strftime("%Y-%m-%d %H:%M:%S")
        text = "".join(f"{self._line(now, line)}\n" for line in lines if self._debug or line.level != "debug")
        if text and self._bar:
            self._held.append(text)
            if len(self._held) == 1:
                timer = threading.Timer(REFRESH, self._flush)
                timer.daemon = True
                timer.start()
        elif text:
            self._write(text)

    def _flush(self) -> None:
        with self._lock:
            if self._held and self._bar:
                self._bar.console.out("".join(self._held), end="", highlight=False)
            self._held.clear()

    def _line(self, now: str, line: Line) -> str:
        text = log_line(now, line)
        if not (self._color and line.level):
            return text
        start, end = len(now) + 1, len(text) - len(line.text)
        return f"{text[:start]}\x1b[{COLORS[line.level]}m{text[start:end]}\x1b[0m{line.text}"

    def _write(self, text: str) -> None:
        """Print. A reader that has left, or a full disk, must not stop work that has begun: that is told at the end."""
        if self.problem or self._out is None:
            return
        try:
            self._out.write(text)
            self._out.flush()
        except OSError as error:
            self.problem = error

    def _stop_bar(self) -> None:
        if self._bar:
            self._flush()
            self._bar.stop()
            self._bar = None


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a stream is a terminal."""
    return stream is not None and stream.isatty()


def _typed(read: Callable[[], str], *, begun: bool) -> str | None:
    """What somebody types; None where a signal came instead, and something has begun.

    The runner's handlers let what runs finish; here they would leave the question waiting. So a signal ends the
    question; once something has begun, the runner is then given it too.

    Raises:
        KeyboardInterrupt: a signal came, and nothing has begun yet.
    """
    caught: list[int] = []
    try:
        with _signals_raise(caught):
            return read()
    except KeyboardInterrupt:
        if not begun:
            raise
        signal.raise_signal(signal.Signals(caught[0]))
        return None


@contextmanager
def _signals_raise(caught: list[int]) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM raise KeyboardInterrupt, and note which it was."""

    def handle(signum: int, frame: FrameType | None) -> None:
        caught.append(signum)
        raise KeyboardInterrupt

    before = {each: signal.signal(each, handle) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _bar(out: TextIO | None, total: int) -> Any:
    """A progress bar that runs, or None where rich isn't installed."""
    try:
        from rich.console import Console as Terminal
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
    except ImportError:
        return None
    bar = Progress(
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Terminal(file=out),
        transient=True,
        redirect_stdout=False,  # what plugins write is taken care of already
        redirect_stderr=False,
    )
    bar.add_task("", total=total)
    bar.start()
    bar.console.show_cursor(show=True)  # a second Ctrl-C ends the process at once, with nobody to show it again
    return bar
