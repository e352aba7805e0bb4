"""`dtm state show`."""

import click

from dtm_sdk.cli.command import chosen, shared
from dtm_sdk.cli.output import answer
from dtm_sdk.report import clean
from dtm_sdk.report_json import json_text
from dtm_sdk.state_commands import Known, open_state, pick, plain
from dtm_sdk.yaml_text import block


@click.command()
@shared("config_file", "plugin_dir", "output")
@click.argument("keys", metavar="KEY...", nargs=-1, required=True)
def command(keys: tuple[str, ...]) -> int:
    """Print records as YAML, as the state file has them: secrets as their fingerprints. A KEY is NAME.PLUGIN.

    As JSON: a list of objects with `name`, `plugin`, `dependsOn`, `options`, `resource`, `meta`, `recorded` and
    `begun`, a list of the operations that have begun and not ended.
    """
    options = chosen()
    found = pick(open_state(options.config_file, options.plugin_dir).load(), keys)
    if options.output == "json":
        begun = [[intent.operation for intent in each.begun] for each in found]
        values = [
            {**plain(each.record), "recorded": each.recorded, "begun": operations}
            for each, operations in zip(found, begun, strict=True)
        ]
        return answer(json_text(values))
    return answer("\n".join(line for each in found for line in _lines(each)))


def _lines(each: Known) -> list[str]:
    record = each.record
    notes = [] if each.recorded else ["not recorded"]
    notes += [each.interrupted] if each.begun else []
    head = [f"# {', '.join(notes)}"] if notes else []
    return head + [clean(line) for line in block({f"{record.name}_{record.plugin}": plain(record)})]
