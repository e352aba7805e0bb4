"""The {{ cookiecutter.name }} plugin, put together from its parts."""

from dtm_sdk import Plugin

from {{ cookiecutter.__package }}.create import create
from {{ cookiecutter.__package }}.delete import delete
from {{ cookiecutter.__package }}.options import EXAMPLES, {{ cookiecutter.__options }}
from {{ cookiecutter.__package }}.read import read
from {{ cookiecutter.__package }}.update import update
from {{ cookiecutter.__package }}.validate import validate

__all__ = ["plugin"]

plugin = Plugin(
    name="{{ cookiecutter.name }}",
    options={{ cookiecutter.__options }},
    examples=EXAMPLES,
    validate=validate,
    create=create,
    read=read,
    update=update,
    delete=delete,
)
