"""Runs `dtm` and kills it at one of its system calls: before it, in the middle of it, or after it.

This is a debugger (ptrace(2)), so the code that is killed takes no part in it and can't know. It counts the calls of
all threads together. `python -m tests.killer` imports the command once, and runs it in forks of itself: each line of
its standard input is a `Run`, each line of its standard output is how that `Ended`, as JSON.
"""

import ctypes
import os
import platform
import select
import signal
import struct
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Literal

import msgspec

from tests.warm import command, import_what_it_needs

Moment = Literal["before", "middle", "after"]

WRITING: Final = {1: "write", 18: "pwrite64", 20: "writev", 44: "sendto", 46: "sendmsg"}
"""Number -> name of the calls that may stop half-way, of x86_64 (arch/x86/entry/syscalls/syscall_64.tbl of Linux)."""
CHANGING: Final = {
    **WRITING,
    42: "connect",
    73: "flock",
    74: "fsync",
    75: "fdatasync",
    77: "ftruncate",
    82: "rename",
    83: "mkdir",
    87: "unlink",
    257: "openat",
    258: "mkdirat",
    263: "unlinkat",
    264: "renameat",
    316: "renameat2",
}
"""The same of the calls that change what outlives the process."""


class Run(msgspec.Struct, kw_only=True):
    """One run of the command.

    Attributes:
        folder: its working directory.
        arguments: of `dtm`.
        call: which call to kill it at, from 1; 0 for none.
        counted: which calls count: each, those of `CHANGING`, or those of `WRITING`.
        moment: when to kill it; in the middle of a call of `WRITING`, half of its bytes have gone out.
        seconds: after which to kill it instead, wherever it is.
        broken: code to run first, that breaks the package in this run.
        anew: whether to start a new interpreter, as a user does, and not only fork.
    """

    folder: str
    arguments: list[str]
    call: int = 0
    counted: Literal["each", "changing", "writing"] = "each"
    moment: Moment = "before"
    seconds: float | None = None
    broken: str = ""
    anew: bool = False


class Ended(msgspec.Struct):
    """How a run ended.

    Attributes:
        code: its exit code; -9 where it was killed.
        calls: how many calls were counted.
        said: what it printed.
    """

    code: int
    calls: int
    said: str


def can_kill() -> bool:
    """Whether this works here: it knows the registers of one machine, and one kernel."""
    return sys.platform == "linux" and platform.machine() == "x86_64"


_TRACEME, _GETREGS, _SETREGS, _SYSCALL, _SETOPTIONS, _SYSCALL_INFO = 0, 12, 13, 24, 0x4200, 0x420E
_OPTIONS = 0x1 | 0x2 | 0x4 | 0x8 | 0x10 | 0x100000
"""TRACESYSGOOD, all that starts a thread or a process, and EXITKILL."""
_ALL = 0x40000000
"""__WALL of waitpid(2): threads too."""
_RDX = 12
"""Which register of user_regs_struct (sys/user.h) holds the third argument: how many bytes to write."""

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
_libc.ptrace.restype = ctypes.c_long


def _ptrace(request: int, tid: int, address: int = 0, data: object = 0) -> None:
    pointer = ctypes.addressof(data) if isinstance(data, ctypes.Array) else data
    if _libc.ptrace(request, tid, address, pointer) == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


class _Tracer:
    """Follows one process to its end."""

    def __init__(self, pid: int, run: Run) -> None:
        self._pid = pid
        self._run = run
        self._info = ctypes.create_string_buffer(88)
        self._chosen = 0
        self._counted = {"each": None, "changing": CHANGING, "writing": WRITING}[run.counted]
        self.calls = 0

    def follow(self) -> int:
        """Returns the status of waitpid(2)."""
        _, status = os.waitpid(self._pid, _ALL)
        _ptrace(_SETOPTIONS, self._pid, data=_OPTIONS)
        self._go_on(self._pid, 0)
        while True:
            tid, status = os.waitpid(-1, _ALL)
            if not os.WIFSTOPPED(status):
                if tid == self._pid:
                    return status
                continue
            stopped = os.WSTOPSIG(status)
            if stopped == signal.SIGTRAP | 0x80:
                with suppress(ProcessLookupError):
                    self._look(tid)
            ours = stopped & 0x7F == signal.SIGTRAP or stopped == signal.SIGSTOP
            self._go_on(tid, 0 if ours else stopped)

    def _look(self, tid: int) -> None:
        """A thread begins a call, or ends one."""
        _ptrace(_SYSCALL_INFO, tid, len(self._info), self._info)
        kind, number = self._info.raw[0], struct.unpack_from("Q", self._info.raw, 24)[0]
        if kind == 2 and tid == self._chosen:
            os.kill(self._pid, signal.SIGKILL)
        if kind != 1 or (self._counted is not None and number not in self._counted):
            return
        self.calls += 1
        if self.calls != self._run.call:
            return
        if self._run.moment == "before":
            os.kill(self._pid, signal.SIGKILL)
        if self._run.moment == "middle":
            registers = (ctypes.c_ulonglong * 27)()
            _ptrace(_GETREGS, tid, data=registers)
            registers[_RDX] //= 2
            _ptrace(_SETREGS, tid, data=registers)
        self._chosen = tid

    @staticmethod
    def _go_on(tid: int, number: int) -> None:
        with suppress(ProcessLookupError):  # it was killed
            _ptrace(_SYSCALL, tid, data=number)


def _in_child(run: Run, output: Path, *, traced: bool) -> None:
    """Become the command; never returns."""
    os.chdir(run.folder)
    for fd, path, flags in ((0, "/dev/null", os.O_RDONLY), (1, str(output), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)):
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, fd)
        os.close(opened)
    os.dup2(1, 2)
    if run.anew:
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    if traced:
        _ptrace(_TRACEME, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
    if run.anew:
        os.execv(sys.executable, [sys.executable, "-m", "dtm_sdk", *run.arguments])  # noqa: S606  # no shell is wanted
    exec(run.broken, {})  # noqa: S102  # the test's own
    os._exit(command(run.arguments))


def ended(run: Run, output: Path) -> Ended:
    """Do one run; what it prints goes to a file."""
    traced = run.call > 0
    pid = os.fork()
    if not pid:
        try:
            _in_child(run, output, traced=traced)
        except BaseException:  # noqa: BLE001  # it must not go on as its parent
            traceback.print_exc()
            os._exit(70)
    tracer = _Tracer(pid, run)
    if traced:
        status = tracer.follow()
    else:
        if run.seconds is not None and sys.platform == "linux":
            ends = os.pidfd_open(pid)
            if not select.select([ends], [], [], run.seconds)[0]:
                os.kill(pid, signal.SIGKILL)
            os.close(ends)
        _, status = os.waitpid(pid, 0)
    said = output.read_text(encoding="utf-8", errors="replace")  # it may have been killed in the middle of a character
    return Ended(os.waitstatus_to_exitcode(status), tracer.calls, said)


def main() -> None:
    """Serve."""
    with TemporaryDirectory() as folder:
        Path(folder, "config.yaml").write_text("tools: [{name: a, plugin: ticket, options: {name: a}}]\n")
        import_what_it_needs([*sys.argv[1:], "plan"], folder)
        # All that is installed is looked through for plugins, before anything begins: that is half of all calls.
        sys.path[:] = [path for path in sys.path if not path.endswith("site-packages")]
        answers = os.fdopen(os.dup(1), "w", buffering=1)
        for line in sys.stdin:
            found = ended(msgspec.json.decode(line, type=Run), Path(folder, "output"))
            answers.write(msgspec.json.encode(found).decode() + "\n")


if __name__ == "__main__":
    main()
