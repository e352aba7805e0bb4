"""Rule F1 with faults that come from outside of Python: calls that strace lets fail, and a disk that is truly full.

What is judged, and how, is the suite's own; only the faults are others. A process of its own does this, in an empty
folder: `python -m tests.testing.outside HOW NAME`, where the name is `localfile`, or the id of a wrong plugin of the
zoo. It prints, as JSON, which faults have fired; what breaks the rule ends it.
"""

import ctypes
import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from dtm_sdk.plugin import OPERATIONS
from dtm_sdk.testing.blows import blows
from dtm_sdk.testing.checks import faults
from dtm_sdk.testing.checks.faults import Fault, Scene
from dtm_sdk.testing.neighbours import neighbours
from dtm_sdk.testing.subject import Raw, Subject
from dtm_sdk.testing.verdicts import Violation
from tests.testing.subjects import subject_of
from tests.zoo.zoo import wrong

PAGE = os.sysconf("SC_PAGE_SIZE")
LONG = "x" * (3 * PAGE - 100)
"""A text that takes three pages of a disk."""
PAGES = 4
"""So many free pages are enough for it, with all that is around it."""
NAMES = ("a.note", ".a.note.tmp", "foo.txt", ".foo.txt.dtm-tmp", ".")
"""What the plugins that are tried make, and the folder in which they do."""
PTRACER = 0x59616D61
"""PR_SET_PTRACER of <linux/prctl.h>: lets a child attach to its parent, where not every process may."""
Found = dict[str, list[str]]
"""Operation -> the faults that have fired."""


def scenes(first: Raw, second: Raw) -> list[Scene]:
    """Each operation, where it can succeed."""
    befores = (None, first, first, first)
    raws = (first, first, second, first)
    return [Scene(*each) for each in zip(OPERATIONS, raws, befores, strict=True)]


def held(subject: Subject, scene: Scene, every: list[Fault]) -> list[str]:
    """The names of those faults that have fired; what the operation made of each of them is judged as F1 does."""
    beside = neighbours(subject, scene.raw)
    clean = faults._clean(subject, scene, blows, beside)  # noqa: SLF001  # the judgement is to be the suite's own
    return [fault.name for fault in every if faults._met(subject, scene, clean, fault, beside)]  # noqa: SLF001  # likewise


# strace


@contextmanager
def traced(log: Path, folder: Path, *what: str) -> Iterator[None]:
    """Inside, strace is attached to this process, for what it does to the files in a folder and to that itself."""
    paths = [part for name in NAMES for place in (name, folder / name) for part in ("-P", str(place))]
    ctypes.CDLL(None).prctl(PTRACER, ctypes.c_ulong(-1), 0, 0, 0)
    command = ["strace", "-f", "-o", str(log), "-p", str(os.getpid()), *paths, *what]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr
        said = ""
        while f"Process {os.getpid()} attached" not in said:
            said = child.stderr.readline()
            assert said, "strace has not attached"
        try:
            yield
        finally:
            child.send_signal(signal.SIGINT)
            child.stderr.read()


def calls(subject: Subject, scene: Scene, folder: Path, log: Path) -> Counter[str]:
    """The calls to the system that an operation makes for the files of its world, by name; closing can't fail."""
    state = scene.set(neighbours(subject, scene.raw))
    with traced(log, folder, "-e", "trace=%file,%desc"):
        subject.must(scene.operation, scene.raw, state)
    names = Counter(re.findall(r"^(?:\d+ +)?(\w+)\(", log.read_text(), re.MULTILINE))
    del names["close"]
    return names


def injected(call: str, number: int, folder: Path, log: Path) -> Fault:
    """One call to the system fails; that it has is seen in the log."""

    @contextmanager
    def strike() -> Iterator[Callable[[], bool]]:
        with traced(log, folder, "-e", f"trace={call}", "-e", f"inject={call}:error=ENOSPC:when={number}"):
            yield lambda: True
        assert log.read_text().count("(INJECTED)") == 1, log.read_text()

    return Fault(f"{call} {number}", strike)


def under_strace(subject: Subject, folder: Path, log: Path, first: Raw, second: Raw) -> Found:
    """Each call to the system that an operation makes for its files fails."""
    found: Found = {}
    for scene in scenes(first, second):
        counts = calls(subject, scene, folder, log)
        every = [injected(call, nth + 1, folder, log) for call, count in counts.items() for nth in range(count)]
        found[scene.operation] = held(subject, scene, every)
        assert found[scene.operation] == [fault.name for fault in every]
    return found


# A full disk


def full(filler: Path, pages: int) -> Fault:
    """A disk on which only some pages are free."""

    @contextmanager
    def strike() -> Iterator[None]:
        with filler.open("wb", buffering=0) as file:
            file.write(b"x" * PAGE * (os.statvfs(filler.parent).f_bfree - pages))
        try:
            yield
        finally:
            filler.unlink()

    return Fault(f"{pages} pages free", strike)


def on_a_full_disk(subject: Subject, folder: Path, log: Path, first: Raw, second: Raw) -> Found:
    """The disk of the world is full, but for some pages."""
    key = "content" if "content" in first else "text"
    long = ({**first, key: f"{LONG}1"}, {**second, key: f"{LONG}2"})
    every = [full(folder.parent / "filler", pages) for pages in range(PAGES + 1)]
    return {scene.operation: held(subject, scene, every) for scene in scenes(*long)}


HOW: dict[str, Callable[[Subject, Path, Path, Raw, Raw], Found]] = {"strace": under_strace, "full": on_a_full_disk}


def main(how: str, name: str) -> None:
    """Hold a plugin against the faults of one kind."""
    plugin = next((each.plugin for each in wrong() if each.id == name), None) or import_module(f"dtm_{name}").plugin
    here = Path.cwd()
    with subject_of(plugin, here / "scene") as subject:
        try:
            told = HOW[how](subject, here / "scene" / "world", here / "trace.log", *subject.pairs[0])
        except Violation as error:
            sys.exit("\n".join([error.message, *subject.steps, *error.difference]))
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
