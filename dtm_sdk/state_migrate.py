"""`dtm state migrate`: the records go to another backend, or come from a file."""

from collections.abc import Callable
from pathlib import Path

from dtm_sdk import state_text
from dtm_sdk.backends import Backend, Keyed, Session
from dtm_sdk.changes import title
from dtm_sdk.errors import StateError, UsageError
from dtm_sdk.hiding import hidden
from dtm_sdk.plugin import Plugin
from dtm_sdk.state import Record, State
from dtm_sdk.state_commands import Agree, Edit


def migrate(source: Backend, target: Backend, agree: Agree, wait: float = 0) -> bool:
    """Copy a state to an empty place, with the key of its fingerprints; what is there stays. Whether it was agreed to.

    Raises:
        UsageError: both are the same place.
        StateError: another run holds one of them, the target isn't empty, or one can't be read or written.
    """
    if type(source) is type(target) and source.describe() == target.describe():
        raise UsageError(f"the state is in {target.describe()} already", "name another backend in the file of --to")
    with source.lock("state migrate", wait) as old, target.lock("state migrate", wait) as new:
        _refuse_full(target, new)
        if not isinstance(new, Keyed):
            raise StateError(f"{target.describe()} can't take over the key of the fingerprints of secrets")
        records = old.loaded.state.records
        if not agree([_copied(record, target) for record in records.values()]):
            return False
        new.take_key(old.loaded.key)
        new.commit(State(records), old.loaded.open)
    return True


def import_file(
    path: str, target: Backend, find_plugin: Callable[[str], Plugin], agree: Agree, wait: float = 0
) -> bool:
    """Copy the records of a state file, ours or the ancestor's, to an empty place. Whether it was agreed to.

    The ancestor wrote secrets as they are: where the plugin says which options are secret, their fingerprints are
    recorded instead.

    Raises:
        UsageError: the file can't be read.
        StateError: what it holds can't be read; or as `migrate`.
    """
    try:
        state = state_text.load(Path(path).read_bytes(), path)
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}", "give the path of a state file") from None
    with target.lock("state migrate", wait) as session:
        _refuse_full(target, session)
        each = {key: hidden(record, find_plugin, session.loaded.key) for key, record in state.records.items()}
        if not agree([_copied(record, target, why) for record, why in each.values()]):
            return False
        session.commit(State({key: record for key, (record, _) in each.items()}))
    return True


def _refuse_full(target: Backend, session: Session) -> None:
    loaded = session.loaded
    if loaded.state.records or loaded.open:
        many = len({*loaded.state.records, *(intent.record.key for intent in loaded.open)})
        raise StateError(f"{target.describe()} has records of {many} tool(s) already", "name an empty place")


def _copied(record: Record, target: Backend, why: str = "") -> Edit:
    return Edit(f"{title(record.name, record.plugin)} will be recorded in {target.describe()}{why}.")
