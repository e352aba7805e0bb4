"""Update: bring the note to the options."""

from dtm_sdk import State

from dtm_board_note.create import create
from dtm_board_note.options import BoardNoteOptions


def update(options: BoardNoteOptions) -> State:
    """Bring the note to the options; returns what Read says of it."""
    return create(options)
