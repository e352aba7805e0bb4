"""`dtm develop`."""

import sys
from pathlib import Path

import click

from dtm_sdk.cli.command import Lazy, shared
from dtm_sdk.errors import UsageError
from dtm_sdk.plugin import Plugin

TABLE = {
    "create-plugin": ("dtm_sdk.cli.develop_create_plugin", "Make the project of a new plugin."),
    "validate-plugin": ("dtm_sdk.cli.develop_validate_plugin", "Check a plugin against every rule of the contract."),
    "docs": ("dtm_sdk.cli.develop_docs", "Bring the docs of a plugin in step with its options."),
    "doctor": ("dtm_sdk.cli.develop_doctor", "Say what is left to do in the project of a plugin."),
}

ROOT = click.argument("root", metavar="[PATH]", type=click.Path(path_type=Path), default=Path())
"""The folder of a plugin's project."""


@click.command(cls=Lazy, table=TABLE)
@shared()
def command() -> None:
    """Write plugins."""


def own_plugins(root: Path) -> list[Plugin]:
    """The plugins whose project is in a folder, imported from there.

    Raises:
        UsageError: there is none.
        PluginError: one can't be imported.
    """
    from dtm_sdk.testing.discover import Found, declared

    entries = declared(root / "pyproject.toml")
    if not entries:
        hint = "give the folder of a plugin's project; `dtm develop create-plugin` makes one"
        raise UsageError(f"{root / 'pyproject.toml'} declares no plugin", hint)
    root = root.resolve()
    sys.path[:0] = [str(root / "src"), str(root)]  # before an installed copy of it
    return [Found(entry, root).load() for entry in entries]
