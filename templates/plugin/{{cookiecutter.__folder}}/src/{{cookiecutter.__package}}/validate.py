"""What the types of the options can't say."""

from {{ cookiecutter.__package }}.options import {{ cookiecutter.__options }}


def validate(options: {{ cookiecutter.__options }}) -> list[str]:
    """What is wrong with the options, one message each; empty when nothing is. Looks at nothing else."""
    # TODO(dtm): a message for each thing that the types allow and the system does not, such as a name (V4, V5, V6).
    return []
