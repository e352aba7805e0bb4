"""What a death in the middle leaves is lost, made twice, or in the way of the next run."""

import os
import threading
from contextlib import suppress

from dtm_sdk import PluginError, State
from tests.zoo.right import member, note, setting, widget
from tests.zoo.zoo import Wrong, but


def create_before_it_can_be_found(options: widget.WidgetOptions) -> State:
    """Make a widget without a name, then give it one: who dies in between has made one that nobody knows of."""
    there = widget.find(options, None)
    if not there:
        there = widget.ask(options, "POST", "/widgets", {**widget.sent(options), "name": "being made"})
    try:
        return widget.described(widget.ask(options, "PUT", f"/widgets/{there['id']}", widget.sent(options)))
    except PluginError:
        widget.ask(options, "DELETE", f"/widgets/{there['id']}")
        raise


def update_that_deletes_first(options: note.NoteOptions) -> State:
    """Keep the old file under another name while the new one is written; who dies then leaves it there for good."""
    aside = f"{options.path}.old"
    with suppress(FileNotFoundError):
        os.rename(options.path, aside)
    try:
        made = note.save(options)
    except PluginError:
        with suppress(FileNotFoundError):
            os.rename(aside, options.path)
        raise
    with suppress(FileNotFoundError):
        os.unlink(aside)
    return made


def create_behind_a_lock(options: note.NoteOptions) -> State:
    """Make the file while a lock file keeps others away; who dies leaves it, and nobody is let in any more."""
    lock = f".{options.path}.lock"
    try:
        os.close(os.open(lock, os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        raise PluginError(f"another run writes {options.path}", "wait for it") from None
    except OSError as error:
        raise PluginError(f"{lock} can't be made: {error.strerror}") from error
    try:
        return note.save(options)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(lock)


def delete_the_name_first(options: widget.WidgetOptions, state: State | None) -> bool:
    """Remove the widget, under another name, so that it is out of the way at once; then for good."""
    found = widget.find(options, state)
    if found:
        widget.ask(options, "PUT", f"/widgets/{found['id']}", {**widget.sent(options), "name": "gone"})
        widget.ask(options, "DELETE", f"/widgets/{found['id']}")
    return True


def create_out_of_the_way(options: setting.SettingOptions) -> State:
    """Make the setting in a new file, when the old one is out of the way; back with that where it fails."""
    aside = f".{options.file}.tmp"
    try:
        with setting.locked():
            settings = setting.load(options.file)
            with suppress(FileNotFoundError):
                os.unlink(aside)
            with suppress(FileNotFoundError):
                os.rename(options.file, aside)
            try:
                write_new(options.file, setting.changed(settings, options.key, setting.wanted(options)))
            except BaseException:
                os.replace(aside, options.file) if settings else os.unlink(options.file)
                raise
            with suppress(FileNotFoundError):
                os.unlink(aside)
    except OSError as error:
        raise PluginError(f"{options.file} can't be written: {error.strerror}", "look at the disk") from error
    return {"file": options.file, "key": options.key, **setting.wanted(options)}


def write_new(path: str, settings: setting.Settings) -> None:
    """Write a file that isn't there."""
    with open(path, "x", encoding="utf-8") as file:
        file.write(setting.text_of(settings))
        file.flush()
        os.fsync(file.fileno())


one_at_a_time = threading.Lock()


def update_by_an_empty_list(options: member.MemberOptions) -> State:
    """Change the member: the group is emptied, then filled again; with what it had where that fails."""
    with one_at_a_time:
        found = member.ask(options, "GET")
        if not found:
            raise PluginError(f"there is no group {options.group}", "make it first")
        members = found[0]
        try:
            member.ask(options, "PUT", {}, found[1])
            member.ask(options, "PUT", member.changed(members, options.name, member.wanted(options)))
        except BaseException:
            member.ask(options, "PUT", members)
            raise
    return {"group": options.group, "name": options.name, **member.wanted(options)}


WRONG = [
    Wrong(
        rule="F2",
        name="makes-it-before-it-can-be-found",
        plugin=but(widget.plugin, create=create_before_it_can_be_found),
        world=widget.world,
        also=("F1", "F3", "F4"),  # the cleanup meets a fault too, or never learns the id that it needs
    ),
    Wrong(
        rule="F2",
        name="deletes-first",
        plugin=but(note.plugin, update=update_that_deletes_first),
        world=note.world,
        also=("F1", "F4", "M1"),  # the removal of the old file is what fails; its runs die there too
    ),
    Wrong(
        rule="F2",
        name="leaves-its-lock",
        plugin=but(note.plugin, create=create_behind_a_lock, update=create_behind_a_lock),
        world=note.world,
        also=("F1", "F4", "M1"),  # the removal of the lock is what fails; its runs die there too
    ),
    Wrong(
        rule="F2",
        name="deletes-the-name-first",
        plugin=but(widget.plugin, delete=delete_the_name_first),
        world=widget.world,
        also=("F1", "F4"),  # a fault or a Ctrl-C between the two leaves the same
    ),
    Wrong(
        rule="F2",
        name="moves-what-others-share-away",
        plugin=but(setting.plugin, create=create_out_of_the_way),
        world=setting.world,
        also=("M1",),  # its runs die there too
    ),
    Wrong(
        rule="F2",
        name="empties-a-list-first",
        plugin=but(member.plugin, update=update_by_an_empty_list),
        world=member.world,
        also=("M1",),  # its runs die there too
    ),
]
