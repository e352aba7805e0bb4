"""Delete: remove the resource."""

from {{ cookiecutter.__package }}.options import {{ cookiecutter.__options }}


def delete(options: {{ cookiecutter.__options }}) -> bool:
    """Remove the resource; True as well when it is gone already."""
    # TODO(dtm): remove it{{ {'files': ' with `remove`', 'http': ' with `ask`', 'command': ' with `run`'}[cookiecutter.world] }} and nothing else; return True once it is gone, or was before (D1, D2, D3, D4).
    raise NotImplementedError
