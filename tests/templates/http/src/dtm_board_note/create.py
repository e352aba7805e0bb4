"""Create: make the note, or take over the one that is there."""

from dtm_sdk import PluginError, State

from dtm_board_note.board_note import ask
from dtm_board_note.options import BoardNoteOptions


def create(options: BoardNoteOptions) -> State:
    """Make the note as the options say; returns what Read says of it."""
    note = ask(options, "PUT", f"/notes/{options.name}", {"text": options.text})
    if note is None:
        raise PluginError(f"{options.url} has no notes", "look whether it is the right service")
    return {"name": options.name, "text": note["text"]}
