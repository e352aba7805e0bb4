"""Faults: the rule F1. What a plugin does when what it calls fails."""

import gc
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from msgspec import Struct

from dtm_sdk.plugin import Operation, State
from dtm_sdk.testing.blows import SIZES, Blow, Striker, blows, interrupts, sampled, small_files
from dtm_sdk.testing.children import children, outlive_new
from dtm_sdk.testing.difference import difference
from dtm_sdk.testing.enough import within
from dtm_sdk.testing.naming import given_paths, meaning
from dtm_sdk.testing.neighbours import Neighbours, neighbours
from dtm_sdk.testing.rules import CORE, check
from dtm_sdk.testing.subject import Raw, Subject, describe, same, trace_of, without
from dtm_sdk.testing.verdicts import unsupported
from dtm_sdk.testing.watch import Call, Watch
from dtm_sdk.testing.worlds.world import Tree, places

FAULTS = 40
"""How many faults are tried at the calls of an operation, unless all are asked for."""
INTERRUPTS = 20
"""How many times an operation is interrupted, likewise."""
ENOUGH = 15.0
"""Seconds after which no further fault is tried at an operation, unless all are asked for."""


class Scene(Struct, frozen=True):
    """An operation, and what has to be there before it.

    Attributes:
        operation: what meets the fault.
        raw: its options.
        before: the options with which the resource was made; None where there is none.
    """

    operation: Operation
    raw: Raw
    before: Raw | None

    def set(self, beside: Neighbours) -> State | None:
        """Put the world there; the recorded state."""
        beside.fresh()
        return beside.subject.create(self.before) if self.before is not None else None


class Clean(Struct, frozen=True):
    """What a scene is without a fault.

    Attributes:
        result: what the operation returned.
        world: what was there then, by its meaning.
        faults: those that are to befall it.
        left_out: how many more there are.
    """

    result: Any
    world: Tree
    faults: list["Fault"]
    left_out: int


class Fault(Struct, frozen=True):
    """One fault.

    Attributes:
        name: what a person calls it.
        strike: entered around the operation; gives what says whether it has happened, None where that can't be seen:
            then it has where the operation raised or did something else.
    """

    name: str
    strike: Callable[[], AbstractContextManager[Callable[[], bool] | None]]


@check("F1", rests_on=CORE, calls=("create", "read", "update", "delete"))
def test_f1_faults_in_create(subject: Subject) -> None:
    """Each I/O call fails once (no space, I/O error, permission, reset, 5xx): the operation raises or tells the truth.

    A retry converges; after the retry and a Delete nothing is left over. What is beside it stays, at once. This test is
    of the calls of Create.

    Why: disks are full, networks fail, services restart. What a plugin half-makes and then loses sight of is paid for
    until somebody finds it; what it takes for done is missed when it is needed.

    Wrong:
        def create(options):
            try:
                Path(options.filename).write_text(options.content)
            except OSError as error:
                log.warning("can't write: %s", error)
            return {"filename": options.filename, "content": options.content}

    Mend: let errors through, as a PluginError that says what to do. Make a thing whole or not at all: write beside it,
    then rename. That goes for a file that others have a part of too: opened by "w", it has lost theirs at once. Clean
    up what was half made, and no more, without hiding the error; and what a crash has left, at the next try.
    """
    _hold(subject, Scene("create", subject.an_example(), None))


@check("F4", rests_on=CORE)
def test_f4_ctrl_c_in_an_operation(subject: Subject) -> None:
    """Interrupted by a Ctrl-C at any of its calls, an operation lets that through or tells the truth.

    Mend: let KeyboardInterrupt out; undo what was half made in an `except BaseException`, and raise it again. What is
    written beside and then renamed needs little undoing.
    """
    _hold(subject, Scene("create", subject.an_example(), None), interrupts)
    for first, second in subject.pairs[:1]:
        _hold(subject, Scene("update", second, first), interrupts)
    _hold(subject, Scene("delete", subject.an_example(), subject.an_example()), interrupts)


@check("F1", rests_on=CORE)
def test_f1_faults_in_update(subject: Subject) -> None:
    """Each I/O call of Update fails once: it raises or tells the truth, and a retry converges."""
    if not subject.pairs:
        unsupported("nothing can be updated: every option is Identity or Tuning")
    first, second = subject.pairs[0]
    _hold(subject, Scene("update", second, first))


@check("F1", rests_on=CORE)
def test_f1_faults_in_read(subject: Subject) -> None:
    """Each I/O call of Read fails once: it raises or tells the truth.

    Mend: let the error out; return nothing that was not read, and None only where the world says that nothing is there.
    """
    _hold(subject, Scene("read", subject.an_example(), subject.an_example()))


@check("F1", rests_on=CORE)
def test_f1_faults_in_delete(subject: Subject) -> None:
    """Each I/O call of Delete fails once: it raises or tells the truth, and after a retry nothing is left over."""
    _hold(subject, Scene("delete", subject.an_example(), subject.an_example()))


def _hold(subject: Subject, scene: Scene, kinds: Callable[[Sequence[Call]], Iterator[Blow]] = blows) -> None:
    """Let each fault befall the operation of a scene: those of a kind at its calls, and those of its world."""
    beside = neighbours(subject, scene.raw)
    clean = _clean(subject, scene, kinds, beside)
    met = [_met(subject, scene, clean, fault, beside) for fault in within(ENOUGH, clean.faults, subject)]
    fired = sum(met)
    left_out = clean.left_out + len(clean.faults) - len(met)
    more = f"; {left_out} more were left out, --dtm-thorough tries all" if left_out else ""
    subject.notes.append(f"{scene.operation}: {fired} of {len(met)} faults fired{more}")
    if not fired:
        subject.fail(
            f"no fault could be made to befall {scene.operation}: no call of it is seen; give the world `faults()`"
        )


def _clean(
    subject: Subject, scene: Scene, kinds: Callable[[Sequence[Call]], Iterator[Blow]], beside: Neighbours
) -> Clean:
    """The scene without a fault, after one that warms up and shows what is shared with what is beside it."""
    state = scene.set(beside)
    beside.share()
    subject.must(scene.operation, scene.raw, state)
    beside.share()
    state = scene.set(beside)
    with subject.world.counting() as counted, Watch.here().watching() as seen:
        result = subject.must(scene.operation, scene.raw, state)
    every = list(kinds(seen.calls))
    chosen = every if subject.thorough else sampled(every, FAULTS if kinds is blows else INTERRUPTS)
    faults = [Fault(str(blow), _striker(blow)) for blow in chosen]
    if kinds is blows:
        faults += [*_of_the_world(subject, counted()), *_of_small_files()]
    meant = _meaning(subject, result if scene.operation != "delete" else state)
    return Clean(result, meant, faults, len(every) - len(chosen))


def _striker(blow: Blow) -> Callable[[], AbstractContextManager[Callable[[], bool]]]:
    @contextmanager
    def strike() -> Iterator[Callable[[], bool]]:
        striker = Striker(blow)
        with Watch.here().watching(striker):
            yield lambda: striker.fired

    return strike


def _of_the_world(subject: Subject, count: int) -> Iterator[Fault]:
    """Each fault of the world, at each of the calls that came to it; one that befalls all of them, once."""
    for fault in subject.world.faults():
        if fault.single and count:
            for number in range(1, count + 1):
                yield Fault(f"{fault.name}, call {number} of {count}", _world_striker(fault.strike, number))
        else:
            yield Fault(f"{fault.name}, all calls", _world_striker(fault.strike, 0))


def _of_small_files() -> Iterator[Fault]:
    """Files that do not grow, so that writes are short, then fail, of C libraries and child processes too."""

    def striker(size: int) -> Callable[[], AbstractContextManager[None]]:
        return lambda: small_files(size)

    for size in SIZES:
        yield Fault(f"no file can have more than {size} bytes", striker(size))


def _world_striker(
    strike: Callable[[int], AbstractContextManager[Callable[[], int]]], number: int
) -> Callable[[], AbstractContextManager[Callable[[], bool]]]:
    @contextmanager
    def struck() -> Iterator[Callable[[], bool]]:
        with strike(number) as met:
            yield lambda: met() > 0

    return struck


def _met(subject: Subject, scene: Scene, clean: Clean, fault: Fault, beside: Neighbours) -> bool:
    """Let one fault befall the operation, and look at what comes of it; whether it happened at all."""
    state = scene.set(beside)
    subject.steps.append(f"# fault: {fault.name}")
    raised = ""  # its text alone: the error would keep open what the plugin's frames hold, a connection say
    result: Any = None
    before = children()
    with fault.strike() as fired:
        try:
            result = subject.call(scene.operation, scene.raw, state)
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # that it raises is what it should do
            raised = describe(error)
        happened = fired() if fired else None
    if raised:
        _let_go()
    outlive_new(before)
    subject.world.settle()  # what was asked for before the fault may still be at work
    if happened is None:
        happened = bool(raised) or _differs(subject, scene, clean, result, state)
    if not happened:
        return False
    after = f"after {scene.operation} met a fault" + (f" and raised {raised}" if raised else "")
    beside.unharmed(after)
    if not raised:
        _hold_true(subject, scene, clean, result, after, beside.tree)
    if scene.operation == "read" or (raised and scene.operation == "create" and subject.plugin.recovery == "manual"):
        return True  # what can't be found again may have been made: that it raised is all that it can do
    _hold_retry(subject, scene, clean, state, after, beside.tree)
    return True


def _let_go() -> None:
    """Drop what holds the error, and so what the plugin has open: cycles, and what pytest keeps of each line logged.

    The next run is another process: it never meets that.
    """
    for handler in logging.getLogger().handlers:
        records = getattr(handler, "records", None)
        if isinstance(records, list):
            records.clear()
    gc.collect()


def _differs(subject: Subject, scene: Scene, clean: Clean, result: Any, state: State | None) -> bool:
    """Whether an operation that returned left another world than without the fault."""
    known = state if scene.operation == "delete" else result
    return bool(places(clean.world, _meaning(subject, known if isinstance(known, dict) else None)))


def _hold_true(subject: Subject, scene: Scene, clean: Clean, result: Any, after: str, without_it: Tree) -> None:
    """What an operation returned in spite of a fault must be so; `without_it` is the world without the resource."""
    if scene.operation == "read":
        _alike(subject, clean.result, result, "in spite of a fault Read returned what isn't so; it must raise")
        return
    if scene.operation == "delete":
        if result is True and places(without_it, subject.snapshot()):
            subject.same_world(
                without_it, subject.snapshot(), "in spite of a fault Delete said True, and all is not gone"
            )
        return
    found = _next(subject, "read", scene.raw, result, after)
    _alike(subject, found, result, f"in spite of a fault {scene.operation} returned what Read doesn't confirm")
    _same_world(subject, clean.world, result, f"in spite of a fault {scene.operation} returned, and the world isn't so")


def _hold_retry(
    subject: Subject, scene: Scene, clean: Clean, state: State | None, after: str, without_it: Tree
) -> None:
    """The next run does what the table says; then all must be as it should, and Delete must leave nothing."""
    if scene.operation != "delete":
        found = _next(subject, "read", scene.raw, state, after)
        operation: Operation = "create" if found is None else "update"
        state = _next(subject, operation, scene.raw, state, after)
        _same_world(subject, clean.world, state, f"{after}, the retry leaves the world in another state")
        found = _next(subject, "read", scene.raw, state, after)
        _alike(subject, state, found, f"{after}, Read and the retry don't agree")
    if _next(subject, "delete", scene.raw, state, after) is not True:
        subject.fail(f"{after}, Delete doesn't return True")
    subject.same_world(
        without_it, subject.snapshot(), f"{after}, a retry and a Delete leave the world in another state"
    )


def _next(subject: Subject, operation: Operation, raw: Raw, state: State | None, after: str) -> Any:
    try:
        return subject.call(operation, raw, state)
    except Exception as error:  # noqa: BLE001  # the boundary to an author's code
        subject.fail(f"{after}, {operation} of the next run raises {describe(error)}", trace=trace_of(error))


def _meaning(subject: Subject, state: State | None) -> Tree:
    return meaning(subject.world, subject.snapshot(), state, given_paths(subject.plugin))


def _same_world(subject: Subject, wanted: Tree, state: State | None, message: str) -> None:
    found = _meaning(subject, state)
    if places(wanted, found):
        subject.fail(message, difference(wanted, found))


def _alike(subject: Subject, wanted: Any, found: Any, message: str) -> None:
    """Hold two states against each other; what differs between two fresh resources aside."""
    one, other = (without(each, given_paths(subject.plugin)) for each in (wanted, found))
    if not same(one, other):
        subject.fail(message, difference(one, other))
