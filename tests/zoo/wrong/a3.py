"""The docs page is missing, or says another thing than the types."""

from dtm_sdk.docs import page
from tests.zoo.right import note, widget
from tests.zoo.zoo import Wrong

NOTE = page(note.plugin)
WIDGET = page(widget.plugin)


def without_row(text: str, option: str) -> str:
    """A page on which one option isn't in the table."""
    return "\n".join(line for line in text.splitlines() if not line.startswith(f"| `{option}` "))


def replaced(text: str, old: str, new: str) -> str:
    """A page with one thing in place of another that is there."""
    if old not in text:
        raise ValueError(old)
    return text.replace(old, new)


def on_note(name: str, text: str | None) -> Wrong:
    """The note plugin with another page."""
    return Wrong(rule="A3", name=name, plugin=note.plugin, world=note.world, files={"docs/note.md": text})


def on_widget(name: str, text: str) -> Wrong:
    """The widget plugin with another page."""
    return Wrong(rule="A3", name=name, plugin=widget.plugin, world=widget.world, files={"docs/widget.md": text})


WRONG = [
    on_note("no-page", None),
    on_note("nested-option-forgotten", without_row(NOTE, "header.lines")),
    on_note("default-of-the-last-version", replaced(NOTE, "| integer | no | `0` |", "| integer | no | `30` |")),
    on_note("no-example", NOTE.partition("## Example")[0]),
    on_widget(
        "option-that-was-removed",
        replaced(WIDGET, "| `token` ", "| `retries` | integer | no | `3` | How often. |\n| `token` "),
    ),
    on_widget("secret-as-string", replaced(WIDGET, "| `token` | secret |", "| `token` | string |")),
    on_widget("optional-as-required", replaced(WIDGET, "| `colour` | string | no |", "| `colour` | string | yes |")),
    on_widget("other-description", replaced(WIDGET, "How large it is.", "How heavy it is.")),
    on_widget("example-with-an-old-name", replaced(WIDGET, '      name: "one"', '      title: "one"')),
]
