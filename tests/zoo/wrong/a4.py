"""The examples are none, or not valid, or no two of them make an update."""

from tests.zoo.right import note, widget
from tests.zoo.right.widget_service import TOKEN
from tests.zoo.zoo import Wrong, but

NOTES = [
    {"path": "a.note", "text": "one"},
    {"path": "b.note", "text": "two", "access": "all", "header": {"title": "Title", "lines": ["first"]}, "wait": 1},
]

WRONG = [
    Wrong(rule="A4", name="no-examples", plugin=but(note.plugin, examples=[]), world=note.world),
    Wrong(rule="A4", name="each-names-another", plugin=but(note.plugin, examples=NOTES), world=note.world),
    Wrong(
        rule="A4",
        name="one-with-an-old-name",
        plugin=but(widget.plugin, examples=[*widget.EXAMPLES, {"name": "three", "color": "red", "token": TOKEN}]),
        world=widget.world,
    ),
    Wrong(
        rule="A4",
        name="differ-in-tuning-alone",
        plugin=but(
            widget.plugin,
            examples=[
                {"name": "one", "token": TOKEN},
                {"name": "one", "token": TOKEN, "timeout": 4.0},
                {**widget.EXAMPLES[1], "name": "two"},
            ],
        ),
        world=widget.world,
    ),
]
