"""`dtm show config`."""

import click

from dtm_sdk.cli.command import chosen, shared
from dtm_sdk.cli.output import answer
from dtm_sdk.errors import UsageError
from dtm_sdk.example import example
from dtm_sdk.registry import Registry, UnknownPluginError


@click.command()
@shared("plugin_dir")
@click.option("--plugin", required=True, metavar="NAME", help="The plugin; `dtm list plugins` shows which there are.")
def command(plugin: str) -> int:
    """Print a config to start from: one tool of a plugin, each option with what it means."""
    try:
        found = Registry(chosen().plugin_dir).get(plugin)
    except UnknownPluginError as error:
        raise UsageError(error.message, error.hint) from None
    return answer(example(found))
