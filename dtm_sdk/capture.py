"""What plugins print, log and warn of becomes lines of their tools.

Which tool a text belongs to is known from the thread that writes it (from its context, so that `asyncio` tasks and
`asyncio.to_thread` count too). Python 3.11 gives the threads that a plugin starts no context: what they write goes to
the tool at work if there is exactly one, else into a `Notice`.

The runner's own output goes to the real streams: what the main thread writes outside of `attribute`, and what any
thread writes inside of `Capture.tell`. A thread of the runner's own that writes by itself, such as that of a progress
bar, is to hold the stream that was there before.

What a child process or a C library writes to the file descriptors themselves is not seen here.
"""

import io
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock, RLock, get_ident, main_thread
from typing import TYPE_CHECKING, Final, TextIO

from dtm_sdk.events import Event, Level, Notice, Said, Tell
from dtm_sdk.logs import Logs
from dtm_sdk.secret_text import Mask

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


@contextmanager
def captured(tell: Tell, *, debug: bool) -> Iterator["Capture"]:
    """Take what is written inside, and tell it; the streams and the logging are as before, after it.

    Args:
        tell: takes the events; it must not raise. Nothing else should be told while this lasts: use `Capture.tell`.
        debug: take what is logged at level DEBUG too; many libraries log much there.
    """
    capture = Capture(tell, debug=debug)
    try:
        yield capture
    finally:
        capture.close()


class _Lines:
    """Takes what is written for one tool, or for none, and says it line by line."""

    def __init__(self, say: Callable[[Level, str], None], mask: Callable[[str], str]) -> None:
        self._say = say
        self._mask = mask
        self._lock = RLock()  # a finalizer may write while the same thread does
        self._unfinished: dict[tuple[int, str], bytearray] = {}

    def write(self, stream: str, data: "ReadableBuffer") -> None:
        """Take bytes in UTF-8; they are said once a line ends with them.

        Not before that: print writes a text of several lines and the end of the last one after the other, and only as a
        whole is a secret of several lines found in it.
        """
        with self._lock:
            unfinished = self._unfinished.setdefault((get_ident(), stream), bytearray())
            unfinished += data
            if unfinished.endswith(b"\n"):
                self._say_bytes(self._unfinished.pop((get_ident(), stream)))

    def end(self) -> None:
        """Say what has no end of line yet."""
        with self._lock:
            while self._unfinished:
                self._say_bytes(self._unfinished.popitem()[1])

    def _say_bytes(self, data: bytearray) -> None:
        self.say("info", data.decode("utf-8", "replace"))

    def say(self, level: Level, text: str) -> None:
        """Say a text of several lines; of a line that was written over and over, what it was at last; no empty ones.

        It is masked as a whole, so that a secret of several lines is found.
        """
        with self._lock:
            for line in self._mask(text).split("\n"):
                last = line.rstrip("\r").rpartition("\r")[2]
                if last.strip():
                    self._say(level, last)


_writer: Final[ContextVar[_Lines | None]] = ContextVar("dtm_sdk.capture", default=None)


class Capture:
    """What `captured` gives: it knows which tools are at work, and takes what is written meanwhile."""

    def __init__(self, tell: Tell, *, debug: bool) -> None:
        self._tell = tell
        self._debug = debug
        self._latest = Mask(b"")
        self._telling = _Lines(lambda level, text: None, str)  # stands for "this thread is telling"
        self._strays = _Lines(lambda level, text: self.tell(Notice(level, text)), self._masked)
        self._at_work: dict[_Lines, Mask] = {}
        self._lock = Lock()
        self._logs: Logs | None = None
        self._real: dict[str, TextIO | None] = {"stdout": sys.stdout, "stderr": sys.stderr}
        self._streams = {name: _Stream(name, real, self.lines) for name, real in self._real.items()}
        self._put_streams()
        self._show_warning, warnings.showwarning = warnings.showwarning, self._warn

    def tell(self, event: Event) -> None:
        """Tell an event; what is written meanwhile by this thread goes to the real streams."""
        token = _writer.set(self._telling)
        try:
            self._tell(event)
        finally:
            _writer.reset(token)

    def attribute(self, key: str, mask: Mask) -> "_Attribution":
        """Make what this thread writes inside lines of a tool; an unfinished line is said at the end.

        Its secrets are masked, and those of the other tools at work. A thread that outlives its tool may write later:
        one mask for the whole run, to which secrets are added, hides what it knows too.
        """
        lines = _Lines(lambda level, text: self.tell(Said(key, level, text)), lambda text: self._masked(text, mask))
        return _Attribution(self, lines, mask)

    def begin(self, lines: _Lines, mask: Mask) -> None:
        """A tool is at work from now on."""
        with self._lock:
            self._put_streams()
            self._logs = self._logs or Logs(self.lines, debug=self._debug)
            self._logs.put()
            self._at_work[lines] = self._latest = mask

    def end(self, lines: _Lines) -> None:
        """It no longer is."""
        with self._lock:
            del self._at_work[lines]
            self._put_streams()
        lines.end()

    def lines(self) -> _Lines | None:
        """Where what this thread writes belongs; None for the real streams."""
        writer, at_work = _writer.get(), list(self._at_work)
        if writer in at_work:
            return writer
        if writer is self._telling or (writer is None and get_ident() == main_thread().ident):
            return None
        return at_work[0] if len(at_work) == 1 else self._strays

    def close(self) -> None:
        """Put everything back, whatever a plugin has put in its place."""
        sys.stdout, sys.stderr = self._real["stdout"], self._real["stderr"]
        warnings.showwarning = self._show_warning
        if self._logs:
            self._logs.close()
        self._strays.end()

    def _masked(self, text: str, *own: Mask) -> str:
        for mask in dict.fromkeys([*own, *self._at_work.values(), self._latest]):
            text = mask.text(text)
        return text

    def _put_streams(self) -> None:
        """Put our streams where a plugin left others; such as a plugin at work may still need stay until it is done."""
        for name, stream in self._streams.items():
            there = getattr(sys, name)
            if there is not stream:
                past_us = there is self._real[name] or there is getattr(sys, f"__{name}__")
                if not self._at_work or past_us or _is_closed(there):
                    setattr(sys, name, stream)

    def _warn(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        lines = self.lines()
        if lines is None:
            self._show_warning(message, category, filename, lineno, file, line)
        else:
            lines.say("warning", f"{category.__name__}: {message} ({filename}:{lineno})")


class _Attribution:
    """What `Capture.attribute` gives. A class: around each operation, a generator would cost as much again."""

    __slots__ = ("_capture", "_lines", "_mask", "_token")

    def __init__(self, capture: Capture, lines: _Lines, mask: Mask) -> None:
        self._capture = capture
        self._lines = lines
        self._mask = mask

    def __enter__(self) -> None:
        self._capture.begin(self._lines, self._mask)
        self._token = _writer.set(self._lines)

    def __exit__(self, *raised: object) -> None:
        _writer.reset(self._token)
        self._capture.end(self._lines)


def _is_closed(stream: TextIO | None) -> bool:
    try:
        return stream is None or getattr(stream, "closed", False)
    except ValueError:  # it is detached from its buffer
        return True


class _Stream(io.TextIOBase):
    """Stands for sys.stdout or sys.stderr: a stream of text that can't be closed."""

    errors = "replace"

    def __init__(self, name: str, real: TextIO | None, lines: Callable[[], _Lines | None]) -> None:
        self.name = f"<{name}>"
        self.mode = "w"
        self.line_buffering = True
        self.buffer = _Buffer(name, real, lines)
        self._name = name
        self._real = real
        self._lines = lines

    @property
    def encoding(self) -> str:  # type: ignore[override]  # read-only in Python too
        if self._real is None or self._lines():
            return "utf-8"
        return self._real.encoding

    def write(self, text: str, /) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        lines = self._lines()
        if lines:
            lines.write(self._name, text.encode("utf-8", "surrogatepass"))
        elif self._real is not None:
            self._real.write(text)
        return len(text)

    def writable(self) -> bool:
        return True

    def flush(self) -> None:
        self.buffer.flush()

    def isatty(self) -> bool:
        return self.buffer.isatty()

    def fileno(self) -> int:
        return self.buffer.fileno()

    def detach(self) -> "_Buffer":  # type: ignore[override]  # typeshed asks for more than what has to be there
        return self.buffer

    def reconfigure(self, **settings: object) -> None:
        """Nothing: what is asked for here is meant for a file or a terminal."""

    def close(self) -> None:
        """Nothing: other plugins write here too."""


class _Buffer(io.BufferedIOBase):
    """What is below a `_Stream`: takes bytes, which should be UTF-8."""

    def __init__(self, name: str, real: TextIO | None, lines: Callable[[], _Lines | None]) -> None:
        self._name = name
        self._real = real
        self._lines = lines

    def write(self, data: "ReadableBuffer", /) -> int:
        lines = self._lines()
        if lines:
            lines.write(self._name, data)
        elif self._real is not None:
            self._real.buffer.write(data)
        return memoryview(data).nbytes

    def writable(self) -> bool:
        return True

    def flush(self) -> None:
        if self._real is not None and not self._lines():
            self._real.flush()

    def isatty(self) -> bool:
        return self._real is not None and not self._lines() and self._real.isatty()

    def fileno(self) -> int:
        if self._real is None:
            raise io.UnsupportedOperation("fileno")
        return self._real.fileno()

    def close(self) -> None:
        """Nothing, as of the stream."""
