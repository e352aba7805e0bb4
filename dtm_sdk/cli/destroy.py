"""`dtm destroy`."""

import click

from dtm_sdk.cli.command import TIMES, shared


@click.command()
@shared("config_file", "plugin_dir", "yes", "debug", "parallelism", *TIMES, "output")
def command() -> int:
    """Delete every recorded tool, whether it is in the config or not, dependents first."""
    from dtm_sdk import runner
    from dtm_sdk.cli.run import run

    return run("destroy", runner.destroy)
