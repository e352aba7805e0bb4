"""Read: say which text is kept."""

from dtm_sdk import PluginError, State

from dtm_tally.options import TallyOptions
from dtm_tally.tally import COMMAND, run


def read(options: TallyOptions) -> State | None:
    """The text as it is now; None when none is kept."""
    said, _, text = run("get", options.name).partition("\n")
    if said not in {"kept", "none"}:
        raise PluginError(f"`{COMMAND}` answers {said[:50]!r}", "look whether it is the command that is meant")
    return {"name": options.name, "text": text} if said == "kept" else None
