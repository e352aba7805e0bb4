"""A right plugin that keeps a section of a text file, which it shares with others."""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Annotated, Any

from dtm_sdk import Identity, Meta, Options, Plugin, PluginError, State
from dtm_sdk.testing import FileWorld


class SectionOptions(Options):
    """Options of the section plugin."""

    file: Annotated[Identity[str], Meta(min_length=1, description="Name of the file, which is there already.")]
    section: Annotated[Identity[str], Meta(min_length=1, description="Name of the section in it.")]
    lines: Annotated[list[str], Meta(description="What stands in the section.")]
    comment: Annotated[str, Meta(description="What it is for, as a comment.")] = ""


EXAMPLES: list[dict[str, Any]] = [
    {"file": "hosts.conf", "section": "web", "lines": ["10.0.0.1 web", "10.0.0.2 web2"]},
    {"file": "hosts.conf", "section": "web", "lines": [], "comment": "moved away"},
    {"file": "hosts.conf", "section": "db", "lines": ["10.0.0.3 db"]},
]


def validate(options: SectionOptions) -> list[str]:
    """What is wrong with the options."""
    texts = [options.file, options.section, options.comment, *options.lines]
    messages = []
    if any(0xD800 <= ord(char) < 0xE000 for text in texts for char in text):
        messages.append("a text holds half a character")
    if "/" in options.file or "\0" in options.file or options.file in {".", ".."} or len(options.file) > 60:
        messages.append("file is a name of at most 60 characters, without '/' and NUL")
    if any("\n" in text for text in texts):
        messages.append("a text has no end of line in it")
    if any(line.startswith("# ") for line in options.lines):
        messages.append("a line starts with '# ', as what is around the section does")
    return messages


def around(options: SectionOptions) -> tuple[str, str]:
    """The lines before and after the section."""
    return f"# begin {options.section}", f"# end {options.section}"


def load(options: SectionOptions) -> list[str] | None:
    """The lines of the file; None where there is none."""
    try:
        with open(options.file, "rb") as file:
            return file.read().decode("utf-8", "surrogateescape").split("\n")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise PluginError(f"{options.file} can't be read: {error.strerror}", "look at it") from error


def found(options: SectionOptions, lines: list[str]) -> slice | None:
    """Where the section is, with what is around it."""
    begin, end = around(options)
    if begin not in lines:
        return None
    start = lines.index(begin)
    if end not in lines[start:]:
        raise PluginError(f"{options.file}: the section {options.section} has no end", f"add the line '{end}'")
    return slice(start, lines.index(end, start) + 1)


def written(options: SectionOptions) -> list[str]:
    """The lines of the section, with what is around them."""
    begin, end = around(options)
    return [begin, *([f"# {options.comment}"] if options.comment else []), *options.lines, end]


def described(options: SectionOptions, inner: list[str]) -> State:
    """The state of a section, of the lines between what is around it."""
    commented = bool(inner) and inner[0].startswith("# ")
    return {
        "file": options.file,
        "section": options.section,
        "lines": inner[1:] if commented else inner,
        "comment": inner[0][2:] if commented else "",
    }


@contextmanager
def locked() -> Iterator[int]:
    """Inside, nobody else who asks changes a file of the folder; the folder's descriptor."""
    folder = os.open(".", os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield folder
    finally:
        os.close(folder)


def put(options: SectionOptions, section: list[str]) -> None:
    """Put lines in the section's place; where it is new, at the start of the file."""
    try:
        with locked() as folder:
            lines = load(options)
            if lines is None:
                if section:
                    raise PluginError(f"there is no file {options.file}", "make it first")
                return
            place = found(options, lines) or slice(0, 0)
            if lines[place] != section:
                lines[place] = section
                save(options.file, "\n".join(lines).encode("utf-8", "surrogateescape"), folder)
    except OSError as error:
        raise PluginError(f"{options.file} can't be written: {error.strerror}", "look at the disk") from error


def save(path: str, data: bytes, folder: int) -> None:
    """Write the file, whole, with the mode that it has."""
    beside = f".{path}.tmp"
    with suppress(FileNotFoundError):
        os.unlink(beside)
    try:
        with open(beside, "xb") as file:
            os.fchmod(file.fileno(), stat.S_IMODE(os.stat(path).st_mode))
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)
        raise
    os.fsync(folder)


def create(options: SectionOptions) -> State:
    """Make the section."""
    put(options, written(options))
    return described(options, written(options)[1:-1])


def read(options: SectionOptions) -> State | None:
    """Describe the section."""
    lines = load(options)
    place = found(options, lines) if lines else None
    return described(options, lines[place][1:-1]) if lines and place else None


def update(options: SectionOptions) -> State:
    """Write the section again."""
    return create(options)


def delete(options: SectionOptions) -> bool:
    """Take the section out."""
    put(options, [])
    return True


def world() -> FileWorld:
    """A file with lines of others."""
    return FileWorld({"hosts.conf": "127.0.0.1 localhost\n# begin website\n10.0.0.9 other\n# end website\n\nlast"})


plugin = Plugin(
    name="section",
    options=SectionOptions,
    examples=EXAMPLES,
    validate=validate,
    create=create,
    read=read,
    update=update,
    delete=delete,
)
