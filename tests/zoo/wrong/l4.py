"""Leaves an orphan when an option changes that names the resource, or says where it is, and isn't its identity."""

import os
from contextlib import suppress
from typing import Annotated, Any

from dtm_sdk import Identity, Meta, Options, State
from tests.zoo.right import note, widget
from tests.zoo.zoo import Wrong, but


class FiledOptions(note.NoteOptions):
    """A note that lies in a folder."""

    drawer: Annotated[str, Meta(max_length=20, pattern="^[a-z]*$", description="Folder that the note lies in.")] = ""


def moved(options: FiledOptions) -> note.NoteOptions:
    """The same as a plain note."""
    path = f"{options.drawer}+{options.path}" if options.drawer else options.path
    return note.NoteOptions(path=path, text=options.text, access=options.access, header=options.header)


def filed(state: State | None, options: FiledOptions) -> State | None:
    """The state of a note in a drawer."""
    return state and {**state, "path": options.path, "drawer": options.drawer}


FILED = but(
    note.plugin,
    options=FiledOptions,
    examples=[*note.EXAMPLES[:2], {**note.EXAMPLES[2], "drawer": "upper"}],
    create=lambda options: filed(note.create(moved(options)), options),
    read=lambda options: filed(note.read(moved(options)), options),
    update=lambda options: filed(note.update(moved(options)), options),
    delete=lambda options: note.delete(moved(options)),
)


class TeamOptions(widget.WidgetOptions):
    """A widget whose name counts within a realm only."""

    realm: Annotated[str, Meta(max_length=20, pattern="^[a-z]+$", description="What its name counts in.")] = "main"


def named(options: TeamOptions) -> widget.WidgetOptions:
    """The same as a plain widget, with the realm in its name."""
    plain = {name: getattr(options, name) for name in widget.WidgetOptions.__struct_fields__}
    return widget.WidgetOptions(**{**plain, "name": f"{options.realm}/{options.name}"})


def unnamed(state: State | None, options: TeamOptions) -> State | None:
    """The state with the name as the options have it."""
    return state and {**state, "name": options.name, "realm": options.realm}


def known(state: State | None, options: TeamOptions) -> State | None:
    """The recorded state, if it is of this realm."""
    return state if state and state["realm"] == options.realm else None


TEAM = but(
    widget.plugin,
    options=TeamOptions,
    examples=[*widget.EXAMPLES[:2], {**widget.EXAMPLES[2], "realm": "side"}],
    create=lambda options: unnamed(widget.create(named(options)), options),
    read=lambda options, state: unnamed(widget.read(named(options), known(state, options)), options),
    update=lambda options, state: unnamed(widget.update(named(options), known(state, options)), options),
    delete=lambda options, state: widget.delete(named(options), known(state, options)),
)


class KindOptions(Options):
    """Options of a text with an ending."""

    name: Annotated[Identity[str], Meta(pattern="^[a-z]{1,20}$", description="Name without its ending.")]
    kind: Annotated[str, Meta(pattern="^[a-z]{1,9}$", description="Ending of the name.")] = "txt"
    text: Annotated[str, Meta(description="What it says.")] = ""


def read_the_text(options: KindOptions) -> State | None:
    """Describe the text."""
    try:
        with open(f"{options.name}.{options.kind}", encoding="utf-8", newline="") as file:
            return {"name": options.name, "kind": options.kind, "text": file.read()}
    except FileNotFoundError:
        return None


def write_the_text(options: KindOptions) -> State:
    """Write the text, whole."""
    data = options.text.encode()
    found = read_the_text(options)
    if not found or found["text"] != options.text:
        with open(f".{options.name}.tmp", "wb") as file:
            file.write(data)
        os.replace(f".{options.name}.tmp", f"{options.name}.{options.kind}")
    return {"name": options.name, "kind": options.kind, "text": options.text}


def delete_the_text(options: KindOptions) -> bool:
    """Remove the text."""
    with suppress(FileNotFoundError):
        os.unlink(f"{options.name}.{options.kind}")
    return True


def no_halves(options: KindOptions) -> list[str]:
    """What is wrong with the options."""
    return ["text holds half a character"] if any(0xD800 <= ord(char) < 0xE000 for char in options.text) else []


KINDS: list[dict[str, Any]] = [
    {"name": "readme", "text": "one"},
    {"name": "readme", "text": "two"},
    {"name": "letter", "kind": "md", "text": "three"},
]

TEXT = but(
    note.plugin,
    name="text",
    options=KindOptions,
    examples=KINDS,
    validate=no_halves,
    create=write_the_text,
    read=read_the_text,
    update=write_the_text,
    delete=delete_the_text,
    stable=[],
)

WRONG = [
    Wrong(rule="L4", name="names-the-folder-by-an-option", plugin=FILED, world=note.world),
    Wrong(
        rule="L4",
        name="names-the-realm-by-an-option",
        plugin=TEAM,
        world=widget.world,
        also=("P1",),  # what Update makes beside the old ones gets its id in the order in which it is made
    ),
    Wrong(rule="L4", name="names-the-ending-by-an-option", plugin=TEXT, world=note.world),
]
