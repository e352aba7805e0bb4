"""What `dtm state` does with the records alone: look at them, mend them, go back to earlier ones.

Whatever changes something shows what, and asks, while it holds the state.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from dtm_sdk.backends import Accepting, Backend, Check, Historied, Leased, Loaded, Session, open_backend
from dtm_sdk.changes import title
from dtm_sdk.config import load_backend
from dtm_sdk.decide import Difference, compare
from dtm_sdk.errors import LockedError, StateError, UsageError
from dtm_sdk.events import Notice, Tell
from dtm_sdk.hiding import fit_by
from dtm_sdk.options import Json
from dtm_sdk.registry import Registry
from dtm_sdk.state import Begin, Drop, End, Entry, Ledger, Record, State


class Edit(NamedTuple):
    """What a command does to one record.

    Attributes:
        text: a sentence.
        differences: what it changes, value by value.
    """

    text: str
    differences: Sequence[Difference] = ()


Agree: TypeAlias = Callable[[Sequence[Edit]], bool]
"""Shows what would be done and asks whether to do it."""


class Known(NamedTuple):
    """What is known of one tool.

    Attributes:
        record: what is recorded; where nothing is, what would be, had the operation that began ended well.
        recorded: whether it is recorded.
        begun: the operations that have begun and not ended: a run died in them, or is in them.
    """

    record: Record
    recorded: bool
    begun: tuple[Begin, ...]

    @property
    def interrupted(self) -> str:
        """What has begun and not ended, e.g. `create has begun and not ended`; empty where nothing has."""
        names = " and ".join(dict.fromkeys(intent.operation for intent in self.begun))
        return f"{names} has begun and not ended" if names else ""


class Earlier(NamedTuple):
    """A copy of an earlier writing.

    Attributes:
        serial: which writing; 0 is what was there before the first.
        written: when, in seconds since 1970.
        records: how many it holds; None where it can't be read.
        error: why not, in one line; empty where it can.
    """

    serial: int
    written: float
    records: int | None
    error: str = ""


def open_state(config: str, plugin_dir: str) -> Backend:
    """Where the state of a config is; its tools aren't looked at.

    Args:
        config: path of the config.
        plugin_dir: folder with more plugins: they say what is secret in records that dtm didn't write.

    Raises:
        ConfigError: the config doesn't say it as it should.
        StateError: there is no such backend.
    """
    return open_backend(*load_backend(config), fit_by(Registry(plugin_dir).get))


def plain(record: Record) -> dict[str, Json]:
    """A record as the state file has it."""
    return {
        "name": record.name,
        "plugin": record.plugin,
        "dependsOn": list(record.depends_on),
        "options": record.options,
        "resource": record.resource,
        "meta": record.meta,
    }


def known(loaded: Loaded) -> dict[str, Known]:
    """Key -> what is known of the tool, sorted by key; tools with an intent and no record included."""
    begun: dict[str, list[Begin]] = {}
    for intent in loaded.open:
        begun.setdefault(intent.record.key, []).append(intent)
    records = loaded.state.records
    found: dict[str, Known] = {}
    for key in sorted({*records, *begun}):
        intents = tuple(begun.get(key, ()))
        found[key] = Known(records[key] if key in records else intents[-1].record, key in records, intents)
    return found


def pick(loaded: Loaded, keys: Sequence[str]) -> list[Known]:
    """What is known of some tools, each once.

    Raises:
        UsageError: nothing is known of one.
    """
    everything = known(loaded)
    for key in keys:
        if key not in everything:
            raise UsageError(f"nothing is recorded of {key}", nearest(key, everything))
    return [everything[key] for key in dict.fromkeys(keys)]


def nearest(key: str, keys: Mapping[str, object]) -> str:
    """A hint that names the key that was probably meant."""
    from difflib import get_close_matches

    close = get_close_matches(key, keys, 1)
    return f"did you mean {close[0]}?" if close else "`dtm state list` shows what is; a key is NAME.PLUGIN"


def commit(session: Session, entries: Sequence[Entry]) -> None:
    """Record entries, durably, and write the state.

    Raises:
        StateError: they may not be durable, or it could not be written.
    """
    ledger = Ledger(session.loaded.state.records, session.loaded.open)
    session.append(entries)
    for entry in entries:
        ledger.fold(entry)
    session.commit(State(ledger.records), tuple(ledger.open.values()))


def forget(backend: Backend, keys: Sequence[str], agree: Agree, wait: float = 0) -> bool:
    """Drop the records of tools, and what has begun on them; the resources stay. Whether it was agreed to.

    Raises:
        UsageError: nothing is known of one.
        StateError: another run holds the state, or it can't be read or written.
    """
    with backend.lock("state forget", wait) as session:
        found = pick(session.loaded, keys)
        if not agree([_forgotten(each) for each in found]):
            return False
        entries: list[Entry] = []
        for each in found:
            entries += [Drop(each.record.key)] if each.recorded else []
            entries += [End(intent.id, error="forgotten") for intent in each.begun]
        commit(session, entries)
    return True


def _forgotten(each: Known) -> Edit:
    name, stays = title(each.record.name, each.record.plugin), "its resource stays"
    if each.recorded:
        return Edit(f"{name} will be forgotten, {stays}.")
    operations = " and ".join(intent.operation for intent in each.begun)
    return Edit(f"{name} will be forgotten: nothing looks for what its {operations} may have made.")


def accept(backend: Backend, tell: Tell, agree: Agree, wait: float = 0) -> bool:
    """Take the state as it is now, edited, older or gone. Whether there was reason to, and it was agreed to.

    Raises:
        StateError: as `forget`; or this isn't done with such a backend.
    """
    if not isinstance(backend, Accepting):
        raise _lacks(backend, "there is no file in it to be edited")
    try:
        backend.load()
    except StateError as error:
        tell(Notice("warning", error.message))
    else:
        tell(Notice("info", f"{backend.describe()} is as dtm left it. There is nothing to accept."))
        return False
    return _replaced(lambda check: backend.accept(wait, check), agree)


def history(backend: Backend) -> list[Earlier]:
    """The copies of earlier writings, oldest first; that of the current one included.

    Raises:
        StateError: they can't be listed; or such a backend keeps none.
    """
    kept = _historied(backend)
    return [_earlier(kept, version.serial, version.written) for version in kept.history()]


def _earlier(backend: Historied, serial: int, written: float) -> Earlier:
    try:
        return Earlier(serial, written, len(backend.version(serial).records))
    except StateError as error:
        return Earlier(serial, written, None, error.message)


def restore(backend: Backend, serial: int, agree: Agree, wait: float = 0) -> bool:
    """Go back to a copy of an earlier writing. Whether it was agreed to.

    Raises:
        StateError: as `forget`; there is no such copy, or it can't be read; or such a backend keeps none.
    """
    kept = _historied(backend)
    return _replaced(lambda check: kept.restore(serial, wait, check), agree)


def _historied(backend: Backend) -> Historied:
    if not isinstance(backend, Historied):
        raise _lacks(backend, "it keeps no copies of earlier writings")
    return backend


def _lacks(backend: Backend, why: str) -> StateError:
    return StateError(f"this can't be done with {backend.describe()}: {why}", "its own tools may help")


class _DeclinedError(Exception):
    """The answer was no."""


def _replaced(act: Callable[[Check], State], agree: Agree) -> bool:
    """Let one state take the place of another, once it was agreed to; whether it was."""

    def check(before: Mapping[str, Record] | None, after: State) -> None:
        if not agree(list(edits(before, after.records))):
            raise _DeclinedError

    try:
        act(check)
    except _DeclinedError:
        return False
    return True


def edits(before: Mapping[str, Record] | None, after: Mapping[str, Record]) -> Iterator[Edit]:
    """What happens to each record when some take the place of others.

    Args:
        before: key -> record; None where that isn't known.
        after: key -> record.
    """
    if before is None:
        yield Edit("What was recorded before can't be told.")
    elif before == after:
        yield Edit("The records stay the same.")
    old = before or {}
    for key, record in {**old, **after}.items():
        name = title(record.name, record.plugin)
        if key not in after:
            yield Edit(f"{name} will be forgotten, its resource stays.")
        elif key not in old:
            yield Edit(f"{name} will be recorded.")
        elif record != old[key]:
            yield Edit(f"{name} will be recorded differently.", compare(plain(old[key]), plain(record)))


def unlock(backend: Backend, id_: str, tell: Tell, agree: Agree) -> bool:
    """End a holding of the lock. Whether there was one that outlives its process, and it was agreed to.

    Raises:
        UsageError: the holding has another id.
        LockedError: a process that is alive holds it, and its lock ends with it.
        StateError: it can't be told or ended.
    """
    where = backend.describe()
    if not isinstance(backend, Leased):
        try:
            with backend.lock("state unlock"):
                pass
        except LockedError as error:
            hint = "that process is alive: wait until it has ended, or end it; a dead one never holds anything"
            raise LockedError(error.message, hint, error.holder) from None
        tell(Notice("info", f"Nothing holds {where}: such a lock ends with its process. There is nothing to do."))
        return False
    holder = backend.holder()
    if holder is None:
        tell(Notice("info", f"Nothing holds {where}. There is nothing to do."))
        return False
    who = f"`dtm {holder.command}`, process {holder.pid} on {holder.host}, started by {holder.user} at {holder.started}"
    if holder.id != id_:
        raise UsageError(f"{where} is held by {who}, with the id {holder.id}", f"give {holder.id} to end that")
    if not agree([Edit(f"{who}, will lose {where}; if it is alive, its next writing is refused.")]):
        return False
    backend.unlock(id_)
    return True
