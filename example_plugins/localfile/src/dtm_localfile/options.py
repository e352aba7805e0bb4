"""The options of the localfile plugin, and examples of them."""

from typing import Annotated, Any

from dtm_sdk import Identity, Meta, Options


class LocalfileOptions(Options):
    """Options of the localfile plugin."""

    filename: Annotated[Identity[str], Meta(min_length=1, description="Path of the file, from the working directory.")]
    content: Annotated[str, Meta(description="Text of the file.")] = ""


EXAMPLES: list[dict[str, Any]] = [
    {"filename": "foo.txt", "content": "hello, world"},
    {"filename": "foo.txt", "content": "changed"},
]
