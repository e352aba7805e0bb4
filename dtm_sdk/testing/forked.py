"""Work in a process of its own, as each command of `dtm` is: what a plugin keeps in memory does not outlive it.

`isolate` guards against a plugin that hangs or dies, for each check once; this is the light form inside of a check.
"""

import os
import pickle
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn, TypeVar

from dtm_sdk.testing.children import fork

T = TypeVar("T")


def forked(work: Callable[[], T]) -> T:
    """What some work returns, done in a child process, where threads of this one, such as a server, don't run.

    Raises:
        ChildDiedError: it ended before it was done.
        BaseException: what the work raised.
    """
    reader, writer = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = fork()
    if pid == 0:
        os.close(reader)
        _child(work, writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        data = file.read()
    status = os.waitpid(pid, 0)[1]
    try:
        good, value = pickle.loads(data)  # noqa: S301  # from our own child
    except (EOFError, pickle.UnpicklingError):
        raise ChildDiedError(os.waitstatus_to_exitcode(status)) from None
    if not good:
        raise value
    result: T = value
    return result


class ChildDiedError(Exception):
    """The process ended before its work was done.

    Attributes:
        code: its exit code; a negative signal number where it was killed.
    """

    def __init__(self, code: int) -> None:
        super().__init__(f"its process was ended by signal {-code}" if code < 0 else f"its process exited with {code}")
        self.code = code


def _child(work: Callable[[], object], writer: int) -> NoReturn:
    try:
        try:
            data = pickle.dumps((True, work()))
        except BaseException as error:  # noqa: BLE001  # it is raised again on the other side
            data = pickle.dumps((False, error))
        with os.fdopen(writer, "wb") as file:
            file.write(data)
    finally:
        with suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(0)
