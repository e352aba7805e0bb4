"""`dtm state restore`."""

import click

from dtm_sdk.cli.command import shared
from dtm_sdk.cli.state_change import change
from dtm_sdk.state_commands import open_state, restore


@click.command()
@shared("config_file", "plugin_dir", "yes", "lock_timeout")
@click.argument("serial", type=click.IntRange(min=0))
def command(serial: int) -> int:
    """Go back to an earlier writing of the state; `dtm state history` lists them. Resources stay as they are."""
    return change(
        lambda settings, tell, agree: restore(
            open_state(settings.config, settings.plugin_dir), serial, agree, settings.lock_timeout
        ),
        f"The records are those of writing {serial} again.",
    )
