"""`dtm apply`."""

import click

from dtm_sdk.cli.command import TIMES, shared


@click.command()
@shared("config_file", "plugin_dir", "yes", "debug", "parallelism", *TIMES, "no_adopt", "output")
def command() -> int:
    """Create, update and delete tools so that they are as the config says.

    The plan is shown first, and asked about; -y goes on without a question.
    """
    from dtm_sdk import runner
    from dtm_sdk.cli.run import run

    return run("apply", runner.apply)
