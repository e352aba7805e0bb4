"""What each recorded tool is like now: records, and what Read says. Changes nothing."""

import os
from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from dtm_sdk.backends import open_backend
from dtm_sdk.calls import PluginCalls, Sources, calling
from dtm_sdk.changes import deletion
from dtm_sdk.config import load
from dtm_sdk.decide import Action, Desired, Seen, comparable_state, same
from dtm_sdk.errors import DtmError
from dtm_sdk.events import Tell
from dtm_sdk.hiding import fit_by
from dtm_sdk.interrupts import interrupts
from dtm_sdk.operations import Op
from dtm_sdk.options import Json
from dtm_sdk.plan import Question
from dtm_sdk.reading import Reads
from dtm_sdk.registry import Registry
from dtm_sdk.report import SECRET
from dtm_sdk.runner import Settings
from dtm_sdk.running import Running
from dtm_sdk.state import Record
from dtm_sdk.tools import Tool


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
    sources = Sources(os.environ, settings.ask_secret, records)
    many, debug = settings.parallelism, settings.debug
    found: dict[str, Seen] = {}
    with (
        interrupts() as stop,
        calling(registry.get, loaded.key, config.tools, sources, stop, parallelism=many, debug=debug) as (
            workers,
            calls,
        ),
    ):
        reads = Reads(calls, workers, Running(stop, settings.timeout, None), tell)
        for record in records.values():
            try:
                reads.begin(_question(registry, calls, record))
            except DtmError as error:
                found[record.key] = Seen(error=str(error))
        while reads.asked and not stop.is_set():
            found.update(reads.answers())
        reads.leave()
        if stop.is_set():
            raise KeyboardInterrupt
    return [_standing(registry, record, found) for _, record in sorted(records.items())]


def _question(registry: Registry, calls: PluginCalls, record: Record) -> Question:
    """A question about one tool as if the config asked for just what is recorded."""
    tool = Tool(record.name, record.plugin, record.depends_on, record.options, record.depends_on)
    typed = calls.options(Op(deletion(record), Action.DELETE, None, record))
    return Question(Desired(tool, registry.get(record.plugin), typed, record.options, lambda text: SECRET), record)


def _standing(registry: Registry, record: Record, found: Mapping[str, Seen]) -> Standing:
    seen = found[record.key]
    if seen.error:
        return Standing(record, "unreadable", error=seen.error)
    if seen.resource is None:
        return Standing(record, "gone")
    comparable = comparable_state(record, registry.get(record.plugin))
    drifted = comparable and not same(record.resource, seen.resource)
    return Standing(record, "drifted" if drifted else "in sync", seen.resource)
