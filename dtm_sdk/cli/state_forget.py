"""`dtm state forget`."""

import click

from dtm_sdk.cli.command import shared
from dtm_sdk.cli.state_change import change
from dtm_sdk.state_commands import forget, open_state


@click.command()
@shared("config_file", "plugin_dir", "yes", "lock_timeout")
@click.argument("keys", metavar="KEY...", nargs=-1, required=True)
def command(keys: tuple[str, ...]) -> int:
    """Drop records, and operations that were interrupted; the resources stay. A KEY is NAME.PLUGIN."""
    return change(
        lambda settings, tell, agree: forget(
            open_state(settings.config, settings.plugin_dir), keys, agree, settings.lock_timeout
        ),
        f"Forgotten: {', '.join(dict.fromkeys(keys))}.",
    )
