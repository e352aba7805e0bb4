"""A right plugin for a command-line tool, `bin/shelf`, which it runs as a child process."""

import os
import re
import subprocess
from pathlib import Path
from typing import Annotated, Any

from dtm_sdk import Identity, Meta, Options, Plugin, PluginError, State, Tuning
from dtm_sdk.testing import FileWorld


class ToolOptions(Options):
    """Options of the tool plugin."""

    name: Annotated[Identity[str], Meta(min_length=1, max_length=60, description="Name of the thing.")]
    colour: Annotated[str, Meta(min_length=1, description="Its colour.")]
    text: Annotated[str, Meta(description="What is written on it.")] = ""
    timeout: Annotated[Tuning[float], Meta(gt=0, le=600, description="Seconds that a command may take.")] = 20.0


EXAMPLES: list[dict[str, Any]] = [
    {"name": "box", "colour": "red"},
    {"name": "box", "colour": "blue", "text": "two\nlines, ünïcode\n", "timeout": 19.0},
    {"name": "box-1", "colour": "green", "text": "other"},
]


def validate(options: ToolOptions) -> list[str]:
    """What is wrong with the options."""
    messages = []
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]*", options.name):
        messages.append("name is lower-case letters, digits, '.' and '-'")
    if any(0xD800 <= ord(char) < 0xE000 for char in options.colour + options.text):
        messages.append("a text holds half a character")
    if "\0" in options.colour or "\n" in options.colour or len(options.colour) > 1000:
        messages.append("colour is one line of at most 1000 characters, without NUL")
    return messages


def run(options: ToolOptions, verb: str, *words: str, data: bytes = b"") -> bytes | None:
    """What the tool prints; None where it says that there is no such thing."""
    command = ["shelf", verb, options.name, *words]
    try:
        ran = subprocess.run(command, input=data, capture_output=True, timeout=options.timeout, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PluginError(f"shelf can't be run: {type(error).__name__}", "look whether it is installed") from error
    if ran.returncode == 3:
        return None
    if ran.returncode:
        said = ran.stderr.decode(errors="replace").strip().partition("\n")[0]
        raise PluginError(f"shelf {verb} failed with {ran.returncode}: {said}", "look at the shelf")
    return ran.stdout


def described(options: ToolOptions, colour: str, text: str) -> State:
    """The state of a thing."""
    return {"name": options.name, "colour": colour, "text": text}


def create(options: ToolOptions) -> State:
    """Put the thing on the shelf."""
    run(options, "put", options.colour, data=options.text.encode())
    return described(options, options.colour, options.text)


def read(options: ToolOptions) -> State | None:
    """Describe the thing."""
    said = run(options, "get")
    if said is None:
        return None
    try:
        header, colour, text = said.decode().split("\n", 2)
    except ValueError:
        header, colour, text = "", "", ""
    if header != "shelf 1":
        raise PluginError("shelf says what can't be understood", "look whether it is the right version")
    return described(options, colour, text)


def update(options: ToolOptions) -> State:
    """Put the thing on the shelf as it is to be."""
    return create(options)


def delete(options: ToolOptions) -> bool:
    """Take the thing away."""
    run(options, "rm")
    return True


def world() -> FileWorld:
    """A folder with a shelf in it, and the tool in PATH."""
    path = os.pathsep.join([str(Path(__file__).with_name("bin")), os.environ["PATH"]])
    return FileWorld({"shelf.d/can": "shelf 1\ngrey\n"}, commands=["shelf"], environment={"PATH": path})


plugin = Plugin(
    name="tool",
    options=ToolOptions,
    examples=EXAMPLES,
    validate=validate,
    create=create,
    read=read,
    update=update,
    delete=delete,
)
