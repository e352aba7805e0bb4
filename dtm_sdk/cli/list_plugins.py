"""`dtm list plugins`."""

import re

import click

from dtm_sdk.cli.command import chosen, shared
from dtm_sdk.cli.output import answer
from dtm_sdk.errors import UsageError
from dtm_sdk.registry import Registry
from dtm_sdk.report_json import json_text


@click.command()
@shared("plugin_dir", "output")
@click.option("-r", "--filter", "pattern", metavar="REGEX", default="", help="Only those whose name matches.")
def command(pattern: str) -> int:
    """List the plugins that can be used, one name a line.

    As JSON: a list of objects with `name`, `value` (where it is), `distribution` and `version`.
    """
    try:
        matches = re.compile(pattern).search
    except re.error as error:
        raise UsageError(f"{pattern!r} is no regular expression: {error}") from None
    options = chosen()
    found = [entry for entry in Registry(options.plugin_dir).entries if matches(entry.name)]
    if options.output == "json":
        values = [entry._asdict() for entry in found]
        return answer(json_text(values))
    names = dict.fromkeys(entry.name for entry in found)
    if not names:
        click.echo("There are none; `pip install` one, or `pip install --target` it into the plugin folder.", err=True)
    return answer("\n".join(names)) if names else 0
