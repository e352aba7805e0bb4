"""Create: make the file, or take over the one that is there."""

from dtm_sdk import State

from dtm_localfile.localfile import save
from dtm_localfile.options import LocalfileOptions


def create(options: LocalfileOptions) -> State:
    """Make the file hold the text; one that is there already keeps its mode."""
    save(options.filename, options.content)
    return {"filename": options.filename, "content": options.content}
