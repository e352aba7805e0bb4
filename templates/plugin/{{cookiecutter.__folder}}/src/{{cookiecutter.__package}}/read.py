"""Read: say what is there."""

from dtm_sdk import State

from {{ cookiecutter.__package }}.options import {{ cookiecutter.__options }}


def read(options: {{ cookiecutter.__options }}) -> State | None:
    """The resource as it is now; None when it does not exist."""
    # TODO(dtm): return what{{ {'files': ' `load`', 'http': ' `ask`', 'command': ' `run`'}[cookiecutter.world] }} sees, under the options' names; raise when it can't be asked (R1, R2, R4, R5).
    raise NotImplementedError
