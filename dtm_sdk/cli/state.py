"""`dtm state`."""

import click

from dtm_sdk.cli.command import Lazy, shared

TABLE = {
    "list": ("dtm_sdk.cli.state_list", "List what is recorded, and what was interrupted."),
    "show": ("dtm_sdk.cli.state_show", "Print records as YAML."),
    "adopt": ("dtm_sdk.cli.state_adopt", "Record a resource that exists, as it is."),
    "forget": ("dtm_sdk.cli.state_forget", "Drop records; the resources stay."),
    "accept": ("dtm_sdk.cli.state_accept", "Take over a state file that was edited."),
    "unlock": ("dtm_sdk.cli.state_unlock", "End the lock of a run that died."),
    "history": ("dtm_sdk.cli.state_history", "List the copies of earlier writings of the state."),
    "restore": ("dtm_sdk.cli.state_restore", "Go back to an earlier writing of the state."),
    "migrate": ("dtm_sdk.cli.state_migrate", "Copy the state to another backend, or from a file."),
}


@click.command(cls=Lazy, table=TABLE)
@shared()
def command() -> None:
    """Look at what is recorded, mend it, move it. No command of these changes a resource."""
