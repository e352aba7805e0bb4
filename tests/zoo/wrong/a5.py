"""Something is left that only the author can fill in."""

from dtm_sdk.docs import page
from tests.zoo.right import note, widget
from tests.zoo.zoo import Wrong

DELETE = '''"""Remove the note."""


def delete(options):
    return True  # TODO(dtm): remove the resource
'''
PYPROJECT = """[project]
name = "dtm-widget"
description = "TODO(dtm): what it manages, in a sentence"
"""

WRONG = [
    Wrong(
        rule="A5",
        name="left-in-an-operation",
        plugin=note.plugin,
        world=note.world,
        files={"src/dtm_note/delete.py": DELETE},
    ),
    Wrong(
        rule="A5",
        name="left-in-the-docs",
        plugin=note.plugin,
        world=note.world,
        files={"docs/note.md": f"{page(note.plugin)}\nTODO(dtm): say what is not managed\n"},
    ),
    Wrong(
        rule="A5",
        name="left-in-the-description",
        plugin=widget.plugin,
        world=widget.world,
        files={"pyproject.toml": PYPROJECT},
    ),
]
