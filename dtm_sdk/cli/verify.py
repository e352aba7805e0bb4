"""`dtm verify`."""

import click

from dtm_sdk.cli.command import shared


@click.command()
@shared("config_file", "plugin_dir", "debug", "parallelism", "timeout", "no_adopt", "output")
def command() -> int:
    """Check that tools, state and config agree; the exit code is 3 if they don't. Change nothing."""
    from dtm_sdk import runner
    from dtm_sdk.cli.run import PENDING, run

    return run("verify", lambda settings, tell, ask: runner.verify(settings, tell), pending=PENDING)
