"""`dtm state unlock`."""

import click

from dtm_sdk.cli.command import shared
from dtm_sdk.cli.state_change import change
from dtm_sdk.state_commands import open_state, unlock


@click.command()
@shared("config_file", "yes")
@click.argument("id_", metavar="ID")
def command(id_: str) -> int:
    """End the lock of a run that died elsewhere; the message that names its holder names the ID.

    A state in a local file never needs this: the lock of a process ends with it.
    """
    return change(
        lambda settings, tell, agree: unlock(open_state(settings.config, settings.plugin_dir), id_, tell, agree),
        f"The lock {id_} is ended.",
    )
