"""apply, plan, delete, destroy, verify: the only place that sequences I/O.

Each command reads as load -> read -> plan -> ask -> execute -> record.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from dtm_sdk.backends import Backend, Loaded, Session, open_backend
from dtm_sdk.calls import AskSecret, PluginCalls, Sources, calling
from dtm_sdk.changes import Change, Plan, plan_deletes, title
from dtm_sdk.config import load
from dtm_sdk.decide import Action, desire, output_in, pending
from dtm_sdk.errors import DtmError
from dtm_sdk.events import Command, Done, Event, Executing, Failed, Finished, Outcome, Planned, Skipped, Started, Tell
from dtm_sdk.execute import Executor
from dtm_sdk.hanging import give_up
from dtm_sdk.hiding import fit_by, warn_of_another_key
from dtm_sdk.holding import held, leaving
from dtm_sdk.interrupts import interrupts
from dtm_sdk.operations import total
from dtm_sdk.ownership import Facts
from dtm_sdk.plan import Planner, lost
from dtm_sdk.plugin import Plugin
from dtm_sdk.reading import Reads
from dtm_sdk.recorder import Recorder
from dtm_sdk.registry import Registry
from dtm_sdk.running import Running
from dtm_sdk.secret_text import fingerprint
from dtm_sdk.state import Begin, End, Ledger, Put, Record
from dtm_sdk.tools import Config
from dtm_sdk.workers import Stop, Workers


class Settings(Struct, frozen=True, kw_only=True):
    """What the command line says.

    Attributes:
        config: path of the config: a file or a folder.
        plugin_dir: folder where plugins are looked for beside the installed ones.
        plugins: plugins that are given, before any that is found.
        parallelism: how many operations may run at once.
        adopt: take over resources that exist and aren't recorded; an error otherwise.
        force: of `delete`: try the tools that aren't recorded too.
        detail: the plan shows what changes, value by value.
        debug: what plugins log at level DEBUG is told too.
        ask_secret: asks a person for a secret that can't be found; None where there is nobody.
        timeout: seconds that one operation may take; None for no limit.
        grace: seconds that operations may go on after an interrupt; None for no limit.
        lock_timeout: seconds to wait for another run that holds the state.
    """

    config: str = "config.yaml"
    plugin_dir: str = ".devstream"
    plugins: tuple[Plugin, ...] = ()
    parallelism: int = 10
    adopt: bool = True
    force: bool = False
    detail: bool = False
    debug: bool = False
    ask_secret: AskSecret | None = None
    timeout: float | None = None
    grace: float | None = None
    lock_timeout: float = 0


Ask = Callable[[Plan | Change], bool]
"""Asks whether to go on with a plan, or with a Replace that was decided late; False leaves it undone."""


class Result(Struct, frozen=True):
    """How a command ended.

    Attributes:
        plan: what was planned.
        changed: how many operations succeeded.
        failed: how many failed, or were skipped because of a failure or an interrupt.
        declined: the user answered no.
        interrupted: a signal ended it early.
    """

    plan: Plan
    changed: int = 0
    failed: int = 0
    declined: bool = False
    interrupted: bool = False


def apply(settings: Settings, tell: Tell, ask: Ask) -> Result:
    """Bring what is there to what the config says.

    Raises:
        DtmError: nothing was begun, or the state could no longer be written.
    """
    return _change("apply", settings, tell, ask, _plan_apply)


def delete(settings: Settings, tell: Tell, ask: Ask) -> Result:
    """Delete the config's tools: those recorded, with `force` the others too.

    Raises:
        DtmError: as `apply`.
    """
    return _change("delete", settings, tell, ask, _plan_delete)


def destroy(settings: Settings, tell: Tell, ask: Ask) -> Result:
    """Delete everything recorded, in the config or not.

    Raises:
        DtmError: as `apply`.
    """
    return _change("destroy", settings, tell, ask, lambda run: (_deletes(run, list(run.records)), None))


def plan(settings: Settings, tell: Tell, command: Command = "plan") -> Result:
    """What apply would do; changes nothing.

    Raises:
        DtmError: it can't be planned.
    """
    tell(Started(command, settings.plugin_dir))
    config, registry = _load(settings)
    loaded = open_backend(config.backend, config.backend_options, fit_by(registry.get)).load()
    with interrupts() as stop, _running(settings, config, registry, loaded, tell, stop) as run:
        planned, _ = _plan_apply(run)
    if stop.is_set():
        return _finish(tell, command, Result(planned, interrupted=True))
    tell(Planned(command, planned))
    return _finish(tell, command, Result(planned, failed=len(planned.failures)))


def verify(settings: Settings, tell: Tell) -> Result:
    """Whether everything is as the config says: in sync means a plan without changes.

    Raises:
        DtmError: as `plan`.
    """
    return plan(settings, tell, "verify")


class _Run(Struct, frozen=True):
    """What the steps of one command share.

    Attributes:
        records: those of the ledger, with what runs that died were doing (`_marked`).
        reads: the Reads before the plan.
    """

    settings: Settings
    config: Config
    registry: Registry
    tell: Tell
    stop: Stop
    key: bytes
    ledger: Ledger
    records: Mapping[str, Record]
    workers: Workers
    calls: PluginCalls
    reads: Reads

    def hide(self, text: str) -> str:
        """The fingerprint of a secret."""
        return fingerprint(self.key, text)


@contextmanager
def _running(
    settings: Settings, config: Config, registry: Registry, loaded: Loaded, tell: Tell, stop: Stop
) -> Iterator[_Run]:
    key, ledger = loaded.key, Ledger(loaded.state.records, loaded.open)
    sources = Sources(os.environ, settings.ask_secret, ledger.records)
    many, debug = settings.parallelism, settings.debug
    with calling(registry.get, key, config.tools, sources, stop, parallelism=many, debug=debug) as (workers, calls):
        reads = Reads(calls, workers, Running(stop, settings.timeout, None), tell)
        yield _Run(settings, config, registry, tell, stop, key, ledger, _marked(ledger), workers, calls, reads)


def _load(settings: Settings) -> tuple[Config, Registry]:
    registry = Registry(settings.plugin_dir, settings.plugins)
    return load(settings.config, registry.get), registry


def _change(
    command: Command, settings: Settings, tell: Tell, ask: Ask, make: Callable[[_Run], tuple[Plan, Planner | None]]
) -> Result:
    tell(Started(command, settings.plugin_dir))
    config, registry = _load(settings)
    backend: Backend = open_backend(config.backend, config.backend_options, fit_by(registry.get))
    with (
        held(backend, command, settings.lock_timeout, tell) as session,
        interrupts(leaving(session)) as stop,
        _running(settings, config, registry, session.loaded, tell, stop) as run,
    ):
        planned, planner = make(run)
        if stop.is_set():
            return _finish(tell, command, Result(planned, interrupted=True))
        tell(Planned(command, planned))
        if planned.changes and not ask(planned):
            return Result(planned, declined=True)
        result = _execute(run, session, planned, planner, ask)
    return _finish(tell, command, result)


def _finish(tell: Tell, command: Command, result: Result) -> Result:
    tell(Finished(command, result.changed, result.failed, result.interrupted))
    return result


def _plan_apply(run: _Run) -> tuple[Plan, Planner]:
    """Read what must be read, concurrently and in the order of the dependencies, and plan."""
    facts = Facts(
        tools=run.config.tools,
        records=run.records,
        find_plugin=run.registry.get,
        hide=run.hide,
        adopt=run.settings.adopt,
        detail=run.settings.detail,
    )
    planner, reads = Planner(facts), run.reads
    warn_of_another_key(run.records.values(), run.hide, run.tell)
    while not run.stop.is_set():
        for question in planner.questions():
            reads.begin(question)
        if not reads.asked:
            return planner.plan(), planner
        for key, seen in reads.answers():
            planner.answer(key, seen)
    reads.leave()
    return Plan(), planner


def _plan_delete(run: _Run) -> tuple[Plan, None]:
    """The Deletes of the config's tools."""
    keys = [key for key in run.config.tools if key in run.records]
    unrecorded = _unrecorded(run) if run.settings.force else ([], {})
    return _deletes(run, keys, *unrecorded), None


def _deletes(
    run: _Run, keys: Sequence[str], unrecorded: Iterable[Change] = (), failures: Mapping[str, str] | None = None
) -> Plan:
    """The plan of Deletes. What nothing can find again stays, whether it was made or not."""
    unfound = {key: why for key in keys if (why := lost(run.records[key], run.registry.get))}
    return plan_deletes(run.records, keys, unrecorded, {**unfound, **(failures or {})})


def _unrecorded(run: _Run) -> tuple[list[Change], dict[str, str]]:
    """The Deletes of the tools that have no record, with the config's options; and why one can't be tried."""
    lookup = partial(output_in, run.records)
    changes: list[Change] = []
    failures: dict[str, str] = {}
    for key, tool in run.config.tools.items():
        if key in run.records:
            continue
        try:
            desired = desire(tool, run.registry.get(tool.plugin), lookup, run.hide)
        except DtmError as error:
            failures[key] = f"{title(tool.name, tool.plugin)} can't be resolved: {error}"
            continue
        message = f"{title(tool.name, tool.plugin)} isn't in the state, will be deleted all the same."
        changes.append(Change(key, tool.name, tool.plugin, Action.DELETE, (message,), desired))
    return changes, failures


def _marked(ledger: Ledger) -> dict[str, Record]:
    """The records, with what a run that died was doing: a Create that began is a record until it is looked at."""
    records = dict(ledger.records)
    for intent in ledger.open.values():
        key = intent.record.key
        base = intent.record if intent.operation == "create" else records.get(key)
        if base and not (pending(base) and intent.operation != "create"):
            records[key] = replace(base, meta={**base.meta, "intent": intent.operation})
    return records


def _execute(run: _Run, session: Session, planned: Plan, planner: Planner | None, ask: Ask) -> Result:
    """Execute the plan; each batch is durable before it is told and before the next one begins."""
    changed, failed, told = 0, len(planned.failures), set[str]()
    recorder = Recorder(session, run.ledger, run.tell, run.stop)
    recorder.append([End(intent.id, error="nothing is recorded of it") for intent in _settled(run)])
    if planned.changes:
        run.tell(Executing(total(planned)))
    intents = dict(run.ledger.open)
    running = Running(run.stop, run.settings.timeout, run.settings.grace)
    executor = Executor(
        planned,
        run.calls,
        run.ledger.records,
        run.workers,
        run.stop,
        running,
        planner=planner,
        ask=ask,
        intents=intents,
    )
    try:
        for batch in executor.run():
            recorder.append(batch.entries)
            for event in batch.events if recorder.works else map(_unrecorded_end, batch.events):
                if isinstance(event, Outcome):
                    told.add(event.key)
                changed += isinstance(event, Done)
                failed += isinstance(event, Failed | Skipped)
                run.tell(event)
    except BaseException:
        if run.ledger.open.keys() - intents.keys():  # what has begun may still act
            run.stop.set()
            give_up()
        raise
    recorder.append([Put(record) for record in planned.notes])
    recorder.commit()
    if run.stop.is_set():
        failed += sum(change.key not in told for change in planned.changes)
    return Result(planned, changed, failed, interrupted=run.stop.is_set())


def _unrecorded_end(event: Event) -> Event:
    """What is told of an operation that has ended well when its outcome may not be durable."""
    if not isinstance(event, Done):
        return event
    error = "it is done, but that could not be recorded; the next run looks at it"
    return Failed(event.key, event.name, event.plugin, event.action, error)


def _settled(run: _Run) -> list[Begin]:
    """The intents of runs that died of which nothing was recorded and nothing needs to be looked for."""
    return [intent for intent in run.ledger.open.values() if intent.record.key not in run.records]
