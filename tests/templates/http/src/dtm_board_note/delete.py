"""Delete: remove the note."""

from dtm_board_note.board_note import ask
from dtm_board_note.options import BoardNoteOptions


def delete(options: BoardNoteOptions) -> bool:
    """Remove the note; True as well when it is gone already."""
    ask(options, "DELETE", f"/notes/{options.name}")
    return True
