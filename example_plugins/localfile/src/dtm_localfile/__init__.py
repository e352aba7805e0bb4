"""The localfile plugin: a file that holds the text the config says."""

from dtm_sdk import Plugin

from dtm_localfile.create import create
from dtm_localfile.delete import delete
from dtm_localfile.options import EXAMPLES, LocalfileOptions
from dtm_localfile.read import read
from dtm_localfile.update import update
from dtm_localfile.validate import validate

__all__ = ["plugin"]

plugin = Plugin(
    name="localfile",
    options=LocalfileOptions,
    examples=EXAMPLES,
    validate=validate,
    create=create,
    read=read,
    update=update,
    delete=delete,
)
