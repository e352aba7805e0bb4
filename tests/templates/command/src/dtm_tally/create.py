"""Create: keep the text, in place of the one that is there."""

from dtm_sdk import State

from dtm_tally.options import TallyOptions
from dtm_tally.tally import run


def create(options: TallyOptions) -> State:
    """Keep the text as the options say; returns what Read says of it."""
    run("set", options.name, options.text)
    return {"name": options.name, "text": options.text}
