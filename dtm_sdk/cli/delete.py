"""`dtm delete`."""

import click

from dtm_sdk.cli.command import TIMES, shared


@click.command()
@shared("config_file", "plugin_dir", "yes", "debug", "parallelism", *TIMES, "output")
@click.option("--force", is_flag=True, help="Try the tools that aren't recorded too, with the options of the config.")
def command(*, force: bool) -> int:
    """Delete the tools of the config that are recorded, dependents first."""
    from dtm_sdk import runner
    from dtm_sdk.cli.run import run

    return run("delete", runner.delete, force=force)
