"""A run that is killed at any of its system calls leaves a state that loads, and the next apply converges.

The plugin's Create is not idempotent: each call makes another ticket, so a lost one is an orphan and a second one a
duplicate, and both are seen by looking at the tickets, without the plugin's help. strace kills, so the code can't know.
strace counts the calls of each thread by itself, and kills at the number of whichever thread reaches it first.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CALLS = "write,fdatasync,fsync,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,ftruncate"
"""What changes a disk."""

TICKETS = '''
"""Tickets in a folder, each under a number of its own; a name is looked for inside them."""

import json
import os
from pathlib import Path
from typing import Annotated

from dtm_sdk import Identity, Meta, Options, Plugin, State

TICKETS = Path("tickets")


class TicketOptions(Options):
    name: Annotated[Identity[str], Meta(description="What the ticket is found by.")]
    text: Annotated[str, Meta(description="What it says.")] = ""


def find(name: str) -> Path | None:
    for path in sorted(TICKETS.glob("*.json")):
        try:
            if json.loads(path.read_text())["name"] == name:
                return path
        except FileNotFoundError:  # another thread deletes its own
            continue
    return None


def write(path: Path, options: TicketOptions) -> State:
    state: State = {"name": options.name, "text": options.text, "outputs": {"id": path.stem}}
    beside = path.with_suffix(".tmp")
    beside.write_text(json.dumps(state))
    beside.replace(path)
    return state


def create(options: TicketOptions) -> State:
    return write(TICKETS / f"{os.urandom(8).hex()}.json", options)


def read(options: TicketOptions) -> State | None:
    path = find(options.name)
    return json.loads(path.read_text()) if path else None


def update(options: TicketOptions) -> State:
    return write(find(options.name) or TICKETS / f"{os.urandom(8).hex()}.json", options)


def delete(options: TicketOptions) -> bool:
    path = find(options.name)
    if path:
        path.unlink()
    return True


plugin = Plugin(
    name="ticket", options=TicketOptions, create=create, read=read, update=update, delete=delete, recovery="lookup"
)
'''


def make(folder: Path) -> None:
    """A folder with the plugin, and no tickets yet."""
    plugins = folder / ".devstream"
    info = plugins / "dtm_ticket-1.0.dist-info"
    info.mkdir(parents=True)
    (plugins / "dtm_ticket.py").write_text(TICKETS)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: dtm-ticket\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[dtm.plugins]\nticket = dtm_ticket:plugin\n")
    (folder / "tickets").mkdir()


def configure(folder: Path, tools: dict[str, tuple[str, str]]) -> None:
    """Tools by name, each with what its ticket is found by and says."""
    entries = [
        {"name": name, "plugin": "ticket", "options": {"name": found, "text": text}}
        for name, (found, text) in tools.items()
    ]
    (folder / "config.yaml").write_text(json.dumps({"tools": entries}))


def apply(folder: Path, *before: str) -> subprocess.CompletedProcess[str]:
    """Run an apply, if need be under another command."""
    command = [*before, sys.executable, "-m", "dtm_sdk", "-y", "apply", "--parallelism", "2"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)


def tickets(folder: Path) -> list[tuple[str, str]]:
    """What the tickets hold, by name and text, sorted; a name that is there twice is there twice."""
    held = [json.loads(path.read_text()) for path in (folder / "tickets").glob("*.json")]
    return sorted((ticket["name"], ticket["text"]) for ticket in held)


BEFORE = {"a": ("x", "one"), "b": ("y", "one"), "c": ("z", "one")}
AFTER = {"a": ("x", "two"), "b": ("w", "one"), "d": ("v", "one"), "e": ("u", "one")}
"""a is updated, b replaced, c deleted, d and e are made."""
LATER = {"a": ("x", "two"), "b": ("w", "one"), "d": ("t", "one")}
"""What is wanted after the death: what may have been made for d and e is known only from the journal, and has to go."""


@pytest.mark.skipif(not shutil.which("strace"), reason="strace isn't installed")
def test_a_run_killed_at_any_system_call_loses_nothing_and_makes_nothing_twice(tmp_path: Path) -> None:
    template = tmp_path / "template"
    template.mkdir()
    make(template)
    configure(template, BEFORE)
    assert apply(template).returncode == 0
    configure(template, AFTER)
    died = after = 0
    for number in range(1, 100_000):
        folder = tmp_path / str(number)
        shutil.copytree(template, folder)
        inject = f"inject={CALLS}:signal=KILL:when={number}"
        killed = apply(folder, "strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={CALLS}", "-e", inject)
        died += killed.returncode != 0
        configure(folder, LATER)
        again = apply(folder)
        assert again.returncode == 0, f"killed at call {number}: {again.stdout}{again.stderr}"
        assert tickets(folder) == sorted(LATER.values()), f"killed at call {number}"
        last = apply(folder)
        assert "There is nothing to do." in last.stdout, f"killed at call {number}: {last.stdout}"
        shutil.rmtree(folder)
        after = 0 if killed.returncode else after + 1
        if after == 3:  # every thread counts its own calls; none has as many as this
            break
    assert died >= 10, "the calls that were to be killed never came"
