"""The options of the tally plugin, and examples of them."""

from typing import Annotated, Any

from dtm_sdk import Identity, Meta, Options


class TallyOptions(Options):
    """Options of the tally plugin."""

    name: Annotated[Identity[str], Meta(min_length=1, description="What it is called.")]
    text: Annotated[str, Meta(max_length=10_000, description="What it says.")] = ""


EXAMPLES: list[dict[str, Any]] = [
    {"name": "first", "text": "hello, world"},
    {"name": "first", "text": "changed"},
]
