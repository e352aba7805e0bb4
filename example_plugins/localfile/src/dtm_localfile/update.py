"""Update: bring the file back to the options."""

from dtm_sdk import State

from dtm_localfile.create import create
from dtm_localfile.options import LocalfileOptions


def update(options: LocalfileOptions) -> State:
    """Make the file hold the text; one that is gone is made again."""
    return create(options)
