"""`dtm state accept`."""

import click

from dtm_sdk.cli.command import shared
from dtm_sdk.cli.state_change import change
from dtm_sdk.state_commands import accept, open_state


@click.command()
@shared("config_file", "plugin_dir", "yes", "lock_timeout")
def command() -> int:
    """Take over a state file that was edited, or is an older copy, or is gone: go on from what is there now.

    What differs from what was recorded last is shown first.
    """
    return change(
        lambda settings, tell, agree: accept(
            open_state(settings.config, settings.plugin_dir), tell, agree, settings.lock_timeout
        ),
        "The state is accepted.",
    )
