"""Update: bring the resource to the options."""

from dtm_sdk import State

from {{ cookiecutter.__package }}.options import {{ cookiecutter.__options }}


def update(options: {{ cookiecutter.__options }}) -> State:
    """Bring the resource to the options; returns what Read says of it."""
    # TODO(dtm): change it, leave nothing of the old options; often that is `return create(options)` (U1, U3).
    raise NotImplementedError
