"""Update: bring the text to the options."""

from dtm_sdk import State

from dtm_tally.create import create
from dtm_tally.options import TallyOptions


def update(options: TallyOptions) -> State:
    """Bring the text to the options; returns what Read says of it."""
    return create(options)
