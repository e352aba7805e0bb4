"""`dtm show`."""

import click

from dtm_sdk.cli.command import Lazy, shared

TABLE = {
    "config": ("dtm_sdk.cli.show_config", "Print a config to start from, for one plugin."),
    "status": ("dtm_sdk.cli.show_status", "Show what each recorded tool is like now."),
}


@click.command(cls=Lazy, table=TABLE)
@shared()
def command() -> None:
    """Show a config for a plugin, or the status of the tools."""
