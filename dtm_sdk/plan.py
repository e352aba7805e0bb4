"""What to do: config, state and what was read -> Plan. Pure.

`Planner` asks for what it must know (`questions`), is told (`answer`), and makes the plan once nothing is left to ask.
It walks the config in the order of the dependencies: a reference is resolved before the tool that holds it is read.
"""

from collections.abc import Callable, Mapping
from graphlib import TopologicalSorter
from typing import NamedTuple

from dtm_sdk.changes import Change, Plan, delete_node, deletion, recorded, title
from dtm_sdk.decide import (
    Action,
    Decision,
    Desired,
    Difference,
    Seen,
    decide,
    desire,
    differences,
    pending,
    rekeyed,
    replaces,
)
from dtm_sdk.errors import DtmError, PluginError
from dtm_sdk.options import Json
from dtm_sdk.ordering import Graph
from dtm_sdk.ownership import Facts, by_identity, claims, identity_name, moves, renamed
from dtm_sdk.plugin import Plugin
from dtm_sdk.references import Lookup, Reference, find, output
from dtm_sdk.state import Record
from dtm_sdk.tools import Tool


class Question(NamedTuple):
    """A tool to be read.

    Attributes:
        desired: the tool.
        record: its record, or None.
    """

    desired: Desired
    record: Record | None


class Planner:
    """Asks, is told, plans; and decides again, by the same table, what is known only after apply."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._moved = moves(facts)
        self.records = renamed(facts.records, self._moved)
        self._was = {new: old for old, new in self._moved.items()}
        self._sorter = TopologicalSorter({key: tool.needs for key, tool in facts.tools.items()})
        self._sorter.prepare()
        self._asked: dict[str, Question] = {}
        self._desired: dict[str, Desired] = {}
        self._resources: dict[str, Mapping[str, Json]] = {}
        self._actions: dict[str, Action] = {}
        self._changes: dict[str, Change] = {}
        self._failures: dict[str, str] = {}
        self._notes: list[Record] = []
        self._owners: dict[bytes, list[str]] | None = None
        self._claims: dict[bytes, str] = {}

    def questions(self) -> list[Question]:
        """The tools that can be read now; none when all that can be known is known."""
        found: list[Question] = []
        while not found and (ready := self._sorter.get_ready()):
            for key in ready:
                question = self._prepare(self.facts.tools[key])
                if question:
                    self._asked[key] = question
                    found.append(question)
                else:
                    self._sorter.done(key)
        return found

    def answer(self, key: str, seen: Seen) -> None:
        """Take in what Read said of a tool that was asked about."""
        question = self._asked.pop(key)
        desired, record = question
        decision = decide(desired, record, seen, adopt=self.facts.adopt)
        self._resources[key] = seen.resource or {}
        self._settle(desired, record, seen, decision)
        self._sorter.done(key)

    def _prepare(self, tool: Tool) -> Question | None:
        """What to ask about a tool; None where it is decided without, or can't be decided."""
        key = tool.key
        broken = next((need for need in tool.needs if need in self._failures), None)
        if broken:
            self._fail(tool, f"isn't touched: it depends on {broken}")
            return None
        late = self._late(tool)
        if late and tool.typed is None:
            self._wait(tool, late)
            return None
        try:
            desired = self._desire(tool, self._lookup)
        except DtmError as error:
            self._fail(tool, f"can't be resolved: {error}")
            return None
        self._desired[key] = desired
        record = self.records.get(key)
        if record and replaces(desired, record):
            self._settle(desired, record, Seen(), decide(desired, record, Seen()))
        elif late:
            self._wait(tool, late)
        elif not record and self.owners(desired):
            self._settle(desired, None, Seen(), decide(desired, None, Seen()))
        elif record and (why := lost(record, self.facts.find_plugin)):
            self._failures[key] = why
        else:
            return Question(desired, record)
        return None

    def _late(self, tool: Tool) -> str:
        """What a tool waits for before it can be decided; empty where it needn't wait."""
        for need in tool.needs:
            if self._actions.get(need) in (Action.CREATE, Action.REPLACE, Action.LATE):
                return need
        if tool.typed is None:
            for reference in find(tool.options):
                if self._actions.get(reference.key) in (Action.UPDATE, Action.ADOPT) and not self._stable(reference):
                    return reference.key
        return ""

    def _stable(self, reference: Reference) -> bool:
        """Whether the plugin of a tool declares that an output survives an update."""
        path = ".".join(("outputs", *reference.path))
        stable = self.facts.find_plugin(self.facts.tools[reference.key].plugin).stable
        return any(path == each or path.startswith(f"{each}.") for each in stable)

    def _lookup(self, reference: Reference) -> Json:
        return output(self._resources.get(reference.key, {}), reference)

    def _wait(self, tool: Tool, need: str) -> None:
        message = f"{title(tool.name, tool.plugin)} depends on {need} {Action.LATE}."
        self._change(tool, Action.LATE, message, self.records.get(tool.key))

    def _fail(self, tool: Tool, what: str) -> None:
        self._failures[tool.key] = f"{title(tool.name, tool.plugin)} {what}"

    def _settle(self, desired: Desired, record: Record | None, seen: Seen, decision: Decision) -> None:
        tool = desired.tool
        if decision.error:
            self._failures[tool.key] = decision.error
        elif decision.action:
            details = differences(desired, record, seen, decision.action) if self.facts.detail else ()
            self._change(tool, decision.action, decision.message, record, desired, details)
        else:
            noted = recorded(desired, seen.resource or {}, record)
            if tool.key in self._was:
                self._change(tool, Action.MOVE, "", noted, desired)
            elif noted != self.facts.records.get(tool.key):
                self._notes.append(noted)

    def _change(
        self,
        tool: Tool,
        action: Action,
        message: str,
        record: Record | None,
        desired: Desired | None = None,
        details: tuple[Difference, ...] = (),
    ) -> None:
        was = self._was.get(tool.key, "")
        old = self.facts.records[was].name if was else ""
        moved = f"{title(tool.name, tool.plugin)} was {old}, its record is moved." if was else ""
        messages = tuple(filter(None, (moved, message)))
        self._actions[tool.key] = action
        self._changes[tool.key] = Change(
            tool.key, tool.name, tool.plugin, action, messages, desired, record, was, details
        )

    def owners(self, desired: Desired) -> list[str]:
        """Keys of the records, other than its own, that hold the identity of a tool."""
        if desired.identity is None or len(self.records) == (desired.tool.key in self.records):
            return []
        if self._owners is None:
            self._owners = by_identity(self.records.values(), self.facts.find_plugin)
        name = identity_name(desired.plugin.name, desired.identity)
        return [key for key in self._owners.get(name, ()) if key != desired.tool.key]

    def still_owners(self, desired: Desired, find_record: Callable[[str], Record | None]) -> list[str]:
        """Those of the owners that hold the identity still, by the records that there are now."""
        name = identity_name(desired.plugin.name, desired.identity or ())
        held = [record for key in self.owners(desired) if (record := find_record(key))]
        return by_identity(held, self.facts.find_plugin).get(name, [])

    def desire_late(self, key: str, lookup: Lookup) -> Desired:
        """A tool that had to wait, its references resolved now.

        Raises:
            UnresolvedError, OptionsError, PluginError: as `desire`; or another tool names its resource.
        """
        return self._desire(self.facts.tools[key], lookup)

    def _desire(self, tool: Tool, lookup: Lookup) -> Desired:
        facts = self.facts
        desired = desire(tool, facts.find_plugin(tool.plugin), lookup, facts.hide)
        if tool.typed is None and desired.identity is not None:  # the others were compared when the config was read
            self._claims = self._claims or claims(facts)
            first = self._claims.setdefault(identity_name(tool.plugin, desired.identity), tool.key)
            if first != tool.key:
                options = " and ".join(".".join(path) for path in desired.plugin.shape.identity)
                raise PluginError(f"it is the same resource as {first}", f"let {options} differ")
        if record := self.records.get(tool.key):
            self.records[tool.key] = rekeyed(record, desired)
        return desired

    def late_change(self, desired: Desired, record: Record | None, seen: Seen, decision: Decision) -> Change | None:
        """The Change of a tool that had to wait; None where nothing is to be done."""
        if decision.action is None:
            return None
        details = differences(desired, record, seen, decision.action) if self.facts.detail else ()
        self._change(desired.tool, decision.action, decision.message, record, desired, details)
        return self._changes[desired.tool.key]

    def plan(self) -> Plan:
        """The plan, once there are no more questions."""
        gone = [record for key, record in self.records.items() if key not in self.facts.tools]
        for record in gone:
            if why := lost(record, self.facts.find_plugin):
                self._failures[record.key] = why
            else:
                self._changes[record.key] = deletion(record)
        if not self._changes:
            return Plan(failures=self._failures, notes=tuple(self._notes))
        nodes = self._graph(gone).ordered()
        keys = (node.removeprefix("delete ") for node in nodes)
        changes = {key: self._changes[key] for key in keys if key in self._changes}
        return Plan(tuple(changes.values()), self._failures, tuple(self._notes), nodes)

    def _graph(self, gone: list[Record]) -> Graph:
        tools = self.facts.tools
        replaced = [key for key, action in self._actions.items() if action is Action.REPLACE]
        graph = Graph(
            [delete_node(record.key) for record in gone] + [delete_node(key) for key in replaced] + list(tools)
        )
        for key, tool in tools.items():
            for need in tool.needs:
                graph.hard(key, need)
        for key in replaced:
            graph.hard(key, delete_node(key))
        if gone or replaced:
            _order_deletes(graph, self.records, tools)
            self._order_identities(graph)
        return graph

    def _order_identities(self, graph: Graph) -> None:
        """What makes a resource waits for the Delete of what held its identity; one not known yet waits when it is."""
        for key, desired in self._desired.items():
            if self._actions.get(key) in (Action.CREATE, Action.ADOPT, Action.REPLACE, Action.LATE):
                for owner in self.owners(desired):
                    graph.hard(key, delete_node(owner))
                    if self._actions.get(owner) is Action.LATE:
                        graph.soft(key, owner)


def _order_deletes(graph: Graph, records: Mapping[str, Record], tools: Mapping[str, Tool]) -> None:
    """What goes away goes after everything that depended on it when it was recorded."""
    for key, record in records.items():
        for need in record.depends_on:
            graph.soft(delete_node(need), delete_node(key))
            if key in tools and need not in tools[key].needs:
                graph.soft(delete_node(need), key)


def lost(record: Record, find_plugin: Callable[[str], Plugin]) -> str:
    """Why nothing can be done about what a run that died may have made; empty where its plugin can look for it."""
    try:
        if not pending(record) or find_plugin(record.plugin).recovery != "manual":
            return ""
    except DtmError:  # a Delete will say so
        return ""
    hint = f"look for it, then `dtm state adopt {record.key}` or `dtm state forget {record.key}`"
    name = title(record.name, record.plugin)
    return f"{name} was being created when a run died, and its plugin can't find what it made; {hint}"
