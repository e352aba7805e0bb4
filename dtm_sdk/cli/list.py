"""`dtm list`."""

import click

from dtm_sdk.cli.command import Lazy, shared

TABLE = {"plugins": ("dtm_sdk.cli.list_plugins", "List the plugins that can be used.")}


@click.command(cls=Lazy, table=TABLE)
@shared()
def command() -> None:
    """List what there is."""
