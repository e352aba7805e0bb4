"""`dtm plan`."""

import click

from dtm_sdk.cli.command import shared


@click.command()
@shared("config_file", "plugin_dir", "debug", "parallelism", "timeout", "no_adopt", "output")
@click.option("--exit-code", is_flag=True, help="Exit with 3 where there are changes.")
def command(*, exit_code: bool) -> int:
    """Show what `apply` would do, value by value; change nothing."""
    from dtm_sdk import runner
    from dtm_sdk.cli.run import PENDING, run

    return run("plan", lambda settings, tell, ask: runner.plan(settings, tell), pending=PENDING if exit_code else 0)
