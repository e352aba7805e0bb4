"""`dtm state adopt`."""

import sys
from pathlib import Path

import click
import msgspec

from dtm_sdk.cli.command import shared
from dtm_sdk.cli.state_change import change
from dtm_sdk.document import DocumentError, parse
from dtm_sdk.errors import UsageError
from dtm_sdk.options import Json


@click.command()
@shared("config_file", "plugin_dir", "yes", "debug", "timeout", "lock_timeout")
@click.option(
    "--resource",
    metavar="FILE",
    help="JSON or YAML: what the plugin's create returns; for a plugin that can't find the resource. - is stdin.",
)
@click.argument("key")
def command(key: str, resource: str | None) -> int:
    """Record the resource of a tool of the config as it is; KEY is NAME.PLUGIN.

    The plugin reads it and nothing is changed; the next apply updates what isn't as configured. An operation on it
    that was interrupted is done with.
    """
    from dtm_sdk.state_adopt import adopt

    given = None if resource is None else _resource(resource)
    return change(lambda settings, tell, agree: adopt(settings, key, given, tell, agree), f"{key} is recorded.")


def _resource(path: str) -> dict[str, Json]:
    where = "stdin" if path == "-" else path
    try:
        data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise UsageError(f"{where} can't be read: {error.strerror}", "give the path of a file, or -") from None
    try:
        value = msgspec.json.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        value = _yaml(data, where)
    if not isinstance(value, dict):
        raise UsageError(f"{where} holds no object", "write what the plugin's create returns, as JSON or YAML")
    return value


def _yaml(data: bytes, where: str) -> Json:
    try:
        documents = parse(data)
    except DocumentError as error:
        raise UsageError(f"{where}:{error.line}:{error.column}: {error.message}", error.hint) from None
    return documents[0] if len(documents) == 1 else None
