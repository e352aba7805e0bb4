"""A right plugin that keeps a text file: atomic, durable, exact."""

import os
import stat
from contextlib import suppress
from enum import Enum
from typing import Annotated, Any

from dtm_sdk import Identity, Meta, Options, Plugin, PluginError, State, Tuning
from dtm_sdk.testing import FileWorld


class Access(Enum):
    """Who may read the file."""

    OWNER = "owner"
    ALL = "all"


class Header(Options):
    """What stands above the text."""

    title: Annotated[str, Meta(description="The first line.")] = ""
    lines: Annotated[list[str], Meta(description="Lines that follow.")] = []


class NoteOptions(Options):
    """Options of the note plugin."""

    path: Annotated[Identity[str], Meta(min_length=1, max_length=60, description="Name of the file.")]
    text: Annotated[str, Meta(description="What it says.")]
    access: Annotated[Access, Meta(description="Who may read it.")] = Access.OWNER
    header: Annotated[Header, Meta(description="What stands above the text.")] = Header()
    wait: Annotated[Tuning[int], Meta(ge=0, description="Seconds to wait for a slow disk.")] = 0


EXAMPLES: list[dict[str, Any]] = [
    {"path": "a.note", "text": "one"},
    {
        "path": "a.note",
        "text": "two\n",
        "access": "all",
        "header": {"title": "Title", "lines": ["first", "second"]},
        "wait": 1,
    },
    {"path": "b.note", "text": "ünïcode", "header": {"title": "Other"}},
]

MODES = {Access.OWNER: 0o600, Access.ALL: 0o644}


def validate(options: NoteOptions) -> list[str]:
    """What is wrong with the options."""
    messages = []
    if "/" in options.path or "\0" in options.path or options.path in {".", ".."}:
        messages.append("path is the name of a file in the working directory: leave out '/' and NUL")
    if any(0xD800 <= ord(char) < 0xE000 for text in words(options) for char in text):
        messages.append("text holds half a character")
    if any("\n" in text or "\r" in text for text in (options.header.title, *options.header.lines)):
        messages.append("a line of the header has no end of line in it")
    if len(options.path.encode(errors="surrogatepass")) > 200:
        messages.append("path is too long")
    return messages


def words(options: NoteOptions) -> list[str]:
    """Every text among the options."""
    return [options.path, options.text, options.header.title, *options.header.lines]


def written(options: NoteOptions) -> bytes:
    """The bytes of the file."""
    head = [options.header.title, *options.header.lines]
    return "".join([*(f"{line}\n" for line in [str(len(head)), *head]), options.text]).encode()


def describe(path: str) -> State | None:
    """What the file says; None when there is none."""
    try:
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NOFOLLOW)) as file:
            data, mode = file.read(), stat.S_IMODE(os.fstat(file.fileno()).st_mode)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise PluginError(f"{path} can't be read: {error.strerror}", "look at it") from error
    try:
        count, _, rest = data.decode().partition("\n")
        title, *lines = (parts := rest.split("\n", int(count)))[:-1]
        return state(path, parts[-1], title, lines, mode)
    except ValueError as error:
        raise PluginError(f"{path} is no note", "remove it") from error


def state(path: str, text: str, title: str, lines: list[str], mode: int) -> State:
    """The description of a note."""
    access = {number: access.value for access, number in MODES.items()}.get(mode, oct(mode))
    header = {"title": title, "lines": lines}
    return {"path": path, "text": text, "access": access, "header": header, "outputs": {"path": path}}


def save(options: NoteOptions) -> State:
    """Put the file there, whole."""
    path, beside = options.path, f".{options.path}.tmp"
    data, mode = written(options), MODES[options.access]
    try:
        if os.path.islink(path) or os.path.isdir(path):
            raise PluginError(f"{path} is no file", "move it away")
        with suppress(FileNotFoundError):
            os.unlink(beside)
        if not holds(path, data, mode):
            try:
                with open(beside, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
                    os.fchmod(file.fileno(), mode)
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(beside, path)
            except BaseException:
                with suppress(OSError):
                    os.unlink(beside)
                raise
        sync()
    except OSError as error:
        raise PluginError(f"{path} can't be written: {error.strerror}", "look at the disk") from error
    return state(path, options.text, options.header.title, list(options.header.lines), mode)


def holds(path: str, data: bytes, mode: int) -> bool:
    """Whether the file is there as it should be."""
    try:
        with open(path, "rb") as file:
            return file.read() == data and stat.S_IMODE(os.fstat(file.fileno()).st_mode) == mode
    except FileNotFoundError:
        return False


def sync() -> None:
    """Make what the folder lists durable."""
    folder = os.open(".", os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def create(options: NoteOptions) -> State:
    """Make the file."""
    return save(options)


def read(options: NoteOptions) -> State | None:
    """Describe the file."""
    return describe(options.path)


def update(options: NoteOptions) -> State:
    """Write the file again."""
    return save(options)


def delete(options: NoteOptions) -> bool:
    """Remove the file, and what a crash left beside it."""
    try:
        for path in (f".{options.path}.tmp", options.path):
            with suppress(FileNotFoundError):
                os.unlink(path)
        sync()
    except OSError as error:
        raise PluginError(f"{options.path} can't be removed: {error.strerror}", "look at it") from error
    return True


world = FileWorld

plugin = Plugin(
    name="note",
    options=NoteOptions,
    examples=EXAMPLES,
    validate=validate,
    create=create,
    read=read,
    update=update,
    delete=delete,
    stable=["outputs.path"],
)
