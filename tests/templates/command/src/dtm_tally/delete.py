"""Delete: forget the text."""

from dtm_tally.options import TallyOptions
from dtm_tally.tally import run


def delete(options: TallyOptions) -> bool:
    """Forget the text; True as well when it is gone already."""
    run("drop", options.name)
    return True
