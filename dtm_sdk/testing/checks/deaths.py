"""Faults: the rules F2 to F4. What is left when a run dies, loses an answer or is interrupted."""

import os
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial, wraps
from typing import Any

from dtm_sdk.errors import PluginError
from dtm_sdk.options import Json
from dtm_sdk.plugin import Operation, Plugin, State
from dtm_sdk.testing.difference import difference
from dtm_sdk.testing.dying import dying, ending, evenly, turning_points
from dtm_sdk.testing.enough import within
from dtm_sdk.testing.identities import makeable
from dtm_sdk.testing.naming import given_paths, meaning
from dtm_sdk.testing.neighbours import Neighbours, neighbours
from dtm_sdk.testing.rules import CORE, check
from dtm_sdk.testing.runs import Run, Runner
from dtm_sdk.testing.subject import Raw, Subject, same
from dtm_sdk.testing.verdicts import unsupported
from dtm_sdk.testing.watch import Watch
from dtm_sdk.testing.worlds.world import Tree, places

ENOUGH = 20.0
"""Seconds after which no further run dies in an operation, unless at all of its calls is asked for."""
DEATHS = 12
"""At how many of the calls of an operation a run dies, unless all are asked for."""
LIFE = ("A1", *CORE, "L1", "L2", "L3")
"""The runner takes no plugin without a name; what goes wrong in an undisturbed life goes wrong after a death too."""
UNDER = (*LIFE, "L5")
"""What a death leaves half-made is adopted. An answer that is lost leaves just what a lost state does, so F3 rests on
LIFE: on L5, it could not fail."""

Tools = Sequence[Mapping[str, Json]]


def tools(subject: Subject, *raws: Raw) -> Tools:
    """A config's tools, one of each of some options."""
    return [{"name": f"tool-{index}", "plugin": subject.plugin.name, "options": raw} for index, raw in enumerate(raws)]


@check("F2", rests_on=UNDER)
def test_f2_death_in_create(subject: Subject) -> None:
    """The process dies at each I/O call, under the runner: the next apply converges; no orphan, no duplicate.

    One with `recovery="manual"` stops and asks. What is beside it stays, at once. This test is of the calls of Create.

    Why: machines lose power, jobs are killed. What was half made then is found by nobody but the plugin: an orphan is
    paid for, a second one does the work twice.

    Wrong:
        def create(options):
            id = post("/things")                      # dies here: nobody knows of it any more
            put(f"/things/{id}", {"name": options.name})

    Mend: make the resource findable in the very call that makes it (its name, a tag), and look for it before you make
    one. Give what you write first, such as a temporary file, a name that the next try finds again. Never write in place
    to a file that others have a part of: write it whole beside, and rename.
    """
    raw = subject.an_example()
    _hold_deaths(subject, "create", (), tools(subject, raw), neighbours(subject, raw))


@check("F2", rests_on=UNDER)
def test_f2_death_in_update(subject: Subject) -> None:
    """The process dies at each I/O call of Update: the next apply converges."""
    if not subject.pairs:
        unsupported("nothing can be updated: every option is Identity or Tuning")
    first, second = subject.pairs[0]
    _hold_deaths(subject, "update", tools(subject, first), tools(subject, second), neighbours(subject, first))


@check("F2", rests_on=UNDER)
def test_f2_death_in_replace(subject: Subject) -> None:
    """The process dies at each I/O call of the Delete or the Create of a Replace: the next apply converges."""
    first = subject.an_example()
    others = makeable(subject, first)
    if not others:
        unsupported("no near identity can be made, so nothing can be replaced")
    before, after = tools(subject, first), tools(subject, others[0])
    _hold_deaths(subject, "delete", before, after, neighbours(subject, first, others[0]))
    _hold_deaths(subject, "create", before, after, neighbours(subject, others[0], first))


@check("F2", rests_on=UNDER)
def test_f2_death_in_delete(subject: Subject) -> None:
    """The process dies at each I/O call of Delete: the next apply converges, and nothing is left."""
    raw = subject.an_example()
    _hold_deaths(subject, "delete", tools(subject, raw), (), neighbours(subject, raw))


def _hold_deaths(subject: Subject, operation: Operation, before: Tools, after: Tools, beside: Neighbours) -> None:
    """Let runs die at the calls of an operation, and look at what the next one makes of it."""
    wanted = _wanted(beside, after)
    calls = _calls(beside, operation, before, after)
    total, died, tried = len(calls), 0, 0
    every = range(0 if not calls else 1, total + 2)
    chosen = every if subject.thorough else evenly(turning_points(calls), DEATHS)
    for number in within(ENOUGH, chosen, subject):
        tried += 1
        runner = _recorded(beside, before)
        death = dying(subject, operation, number, partial(_apply, runner, after))
        where = f"before call {number} of {total} ({death.call})" if total else f"at {death.call}"
        subject.steps.append(f"# apply, killed in {operation} {where}")
        died += death.died
        beside.unharmed(f"after a run that was killed in {operation}")
        if subject.plugin.recovery == "manual" and operation == "create":
            _hold_asks(subject, runner, after)
        else:
            _hold_next(beside, runner, after, wanted, "after a run that was killed")
    left_out = len(every) - tried
    more = f"; {left_out} more places were left out, --dtm-thorough tries all" if left_out else ""
    subject.notes.append(f"{operation}: {died} runs were killed, each at another of {len(every)} places{more}")
    if not died:
        subject.fail(f"no run could be killed in {operation}: it was never called")


def _calls(beside: Neighbours, operation: Operation, before: Tools, after: Tools) -> list[str]:
    """The names of the calls that an operation makes under the runner."""
    plugin = beside.subject.plugin
    runner = _recorded(beside, before)
    beside.share()
    names: list[str] = []
    function = getattr(plugin, operation)

    @wraps(function)
    def counts(*arguments: Any) -> Any:
        with Watch.here().watching() as seen:
            result = function(*arguments)
        names.extend(call.name for call in seen.calls)
        return result

    changed: dict[str, Any] = {operation: counts}
    _apply(runner, after, replace(plugin, **changed))
    beside.share()
    return names


def _recorded(beside: Neighbours, before: Tools) -> Runner:
    """A fresh world, with what a first apply makes; its runner."""
    subject = beside.subject
    beside.fresh()
    runner = Runner(subject.scratch / "run", [subject.plugin])
    runner.forget()
    if before:
        _must(subject, runner.apply(before), "the apply before it")
    subject.steps.append(f"# applied: {len(before)} tools")
    return runner


def _apply(runner: Runner, wanted: Tools, plugin: Plugin, **settings: Any) -> Run:
    return runner.using(plugin).apply(wanted, **settings)


def _wanted(beside: Neighbours, after: Tools) -> Tree:
    """What the world is, by its meaning, when the tools are applied to a fresh one."""
    runner = _recorded(beside, after)
    return _meaning(beside.subject, runner)


def _meaning(subject: Subject, runner: Runner) -> Tree:
    tree = subject.snapshot()
    for record in runner.records().values():
        tree = meaning(subject.world, tree, record.resource, given_paths(subject.plugin))
    return meaning(subject.world, tree, None, ())


def _must(subject: Subject, run: Run, what: str) -> None:
    if run.problems:
        subject.fail(f"{what} fails: {run.problems[0]}")


def _hold_next(beside: Neighbours, runner: Runner, after: Tools, wanted: Tree, when: str) -> None:
    """The next apply converges, the one after that has nothing to do, and destroy leaves what was beside it."""
    subject = beside.subject
    _must(subject, runner.apply(after), f"{when}, the next apply")
    subject.steps.append("# apply again")
    found = _meaning(subject, runner)
    if places(wanted, found):
        subject.fail(f"{when} and the next apply, the world is another one", difference(wanted, found))
    run = runner.verify(after)
    if run.problems or run.plan.changes:
        said = [*run.problems, *(message for change in run.plan.changes for message in change.messages)]
        subject.fail(f"{when} and the next apply, there is still something to do: {said[0]}")
    _must(subject, runner.destroy(after), f"{when} and the next apply, destroy")
    subject.same_world(beside.tree, subject.snapshot(), f"{when}, the next apply and a destroy, something is left over")


def _hold_asks(subject: Subject, runner: Runner, after: Tools) -> None:
    """The next apply stops at the tool and names it; it makes nothing."""
    before = subject.snapshot()
    run = runner.apply(after)
    if not run.problems:
        subject.fail("after a run that was killed in Create, the next apply didn't ask what became of the resource")
    subject.same_world(before, subject.snapshot(), "after a run that was killed in Create, the next apply went on")


@check("F3", rests_on=LIFE)
def test_f3_the_answer_is_lost(subject: Subject) -> None:
    """The operation succeeded but its answer was lost: the retry makes no second one.

    Why: between "it is done" and your hearing of it there is a network, and a process that may end. A retry that makes
    a second one gives you two databases, two invoices, two of what there should be one of.

    Wrong:
        def create(options):
            return post("/things", {"name": options.name})

    Mend: look whether it is there already before you make one, by its name or a tag; or send a key by which the service
    knows a request again.
    """
    if subject.plugin.recovery == "manual":
        unsupported('a resource whose recovery is "manual" can not be found again')
    raw = subject.an_example()
    wanted, beside = tools(subject, raw), neighbours(subject, raw)
    tree = _wanted(beside, wanted)
    runner = _recorded(beside, ())
    _apply(runner, wanted, _losing(subject.plugin))
    subject.steps.append("# apply, in which Create succeeds and its answer is lost")
    _hold_next(beside, runner, wanted, tree, "after an apply that lost the answer of Create")


@check("F3", rests_on=LIFE)
def test_f3_the_world_s_answer_is_lost(subject: Subject) -> None:
    """The service did what it was asked for, and its answer was lost on the way: the retry makes no second one."""
    if subject.plugin.recovery == "manual":
        unsupported('a resource whose recovery is "manual" can not be found again')
    raw = subject.an_example()
    wanted, beside = tools(subject, raw), neighbours(subject, raw)
    tree = _wanted(beside, wanted)
    runner = _recorded(beside, ())
    with subject.world.lost_answers() as lost:
        runner.apply(wanted)
        if not lost():
            unsupported(f"the world ({subject.world.name}) gives no answers that could be lost on the way")
    subject.steps.append("# apply, in which the service's answers to what changes things are lost")
    _hold_next(beside, runner, wanted, tree, "after an apply that lost the service's answer")


def _losing(plugin: Plugin) -> Plugin:
    @wraps(plugin.create)
    def create(options: Any) -> State:
        plugin.create(options)
        raise PluginError("the answer was lost")

    return replace(plugin, create=create)


@check("F4", rests_on=UNDER)
def test_f4_interrupted_or_timed_out(subject: Subject) -> None:
    """Interrupted or timed out: what is recorded is true.

    The process of a run ends as soon as it is done; a run is interrupted by a Ctrl-C in the middle of Create; one is
    timed out there.

    Why: a person presses Ctrl-C, a job reaches its time limit. What the state says then is all that anybody knows.

    Wrong:
        def create(options):
            path = make_temporary()
            atexit.register(shutil.rmtree, path)
            return {"path": path}

    Mend: return when it is done, not when it is begun; and let what you made live longer than the process that made it.
    """
    raw = subject.an_example()
    wanted, beside = tools(subject, raw), neighbours(subject, raw)
    tree = _wanted(beside, wanted)
    total = len(_calls(beside, "create", (), wanted))
    ways: list[tuple[str, Plugin, float | None]] = [
        ("whose process ends at once", subject.plugin, None),
        ("interrupted in Create", _interrupting(subject.plugin), None),
        *((f"timed out in Create at call {number}", _stuck(subject.plugin, number), 0.2) for number in (1, total)),
    ]
    for how, plugin, timeout in ways:
        runner = _recorded(beside, ())
        ending(subject, partial(_apply, runner, wanted, plugin, timeout=timeout))
        subject.steps.append(f"# apply, {how}")
        beside.unharmed(f"after a run {how}")
        _hold_true(subject, runner, wanted)
        if timeout and subject.plugin.recovery == "manual":
            _hold_asks(subject, runner, wanted)
        else:
            _hold_next(beside, runner, wanted, tree, f"after a run {how}")


def _hold_true(subject: Subject, runner: Runner, wanted: Tools) -> None:
    """Each record is what Read says."""
    options = {tool["name"]: tool["options"] for tool in wanted}
    for record in runner.records().values():
        found = subject.read(options[record.name], record.resource)
        if not same(found, record.resource):
            subject.fail("what is recorded isn't so", difference(record.resource, found))


def _interrupting(plugin: Plugin) -> Plugin:
    """A plugin whose Create is interrupted at its first call, as by a Ctrl-C."""
    interrupted = threading.Event()

    def act(call: object) -> None:
        if not interrupted.is_set():
            interrupted.set()
            os.kill(os.getpid(), signal.SIGINT)

    return _watched(plugin, act)


def _stuck(plugin: Plugin, number: int) -> Plugin:
    """A plugin whose Create hangs before one of its calls."""

    def act(call: Any) -> None:
        if call.number == number:
            threading.Event().wait()

    return _watched(plugin, act)


def _watched(plugin: Plugin, act: Callable[[Any], None]) -> Plugin:
    @wraps(plugin.create)
    def create(options: Any) -> State:
        with Watch.here().watching(act):
            made: State = plugin.create(options)
        return made

    return replace(plugin, create=create)
