"""`dtm state adopt`: the plugin reads a resource, and what it says is recorded; nothing is changed in the world."""

import os
from collections.abc import Mapping
from contextlib import suppress
from functools import partial

from dtm_sdk.backends import Loaded, open_backend
from dtm_sdk.calls import PluginCalls, Sources, calling
from dtm_sdk.changes import deletion, recorded, title
from dtm_sdk.config import load
from dtm_sdk.decide import Action, Desired, Seen, compare, desire, identity_of, output_in, same
from dtm_sdk.errors import OptionsError, StateError, UsageError
from dtm_sdk.events import Tell
from dtm_sdk.hiding import fit_by
from dtm_sdk.holding import held, leaving
from dtm_sdk.interrupts import interrupts
from dtm_sdk.operations import Op
from dtm_sdk.options import Json, parse
from dtm_sdk.plan import Question
from dtm_sdk.reading import Reads
from dtm_sdk.registry import Registry
from dtm_sdk.runner import Settings
from dtm_sdk.running import Running
from dtm_sdk.secret_text import fingerprint
from dtm_sdk.shape import declared
from dtm_sdk.state import Begin, End, Put, Record
from dtm_sdk.state_commands import Agree, Edit, commit, nearest
from dtm_sdk.tools import Config, Tool
from dtm_sdk.workers import Stop


def adopt(settings: Settings, key: str, resource: dict[str, Json] | None, tell: Tell, agree: Agree) -> bool:
    """Record a resource that exists as it is read, as a tool's. Whether it was agreed to.

    Args:
        settings: what the command line says.
        key: `name.plugin` of a tool of the config, or of one whose Create has begun and not ended.
        resource: what its plugin's Create would have returned; None where the plugin finds the resource by itself.
        tell: takes what the plugin says.
        agree: shows and asks.

    Raises:
        DtmError: there is no such tool, it is recorded, its resource can't be read or isn't there or is another tool's;
            or the state can't be read or written.
        KeyboardInterrupt: a signal came before the end.
    """
    registry = Registry(settings.plugin_dir)
    config = load(settings.config, registry.get)
    sources = Sources(os.environ, settings.ask_secret)
    backend = open_backend(config.backend, config.backend_options, fit_by(registry.get))
    with (
        held(backend, "state adopt", settings.lock_timeout, tell) as session,
        interrupts(leaving(session)) as stop,
        calling(registry.get, session.loaded.key, config.tools, sources, stop, parallelism=1, debug=settings.debug) as (
            workers,
            calls,
        ),
    ):
        begun = _begun(session.loaded, key)
        desired = _desired(config, registry, calls, session.loaded, key)
        reads = Reads(calls, workers, Running(stop, settings.timeout, None), tell)
        reads.begin(Question(desired, _hint(desired, session.loaded, resource)))
        seen = _answer(reads, stop)
        found = _adopted(desired, seen)
        if not agree([_edit(desired, found, begun)]):
            return False
        commit(session, [Put(found), *(End(intent.id, error="adopted") for intent in begun)])
    return True


def _begun(loaded: Loaded, key: str) -> list[Begin]:
    """What has begun on a tool and not ended; refuses one that is recorded well."""
    begun = [intent for intent in loaded.open if intent.record.key == key]
    record = loaded.state.records.get(key)
    if record and not begun:
        hint = "`dtm apply` brings it to the config; `dtm state forget` first, to record another resource"
        raise StateError(f"{title(record.name, record.plugin)} is recorded already", hint)
    return begun


def _desired(config: Config, registry: Registry, calls: PluginCalls, loaded: Loaded, key: str) -> Desired:
    """The tool as the config wants it; as its intent has it where it has left the config."""

    def hide(text: str) -> str:
        return fingerprint(loaded.key, text)

    lookup = partial(output_in, loaded.state.records)

    tool = config.tools.get(key)
    if tool:
        desired = desire(tool, registry.get(tool.plugin), lookup, hide)
    else:
        intent = next((intent.record for intent in loaded.open if intent.record.key == key), None)
        if intent is None:
            raise UsageError(f"the config has no tool {key}", nearest(key, config.tools))
        left = Tool(intent.name, intent.plugin, intent.depends_on, intent.options, intent.depends_on)
        typed = calls.options(Op(deletion(intent), Action.DELETE, None, intent))
        desired = Desired(left, registry.get(intent.plugin), typed, intent.options, hide)
    owner = _owner(desired, loaded.state.records)
    if owner:
        what = f"{title(desired.tool.name, desired.tool.plugin)} names the resource that is recorded as {owner}'s"
        raise StateError(what, f"`dtm apply` moves the record if {owner} was renamed; else `dtm state forget {owner}`")
    return desired


def _owner(desired: Desired, records: Mapping[str, Record]) -> str:
    """The key of another record that holds the identity of a tool; empty where none does."""
    if desired.identity is None:
        return ""
    for key, record in records.items():
        if record.plugin == desired.plugin.name and key != desired.tool.key:
            identity = identity_of(record, desired.plugin)
            if identity is not None and same(list(identity), list(desired.identity)):
                return key
    return ""


def _hint(desired: Desired, loaded: Loaded, resource: dict[str, Json] | None) -> Record | None:
    """The record by which the plugin finds the resource; None where it finds it by its options."""
    tool = desired.tool
    record = loaded.state.records.get(tool.key)
    if resource is not None:
        return Record(tool.name, tool.plugin, tool.needs, desired.options, resource)
    if record is None and desired.plugin.recovery == "manual":
        what = f"{title(tool.name, tool.plugin)}: its plugin can't find a resource by itself"
        raise StateError(what, "give --resource FILE, with what its create returns, as JSON or YAML; - is stdin")
    return record


def _answer(reads: Reads, stop: Stop) -> Seen:
    while not stop.is_set():
        for _, seen in reads.answers():
            return seen
    reads.leave()
    raise KeyboardInterrupt


def _adopted(desired: Desired, seen: Seen) -> Record:
    """The record of a resource as it was read."""
    tool = desired.tool
    name = title(tool.name, tool.plugin)
    if seen.error:
        raise StateError(f"{name} can't be read: {seen.error}", "nothing was recorded")
    if seen.resource is None:
        hint = f"if it was never made, `dtm state forget {tool.key}` lets the next apply create it"
        raise StateError(f"{name}: its plugin finds no such resource", hint)
    record = recorded(desired, seen.resource, None, adopted=True)
    options = _as_read(desired, seen.resource)
    return Record(record.name, record.plugin, record.depends_on, options, record.resource, record.meta)


def _as_read(desired: Desired, resource: Mapping[str, Json]) -> dict[str, Json]:
    """The options that the resource has: the config's, but for values that Read shows to be others.

    So the next apply sees what isn't as the config wants it. What names the resource stays, and so do secrets, and
    what the server rewrites.
    """
    plugin, options = desired.plugin, dict(desired.options)
    kept = {option.path for option in declared(plugin.options) if option.secret}
    kept |= {path[0] for path in plugin.shape.identity} | {path.partition(".")[0] for path in plugin.normalized}
    for name, value in plugin.shape.comparable(desired.full).items():
        if name in resource and name not in kept and not same(resource[name], value):
            with suppress(OptionsError):  # else what is recorded could not be deleted
                parse(plugin.options, {**options, name: resource[name]})
                options[name] = resource[name]
    return options


def _edit(desired: Desired, record: Record, begun: list[Begin]) -> Edit:
    name = title(record.name, record.plugin)
    ended = f", and the {' and '.join(intent.operation for intent in begun)} that has begun is closed" if begun else ""
    others = compare(record.options, {**record.options, **desired.options})
    later = "; the next apply updates what differs" if others else ""
    return Edit(f"{name} will be recorded as it is, as adopted{ended}{later}.", others)
