"""`dtm show status`."""

import sys
from collections.abc import Iterator

import click

from dtm_sdk.cli.command import chosen, shared
from dtm_sdk.cli.console import Console
from dtm_sdk.cli.output import answer, aside
from dtm_sdk.cli.run import settings_of
from dtm_sdk.decide import compare
from dtm_sdk.options import Json
from dtm_sdk.report import clean, difference_lines, masked
from dtm_sdk.report_json import json_text
from dtm_sdk.status import Standing, status
from dtm_sdk.yaml_text import block


@click.command()
@shared("config_file", "plugin_dir", "debug", "parallelism", "timeout", "output")
@click.option("-a", "--all", "everything", is_flag=True, help="Show options and resources too.")
def command(*, everything: bool) -> int:
    """Show what each recorded tool is like now: in sync, drifted, gone, or unreadable.

    As JSON: a list of objects with `key`, `name`, `plugin`, `status` and `error`; with -a also `options`, `recorded`
    and `resource`, the resource as it is recorded and as it is read. The exit code is 1 where one can't be read.
    """
    options = chosen()
    console = Console(options, sys.stderr, details=False)
    with aside():
        standings = status(settings_of(options, console), console.tell)
    if options.output == "json":
        values = [_value(standing, everything=everything) for standing in standings]
        code = answer(json_text(values))
    else:
        lines = [line for standing in standings for line in _lines(standing, everything=everything)]
        code = answer("\n".join(lines) if lines else "No tools have been deployed now.")
    return code or int(any(standing.standing == "unreadable" for standing in standings))


def _value(standing: Standing, *, everything: bool) -> dict[str, Json]:
    record = standing.record
    value: dict[str, Json] = {
        "key": record.key,
        "name": record.name,
        "plugin": record.plugin,
        "status": standing.standing,
        "error": clean(standing.error),
    }
    if everything:
        value |= {
            "options": masked(record.options),
            "recorded": masked(record.resource),
            "resource": masked(standing.resource),
        }
    return value


def _lines(standing: Standing, *, everything: bool) -> Iterator[str]:
    record = standing.record
    yield clean(f"{record.name} ({record.plugin}): {': '.join(filter(None, (standing.standing, standing.error)))}")
    if standing.standing == "drifted":
        for difference in compare(record.resource, standing.resource):
            yield from (f"    {line}" for line in difference_lines(difference))
    if everything:
        for line in block(masked({"options": record.options, "resource": standing.resource})):
            yield f"    {clean(line)}"
