"""`dtm state migrate`."""

import click

from dtm_sdk.cli.command import shared
from dtm_sdk.cli.state_change import change
from dtm_sdk.errors import UsageError
from dtm_sdk.events import Tell
from dtm_sdk.registry import Registry
from dtm_sdk.runner import Settings
from dtm_sdk.state_commands import Agree, open_state


@click.command()
@shared("config_file", "plugin_dir", "yes", "lock_timeout")
@click.option("--to", metavar="FILE", help="A config, or its `config:` part, that names the other backend.")
@click.option("--from-file", "old", metavar="FILE", help="A state file, of dtm or of the ancestor, to be copied here.")
def command(to: str | None, old: str | None) -> int:
    """Copy the state to another backend, or copy a state file into the one of the config; either must be empty.

    The state that is copied stays where it is. Name the new backend in the config before the next apply.
    """
    from dtm_sdk.state_migrate import import_file, migrate

    if (to is None) == (old is None):
        raise UsageError("where to, or where from?", "give either --to or --from-file")

    def act(settings: Settings, tell: Tell, agree: Agree) -> bool:
        here = open_state(settings.config, settings.plugin_dir)
        if to is not None:
            return migrate(here, open_state(to, settings.plugin_dir), agree, settings.lock_timeout)
        return import_file(old or "", here, Registry(settings.plugin_dir).get, agree, settings.lock_timeout)

    copied = "The state is copied; the one that was copied stays as it is"
    then = f"put the config: of {to} into the config, then remove the old state" if to else "it is no longer looked at"
    return change(act, f"{copied}: {then}.")
