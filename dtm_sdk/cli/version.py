"""`dtm version`, where options stand beside it."""

import click

from dtm_sdk import __version__
from dtm_sdk.cli.command import chosen, shared
from dtm_sdk.cli.output import answer


@click.command()
@shared("output")
def command() -> int:
    """Print the version."""
    return answer(f'{{"version": "{__version__}"}}' if chosen().output == "json" else __version__)
