"""A disk that fails while the real command runs: it stops, tells what it could not record, and the next run goes on.

A resource is a link in a folder, whose name is random and whose target is its text: each Create makes another one, so
what is lost or made twice is seen there. Making one takes a single system call, none of which the state's files need.
"""

import json
import os
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dtm_sdk.backends.local import LocalBackend
from tests.children import can_mount, environment

THOROUGH = "DTM_THOROUGH" in os.environ
"""Whether every call fails in every way, and the disk is full at every page: `DTM_THOROUGH=1 pytest` of this file."""
STRACE = pytest.mark.skipif(shutil.which("strace") is None, reason="strace isn't installed")
MOUNT = pytest.mark.skipif(not can_mount() or not shutil.which("nsenter"), reason="no file system can be mounted here")

LINKS = '''
"""Links in a folder, each under a name of its own; what it is found by is the end of that."""

import os

from dtm_sdk import Identity, Options, Plugin, State


class LinkOptions(Options):
    name: Identity[str]
    text: str


def find(name: str) -> str | None:
    return next((each for each in sorted(os.listdir("links")) if each.endswith(f".{name}")), None)


def state(found: str, options: LinkOptions) -> State:
    return {"name": options.name, "text": os.readlink(f"links/{found}"), "outputs": {"id": found}}


def create(options: LinkOptions) -> State:
    made = f"{os.urandom(8).hex()}.{options.name}"
    os.symlink(options.text, f"links/{made}")
    return state(made, options)


def read(options: LinkOptions) -> State | None:
    found = find(options.name)
    return state(found, options) if found else None


def update(options: LinkOptions) -> State:
    found = find(options.name)
    if found is None:
        return create(options)
    os.unlink(f"links/{found}")
    os.symlink(options.text, f"links/{found}")
    return state(found, options)


def delete(options: LinkOptions) -> bool:
    found = find(options.name)
    if found:
        os.unlink(f"links/{found}")
    return True


plugin = Plugin(
    name="link", options=LinkOptions, recovery="lookup", create=create, read=read, update=update, delete=delete
)
'''

PAGE = os.sysconf("SC_PAGE_SIZE")
LONG = "x" * 1500
"""So that a few records fill a page of a file system."""
BEFORE = {"a": "one", "b": "one", "c": "one"}
AFTER = {"b": "one", "a": "two", "d": "one", "e": "one", "f": "one"}
"""a is updated, then d, e and f are made, each after the one before; c is deleted beside that."""


def configure(folder: Path, tools: dict[str, str]) -> None:
    """Write the config; the state is in a folder of its own, which may be on another disk."""
    entries = [
        {
            "name": name,
            "plugin": "link",
            "options": {"name": name, "text": f"{text}{LONG}"},
            "dependsOn": [f"{other}.link" for other in list(tools)[:number][-1:] if name > "c"],
        }
        for number, (name, text) in enumerate(tools.items())
    ]
    state = {"backend": "local", "options": {"stateFile": "disk/devstream.state"}}
    (folder / "config.yaml").write_text(json.dumps({"tools": entries, "config": {"state": state}}))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where all is applied, and something else is wanted now."""
    folder = tmp_path_factory.mktemp("template")
    info = folder / ".devstream" / "dtm_link-1.dist-info"
    info.mkdir(parents=True)
    (folder / ".devstream" / "dtm_link.py").write_text(LINKS)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: dtm-link\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[dtm.plugins]\nlink = dtm_link:plugin\n")
    for name in ("links", "disk", "temporary"):
        (folder / name).mkdir()
    configure(folder, BEFORE)
    assert apply(folder).returncode == 0
    configure(folder, AFTER)
    return folder


def apply(folder: Path, *before: str, limited: Callable[[], None] | None = None) -> subprocess.CompletedProcess[str]:
    """Run an apply, if need be by another command."""
    return subprocess.run(
        [*before, sys.executable, "-m", "dtm_sdk", "-y", "apply", "--parallelism", "2"],
        cwd=folder,
        env={**environment(), "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(folder / "temporary")},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        preexec_fn=limited,
    )


def links(folder: Path) -> dict[str, str]:
    """The ends of the names of the links -> the names; the same end twice is a resource that was made twice."""
    found = [path.name for path in (folder / "links").iterdir()]
    names = {name.partition(".")[2]: name for name in found}
    assert len(names) == len(found), f"made twice: {found}"
    return names


def texts(folder: Path) -> dict[str, str]:
    """What the links hold."""
    return {name: str((folder / "links" / link).readlink()).removesuffix(LONG) for name, link in links(folder).items()}


def see_what_is_known(
    folder: Path, state: Path, done: subprocess.CompletedProcess[str], room: int | None = None
) -> bool:
    """See that a run that met trouble told it in a line, and that nobody lost track of anything.

    Whether something was done that could not be recorded.

    Args:
        folder: where it ran.
        state: the state file.
        done: the run.
        room: how many bytes a file may have; None for any number.
    """
    said = done.stdout
    assert done.returncode == 1, said
    assert "Traceback" not in said + done.stderr
    last = said.splitlines()[-1]
    assert re.search(r"\[ERROR\]  Apply failed => .*; .*(run again|name another place with stateFile)$", last), last
    loaded = LocalBackend(str(state)).load()
    records = loaded.state.records
    begun = {intent.record.name for intent in loaded.open}
    told = dict(re.findall(r"not recorded: (\w)\.link: (.*)", said))
    for name, link in links(folder).items():
        record = records.get(f"{name}.link")
        if record is None or record.resource["outputs"]["id"] != link:
            assert name in begun, f"nobody knows of {link}"
            assert link in told[name]
    for name in re.findall(r"Plugin (\w)\(link\) \w+ done", said):
        assert records[f"{name}.link"].resource["outputs"]["id"] == links(folder)[name]
    lines = [
        f'{{"key":"{name}.link","record":{"null" if record == "deleted" else record}}}' for name, record in told.items()
    ]
    saved = [*folder.glob("**/dtm-not-recorded-*")]
    if not lines or (room is not None and room < sum(len(line) + 1 for line in lines)):
        assert saved == []
        assert "what was not recorded is in" not in said
    else:
        assert len(saved) == 1
        assert re.search(f"what was not recorded is in .*{saved[0].name}\n", said)
        assert oct(saved[0].stat().st_mode & 0o777) == "0o600"
        assert saved[0].read_text("utf-8").splitlines() == lines
    return bool(lines)


def see_it_goes_on(run: Callable[[], subprocess.CompletedProcess[str]], folder: Path) -> None:
    """See that the next run brings all to what the config says, and that nothing is left to do then."""
    done = run()
    assert done.returncode == 0, done.stdout
    assert texts(folder) == AFTER
    assert "There is nothing to do." in run().stdout


def copy_of(template: Path, folder: Path) -> Path:
    """A copy, which is easier to have than to apply again."""
    shutil.copytree(template, folder, symlinks=True)
    return folder


# Calls that fail

CALLS = {
    "fdatasync": ("EIO", "ENOSPC", "EDQUOT"),
    "fsync": ("EIO", "EDQUOT", "ENOSPC", "EROFS"),
    "renameat": ("EROFS", "EIO", "ENOSPC"),
    "write": ("ENOSPC", "EIO", "EDQUOT"),
}
"""What fails, and how. Nobody but dtm syncs or renames here; others write, so of those that to these files fails."""
NAMES = ("journal", "journal.tmp", ".devstream.state.tmp")
SAMPLE = (("fdatasync", "EIO", 2), ("fsync", "EDQUOT", 4), ("renameat", "EROFS", 2), ("write", "ENOSPC", 3))


def injected(call: str, error: str, number: int, folder: Path) -> list[str]:
    """A command under which one call on the state's files fails."""
    disk = folder / "disk"
    paths = [place / name for place in (disk, disk / ".devstream.state.d") for name in NAMES]
    only = [part for path in paths for part in ("-P", str(path))] if call == "write" else []
    trace = ["strace", "-f", "-y", "-qqq", "-o", str(folder / "trace"), *only, "-e", f"trace={call},symlink,unlink"]
    return [*trace, "-e", f"inject={call}:error={error}:when={number}"]


def see_that_it_stopped(trace: str, call: str) -> None:
    """See that nothing was begun after the failure, and that what failed was not tried again."""
    before, _, after = trace.partition("(INJECTED)")
    failed = before.splitlines()[-1]
    target = re.search(r"<(.*?)>", failed)
    if call in ("fsync", "fdatasync"):
        assert target
        assert target[0] not in after, failed
    begun = re.findall(r"\d (?:symlink|unlink)\(.*links/", after)
    # The update of `a` runs beside the deletion of `c`, and nothing else beside anything; an update is two calls.
    assert len(begun) <= 2, begun


def fails(template: Path, folder: Path, call: str, error: str, number: int) -> bool:
    """Let a call fail, see what comes of it; whether it came at all."""
    shutil.copytree(template, folder, symlinks=True)
    done = apply(folder, *injected(call, error, number, folder))
    trace = (folder / "trace").read_text("utf-8")
    if "(INJECTED)" not in trace:
        assert done.returncode == 0
        return False
    (folder / "trace").unlink()
    if done.returncode or call != "renameat":  # else it was a copy that could not be made
        see_what_is_known(folder, folder / "disk" / "devstream.state", done)
        see_that_it_stopped(trace, call)
    see_it_goes_on(lambda: apply(folder), folder)
    return True


@STRACE
@pytest.mark.parametrize(("call", "error", "number"), SAMPLE)
def test_a_call_that_fails_stops_the_run_and_loses_nothing(
    template: Path, tmp_path: Path, call: str, error: str, number: int
) -> None:
    assert fails(template, tmp_path / "copy", call, error, number)


@STRACE
@pytest.mark.skipif(not THOROUGH, reason="some of it is tried above; all by DTM_THOROUGH=1")
@pytest.mark.parametrize("call", CALLS)
def test_each_call_that_fails_stops_the_run_and_loses_nothing(template: Path, tmp_path: Path, call: str) -> None:
    tried = 0
    for error in CALLS[call]:
        number = 1
        while fails(template, tmp_path / f"{error}-{number}", call, error, number):
            shutil.rmtree(tmp_path / f"{error}-{number}")
            number += 1
        tried += number - 1
    assert tried >= 3 * len(CALLS[call])


# A disk that is full


@contextmanager
def small_disk(folder: Path, pages: int) -> Iterator[tuple[list[str], Path]]:
    """A file system of so many pages as the folder `disk`: what runs a command where it is, and its path here."""
    mount = f"mount -t tmpfs -o size={pages * PAGE},mode=700 none disk && echo there && cat"
    command = ["unshare", "--mount", "sh", "-c", mount]
    with subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"there\n"
        disk = Path(f"/proc/{holder.pid}/root{folder}/disk")
        yield ["nsenter", "-t", str(holder.pid), "-m", f"--wd={folder}", "--"], disk
        assert holder.stdin is not None
        holder.stdin.close()


def fill(disk: Path, pages: int) -> None:
    """Leave so many pages free."""
    with (disk / "filler").open("wb", buffering=0) as filler:
        free = os.statvfs(disk).f_bfree
        assert free > pages
        filler.write(b"x" * PAGE * (free - pages))


def is_full(template: Path, folder: Path, pages: int) -> tuple[bool, bool]:
    """Let a disk be full but for some pages, see what comes of it; whether it was too small, and something was lost."""
    lost = False
    shutil.copytree(template, folder, symlinks=True)
    with small_disk(folder, 200) as (inside, disk):
        for path in (folder / "disk").iterdir():
            copy = shutil.copytree if path.is_dir() else shutil.copy2
            copy(path, disk / path.name)
        fill(disk, pages)
        done = apply(folder, *inside)
        if done.returncode:
            lost = see_what_is_known(folder, disk / "devstream.state", done)
        (disk / "filler").unlink()
        see_it_goes_on(lambda: apply(folder, *inside), folder)
    return done.returncode != 0, lost


PAGES = 24
"""So many are enough for the run."""
LOSING = 7
"""With so many, an outcome no longer fits."""
ENOUGH = 10_000
"""A limit on the size of files, in bytes, by which an outcome no longer fits, and the file of what is lost does."""


@MOUNT
@pytest.mark.parametrize("pages", range(PAGES + 1) if THOROUGH else (0, LOSING, 9, PAGES))
def test_a_full_disk_stops_the_run_and_loses_nothing(template: Path, tmp_path: Path, pages: int) -> None:
    full, lost = is_full(template, tmp_path / "copy", pages)
    assert full or pages > 5
    assert lost or pages != LOSING
    assert not full or pages < PAGES


@pytest.mark.parametrize("size", range(500, 14_000, 500) if THOROUGH else (1000, 5000, ENOUGH))
def test_a_limit_on_the_size_of_files_stops_the_run_and_loses_nothing(
    template: Path, tmp_path: Path, size: int
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(template, folder, symlinks=True)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    done = apply(folder, limited=limit)
    lost = see_what_is_known(folder, folder / "disk" / "devstream.state", done, room=size)
    assert lost or size < ENOUGH
    see_it_goes_on(lambda: apply(folder), folder)
