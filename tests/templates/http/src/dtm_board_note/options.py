"""The options of the board-note plugin, and examples of them."""

from typing import Annotated, Any

from dtm_sdk import Identity, Meta, Options, Tuning


class BoardNoteOptions(Options):
    """Options of the board-note plugin."""

    name: Annotated[Identity[str], Meta(min_length=1, description="What it is called.")]
    text: Annotated[str, Meta(description="What it says.")] = ""
    url: Annotated[Tuning[str], Meta(description="Where the service is.")] = "http://127.0.0.1:8080"
    timeout: Annotated[Tuning[float], Meta(gt=0, description="Seconds to wait for an answer.")] = 10.0


EXAMPLES: list[dict[str, Any]] = [
    {"name": "first", "text": "hello, world"},
    {"name": "first", "text": "changed", "timeout": 5.0},
]
