"""A sequence of edits, applies and mishaps, done with a real plugin by the real runner, and held against the model."""

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any, Final

from dtm_sdk.plugin import Operation, Plugin, State
from dtm_sdk.testing.blows import Striker, blows
from dtm_sdk.testing.difference import difference
from dtm_sdk.testing.dying import dying
from dtm_sdk.testing.forked import ChildDiedError, forked
from dtm_sdk.testing.model import TAMPERED, Model, Step, Wanted
from dtm_sdk.testing.naming import given_paths
from dtm_sdk.testing.runs import Runner
from dtm_sdk.testing.source import Source
from dtm_sdk.testing.subject import Subject, same, without
from dtm_sdk.testing.universe import Universe
from dtm_sdk.testing.verdicts import Violation
from dtm_sdk.testing.watch import Call, Watch
from dtm_sdk.testing.worlds.loopback import unproxied
from dtm_sdk.testing.worlds.world import World, places

TOOLS: Final = 3
"""How many names of tools there are."""
LIMIT: Final = 30.0
"""Seconds that one sequence may take."""
CHANGES: Final[tuple[Operation, ...]] = ("create", "update", "delete")


class Replay:
    """One sequence, from an empty world to its end.

    Args:
        subject: the plugin in its world.
        universe: the resources that the sequence is about.
    """

    def __init__(self, subject: Subject, universe: Universe) -> None:
        self._subject = subject
        self._universe = universe
        self._model = Model(named=bool(subject.plugin.shape.identity))
        self._states: dict[int, State] = {}
        subject.fresh()
        self._runner = Runner(subject.scratch / "run", [subject.plugin])
        self._runner.forget()

    def run(self, steps: Sequence[Step]) -> None:
        """Do each step, then an apply, a verify and a destroy.

        Raises:
            Violation: what came of it is not what the model says.
        """
        for step in steps:
            self._do(step)
        self._apply()
        run = self._runner.verify(self._tools())
        if run.problems or run.plan.changes:
            said = [*run.problems, *(message for change in run.plan.changes for message in change.messages)]
            self._subject.fail(f"after an apply there is still something to do: {said[0]}")
        run = self._runner.destroy(self._tools())
        self._subject.steps.append("destroy")
        if run.problems:
            self._subject.fail(f"destroy fails: {run.problems[0]}")
        self._model.destroy()
        self._hold_world("after a destroy the world is another one than it should be")

    def _do(self, step: Step) -> None:
        """Do a step, where it can be done; else nothing."""
        model, wanted = self._model, self._universe.find(step.b, step.c)
        name = sorted(model.config)[step.a % len(model.config)] if model.config else 0
        match step.kind:
            case "want" if model.want(step.a % TOOLS, wanted):
                raw = self._universe.at(wanted).raw
                self._subject.steps.append(f"tool-{step.a % TOOLS} shall be {self._subject.shown(raw)}")
            case "change" if name in model.config:
                model.config[name] = self._universe.find(model.config[name].identity, model.config[name].variant + 1)
                raw = self._universe.at(model.config[name]).raw
                self._subject.steps.append(f"tool-{name} is changed to {self._subject.shown(raw)}")
            case "drop" if model.config.pop(name, None):
                self._subject.steps.append(f"tool-{name} leaves the config")
            case "rename" if model.rename(name, step.b % TOOLS):
                self._subject.steps.append(f"tool-{name} is renamed to tool-{step.b % TOOLS}")
            case "tamper" | "remove":
                self._disturb(step)
            case "lose" if not model.uncertain and model.is_covered() and self._can_be_found:
                self._subject.steps.append("the state is lost")
                self._runner.forget()
                model.lose()
                self._apply()
            case "crash" if self._can_be_found:
                self._crash(CHANGES[step.a % len(CHANGES)], step.b % (self._universe.calls + 1) + 1)
            case "fault" if self._can_be_found:
                self._fault(CHANGES[step.a % len(CHANGES)], step.b % (self._universe.calls + 1) + 1)
            case "apply":
                self._apply()

    @property
    def _can_be_found(self) -> bool:
        return self._subject.plugin.recovery != "manual"

    def _tools(self) -> list[dict[str, Any]]:
        plugin = self._subject.plugin.name
        wanted = {name: self._universe.at(found).raw for name, found in self._model.config.items()}
        return [{"name": f"tool-{name}", "plugin": plugin, "options": raw} for name, raw in wanted.items()]

    def _apply(self) -> None:
        certain = not self._model.uncertain
        expected = [each.replace(" ", " tool-") for each in self._model.apply()]
        run = self._runner.apply(self._tools())
        self._subject.steps.append(f"apply  -> {', '.join(run.done) or 'nothing to do'}")
        if run.problems:
            self._subject.fail(f"apply fails: {run.problems[0]}")
        if certain and sorted(run.done) != sorted(expected):
            did, wanted = ", ".join(sorted(run.done)) or "nothing", ", ".join(sorted(expected)) or "nothing"
            self._subject.fail(f"apply did {did}, where the table says {wanted}")
        self._hold()

    def _hold(self) -> None:
        """What is recorded and what is there are what the model says."""
        records = {record.name: record for record in self._runner.records().values()}
        wanted = {f"tool-{name}": found for name, found in self._model.records.items()}
        if records.keys() != wanted.keys():
            self._subject.fail(f"recorded are {sorted(records)}, where the table says {sorted(wanted)}")
        given = given_paths(self._subject.plugin)
        for name, found in wanted.items():
            one = without(self._universe.at(found).state, given)
            other = without(records[name].resource, given)
            if not same(one, other):
                self._subject.fail(f"the record of {name} is another one than its options make", difference(one, other))
        self._states |= {found.identity: records[name].resource for name, found in wanted.items()}
        self._hold_world("the world is another one than the config makes")

    def _hold_world(self, message: str) -> None:
        """What is there is what the model says, where each resource can be seen alone; else that it is empty."""
        if self._universe.separate:
            there = self._universe.named(self._subject.snapshot(), self._states)
            expected = self._universe.tree(self._model.world)
            if places(expected, there):
                self._subject.fail(message, difference(expected, there))
        elif not self._model.world:
            self._subject.same_world(self._subject.empty, self._subject.snapshot(), message)

    def _disturb(self, step: Step) -> None:
        """Change or remove a resource behind the plugin's back, where it is recorded and has places of its own."""
        records = self._model.records
        if not self._universe.separate or self._model.uncertain or not records:
            return
        holder = sorted(records)[step.a % len(records)]
        identity = records[holder].identity
        variant = self._model.world.get(identity, TAMPERED)
        if variant == TAMPERED:
            return
        state = self._runner.records()[f"tool-{holder}.{self._subject.plugin.name}"].resource
        found = Wanted(identity, variant)
        if step.kind == "remove":
            tree = self._universe.removed(self._subject.snapshot(), found, state)
            del self._model.world[identity]
        else:
            changed = self._universe.tampered(self._subject.snapshot(), found, state, step.b)
            if changed is None:
                return
            tree = changed
            self._model.world[identity] = TAMPERED
        self._subject.restore(tree, f"the resource of tool-{holder} is {step.kind.rstrip('e')}ed")

    def _crash(self, operation: Operation, number: int) -> None:
        tools = self._tools()
        death = dying(self._subject, operation, number, lambda plugin: self._runner.using(plugin).apply(tools))
        how = f"killed in {operation} before call {number} ({death.call})" if death.died else "not interrupted"
        self._subject.steps.append(f"apply, {how}")
        self._model.uncertain = True

    def _fault(self, operation: Operation, number: int) -> None:
        """An apply in which a call fails, and another, so that what is half made is not forgotten."""
        self._runner.using(failing(self._subject.plugin, operation, number)).apply(self._tools())
        self._subject.steps.append(f"apply, with call {number} of {operation} failing")
        self._model.uncertain = True
        self._apply()


def failing(plugin: Plugin, operation: Operation, number: int) -> Plugin:
    """A plugin of which one call to the system fails in an operation, where that call can."""
    function: Callable[..., Any] = getattr(plugin, operation)

    def act(call: Call) -> None:
        if call.number == number:
            for blow in blows([call]):
                Striker(blow)(call)

    @wraps(function)
    def fails(*arguments: Any) -> Any:
        with Watch.here().watching(act):
            return function(*arguments)

    changed: dict[str, Any] = {operation: fails}
    return replace(plugin, **changed)


def replay(plugin: Plugin, world: World, folder: Path, steps: Sequence[Step]) -> None:
    """Do a sequence in a world of its own: what the script that a failure of M1 prints does.

    Args:
        plugin: the plugin.
        world: its world; one that is open already is opened once more, in this process.
        folder: an empty one, for the world and the state.
        steps: the sequence.

    Raises:
        Violation: what came of it is not what the model says; its message ends with the steps in words.
    """
    for name in ("scene", "run", "tmp"):
        (folder / name).mkdir()
    with (
        unproxied(),
        _temporary_in(folder / "tmp"),
        world.opened(folder / "scene"),
        Watch.here().guarding(folder, *world.writable),
    ):
        subject = Subject(plugin, world, 0, source=Source(plugin.name), scratch=folder, thorough=False)
        try:
            Replay(subject, Universe(subject)).run(steps)
        except Violation as violation:
            message = "\n".join([violation.message, *(f"  {line}" for line in subject.steps)])
            raise Violation(message, violation.difference, violation.trace) from None


@contextmanager
def _temporary_in(folder: Path) -> Iterator[None]:
    """Inside, temporary files are made there: elsewhere, `tempfile` would find no place to write but the world."""
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    variable = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before
        if variable is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = variable


def replayed(plugin: Plugin, world: World, folder: Path, steps: Sequence[Step]) -> Violation | None:
    """What is wrong with a sequence, if anything; done in a process of its own, so that none remembers another."""

    def work() -> tuple[str, Sequence[str], str] | None:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, LIMIT)  # it ends the process
        try:
            replay(plugin, world, folder, steps)
        except Violation as violation:
            return violation.message, violation.difference, violation.trace
        return None

    folder.mkdir()
    try:
        found = forked(work)
    except ChildDiedError as error:
        return Violation(f"a sequence could not be done to its end: {error}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Violation(found[0], tuple(found[1]), found[2]) if found else None


def smaller(steps: Sequence[Step]) -> Iterator[list[Step]]:
    """Sequences that are simpler than one: without half of its steps, a quarter ... or one; with a smaller number."""
    size = len(steps)
    while size := size // 2 if size > 1 else 0:
        for start in range(0, len(steps), size):
            yield [*steps[:start], *steps[start + size :]]
    if len(steps) == 1:
        yield []
    for index, step in enumerate(steps):
        for a, b, c in ((0, step.b, step.c), (step.a, 0, step.c), (step.a, step.b, 0)):
            if (a, b, c) != (step.a, step.b, step.c):
                yield [*steps[:index], Step(step.kind, a, b, c), *steps[index + 1 :]]
