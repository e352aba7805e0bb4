"""Validation lets through what an operation stumbles over."""

from dtm_sdk import State
from tests.zoo.right import note, widget
from tests.zoo.zoo import Wrong, but


def create_in_latin_1(options: note.NoteOptions) -> State:
    """Make the file, of texts from western Europe."""
    for text in note.words(options):
        text.encode("latin-1")
    return note.save(options)


def read_as_lines(options: note.NoteOptions) -> State | None:
    """Describe the file as text, in which every end of line is the same."""
    made = note.describe(options.path)
    return made and {**made, "text": made["text"].replace("\r\n", "\n").replace("\r", "\n")}


def read_unquoted(options: widget.WidgetOptions, state: State | None) -> State | None:
    """Describe the widget of that name, which has no need of quoting."""
    found = widget.ask(options, "GET", f"/widgets?name={options.name}")
    return widget.described(found[0]) if found else None


WRONG = [
    Wrong(rule="M2", name="writes-latin-1", plugin=but(note.plugin, create=create_in_latin_1), world=note.world),
    Wrong(rule="M2", name="translates-ends-of-lines", plugin=but(note.plugin, read=read_as_lines), world=note.world),
    Wrong(rule="M2", name="quotes-nothing", plugin=but(widget.plugin, read=read_unquoted), world=widget.world),
]
