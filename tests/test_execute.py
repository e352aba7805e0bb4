"""The executor: order, failures, what is decided late, and that nothing is lost; real threads on a world in memory."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from threading import Event as Flag
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtm_sdk.calls import Sources, calling
from dtm_sdk.decide import Action
from dtm_sdk.errors import PluginError
from dtm_sdk.events import Done, Failed, Kept, Skipped
from dtm_sdk.execute import Executor
from dtm_sdk.journal import encode_entries
from dtm_sdk.ownership import Facts
from dtm_sdk.plan import Planner
from dtm_sdk.plugin import Plugin
from dtm_sdk.running import Running
from dtm_sdk.state import Begin, End, Ledger
from dtm_sdk.tools import Tool
from dtm_sdk.workers import Stop
from tests.applying import Applied, apply
from tests.things import ThingOptions, World, finder, tool


@pytest.fixture
def world() -> World:
    return World()


def made(world: World, *entries: tuple[str, dict[str, Any], list[str]]) -> list[Tool]:
    """Tools of the plugin of a world, as (name, options, needs)."""
    plugin = world.plugin()
    return [tool(name, options, needs, plugin) for name, options, needs in entries]


def outcomes(applied: Applied) -> list[str]:
    """What became of each node, as `Done Create a.thing`."""
    found = [event for event in applied.events if isinstance(event, Done | Failed | Skipped | Kept)]
    return [f"{type(event).__name__} {getattr(event, 'action', '')} {event.key}" for event in found]


def test_a_chain_is_made_in_one_apply_and_then_in_sync(world: World) -> None:
    tools = made(
        world,
        ("a", {"id": "x"}, []),
        ("b", {"id": "y", "note": "${{ a.thing.outputs.url }}"}, []),
        ("c", {"id": "z"}, ["b.thing"]),
    )
    ledger = Ledger({})
    apply([world.plugin()], tools, ledger)
    assert world.calls == ["create x", "create y", "create z"]
    assert world.things["y"]["note"] == "x:1"
    assert apply([world.plugin()], tools, ledger).plan.changes == ()


def test_what_refers_to_an_updated_tool_is_updated_in_the_same_apply(world: World) -> None:
    reference = {"id": "y", "note": "${{ a.thing.outputs.url }}"}
    ledger = Ledger({})
    apply([world.plugin()], made(world, ("a", {"id": "x"}, []), ("b", reference, [])), ledger)
    applied = apply([world.plugin()], made(world, ("a", {"id": "x", "size": 2}, []), ("b", reference, [])), ledger)
    assert outcomes(applied) == ["Done Update a.thing", "Done Update b.thing"]
    assert world.things["y"]["note"] == "x:2"


def test_what_had_to_wait_and_needs_nothing_is_kept(world: World) -> None:
    ledger = Ledger({})
    apply([world.plugin()], made(world, ("a", {"id": "x"}, []), ("b", {"id": "y"}, ["a.thing"])), ledger)
    applied = apply([world.plugin()], made(world, ("a", {"id": "w"}, []), ("b", {"id": "y"}, ["a.thing"])), ledger)
    assert outcomes(applied) == ["Done Delete a.thing", "Done Create a.thing", "Kept  b.thing"]


def test_a_replace_decided_late_is_asked_for_and_may_be_declined(world: World) -> None:
    reference = {"id": "${{ a.thing.outputs.url }}"}
    ledger = Ledger({})
    apply([world.plugin()], made(world, ("a", {"id": "x"}, []), ("b", reference, [])), ledger)
    changed = made(world, ("a", {"id": "x", "size": 2}, []), ("b", reference, []), ("c", {"id": "z"}, ["b.thing"]))
    declined = apply([world.plugin()], changed, ledger, agree=False)
    assert outcomes(declined) == ["Done Update a.thing", "Skipped Replace b.thing", f"Skipped {Action.LATE} c.thing"]
    assert set(world.things) == {"x", "x:1"}
    agreed = apply([world.plugin()], changed, ledger)
    assert outcomes(agreed) == ["Done Delete b.thing", "Done Create b.thing", "Done Create c.thing"]
    assert set(world.things) == {"x", "x:2", "z"}


def test_a_failure_skips_what_depends_on_it_and_nothing_else(world: World) -> None:
    world.broken = {"x"}
    tools = made(
        world,
        ("a", {"id": "x"}, []),
        ("b", {"id": "y"}, ["a.thing"]),
        ("c", {"id": "z"}, ["b.thing"]),
        ("d", {"id": "w"}, []),
    )
    ledger = Ledger({})
    applied = apply([world.plugin()], tools, ledger)
    assert sorted(outcomes(applied)) == [
        "Done Create d.thing",
        "Failed Create a.thing",
        f"Skipped {Action.LATE} b.thing",
        f"Skipped {Action.LATE} c.thing",
    ]
    assert set(ledger.records) == {"d.thing"}
    assert not ledger.open


def test_an_error_that_is_no_unicode_is_its_own_tools_alone(world: World) -> None:
    """As of a name of a file that isn't UTF-8: the journal would take nothing more."""

    def refuse(options: ThingOptions) -> dict[str, Any]:
        raise PluginError("can't make caf\udce9", "rename caf\udce9")

    plugin = replace(world.plugin(), create=refuse)
    applied = apply([plugin], [tool("a", {"id": "a"}, [], plugin)], Ledger({}))
    assert b"caf" in b"".join(encode_entries(batch.entries) for batch in applied.batches if batch.entries)
    failed = [event.error for event in applied.events if isinstance(event, Failed)]
    assert failed == ["can't make caf\\udce9; rename caf\\udce9"]


def test_a_failed_delete_keeps_what_waits_for_it(world: World) -> None:
    ledger = Ledger({})
    apply([world.plugin()], made(world, ("a", {"id": "x"}, []), ("b", {"id": "y"}, [])), ledger)
    world.broken = {"x"}
    applied = apply([world.plugin()], made(world, ("a", {"id": "y"}, []), ("b", {"id": "x"}, [])), ledger)
    assert "Failed Delete a.thing" in outcomes(applied)
    assert {"Skipped Create a.thing", "Skipped Create b.thing"} <= set(outcomes(applied))
    world.broken = set()
    apply([world.plugin()], made(world, ("a", {"id": "y"}, []), ("b", {"id": "x"}, [])), ledger)
    assert {key: record.options["id"] for key, record in ledger.records.items()} == {"a.thing": "y", "b.thing": "x"}


def test_an_identity_known_late_waits_for_the_delete_of_what_holds_it(world: World) -> None:
    ledger = Ledger({})
    apply([world.plugin()], made(world, ("old", {"id": "x:1"}, [])), ledger)
    tools = made(world, ("a", {"id": "x"}, []), ("b", {"id": "${{ a.thing.outputs.url }}"}, []))
    applied = apply([world.plugin()], tools, ledger, parallelism=1)
    assert world.calls.index("delete x:1") < world.calls.index("create x:1", 1)
    assert not any(isinstance(event, Failed | Skipped) for event in applied.events)
    assert set(world.things) == {"x", "x:1"}


def test_two_that_swap_identities_known_late_are_each_replaced_once(world: World) -> None:
    deleting, looked = Flag(), Flag()
    plugin = world.plugin()

    def read(options: ThingOptions) -> dict[str, Any] | None:
        if deleting.is_set():
            looked.set()
        return world.things.get(options.id)

    def delete(options: ThingOptions) -> bool:
        if options.id == "k1":  # the other one is gone sooner
            deleting.set()
            looked.wait(0.5)
        gone: bool = plugin.call("delete", options, None)
        return gone

    def entries(one: str, two: str) -> list[Tool]:
        return made(
            world,
            ("a", {"id": "a", "note": one}, []),
            ("b", {"id": "b", "note": two}, []),
            ("x", {"id": "${{ a.thing.outputs.note }}", "note": "x"}, []),
            ("y", {"id": "${{ b.thing.outputs.note }}", "note": "y"}, []),
        )

    ledger = Ledger({})
    apply([plugin], entries("k1", "k2"), ledger)
    apply([replace(plugin, read=read, delete=delete)], entries("k2", "k1"), ledger)
    assert {id_: thing["note"] for id_, thing in world.things.items()} == {"a": "k2", "b": "k1", "k1": "y", "k2": "x"}
    assert [call for call in world.calls if call.startswith("delete")] == ["delete k2", "delete k1"]


def test_a_renamed_tool_with_a_reference_keeps_its_resource(world: World) -> None:
    def entries(name: str) -> list[Tool]:
        reference = "${{ a.thing.outputs.url }}"
        return made(world, ("a", {"id": "a"}, []), (name, {"id": "precious", "note": reference}, []))

    ledger = Ledger({})
    apply([world.plugin()], entries("old"), ledger)
    world.calls.clear()
    applied = apply([world.plugin()], entries("new"), ledger)
    assert [(change.key, change.was) for change in applied.plan.changes] == [("new.thing", "old.thing")]
    assert set(ledger.records) == {"a.thing", "new.thing"}
    assert world.calls == []


def test_an_output_stays_as_it_is_where_it_is_the_secret_of_another_tool(world: World) -> None:
    """Masked, it would be lost to its own plugin, which finds its resource by it, and to whoever refers to it."""
    ledger = Ledger({})
    for size in (1, 2):  # the second time, what it is known for is read before it is updated
        tools = made(
            world,
            ("a", {"id": "precious", "size": size}, []),
            ("b", {"id": "b", "token": "${{ a.thing.outputs.id }}"}, []),
        )
        apply([world.plugin()], tools, ledger)
        assert ledger.records["a.thing"].resource["outputs"]["id"] == "precious"


def test_a_plugin_is_given_back_its_secret_in_what_is_recorded(world: World) -> None:
    """An id may hold a secret, such as a name that is a password too: it is deleted by its whole id."""
    given: list[Any] = []

    def delete(options: ThingOptions, state: Any) -> bool:
        given.append(state)
        return bool(world.plugin().call("delete", options, None))

    def describe(options: ThingOptions) -> dict[str, Any]:
        return {"id": options.id, "outputs": {"id": f"postgres-{options.id}"}}

    plugin = replace(world.plugin(), create=describe, read=describe, update=describe, delete=delete)
    ledger = Ledger({})
    apply([plugin], [tool("x", {"id": "x", "token": "postgres"}, [], plugin)], ledger)
    assert "postgres" not in str(ledger.records["x.thing"].resource)
    wanted = [tool("x", {"id": "y", "token": "postgres"}, [], plugin)]
    apply([plugin], wanted, ledger)
    assert [state["outputs"]["id"] for state in given] == ["postgres-x"]


def test_a_reference_to_what_holds_a_secret_is_refused(world: World) -> None:
    """Only the fingerprint is known: it would be handed to another plugin as if it were the value."""
    options = {"id": "a", "note": "-- s3cret --", "token": "s3cret"}
    ledger = Ledger({})
    for _ in range(2):
        tools = made(world, ("a", options, []), ("b", {"id": "b", "note": "${{ a.thing.outputs.note }}"}, []))
        applied = apply([world.plugin()], tools, ledger)
        told = [*(each.error for each in applied.events if isinstance(each, Failed)), *applied.plan.failures.values()]
        assert len(told) == 1
        assert "holds a secret of a.thing, whose text isn't kept" in told[0]
        assert set(world.things) == {"a"}


@pytest.mark.parametrize("needs", [[], ["x.thing"]])
def test_two_that_name_one_resource_by_what_is_known_late_never_share_it(world: World, needs: list[str]) -> None:
    tools = made(
        world,
        ("a", {"id": "a", "note": "same"}, []),
        ("x", {"id": "same", "note": "x"}, []),
        ("y", {"id": "${{ a.thing.outputs.note }}", "note": "y"}, needs),
        ("z", {"id": "${{ a.thing.outputs.note }}", "note": "z"}, needs),
    )
    ledger = Ledger({})
    for _ in range(2):
        applied = apply([world.plugin()], tools, ledger)
        failed = [event for event in applied.events if isinstance(event, Failed)]
        told = [*(event.error for event in failed), *applied.plan.failures.values()]
        assert len(told) == 2
        assert all("same resource as x.thing" in each for each in told)
        assert world.things["same"]["note"] == "x"
        assert set(ledger.records) == {"a.thing", "x.thing"}


def test_what_another_record_keeps_is_never_adopted(world: World) -> None:
    ledger = Ledger({})
    apply([world.plugin()], made(world, ("old", {"id": "x:1"}, [])), ledger)
    tools = made(
        world, ("a", {"id": "x"}, []), ("b", {"id": "${{ a.thing.outputs.url }}"}, []), ("old", {"id": "x:1"}, [])
    )
    applied = apply([world.plugin()], tools, ledger)
    failed = [event for event in applied.events if isinstance(event, Failed)]
    assert [event.key for event in failed] == ["b.thing"]
    assert "old.thing" in failed[0].error
    assert "update x:1" not in world.calls


def test_an_intent_comes_a_batch_before_its_outcome(world: World) -> None:
    tools = made(world, *[(f"t{i}", {"id": f"i{i}"}, []) for i in range(20)])
    begun: set[int] = set()
    for batch in apply([world.plugin()], tools, Ledger({})).batches:
        ended = {entry.id for entry in batch.entries if isinstance(entry, End)}
        assert ended <= begun
        begun |= {entry.id for entry in batch.entries if isinstance(entry, Begin)}
    assert len(begun) == 20


NAMES = ["a", "b", "c", "d", "e", "f"]
IDS = ["p", "q", "r", "s", "t", "u", "v"]


@st.composite
def configs(draw: st.DrawFn) -> list[tuple[str, dict[str, Any], list[str]]]:
    """A config of some of the names, each depending on some of those before it, in any order; identities are unique."""
    names = draw(st.lists(st.sampled_from(NAMES), unique=True))
    ids = draw(st.permutations(IDS))
    entries: list[tuple[str, dict[str, Any], list[str]]] = []
    for at, name in enumerate(names):
        before = [f"{each}.thing" for each in names[:at]]
        needs: list[str] = draw(st.lists(st.sampled_from(before), unique=True, max_size=2)) if before else []
        options: dict[str, Any] = {"id": ids[at], "size": draw(st.integers(1, 2))}
        if at and draw(st.booleans()):
            options["note"] = "see ${{ " + draw(st.sampled_from(before)) + ".outputs.url }}"
        if at and draw(st.integers(0, 3)) == 0:
            options["id"] = ids[at] + "-${{ " + draw(st.sampled_from(before)) + ".outputs.url }}"
        elif at and draw(st.integers(0, 2)) == 0:  # an id that others have had, or will have, known late too
            _, other, _ = entries[draw(st.integers(0, at - 1))]
            if "note" not in other:
                other["note"] = ids[at]
                options["id"] = "${{ " + names[[entry[1] for entry in entries].index(other)] + ".thing.outputs.note }}"
        entries.append((name, options, needs))
    return entries


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[list[tuple[str, dict[str, Any], list[str]]], set[str], int]]:
    """Configs applied one after the other, each with the ids that fail and a parallelism."""
    step = st.tuples(configs(), st.sets(st.sampled_from(IDS), max_size=2), st.sampled_from([1, 4]))
    return draw(st.lists(step, min_size=1, max_size=4))


def check_order(applied: Applied, calls: list[str], tools: list[Tool], ledger: Ledger) -> None:
    """Nothing is touched before what it depends on is done, and nothing is done after a failure of that."""
    at = {}
    for index, event in enumerate(event for event in applied.events if isinstance(event, Done | Failed | Skipped)):
        at[event.key, event.action is Action.DELETE] = (index, isinstance(event, Done))
    for each in tools:
        for need in each.needs:
            mine, theirs = at.get((each.key, False)), at.get((need, False))
            if mine and theirs and mine[1]:
                assert theirs[1], f"{each.key} was touched although {need} failed"
                assert theirs[0] < mine[0], f"{each.key} was touched before {need}"


THOROUGH = "DTM_THOROUGH" in os.environ
"""Whether 10,000 histories are tried instead of 150: `DTM_THOROUGH=1 pytest tests/test_execute.py`."""


@settings(max_examples=10_000 if THOROUGH else 150, deadline=None)
@given(histories())
def test_any_history_of_configs_and_failures_loses_nothing_and_converges(history: Any) -> None:
    world, ledger = World(), Ledger({})
    for entries, broken, parallelism in history:
        world.broken, world.calls = broken, []
        tools = made(world, *entries)
        applied = apply([world.plugin()], tools, ledger, parallelism=parallelism)
        check_order(applied, world.calls, tools, ledger)
        held = [record.options["id"] for record in ledger.records.values()]
        assert sorted(held) == sorted(world.things), "every thing is recorded, once, and nothing else is"
        assert not ledger.open
    world.broken = set()
    for _ in range(2):  # an identity that was known late and held by another one takes a second run
        applied = apply([world.plugin()], tools, ledger)
    again = apply([world.plugin()], tools, ledger)
    assert again.plan.changes == ()
    assert set(ledger.records) == {each.key for each in tools}
    assert {key: record.options["size"] for key, record in ledger.records.items()} == {
        each.key: each.options["size"] for each in tools
    }
    assert len(world.things) == len(tools)


class Clock:
    """A clock that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@contextmanager
def executing(
    create: Callable[[ThingOptions], dict[str, Any]],
    entries: Mapping[str, list[str]],
    stop: Stop,
    limit: float | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[tuple[Executor, Ledger]]:
    """What makes things, one at a time, and the records as its caller is to keep them.

    Args:
        create: of their plugin.
        entries: name -> the keys of what it waits for.
        stop: ends it.
        limit: seconds that one may take.
        clock: tells how many have passed.
    """

    def refuse(options: ThingOptions) -> Any:
        raise AssertionError

    plugin = Plugin(
        name="thing", options=ThingOptions, create=create, read=lambda options: None, update=refuse, delete=refuse
    )
    wanted = {each.key: each for each in (tool(name, {"id": name}, needs, plugin) for name, needs in entries.items())}
    find, ledger = finder(plugin), Ledger({})
    with calling(find, bytes(32), wanted, Sources({}), stop, parallelism=1, debug=False) as (workers, calls):
        planner = Planner(Facts(wanted, {}, find, lambda text: text))
        while questions := planner.questions():
            for question in questions:
                planner.answer(question.desired.tool.key, calls.read(question))
        running = Running(stop, limit, None, clock)
        yield Executor(planner.plan(), calls, ledger.records, workers, stop, running, planner=planner), ledger


def test_what_was_given_up_and_succeeds_after_all_is_recorded_and_nothing_else_waits_for_it() -> None:
    """`slow` is given up when its time is over, while `quick` goes on; then it ends, and `quick` after it."""
    go, clock = {"slow": Flag(), "quick": Flag()}, Clock()

    def create(options: ThingOptions) -> dict[str, Any]:
        go[options.id].wait(30)
        return {"id": options.id}

    entries = {"slow": [], "quick": [], "after": ["slow.thing"]}
    with executing(create, entries, Stop(), 10, clock) as (executor, ledger):
        told: list[str] = []
        for batch in executor.run():
            for entry in batch.entries:
                ledger.fold(entry)
            told += [f"{type(event).__name__} {event.key}" for event in batch.events if hasattr(event, "key")]
            if told[-1:] == ["Began slow.thing"]:
                clock.now = 11
            if told[-1:] == ["Began quick.thing"]:
                assert told == ["Began slow.thing", "Failed slow.thing", "Skipped after.thing", "Began quick.thing"]
                assert list(ledger.records) == []
                go["slow"].set()
            if told[-1:] == ["Done slow.thing"]:
                assert list(ledger.records) == ["slow.thing"]
                go["quick"].set()
    assert told[-2:] == ["Done slow.thing", "Done quick.thing"]
    assert ledger.open == {}


def test_no_intent_is_written_for_what_comes_after_a_stop() -> None:
    """The stop comes while `first` is made, which `second` waits for."""
    stop = Stop()

    def create(options: ThingOptions) -> dict[str, Any]:
        stop.set()
        return {"id": options.id}

    with executing(create, {"first": [], "second": ["first.thing"]}, stop) as (executor, _):
        written = [entry for batch in executor.run() for entry in batch.entries]
    assert [type(entry) for entry in written] == [Begin, End]
