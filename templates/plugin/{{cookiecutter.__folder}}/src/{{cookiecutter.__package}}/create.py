"""Create: make the resource, or take over the one that is there."""

from dtm_sdk import State

from {{ cookiecutter.__package }}.options import {{ cookiecutter.__options }}


def create(options: {{ cookiecutter.__options }}) -> State:
    """Make the resource as the options say; returns what Read says of it."""
    # TODO(dtm): make it{{ {'files': ' with `save`', 'http': ' with `ask`', 'command': ' with `run`'}[cookiecutter.world] }}, or bring what is there to the options; return what read will (C1, C2, C3, C6).
    raise NotImplementedError
