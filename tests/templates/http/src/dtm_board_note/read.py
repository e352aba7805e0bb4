"""Read: say what the note says."""

from dtm_sdk import State

from dtm_board_note.board_note import ask
from dtm_board_note.options import BoardNoteOptions


def read(options: BoardNoteOptions) -> State | None:
    """The note as it is now; None when it does not exist."""
    note = ask(options, "GET", f"/notes/{options.name}")
    return None if note is None else {"name": options.name, "text": note["text"]}
