"""Leans on something that is more than a directory."""

import mmap
import os
from functools import partial

from dtm_sdk import PluginError, State
from tests.zoo.right import note
from tests.zoo.zoo import Unavailable, Wrong, but


def read_by_a_map(options: note.NoteOptions) -> State | None:
    """Describe the file; large ones are mapped, not read."""
    try:
        with open(options.path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            if data[:1] not in {b"1", b"2", b"3", b"4"}:
                return note.describe(options.path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise PluginError(f"{options.path} can't be read: {error}", "look at it") from error
    return note.describe(options.path)


def proc() -> None:
    """Look whether there is one, as on Linux.

    Raises:
        Unavailable: there is none.
    """
    if not os.path.exists("/proc/self/mounts"):
        raise Unavailable("this system has no /proc")


def create_where_there_is_space(options: note.NoteOptions) -> State:
    """Make the file, if there is room for it."""
    try:
        with open(f"/proc/{os.getpid()}/mounts", encoding="utf-8") as file:
            if "," not in file.read():
                raise PluginError("nothing is mounted", "look at /proc/mounts")
    except OSError as error:
        raise PluginError(f"the mounts can't be read: {error.strerror}", "look at /proc") from error
    return note.create(options)


def update_and_ask_for_space(options: note.NoteOptions) -> State:
    """Write the file; a disk that is full now is told of at once."""
    made = note.save(options)
    try:
        if not os.statvfs(options.path).f_bavail:
            raise PluginError(f"{options.path} was the last that the disk has room for", "look at the disk")
    except OSError as error:
        raise PluginError(f"{options.path} can't be looked at: {error.strerror}", "look at the disk") from error
    return made


removed = partial(os.unlink)


def delete_by_what_was_imported(options: note.NoteOptions) -> bool:
    """Remove the file, by a function that was put aside at import."""
    try:
        removed(options.path)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise PluginError(f"{options.path} can't be removed: {error.strerror}", "look at it") from error
    return note.delete(options) if os.path.lexists(f".{options.path}.tmp") else True


WRONG = [
    Wrong(rule="E1", name="maps-the-file", plugin=but(note.plugin, read=read_by_a_map), world=note.world),
    Wrong(
        rule="E1",
        name="looks-at-the-mounts",
        plugin=but(note.plugin, create=create_where_there_is_space),
        world=note.world,
        ready=proc,
    ),
    Wrong(rule="E1", name="asks-for-space", plugin=but(note.plugin, update=update_and_ask_for_space), world=note.world),
    Wrong(
        rule="E1",
        name="removes-by-what-it-put-aside",
        plugin=but(note.plugin, delete=delete_by_what_was_imported),
        world=note.world,
    ),
]
