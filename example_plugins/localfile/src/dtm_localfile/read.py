"""Read: say what the file holds."""

from dtm_sdk import State

from dtm_localfile.localfile import load
from dtm_localfile.options import LocalfileOptions


def read(options: LocalfileOptions) -> State | None:
    """The file as it is now; None when it doesn't exist."""
    content = load(options.filename)
    return None if content is None else {"filename": options.filename, "content": content}
