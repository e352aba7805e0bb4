"""A plan as a value: what will be done to each tool, and in which order. Pure."""

from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from dtm_sdk.decide import Action, Desired, Difference
from dtm_sdk.options import Json
from dtm_sdk.ordering import Graph
from dtm_sdk.state import Record


class Change(Struct, frozen=True):
    """What will be done to one tool, and why.

    Attributes:
        key: `name.plugin`.
        name: the tool's name.
        plugin: its plugin's name.
        action: what is done.
        messages: the sentences of the decision table, one or two.
        desired: the tool as it is wanted; None where it goes away, and where it isn't known yet.
        record: its record; None where there is none.
        was: the key that the record had before it moved; empty where it didn't.
        differences: what changes, value by value, where that was asked for.
    """

    key: str
    name: str
    plugin: str
    action: Action
    messages: tuple[str, ...]
    desired: Desired | None = None
    record: Record | None = None
    was: str = ""
    differences: tuple[Difference, ...] = ()


class Plan(Struct, frozen=True):
    """Everything that will be done.

    Attributes:
        changes: in an order that could be done one by one.
        failures: key -> why nothing can be done for it.
        notes: records to be stored without an operation: a change of dependencies or Tuning, a newer `state_version`.
        nodes: node -> nodes it waits for, in an order that could be done one by one. A node is `delete KEY`, or `KEY`
            for all else; the node of a tool with nothing to do is there to pass on the failure of what it depends on.
    """

    changes: tuple[Change, ...] = ()
    failures: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[Record, ...] = ()
    nodes: Mapping[str, frozenset[str]] = field(default_factory=dict)


def title(name: str, plugin: str) -> str:
    """How a sentence names a tool."""
    return f"Tool {name} ({plugin})"


def delete_node(key: str) -> str:
    """The name of the node that deletes a recorded resource."""
    return f"delete {key}"


def deletion(record: Record) -> Change:
    """The Change that deletes a recorded resource."""
    messages = [f"{title(record.name, record.plugin)} will be deleted."]
    if record.meta.get("adopted"):
        messages.append(f"{title(record.name, record.plugin)} was adopted: it was there before dtm managed it.")
    return Change(record.key, record.name, record.plugin, Action.DELETE, tuple(messages), record=record)


def plan_deletes(
    records: Mapping[str, Record],
    keys: Iterable[str],
    unrecorded: Iterable[Change] = (),
    failures: Mapping[str, str] | None = None,
) -> Plan:
    """The plan of `delete` and `destroy`: what is recorded under `keys`, dependents first; and what isn't recorded.

    Args:
        records: every record.
        keys: those to be deleted.
        unrecorded: Deletes of tools of the config that have no record, with the config's options (`--force`).
        failures: key -> why nothing can be done for it; what it depended on stays too.
    """
    failures = failures or {}
    going = {key: deletion(records[key]) for key in keys}
    going.update((change.key, change) for change in unrecorded)
    graph = Graph(delete_node(key) for key in reversed(going))
    for change in going.values():
        needs = change.record.depends_on if change.record else change.desired.tool.needs if change.desired else ()
        for need in needs:
            graph.soft(delete_node(need), delete_node(change.key))
    nodes = graph.ordered()
    changes = (going[node.removeprefix("delete ")] for node in nodes)
    return Plan(tuple(change for change in changes if change.key not in failures), failures, nodes=nodes)


def recorded(desired: Desired, resource: dict[str, Json], old: Record | None, *, adopted: bool = False) -> Record:
    """The record of a tool that is as it is wanted."""
    tool = desired.tool
    meta: dict[str, Json] = {"state_version": desired.plugin.state_version}
    if adopted or (old and old.meta.get("adopted")):
        meta["adopted"] = True
    if tool.sources:
        meta["secrets"] = dict(tool.sources)
    if desired.key_mark:
        meta["key"] = desired.key_mark
    return Record(tool.name, tool.plugin, tool.needs, desired.options, resource, meta)
