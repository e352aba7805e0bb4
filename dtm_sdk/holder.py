"""Who holds a state: what a lock says of its holder, whatever the lock is made of."""

import os
import time
from collections.abc import Mapping

from dtm_sdk.errors import LockedError


def this_process(command: str) -> dict[str, object]:
    """This process, with the fields of `backends.Holder`.

    Args:
        command: what it does, e.g. "apply".
    """
    from pwd import getpwuid

    try:
        user = getpwuid(os.geteuid()).pw_name
    except KeyError:
        user = str(os.geteuid())
    return {
        "pid": os.getpid(),
        "host": os.uname().nodename,
        "user": user,
        "command": command,
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "id": os.urandom(8).hex(),
    }


def locked_by(holder: Mapping[str, object], what: str, hint: str = "wait until it has ended, or end it") -> LockedError:
    """The error of one who comes second.

    Args:
        holder: what the lock says; it may be damaged, or empty.
        what: what the lock is for.
        hint: what to do.
    """
    try:
        who = "`dtm {command}`, process {pid} on {host}, started by {user} at {started}".format(**holder)
    except KeyError:
        holder, who = {}, "another run"
    return LockedError(f"{what} is held by {who}", hint, dict(holder))
