"""What each recorded tool is like now: records, and what Read says. Changes nothing."""

import os
from collections.abc import Mapping
from functools import partial
from typing import Literal

from msgspec import Struct

from dtm_sdk.backends import open_backend
from dtm_sdk.calls import PluginCalls, Sources, calling
from dtm_sdk.changes import deletion
from dtm_sdk.config import load
from dtm_sdk.decide import Action, Desired, Seen, comparable_state, same
from dtm_sdk.errors import DtmError
from dtm_sdk.events import Notice, Said, Tell
from dtm_sdk.hiding import fit_by
from dtm_sdk.interrupts import interrupts
from dtm_sdk.operations import Op
from dtm_sdk.options import Json
from dtm_sdk.plan import Question
from dtm_sdk.registry import Registry
from dtm_sdk.report import SECRET
from dtm_sdk.runner import Settings
from dtm_sdk.state import Record
from dtm_sdk.tools import Tool
from dtm_sdk.workers import Workers


class Standing(Struct, frozen=True):
    """How a recorded tool stands.

    Attributes:
        record: what is recorded.
        standing: "in sync", "drifted", "gone", or "unreadable" where Read can't say.
        resource: what Read says; None where it is gone or unreadable.
        error: why it is unreadable, in one line; empty otherwise.
    """

    record: Record
    standing: Literal["in sync", "drifted", "gone", "unreadable"]
    resource: dict[str, Json] | None = None
    error: str = ""


def status(settings: Settings, tell: Tell) -> list[Standing]:
    """Read every recorded tool with its recorded options; sorted by their keys.

    Raises:
        DtmError: the config or the state can't be read.
        KeyboardInterrupt: a signal came before the end.
    """
    registry = Registry(settings.plugin_dir)
    config = load(settings.config, registry.get)
    loaded = open_backend(config.backend, config.backend_options, fit_by(registry.get)).load()
    records = loaded.state.records
    sources = Sources(os.environ, settings.ask_secret)
    many, debug = settings.parallelism, settings.debug
    with (
        interrupts() as stop,
        calling(registry.get, loaded.key, config.tools, sources, stop, parallelism=many, debug=debug) as (
            workers,
            calls,
        ),
    ):
        for record in records.values():
            workers.submit(partial(_read, workers, registry, calls, record))
        found: dict[str, Seen] = {}
        while len(found) < len(records):
            for result in workers.results():
                match result:
                    case (str() as key, Seen() as seen):
                        found[key] = seen
                    case Said() | Notice():
                        tell(result)
            if stop.is_set():
                raise KeyboardInterrupt
    return [_standing(registry, record, found) for _, record in sorted(records.items())]


def _read(workers: Workers, registry: Registry, calls: PluginCalls, record: Record) -> None:
    """In a worker: read one tool, as if the config asked for just what is recorded."""
    try:
        tool = Tool(record.name, record.plugin, record.depends_on, record.options, record.depends_on)
        typed = calls.options(Op(deletion(record), Action.DELETE, None, record))
        desired = Desired(tool, registry.get(record.plugin), typed, record.options, lambda text: SECRET)
        seen = calls.read(Question(desired, record))
    except DtmError as error:
        seen = Seen(error=str(error))
    workers.put((record.key, seen))


def _standing(registry: Registry, record: Record, found: Mapping[str, Seen]) -> Standing:
    seen = found[record.key]
    if seen.error:
        return Standing(record, "unreadable", error=seen.error)
    if seen.resource is None:
        return Standing(record, "gone")
    comparable = comparable_state(record, registry.get(record.plugin))
    drifted = comparable and not same(record.resource, seen.resource)
    return Standing(record, "drifted" if drifted else "in sync", seen.resource)
