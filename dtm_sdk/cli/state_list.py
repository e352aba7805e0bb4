"""`dtm state list`."""

import click

from dtm_sdk.cli.command import chosen, shared
from dtm_sdk.cli.output import answer
from dtm_sdk.cli.state_change import table
from dtm_sdk.options import Json
from dtm_sdk.report_json import json_text
from dtm_sdk.state_commands import Known, known, open_state


@click.command()
@shared("config_file", "output")
def command() -> int:
    """List what is recorded, and operations that have begun and not ended: a run died in them, or is in them.

    As JSON: a list of objects with `key`, `name`, `plugin`, `recorded`, `adopted` and `begun`, a list of operations.
    """
    options = chosen()
    found = known(open_state(options.config_file, options.plugin_dir).load())
    if options.output == "json":
        return answer(json_text([_value(key, each) for key, each in found.items()]))
    if not found:
        return answer("Nothing is recorded.")
    rows = [(key, each.record.plugin, ", ".join(_notes(each))) for key, each in found.items()]
    return answer(table([("KEY", "PLUGIN", "NOTES"), *rows]))


def _value(key: str, each: Known) -> dict[str, Json]:
    return {
        "key": key,
        "name": each.record.name,
        "plugin": each.record.plugin,
        "recorded": each.recorded,
        "adopted": _adopted(each),
        "begun": [intent.operation for intent in each.begun],
    }


def _adopted(each: Known) -> bool:
    return each.recorded and each.record.meta.get("adopted") is True


def _notes(each: Known) -> list[str]:
    notes = [] if each.recorded else ["not recorded"]
    notes += ["adopted"] if _adopted(each) else []
    return notes + ([each.interrupted] if each.begun else [])
