"""Read: say which text is kept."""

import json

from dtm_sdk import PluginError, State

from dtm_tally.options import TallyOptions
from dtm_tally.tally import COMMAND, run


def read(options: TallyOptions) -> State | None:
    """The text as it is now; None when none is kept."""
    said = run("get", options.name)
    try:
        text = json.loads(said)
    except ValueError as error:
        raise PluginError(f"`{COMMAND}` says what is no JSON: {said[:50]!r}", "look whether it is ours") from error
    return None if text is None else {"name": options.name, "text": text}
