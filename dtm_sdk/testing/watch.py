"""What a plugin does, seen from outside of it: audit events, and the calls of C functions that do I/O.

Audit hooks (PEP 578) tell of files that are opened, renamed and removed, of sockets and child processes, in every
thread and from C code too; they can't be removed, so there is one hook, put there once, in the process of a check. They
tell nothing of stat, access, write or fsync: those are seen as `c_call` events of `sys.setprofile`, on the calling
thread. What children and C libraries do to files is seen by neither, only in the world's snapshots.
"""

import _socket
import os
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any, Final, NamedTuple

from msgspec import Struct, field

import dtm_sdk

MODULES: Final = frozenset(
    {"posix", "io", "_io", "socket", "_socket", "_ssl", "_sqlite3", "sqlite3", "_posixsubprocess"}
)
"""Modules whose functions and methods do I/O."""
FILES: Final = frozenset({"io", "_io"})
QUIET: Final = frozenset(
    {
        "_path_normpath",
        "_path_splitroot",
        "_path_splitroot_ex",
        "fspath",
        "strerror",
        "getpid",
        "getcwd",
        "urandom",
        "fsencode",
        "__enter__",
        "get_blocking",
        "WIFEXITED",
        "WEXITSTATUS",
        "waitstatus_to_exitcode",
        "StringIO",
        "BytesIO",
        "getvalue",
        "getbuffer",
        "text_encoding",
        "register_at_fork",
    }
)
"""Those of them that ask the system for nothing that can fail."""
WRITES: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES: Final = {
    "os.chmod": 1,
    "os.chown": 1,
    "os.link": 2,
    "os.mkdir": 1,
    "os.remove": 1,
    "os.removexattr": 1,
    "os.rename": 2,
    "os.rmdir": 1,
    "os.setxattr": 1,
    "os.symlink": 2,  # the first one is the text of the link
    "os.truncate": 1,
    "os.utime": 1,
    "shutil.rmtree": 1,
}
"""Audit events that change files, and how many of their first arguments are paths (Python's audit event table)."""
SENDS: Final = frozenset({"socket.send", "socket.sendall"})
"""Calls of a socket that fail where the other side has gone."""
CHILDREN: Final = frozenset(
    {"subprocess.Popen", "os.posix_spawn", "os.spawn", "os.exec", "os.fork", "os.forkpty", "os.system", "pty.spawn"}
)
LIBRARIES: Final = frozenset({"sqlite3.connect", "dbm.open", "ctypes.dlopen"})
SOCKETS: Final = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.bind"})

IN_MEMORY: Final = "/dev/shm/"  # noqa: S108  # nothing is made there
"""The one folder of /dev that holds files as any other."""
IMPORTING: Final = ("<frozen importlib", "<frozen zipimport")
"""What the files of code that imports are called; os and os.path are frozen too, and do what a plugin asks them."""


class Call(NamedTuple):
    """One call of a C function that does I/O, on the watched thread.

    Attributes:
        number: from 1.
        name: e.g. "open", "fsync", "TextIOWrapper.write".
        writable: the descriptor of the file or socket that it is a method of, if that is open for writing; else -1.
        place: where the author's code asks for it, e.g. "dtm_localfile/localfile.py:131"; empty where that isn't seen.
    """

    number: int
    name: str
    writable: int = -1
    place: str = ""

    def __str__(self) -> str:
        return f"{self.name} in {self.place}" if self.place else self.name


class Seen(Struct):
    """What was seen while something ran.

    Attributes:
        calls: of C functions that do I/O, in order.
        writes: paths opened for writing, made, changed or removed.
        reads: paths opened for reading.
        children: how child processes were started: the arguments as text.
        names: every path and address that was used.
        libraries: events of C libraries that do I/O by themselves.
        sockets: connections that were made.
    """

    calls: list[Call] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)
    children: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    libraries: list[str] = field(default_factory=list)
    sockets: list[str] = field(default_factory=list)

    def add(self, inner: "Seen") -> None:
        """Take in what was seen inside of this."""
        self.calls += inner.calls
        self.writes += inner.writes
        self.reads += inner.reads
        self.children += inner.children
        self.names += inner.names
        self.libraries += inner.libraries
        self.sockets += inner.sockets

    @property
    def any_io(self) -> list[str]:
        """All of it, as lines; empty where nothing was done."""
        return [
            *(f"writes {path}" for path in self.writes),
            *(f"reads {path}" for path in self.reads),
            *(f"starts {command}" for command in self.children),
            *(f"connects to {address}" for address in self.sockets),
            *(f"uses {event}" for event in self.libraries),
            *(f"calls {call.name}" for call in self.calls),
        ]


class OutsideError(PermissionError):
    """The plugin was about to write outside of its world: it is kept from that."""


Act = Callable[[Call], None]
"""What to do at a call before it happens; what it raises is raised to the plugin in place of the call."""


class Watch:
    """The eyes of one process; `Watch.here()` gives them."""

    _here: "Watch | None" = None

    def __init__(self) -> None:
        self.allowed: tuple[str, ...] = ()
        self.guarded = False
        self.outside: list[str] = []
        self._seen: Seen | None = None
        self._others: frozenset[int] = frozenset()
        sys.addaudithook(self._audit)

    @classmethod
    def here(cls) -> "Watch":
        """The one of this process."""
        if cls._here is None:
            cls._here = Watch()
        return cls._here

    @contextmanager
    def guarding(self, *folders: Path) -> Iterator[None]:
        """Inside, what would be written outside of these folders is refused, and kept in `outside`."""
        before = self.allowed, self.guarded
        self.allowed, self.guarded = tuple(os.path.realpath(folder) for folder in folders), True
        try:
            yield
        finally:
            self.allowed, self.guarded = before

    @contextmanager
    def unguarded(self) -> Iterator[None]:
        """Inside, the suite itself is at work: it may write, and what it does isn't taken for the plugin's."""
        before = self.guarded, self._seen
        self.guarded, self._seen = False, None
        try:
            yield
        finally:
            self.guarded, self._seen = before

    @contextmanager
    def watching(self, act: Act | None = None) -> Iterator[Seen]:
        """Inside, what this thread and those it starts do is seen; `act` is called before each call of its own."""
        seen = Seen()
        outer, others = self._seen, self._others
        self._others = frozenset(thread.ident for thread in threading.enumerate() if thread.ident) - {
            threading.get_ident()
        }
        before, self._seen = sys.getprofile(), seen
        sys.setprofile(_profiler(seen, act))
        try:
            yield seen
        finally:
            sys.setprofile(before)
            self._seen, self._others = outer, others
            if outer:
                outer.add(seen)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        """The hook. It must be quick and never raise by mistake: every audited call of the process comes here."""
        seen = self._seen
        if (seen is None and not self.guarded) or event not in _HEARD:
            return
        if threading.get_ident() in self._others or _importing():
            return
        writes, reads = _paths(event, arguments)
        if self.guarded:
            self._guard(event, writes)
        if seen is None:
            return
        seen.writes += writes
        seen.reads += reads
        seen.names += [*writes, *reads, *([_text(arguments[0])] if event == "os.symlink" else [])]
        if event in CHILDREN:
            seen.children.append(_started(event, arguments))
        elif event in SOCKETS:
            seen.sockets.append(repr(arguments[1:]))
            seen.names.append(repr(arguments[1:]))
        elif event in LIBRARIES:
            seen.libraries.append(f"{event} {_text(arguments[0]) if arguments else ''}")

    def _guard(self, event: str, writes: list[str]) -> None:
        for path in writes:
            opened = event == "open" and os.path.isdir(path)  # noqa: PTH112  # tempfile names its folder there
            real = os.path.realpath(path if opened else os.path.dirname(path) or ".")  # noqa: PTH120  # quick
            if not (real + os.sep).startswith(tuple(folder + os.sep for folder in self.allowed)):
                self.outside.append(path)
                raise OutsideError(1, f"the conformance suite lets a plugin write in its world only ({event})", path)


_HEARD: Final = frozenset({"open", "os.listdir", "os.scandir", *CHANGES, *CHILDREN, *SOCKETS, *LIBRARIES})
"""What the hook looks at; each `id()`, as deepcopy calls it, is an event too."""


def _importing() -> bool:
    """Whether an import is going on in this thread."""
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001  # the only way to see who calls
    while frame:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def _text(value: object) -> str:
    return os.fsdecode(value) if isinstance(value, bytes) else str(value)


def _paths(event: str, arguments: tuple[Any, ...]) -> tuple[list[str], list[str]]:
    """The paths that an event writes, and those that it reads; descriptors and devices aside."""
    if event == "open":
        path, _, flags = arguments[:3]
        if isinstance(path, int) or path is None:
            return [], []
        text = _text(path)
        if text.startswith("/dev/") and not text.startswith(IN_MEMORY):
            return [], []
        return ([text], []) if flags is not None and flags & WRITES else ([], [text])
    changed = arguments[event == "os.symlink" : CHANGES.get(event, 0)]
    return [_text(each) for each in changed if isinstance(each, str | bytes | os.PathLike)], (
        [_text(arguments[0])] if event in {"os.listdir", "os.scandir"} and isinstance(arguments[0], str | bytes) else []
    )


def _started(event: str, arguments: tuple[Any, ...]) -> str:
    if event == "subprocess.Popen":
        program, words = arguments[0], arguments[1]
        return " ".join(map(_text, words)) if isinstance(words, list | tuple) else _text(words or program)
    flat = [word for each in arguments for word in (each if isinstance(each, list | tuple) else [each])]
    return " ".join([event, *(_text(word) for word in flat if isinstance(word, str | bytes))])


def _writable(owner: Any) -> int:
    try:
        return owner.fileno() if isinstance(owner, _socket.socket) or owner.writable() else -1
    except (AttributeError, OSError, ValueError):  # no file, or one that is closed
        return -1


def _profiler(seen: Seen, act: Act | None) -> Callable[[FrameType, str, Any], None]:
    def profile(frame: FrameType, event: str, called: Any) -> None:
        if event != "c_call":
            return
        owner = getattr(called, "__self__", None)
        module = getattr(called, "__module__", None) or type(owner).__module__
        if module not in MODULES or called.__name__ in QUIET or frame.f_code.co_filename.startswith(IMPORTING):
            return
        bound = owner is not None and type(owner).__name__ != "module"
        name = f"{type(owner).__name__}.{called.__name__}" if bound else called.__name__
        writable = _writable(owner) if bound and (module in FILES or name in SENDS) else -1
        call = Call(len(seen.calls) + 1, name, writable, _place(frame))
        seen.calls.append(call)
        del called, owner  # what `act` raises keeps this frame, which must keep nothing open: a cursor holds its lock
        if act:
            act(call)

    return profile


def _place(frame: FrameType | None) -> str:
    """Where an author's code asks for what a frame does; what calls the plugin isn't it."""
    while frame and not frame.f_code.co_filename.startswith(_OURS):
        if is_authors(frame.f_code.co_filename):
            return f"{_short(frame.f_code.co_filename)}:{frame.f_lineno}"
        frame = frame.f_back
    return ""


@cache
def _short(filename: str) -> str:
    return "/".join(Path(filename).parts[-2:])


@cache
def is_authors(filename: str) -> bool:
    """Whether code is a plugin's: neither Python's nor ours, nor of a library that is installed."""
    return not filename.startswith(("<", _PYTHONS, _OURS)) and "site-packages" not in filename


_OURS: Final = str(Path(dtm_sdk.__file__).parent)
_PYTHONS: Final = sysconfig.get_path("stdlib")
