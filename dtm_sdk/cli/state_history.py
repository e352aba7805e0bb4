"""`dtm state history`."""

import time

import click

from dtm_sdk.cli.command import chosen, shared
from dtm_sdk.cli.output import answer
from dtm_sdk.cli.state_change import table
from dtm_sdk.report import clean
from dtm_sdk.report_json import json_text
from dtm_sdk.state_commands import Earlier, history, open_state


@click.command()
@shared("config_file", "output")
def command() -> int:
    """List the copies of earlier writings of the state, oldest first; `dtm state restore` goes back to one.

    As JSON: a list of objects with `serial`, `written` (UTC), `records` (their number; null where the copy can't be
    read) and `error`, which says why it can't.
    """
    options = chosen()
    found = history(open_state(options.config_file, options.plugin_dir))
    if options.output == "json":
        return answer(json_text([{**each._asdict(), "written": _utc(each.written)} for each in found]))
    if not found:
        return answer("The state was never written.")
    rows = [(str(each.serial), _local(each.written), _records(each)) for each in found]
    return answer(table([("SERIAL", "WRITTEN", "RECORDS"), *rows]))


def _utc(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _local(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def _records(each: Earlier) -> str:
    return clean(each.error) if each.records is None else str(each.records)
