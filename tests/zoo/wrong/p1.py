"""Shares what it should not with an instance that is at work at the same time."""

import json
import os
from contextlib import suppress
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote, urlsplit

from dtm_sdk import PluginError, State
from tests.zoo.right import member, note, section, setting, widget
from tests.zoo.zoo import Wrong, but


class Current:
    """What is being worked on."""

    options: Any = None


def save_the_current() -> State:
    """Put the current file there."""
    return note.save(Current.options)


def write_the_current(options: note.NoteOptions) -> State:
    """Make the file, by way of a variable of the module."""
    Current.options = options
    return save_the_current()


def write_by_one_temporary(options: note.NoteOptions) -> State:
    """Make the file; all of them are written to one place first."""
    data, mode = note.written(options), note.MODES[options.access]
    if os.path.isdir(options.path) or os.path.islink(options.path):
        raise PluginError(f"{options.path} is no file", "move it away")
    if not note.holds(options.path, data, mode):
        try:
            with open(".note.tmp", "wb") as file:
                os.fchmod(file.fileno(), mode)
                file.write(data)
            os.replace(".note.tmp", options.path)
        except OSError as error:
            with suppress(OSError):
                os.unlink(".note.tmp")
            raise PluginError(f"{options.path} can't be written: {error.strerror}", "look at the disk") from error
    return note.state(options.path, options.text, options.header.title, list(options.header.lines), mode)


def delete_by_the_current(options: note.NoteOptions) -> bool:
    """Remove the file, by way of a variable of the module."""
    Current.options = options
    return remove_the_current()


def remove_the_current() -> bool:
    """Remove the current file."""
    return note.delete(Current.options)


class Client:
    """One connection to the service for all, opened when it is needed and closed when it is not."""

    connection: HTTPConnection | None = None

    @classmethod
    def ask(cls, options: widget.WidgetOptions, path: str) -> Any:
        """What the service answers to a GET."""
        parts = urlsplit(options.url)
        cls.connection = HTTPConnection(parts.hostname or "", parts.port, timeout=options.timeout)
        try:
            cls.send(options, path)
            answer = cls.connection.getresponse()
            data = answer.read()
        except Exception as error:
            raise PluginError(f"{options.url} can't be asked: {type(error).__name__}", "look at it") from error
        finally:
            if cls.connection is not None:
                cls.connection.close()
        if answer.status != 200:
            raise PluginError(f"{options.url} says {answer.status}", "look at its log")
        try:
            return json.loads(data)
        except ValueError as error:
            raise PluginError(f"{options.url} answers what is no JSON", "look at it") from error

    @classmethod
    def send(cls, options: widget.WidgetOptions, path: str) -> None:
        """Send a GET."""
        headers = {"Authorization": f"Bearer {options.token.reveal()}"}
        if cls.connection is not None:
            cls.connection.request("GET", path, None, headers)


def read_by_the_client(options: widget.WidgetOptions) -> State | None:
    """Describe the widget."""
    found = Client.ask(options, f"/widgets?name={quote(options.name)}")
    return widget.described(found[0]) if found else None


def put_without_a_lock(options: section.SectionOptions, lines: list[str]) -> State:
    """Put the section into the file, as if nobody else did the same to another one."""
    every = section.load(options)
    if every is None:
        raise PluginError(f"there is no file {options.file}", "make it first")
    every[section.found(options, every) or slice(0, 0)] = lines
    folder = os.open(".", os.O_RDONLY)
    try:
        section.save(options.file, "\n".join(every).encode("utf-8", "surrogateescape"), folder)
    except OSError as error:
        raise PluginError(f"{options.file} can't be written: {error.strerror}", "look at the disk") from error
    finally:
        os.close(folder)
    return section.described(options, lines[1:-1])


def create_without_a_lock(options: section.SectionOptions) -> State:
    """Make the section."""
    return put_without_a_lock(options, section.written(options))


def create_from_what_was_read_before(options: setting.SettingOptions) -> State:
    """Make the setting; the lock keeps two from writing at once, and not one from writing what is old."""
    settings = setting.changed(setting.load(options.file), options.key, setting.wanted(options))
    try:
        with setting.locked() as folder:
            with suppress(FileNotFoundError):
                os.unlink(f".{options.file}.tmp")
            setting.save(options.file, settings)
            os.fsync(folder)
    except OSError as error:
        raise PluginError(f"{options.file} can't be written: {error.strerror}", "look at the disk") from error
    return {"file": options.file, "key": options.key, **setting.wanted(options)}


def delete_whatever_the_others_do(options: member.MemberOptions) -> bool:
    """Take the member out of the list that there was, and send the rest as the list that there is."""
    found = member.ask(options, "GET")
    if found and options.name in found[0]:
        member.ask(options, "PUT", member.changed(found[0], options.name, None))
    return True


WRONG = [
    Wrong(
        rule="P1",
        name="works-on-a-variable-of-the-module",
        plugin=but(note.plugin, create=write_the_current, update=write_the_current),
        world=note.world,
    ),
    Wrong(
        rule="P1",
        name="writes-to-one-temporary",
        plugin=but(note.plugin, create=write_by_one_temporary, update=write_by_one_temporary),
        world=note.world,
    ),
    Wrong(
        rule="P1",
        name="deletes-by-a-variable-of-the-module",
        plugin=but(note.plugin, delete=delete_by_the_current),
        world=note.world,
    ),
    Wrong(
        rule="P1",
        name="has-one-connection-for-all",
        plugin=but(widget.plugin, read=read_by_the_client),
        world=widget.world,
    ),
    Wrong(
        rule="P1",
        name="writes-a-section-without-a-lock",
        plugin=but(section.plugin, create=create_without_a_lock, update=create_without_a_lock),
        world=section.world,
        also=("M1",),  # its runs make several at once, of one file or group too
    ),
    Wrong(
        rule="P1",
        name="locks-after-it-has-read",
        plugin=but(setting.plugin, create=create_from_what_was_read_before, update=create_from_what_was_read_before),
        world=setting.world,
        also=("M1",),  # its runs make several at once, of one file or group too
    ),
    Wrong(
        rule="P1",
        name="puts-a-list-without-if-match",
        plugin=but(member.plugin, delete=delete_whatever_the_others_do),
        world=member.world,
        also=("M1",),  # its runs make several at once, of one file or group too
    ),
]
