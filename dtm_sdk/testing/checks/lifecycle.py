"""Lifecycle, through the real runner: the rules L1 to L6. Each command runs in a process of its own, as in life."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from dtm_sdk.options import Json
from dtm_sdk.plugin import State
from dtm_sdk.testing.changing import changes_of, leaves_of, tuned_otherwise
from dtm_sdk.testing.difference import short
from dtm_sdk.testing.identities import alone, elsewhere, like, several
from dtm_sdk.testing.keeper import keeper
from dtm_sdk.testing.meaning import aligned, called
from dtm_sdk.testing.rows import drifted, row
from dtm_sdk.testing.rules import check
from dtm_sdk.testing.stage import Stage
from dtm_sdk.testing.subject import Raw, Subject
from dtm_sdk.testing.verdicts import skip, unsupported
from dtm_sdk.testing.worlds.world import Tree

CORE: Final = ("A1", "C1", "C2", "C4", "C6", "R1", "R2", "R3", "U1", "U2", "D1", "D2")
"""Rules that are asked of direct calls; where one fails, the runner can only show the same again."""
WORLDS: Final = ("C5", "C7", "U4")
"""Rules without which two worlds can't be held against each other, or hold two resources."""


@check("L1", rests_on=CORE)
def test_l1_apply_twice(subject: Subject) -> None:
    """Apply, apply: the second says there is nothing to do; state bytes and world stay the same.

    Why: each run of `dtm` is a process of its own, and calls the plugin in threads. A plugin that keeps in memory what
    it needs, or works in the main thread only, passes every direct call and fails its first user.

    Wrong:
        ids = {}                        # gone when the process ends

        def read(options):
            return describe(ids[options.name]) if options.name in ids else None

    Mend: keep nothing between two calls but in the resource itself; take an id from the parameter `state`. Don't use
    what works in the main thread only, such as signals, and don't change `state`: return a new one.
    """
    for raw in subject.examples:
        subject.fresh()
        stage = Stage(subject)
        tool = stage.tool("one", raw)
        stage.must(tool)
        world, state = subject.snapshot(), stage.runner.state.read_bytes()
        again = stage.must(tool)
        if again.planned:
            subject.fail(f"the second apply has something to do: {', '.join(again.messages)}")
        if stage.runner.state.read_bytes() != state:
            subject.fail("the second apply has nothing to do, and changes the state file")
        subject.same_world(world, subject.snapshot(), "the second apply has nothing to do, and changes the world")


# --- L2 --------------------------------------------------------------------------------------------------------------


@check("L2", rests_on=("L1", "R5", "R6"))
def test_l2_rows_that_make_and_change(subject: Subject) -> None:
    """Every row of the table in 2, with exactly the calls it names.

    Why: what the runner decides rests on what Read returns, and on states that nobody has changed meanwhile. A plugin
    that is right in each call may still make the runner do too much, too little, or fail.

    Wrong:
        def update(options, state):
            state["size"] = options.size    # the record of the runner
            return state

    Mend: return a new dict from each operation; take `state` to be None as well: the resource may be there without a
    record of it, and Update is then called to take it over.
    """
    one = subject.an_example()
    first, second = subject.pairs[0] if subject.pairs else (one, one)
    subject.fresh()
    stage = Stage(subject)
    old, new = stage.tool("one", first), stage.tool("one", second)
    row(stage, "no record, Read says None", stage.apply(old), "Create one", "found in config but", ["read", "create"])
    world = subject.snapshot()
    row(stage, "nothing has changed", stage.apply(old), "", "", ["read"])
    tuned = tuned_otherwise(subject, first)
    if tuned:
        row(stage, "only Tuning has changed", stage.apply(stage.tool("one", tuned)), "", "", ["read"])
    if first is not second:
        changed = stage.apply(new)
        row(stage, "the options have changed", changed, "Update one", "config drifted", ["read", "update"])
        drifted(stage, new, second, world)
    else:
        subject.notes.append("there is no update pair: the rows that lead to an Update were not tried")
    subject.restore(subject.empty, "all that was made is gone")
    row(stage, "recorded, Read says None", stage.apply(new), "Create one", "state found but", ["read", "create"])
    failed = stage.apply(new, failing=frozenset({"read"}))
    if len(failed.problems) != 1 or failed.planned or set(failed.calls) != {"read"}:
        subject.fail(f"the row 'Read fails' is not kept: {failed.planned}, {failed.calls}, {failed.problems}")
    if subject.plugin.recovery == "manual":
        return
    stage.forget()
    refused = stage.apply(new, adopt=False)
    if "its resource exists" not in " ".join(refused.problems) or set(refused.calls) != {"read"}:
        subject.fail(f"the row 'exists, with --no-adopt' is not kept: {refused.calls}, {refused.problems}")
    row(stage, "no record, Read finds it", stage.apply(new), "Adopt one", "will be adopted", ["read", "update"])


@check("L2", rests_on=("L1",))
def test_l2_rows_that_take_away_and_move(subject: Subject) -> None:
    """A Replace and a Delete are called without a Read before them; a renamed tool gets its record by a Read alone."""
    raw = subject.an_example()
    moved = elsewhere(subject, raw)
    subject.fresh()
    stage = Stage(subject)
    stage.must(stage.tool("one", raw))
    if subject.plugin.shape.identity:
        renamed = stage.apply(stage.tool("other", raw))
        row(stage, "the tool was renamed", renamed, "Move other", "was one, its record is moved", ["read"])
    name = "other" if subject.plugin.shape.identity else "one"
    if moved:
        replaced = stage.apply(stage.tool(name, moved))
        row(
            stage,
            "the identity has changed",
            replaced,
            f"Replace {name}",
            "changed its identity",
            ["delete", "create"],
        )
    row(stage, "it has left the config", stage.apply(), f"Delete {name}", "will be deleted", ["delete"])


# --- L3, L4 ----------------------------------------------------------------------------------------------------------


@check("L3", rests_on=(*WORLDS, "L1", "L2"))
def test_l3_taken_away(subject: Subject) -> None:
    """A tool taken out of the config is deleted; `delete` and `destroy` leave the world as it was.

    Why: Delete is called alone: in a process that has neither made nor read the resource, with the recorded options
    and the recorded state. What it needs beside them it doesn't have.

    Wrong:
        def create(options):
            ids[options.name] = service.create(...)

        def delete(options):
            service.delete(ids.get(options.name))     # nothing: this process didn't create it
            return True

    Mend: find the resource by its options or by the parameter `state`, in Delete as in Read.
    """
    raw = subject.an_example()
    subject.fresh()
    stage = Stage(subject)
    tools, kept = [stage.tool("one", raw)], []
    moved = elsewhere(subject, raw)
    if moved:
        kept = [stage.tool("two", moved)]
        stage.must(*kept)
    before = subject.snapshot()
    stage.must(*tools, *kept)
    stage.must(*kept)
    subject.same_world(before, subject.snapshot(), "a tool was taken out of the config, and something of it is left")
    _emptied(stage, "delete")
    stage.must(*tools, *kept)
    _emptied(stage, "destroy")


def _emptied(stage: Stage, command: Literal["delete", "destroy"]) -> None:
    """A command that takes away all there is."""
    subject = stage.subject
    stage.succeeded(stage.run(command), command)
    subject.same_world(subject.empty, subject.snapshot(), f"after {command} the world is not as it was")
    if stage.records():
        subject.fail(f"after {command} there are records left: {', '.join(stage.records())}")


@check("L4", rests_on=(*WORLDS, "U3", "L1", "L2"))
def test_l4_changes_leave_no_orphan(subject: Subject) -> None:
    """An identity change replaces: the old resource is gone, no orphan.

    Nor does a change of any other option leave one.

    Why: what names the resource, or says where it is, and isn't marked as Identity, is handed to Update: the new
    resource is made, the old one is forgotten by everyone.

    Wrong:
        class MyOptions(Options):
            name: Identity[str]
            folder: str                    # names it too

    Mend: mark every option that names the resource or its place as `Identity[...]`, or let Update remove the old one.
    """
    for old, new in changes_of(subject):
        subject.fresh()
        made = subject.create(new)
        wanted = subject.snapshot()
        subject.fresh()
        stage = Stage(subject)
        stage.must(stage.tool("one", old))
        stage.must(stage.tool("one", new))
        by = called(subject, {"one": stage.resource("one")}, {"one": made})
        found = aligned(subject.snapshot(), wanted, by)
        subject.same_world(wanted, found, "after a change of options the world is not as a fresh Create makes it")


# --- L5, L6 ----------------------------------------------------------------------------------------------------------


@check("L5", rests_on=(*WORLDS, "L1", "L2", "L3"))
def test_l5_state_lost(subject: Subject) -> None:
    """The state file lost: apply adopts everything, makes nothing twice (`manual`: unsupported).

    Why: a state is lost, or was never there, more often than one thinks. What can be found again should be: a second
    resource that nobody knows of is the worst that can come of it.

    Wrong:
        def update(options, state):
            if state is None:
                return create(options)      # a second one
            ...

    Mend: with `state` None look the resource up by its identity, by something that Create has stored in it. Where the
    service can't do that, declare recovery="manual".
    """
    raws = several(subject)
    subject.fresh()
    stage = Stage(subject)
    tools = [stage.tool(name, raw) for name, raw in raws.items()]
    stage.must(*tools)
    before = subject.snapshot()
    stage.forget()
    if subject.plugin.recovery == "manual":
        _manual(stage, tools, before)
    ran = stage.must(*tools)
    others = [each for each in ran.planned if not each.startswith("Adopt ")]
    if others or len(ran.planned) != len(tools):
        subject.fail(f"with the state lost, apply does not adopt what is there, it plans: {', '.join(ran.planned)}")
    subject.same_world(before, subject.snapshot(), "with the state lost, apply does not leave the world as it was")
    again = stage.must(*tools)
    if again.planned:
        subject.fail(f"the apply after the adoption has something to do: {', '.join(again.messages)}")


def _manual(stage: Stage, tools: Sequence[Mapping[str, Json]], before: Tree) -> None:
    """Look whether a plugin that can't find its resources again can't."""
    ran = stage.apply(*tools)
    adopted = all(each.startswith("Adopt ") for each in ran.planned) and len(ran.planned) == len(tools)
    if adopted and not ran.problems and not stage.subject.changes(before, stage.subject.snapshot()):
        stage.subject.fail(
            'it declares recovery="manual", and all that it made is found again without the state: declare "lookup"'
        )
    unsupported('recovery="manual": what was made is not found again without its record')


@check("L6", rests_on=(*WORLDS, "L1", "L2", "L3", "L4"))
def test_l6_renamed_and_swapped(subject: Subject) -> None:
    """A tool renamed in the config keeps its resource; two that swap identities end as the config says.

    Why: the name of a tool is nobody's business but the config's. In a swap both resources are deleted and made
    again, in one run: what Delete has left behind, in memory or elsewhere, gets into what Create makes.

    Wrong:
        deleted = {}

        def create(options):
            labels = {**deleted.get(options.name, {}), **options.labels}

    Mend: make in Create what the options say, whatever was there before.
    """
    raws = several(subject)
    if len(raws) < 2:
        alone(subject)
    one, two = raws["one"], raws["two"]
    ends = {"one": like(subject, one, two), "two": like(subject, two, one)}
    after = {name: raw for name, raw in ends.items() if raw}
    if len(after) < 2:
        skip("the options of two examples can't swap their identities")
    subject.fresh()
    stage = Stage(subject)
    stage.must(stage.tool("first", one), stage.tool("two", two))
    before = subject.snapshot()
    stage.must(stage.tool("one", one), stage.tool("two", two))
    subject.same_world(before, subject.snapshot(), "a tool was renamed, and its resource has changed")
    stage.must(*(stage.tool(name, raw) for name, raw in after.items()))
    _made_in_some_order(subject, after, subject.snapshot(), {name: stage.resource(name) for name in after})


def _made_in_some_order(subject: Subject, raws: Mapping[str, Raw], found: Tree, states: Mapping[str, State]) -> None:
    """Hold the world after a swap against what Create alone makes of the options, in the one order or in the other."""
    for last, names in enumerate((sorted(raws), sorted(raws, reverse=True))):
        subject.fresh()
        made = {name: subject.create(raws[name]) for name in names}
        wanted = subject.snapshot()
        tree = aligned(found, wanted, called(subject, states, made))
        if not subject.changes(wanted, tree):
            return
        if last:
            message = "two tools have swapped their identities, and the world isn't as the config says"
            subject.same_world(wanted, tree, message)


@check("L6", rests_on=("L1", "L2", "S1"))
def test_l6_outputs(subject: Subject) -> None:
    """Every output can be referenced by another tool, and `outputs` holds what Create returned.

    Mend: let `outputs` be an object whose keys have no space, no dot and no brace in them, at any depth; lists and
    objects are referenced as a whole.
    """
    raw = subject.an_example()
    subject.fresh()
    stage = Stage(subject, [keeper()])
    ran = stage.must(stage.tool("one", raw))
    outputs = ran.returned["create"].get("outputs")
    if outputs is None:
        subject.notes.append("it has no outputs: nothing can be referenced")
        return
    if not isinstance(outputs, dict):
        subject.fail(f"`outputs` is no object, so that none of it can be referenced: {short(outputs)}")
    subject.same_states(outputs, stage.resource("one").get("outputs"), "`outputs` isn't what Create returned")
    leaves = dict(leaves_of(outputs))
    values = {f"k{index}": _reference(stage, path) for index, path in enumerate(leaves)}
    keeping = {"name": "keeper", "plugin": "dtm.keeper", "options": {"name": "all", "values": values}}
    kept = stage.apply(stage.tool("one", raw), keeping)
    if kept.problems:
        subject.fail(f"an output can't be referenced: {'; '.join(kept.problems)}")
    found = stage.records()["keeper.dtm.keeper"].resource["outputs"]["values"]
    wanted = {f"k{index}": value for index, value in enumerate(leaves.values())}
    subject.same_states(wanted, found, "another tool that references the outputs gets something else")


def _reference(stage: Stage, path: Sequence[str]) -> str:
    return f"${{{{ one.{stage.subject.plugin.name}.{'.'.join(('outputs', *path))} }}}}"
