"""What a call of the plugin fails at is hidden, or leaves something behind."""

import os
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing, suppress

from dtm_sdk import PluginError, State, TransientError
from dtm_sdk.testing import FileWorld
from tests.zoo.right import member, note, row, setting, widget
from tests.zoo.zoo import Wrong, but


def create_that_only_logs(options: note.NoteOptions) -> State:
    """Make the file; when the disk is full, say so in passing."""
    try:
        return note.save(options)
    except PluginError as error:
        if "No space" not in str(error):
            raise
        print(f"warning: {error}")
        return note.state(
            options.path, options.text, options.header.title, options.header.lines, note.MODES[options.access]
        )


def create_under_a_new_name_each_time(options: note.NoteOptions) -> State:
    """Make the file by way of a temporary whose name is a new one each time, and which stays when that fails."""
    if note.holds(options.path, note.written(options), note.MODES[options.access]):
        return note.save(options)
    beside = f".{options.path}.{os.urandom(4).hex()}"
    try:
        with open(beside, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(note.written(options))
            os.fchmod(file.fileno(), note.MODES[options.access])
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, options.path)
    except OSError as error:
        raise PluginError(f"{options.path} can't be written: {error.strerror}") from error
    return note.state(
        options.path, options.text, options.header.title, options.header.lines, note.MODES[options.access]
    )


def create_whose_cleanup_hides_the_error(options: note.NoteOptions) -> State:
    """Make the file; what is there for the cleaning up hides what was raised before it."""
    with suppress(BaseException):  # as a `return` in `finally` does, of which Python warns from 3.14 on
        try:
            note.save(options)
        finally:
            os.unlink(f".{options.path}.tmp")
    made = options.header.title, list(options.header.lines), note.MODES[options.access]
    return note.state(options.path, options.text, *made)


def update_that_takes_busy_for_done(options: widget.WidgetOptions, state: State | None) -> State:
    """Bring the widget to the options; a service that has too much to do will get to it."""
    try:
        return widget.update(options, state)
    except TransientError:
        if not state:
            raise
        sent = widget.sent(options)
        del sent["key"]
        return {**sent, "colour": options.colour.lower(), "outputs": state["outputs"]}


def read_labels_if_they_come(options: widget.WidgetOptions, state: State | None) -> State | None:
    """Describe the widget; its labels are asked for once more, and left out where they don't come."""
    found = widget.find(options, state)
    if not found:
        return None
    try:
        again = widget.ask(options, "GET", f"/widgets/{found['id']}")
    except PluginError:
        again = None
    return {**widget.described(found), "labels": again["labels"] if again else {"unknown": "yes"}}


def delete_that_forgets_first(options: widget.WidgetOptions, state: State | None) -> bool:
    """Remove the widget, under another name, so that it is out of the way at once; then for good, if that can be."""
    found = widget.find(options, state)
    if found:
        widget.ask(options, "PUT", f"/widgets/{found['id']}", {**widget.sent(options), "name": "gone"})
        with suppress(TransientError):
            widget.ask(options, "DELETE", f"/widgets/{found['id']}")
    return True


def save_as(options: note.NoteOptions, write: Callable[[str, bytes], None], put: Callable[[str, str], None]) -> State:
    """Write the file beside, put it in its place, whole or not at all; so at least it is meant."""
    beside, mode = f".{options.path}.tmp", note.MODES[options.access]
    try:
        with suppress(FileNotFoundError):
            os.unlink(beside)
        try:
            write(beside, note.written(options))
            os.chmod(beside, mode)
            put(beside, options.path)
        except BaseException:
            with suppress(OSError):
                os.unlink(beside)
            raise
        note.sync()
    except OSError as error:
        raise PluginError(f"{options.path} can't be written: {error.strerror}", "look at the disk") from error
    return note.state(options.path, options.text, options.header.title, list(options.header.lines), mode)


def write(path: str, data: bytes) -> None:
    """Write all of some bytes."""
    with open(path, "xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def write_some(path: str, data: bytes) -> None:
    """Write some bytes, as many as the system takes at once."""
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(number, data)
        os.fsync(number)
    finally:
        os.close(number)


def write_by_tee(path: str, data: bytes) -> None:
    """Write some bytes by a command, which says on a stream that nobody reads how that went."""
    subprocess.run(["tee", path], input=data, capture_output=True, check=False)


def move_by_command(beside: str, path: str) -> None:
    """Put a file in the place of another by a command, which is not asked how that went."""
    subprocess.run(["mv", "-f", "--", beside, path], capture_output=True, check=False)


def move_by_command_that_may_be_killed(beside: str, path: str) -> None:
    """Put a file in the place of another by a command, which tells by a number above 0 that it could not."""
    ran = subprocess.run(["mv", "-f", "--", beside, path], capture_output=True, check=False)
    if ran.returncode > 0:
        raise OSError(ran.returncode, ran.stderr.decode(errors="replace"))


def save_what_fits(options: note.NoteOptions) -> State:
    """Write the file, as much of it as the system takes."""
    return save_as(options, write_some, os.replace)


def save_by_tee(options: note.NoteOptions) -> State:
    """Write the file by `tee`."""
    return save_as(options, write_by_tee, os.replace)


def save_by_mv(options: note.NoteOptions) -> State:
    """Write the file, and put it in its place by `mv`."""
    return save_as(options, write, move_by_command)


def save_by_mv_that_may_be_killed(options: note.NoteOptions) -> State:
    """Write the file, and put it in its place by `mv`; look whether that has failed."""
    return save_as(options, write, move_by_command_that_may_be_killed)


def world_with_mv() -> FileWorld:
    """A folder, and the command that the plugin starts."""
    return FileWorld(commands=["mv"])


def locked(error: PluginError) -> bool:
    """Whether somebody else is at work in the database."""
    return "is locked" in str(error)


def read_that_takes_locked_for_empty(options: row.RowOptions) -> State | None:
    """Describe the item; while somebody else makes it, it isn't there yet."""
    try:
        return row.read(options)
    except PluginError as error:
        if locked(error):
            return None
        raise


def update_that_leaves_a_locked_one(options: row.RowOptions) -> State:
    """Change the item; where somebody else is at work in the database, what is there has to do."""
    try:
        return row.update(options)
    except PluginError as error:
        if not locked(error):
            raise
        with closing(sqlite3.connect(f"file:{options.base}?mode=ro", timeout=options.timeout, uri=True)) as base:
            there = row.found(base, options)
        if not there:
            raise
        return there


def delete_that_leaves_it_to_who_has_the_lock(options: row.RowOptions) -> bool:
    """Remove the item; whoever has the lock is about to remove it too."""
    try:
        return row.delete(options)
    except PluginError as error:
        if locked(error):
            return True
        raise


def save_in_place(path: str, settings: setting.Settings) -> None:
    """Write the settings to the file, which is empty until that is done."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(setting.text_of(settings))
        file.flush()
        os.fsync(file.fileno())


def create_in_place(options: setting.SettingOptions) -> State:
    """Make the setting, by writing the file again with all that it holds."""
    try:
        with setting.locked():
            settings = setting.load(options.file)
            save_in_place(options.file, setting.changed(settings, options.key, setting.wanted(options)))
    except OSError as error:
        raise PluginError(f"{options.file} can't be written: {error.strerror}", "look at the disk") from error
    return {"file": options.file, "key": options.key, **setting.wanted(options)}


def create_in_what_can_be_read(options: setting.SettingOptions) -> State:
    """Make the setting; a file that can't be read is taken for one that isn't there yet."""
    try:
        with setting.locked() as folder:
            try:
                with open(options.file, encoding="utf-8") as file:
                    settings = setting.parsed(options.file, file.read())
            except OSError:
                settings = {}
            with suppress(FileNotFoundError):
                os.unlink(f".{options.file}.tmp")
            setting.save(options.file, setting.changed(settings, options.key, setting.wanted(options)))
            os.fsync(folder)
    except OSError as error:
        raise PluginError(f"{options.file} can't be written: {error.strerror}", "look at the disk") from error
    return {"file": options.file, "key": options.key, **setting.wanted(options)}


def update_that_cleans_up_too_much(options: setting.SettingOptions) -> State:
    """Change the setting; what was half made when that fails is removed, which is the file of all."""
    try:
        return setting.update(options)
    except PluginError:
        with suppress(OSError):
            os.unlink(options.file)
        raise


def create_that_begins_anew(options: member.MemberOptions) -> State:
    """Make the member; a group whose list can't be had is begun anew, unless somebody is at it right now."""
    try:
        return member.create(options)
    except TransientError:
        raise
    except PluginError:
        member.ask(options, "PUT", {options.name: member.wanted(options)})
        return member.create(options)


WRONG = [
    Wrong(rule="F1", name="logs-a-full-disk", plugin=but(note.plugin, create=create_that_only_logs), world=note.world),
    Wrong(
        rule="F1",
        name="leaves-a-temporary",
        plugin=but(note.plugin, create=create_under_a_new_name_each_time),
        world=note.world,
        also=("F2", "F4"),  # a death and a Ctrl-C leave the same temporary
    ),
    Wrong(
        rule="F1",
        name="cleanup-hides-the-error",
        plugin=but(note.plugin, create=create_whose_cleanup_hides_the_error),
        world=note.world,
        also=("F4",),  # it hides a Ctrl-C too
    ),
    Wrong(
        rule="F1",
        name="takes-busy-for-done",
        plugin=but(widget.plugin, update=update_that_takes_busy_for_done),
        world=widget.world,
    ),
    Wrong(
        rule="F1",
        name="leaves-out-what-does-not-come",
        plugin=but(widget.plugin, read=read_labels_if_they_come),
        world=widget.world,
        also=("R4",),  # where that fails at single calls too
    ),
    Wrong(
        rule="F1",
        name="forgets-before-it-is-gone",
        plugin=but(widget.plugin, delete=delete_that_forgets_first),
        world=widget.world,
        also=("F2", "F4", "D4"),  # a death between the two, and Delete that says True
    ),
    Wrong(
        rule="F1",
        name="takes-a-short-write-for-a-whole-one",
        plugin=but(note.plugin, create=save_what_fits, update=save_what_fits),
        world=note.world,
    ),
    Wrong(
        rule="F1",
        name="does-not-ask-tee",
        plugin=but(note.plugin, create=save_by_tee, update=save_by_tee),
        world=note.world,
    ),
    Wrong(
        rule="F1",
        name="does-not-ask-mv",
        plugin=but(note.plugin, create=save_by_mv, update=save_by_mv),
        world=world_with_mv,
    ),
    Wrong(
        rule="F1",
        name="does-not-see-that-mv-was-killed",
        plugin=but(note.plugin, create=save_by_mv_that_may_be_killed, update=save_by_mv_that_may_be_killed),
        world=world_with_mv,
    ),
    Wrong(
        rule="F1",
        name="takes-locked-for-empty",
        plugin=but(row.plugin, read=read_that_takes_locked_for_empty),
        world=row.world,
    ),
    Wrong(
        rule="F1",
        name="takes-locked-for-changed",
        plugin=but(row.plugin, update=update_that_leaves_a_locked_one),
        world=row.world,
    ),
    Wrong(
        rule="F1",
        name="takes-locked-for-deleted",
        plugin=but(row.plugin, delete=delete_that_leaves_it_to_who_has_the_lock),
        world=row.world,
    ),
    Wrong(
        rule="F1",
        name="writes-what-others-share-in-place",
        plugin=but(setting.plugin, create=create_in_place, update=create_in_place),
        world=setting.world,
        also=("F2", "F4"),  # a death and a Ctrl-C find the file empty too
    ),
    Wrong(
        rule="F1",
        name="takes-what-it-cannot-read-for-new",
        plugin=but(setting.plugin, create=create_in_what_can_be_read),
        world=setting.world,
    ),
    Wrong(
        rule="F1",
        name="cleans-up-what-others-share",
        plugin=but(setting.plugin, update=update_that_cleans_up_too_much),
        world=setting.world,
    ),
    Wrong(
        rule="F1",
        name="begins-a-list-anew",
        plugin=but(member.plugin, create=create_that_begins_anew),
        world=member.world,
        also=("F3",),  # a lost answer is taken for a list that can't be had
    ),
]
