"""Environment: the rule E1."""

from collections.abc import Iterator
from typing import Any

from dtm_sdk.testing.fake_files import fake_files
from dtm_sdk.testing.rules import check
from dtm_sdk.testing.subject import Raw, Subject
from dtm_sdk.testing.verdicts import skip, unsupported
from dtm_sdk.testing.watch import Seen, Watch
from dtm_sdk.testing.worlds.files import FileWorld
from dtm_sdk.testing.worlds.world import Tree

Step = tuple[str, Any, Tree]
"""What was done, what it returned, and the world then."""


@check("E1", rests_on=("C2", "C5", "U1", "D1", "D2", "R3"))
def test_e1_fake_directory(subject: Subject) -> None:
    """A filesystem plugin behaves the same on a real directory and on a fake one (pyfakefs).

    One that starts children or does I/O in C libraries: unsupported, which is probed.

    Why: the author's tests, and those of whoever uses the plugin as a library, run on a fake directory: fast, and
    without a trace. A plugin that isn't what it is there leans on something that isn't a directory: a mount table,
    inode numbers, a descriptor that the kernel must know, a function that was put aside at import.

    Wrong:
        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return {"content": data[:].decode()}

    Mend: work on files with `open`, `os`, `pathlib`, `shutil` and `tempfile`, looked up when they are called.
    """
    world = subject.world
    with Watch.here().watching() as seen:
        real = _lived(subject)
    if not isinstance(world, FileWorld):
        _hold_seen(seen)
        if any(path for path in seen.writes):
            skip(f"its world is no directory that is known here, and it writes files: {seen.writes[0]}")
        unsupported(f"its world is no directory ({world.name}), and it writes no file")
    _unfit(subject, seen, real)
    try:
        import pyfakefs  # noqa: F401  # it is there with the extra `testing`
    except ImportError:
        skip("pyfakefs is not installed: pip install 'dtm-sdk[testing]'")
    subject.fresh()
    with fake_files(world.folder):
        world.plant()
        if subject.changes(subject.empty, subject.snapshot()):
            skip("the world can't be made on a fake directory")
        faked = _lived(subject, fresh=False)
    for (what, wanted, before), (_, found, after) in zip(real, faked, strict=True):
        subject.same_states(wanted, found, f"{what} returns another thing on a fake directory than on a real one")
        subject.same_world(before, after, f"after {what} a fake directory is not as a real one")


def _lived(subject: Subject, *, fresh: bool = True) -> list[Step]:
    """The life of the resource of each update pair, or of an example."""
    pairs = subject.pairs or [(subject.an_example(),) * 2]
    return [step for first, second in pairs for step in _life(subject, first, second, fresh=fresh)]


def _life(subject: Subject, first: Raw, second: Raw, *, fresh: bool) -> Iterator[Step]:
    if fresh:
        subject.fresh()
    yield "read", subject.read(first), subject.snapshot()
    made = subject.create(first)
    yield "create", made, subject.snapshot()
    yield "read", subject.read(first, made), subject.snapshot()
    changed = subject.update(second, made)
    yield "update", changed, subject.snapshot()
    yield "read", subject.read(second, changed), subject.snapshot()
    yield "delete", subject.delete(second, changed), subject.snapshot()
    yield "read", subject.read(second), subject.snapshot()


def _hold_seen(seen: Seen) -> None:
    if seen.children:
        unsupported(f"it starts children: {seen.children[0]}")
    if seen.libraries:
        unsupported(f"it does I/O in C libraries: {seen.libraries[0]}")


def _unfit(subject: Subject, seen: Seen, real: list[Step]) -> None:
    """Look whether a plugin does what Python doesn't see.

    Raises:
        Unsupported: it does.
    """
    _hold_seen(seen)
    if not seen.writes and any(subject.changes(subject.empty, tree) for _, _, tree in real):
        unsupported("it changes files, and Python sees none opened: it does I/O in C libraries")
