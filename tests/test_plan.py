"""The planner, by cases: each file of cases/plan has a config, a state, what Read says, and the plan of that."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from dtm_sdk.changes import Plan, plan_deletes
from dtm_sdk.decide import Seen, desire
from dtm_sdk.options import Identity, Options, Secret
from dtm_sdk.ownership import Facts
from dtm_sdk.plan import Planner
from dtm_sdk.plugin import Plugin
from dtm_sdk.state import Record
from tests.things import World, finder, manual_plugin, tool

CASES = sorted((Path(__file__).parent / "cases" / "plan").glob("*.yaml"))
KEYS = {"tools", "records", "resources", "plan", "messages", "differences", "failures", "notes", "after", "adopt"}
THING = World().plugin()
find_plugin = finder(THING, World().plugin("other"), manual_plugin())


def record(entry: dict[str, Any]) -> Record:
    """A record of a case; made by version 1 of its plugin if the case says nothing."""
    meta = {"state_version": 1, **entry.get("meta", {})}
    needs = tuple(entry.get("dependsOn", ()))
    plugin = entry.get("plugin", "thing")
    return Record(entry["name"], plugin, needs, entry["options"], entry.get("resource", {}), meta)


def seen(case: dict[str, Any], key: str) -> Seen:
    """What Read says of a tool in a case."""
    resource = case.get("resources", {}).get(key)
    return Seen(error=resource["error"]) if resource and "error" in resource else Seen(resource)


def planned(case: dict[str, Any]) -> Plan:
    """The plan of a case."""
    tools = [
        tool(entry["name"], entry["options"], entry.get("dependsOn", []), find_plugin(entry.get("plugin", "thing")))
        for entry in case["tools"]
    ]
    records = [record(entry) for entry in case.get("records", ())]
    facts = Facts(
        tools={tool.key: tool for tool in tools},
        records={record.key: record for record in records},
        find_plugin=find_plugin,
        hide=lambda text: f"<{text}>",
        adopt=case.get("adopt", True),
        detail=True,
    )
    planner = Planner(facts)
    while questions := planner.questions():
        for question in questions:
            key = question.desired.tool.key
            answer = seen(case, key)
            assert answer.error != "must not be asked", f"{key} was asked"
            planner.answer(key, answer)
    return planner.plan()


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_case_gives_its_plan(path: Path) -> None:
    case = yaml.safe_load(path.read_text())
    assert set(case) <= KEYS, "a key of the case is misspelt"
    plan = planned(case)
    assert [f"{change.action} {change.key}" for change in plan.changes] == case["plan"]
    assert dict(plan.failures) == case.get("failures", {})
    assert [record.key for record in plan.notes] == case.get("notes", [])
    if "messages" in case:
        assert [message for change in plan.changes for message in change.messages] == case["messages"]
    changes = {change.key: change for change in plan.changes}
    for key, expected in case.get("differences", {}).items():
        assert [list(difference) for difference in changes[key].differences] == expected
    for later, earlier in case.get("after", ()):
        assert earlier in plan.nodes[later], f"{later} doesn't wait for {earlier}"


def test_every_row_of_the_table_has_a_case() -> None:
    rows = ["created", "adopted", "replaced", "unreadable", "recreated", "options-drifted", "resource-drifted", "equal"]
    rows += ["moved", "deleted"]
    assert {f"row-{row}" for row in rows} <= {path.stem for path in CASES}


def test_a_long_chain_is_planned_in_linear_work() -> None:
    count = 3000
    tools = [tool("t0", {"id": "t0"}, [], THING)]
    tools += [tool(f"t{i}", {"id": f"t{i}"}, [f"t{i - 1}.thing"], THING) for i in range(1, count)]
    facts = Facts({each.key: each for each in tools}, {}, find_plugin, lambda text: text)
    planner = Planner(facts)
    asked = 0
    while questions := planner.questions():
        for question in questions:
            asked += 1
            planner.answer(question.desired.tool.key, Seen())
    plan = planner.plan()
    assert asked == 1, "only the first of the chain can be read before it is made"
    assert [change.key for change in plan.changes] == [each.key for each in tools]


def test_what_depends_on_another_is_deleted_before_it() -> None:
    records = [record({"name": "a", "options": {}}), record({"name": "b", "options": {}, "dependsOn": ["a.thing"]})]
    for order in (records, records[::-1]):
        held = {each.key: each for each in order}
        assert [change.key for change in plan_deletes(held, held).changes] == ["b.thing", "a.thing"]


class ListOptions(Options):
    """Options with secrets in a list of objects."""

    id: Identity[str]
    tokens: list[Secret]
    tags: dict[str, list[int]]


def test_secrets_are_recorded_as_fingerprints_and_the_rest_as_it_is_written() -> None:
    def refuse(options: ListOptions) -> Any:
        raise AssertionError

    plugin = Plugin(name="list", options=ListOptions, create=refuse, read=refuse, update=refuse, delete=refuse)
    raw = {"id": "x", "tokens": ["hunter21", "hunter22"], "tags": {"a": [1, 2]}}
    found = desire(tool("a", raw, [], plugin), plugin, lambda reference: None, lambda text: f"<{text}>")
    assert found.options == {"id": "x", "tokens": ["<hunter21>", "<hunter22>"], "tags": {"a": [1, 2]}}
