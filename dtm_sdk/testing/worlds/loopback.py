"""The way to a service that a world serves on this machine, past the proxies that its user goes out by."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

HERE: Final = ("127.0.0.1", "::1", "localhost")
"""Names of this machine, as clients compare them: each as it is written in a URL."""
NAMES: Final = ("no_proxy", "NO_PROXY")
"""The variables that say where no proxy is asked: curl and Python read either, some clients only the one of them."""


@contextmanager
def unproxied() -> Iterator[None]:
    """Inside, clients ask this machine without a proxy; what else the environment says of proxies holds.

    On macOS, urllib and what rests on it (requests, httpx) ask the system for proxies where the environment says
    nothing of them, which can end a process that was forked, as that of each check is (manual of urllib.request). So
    this holds for each check, whatever its world is.
    """
    before = {name: os.environ.get(name) for name in NAMES}
    said = next(filter(None, before.values()), "")
    os.environ.update({name: _with_here(value or said) for name, value in before.items()})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _with_here(said: str) -> str:
    if said.strip() == "*":  # nothing goes by a proxy; in a list it would mean no such thing
        return said
    return ",".join([*filter(None, [said]), *HERE])
