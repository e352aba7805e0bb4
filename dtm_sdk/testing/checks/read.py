"""Read: the rules R1 to R6."""

import os
from typing import NamedTuple

from dtm_sdk.plugin import State
from dtm_sdk.testing.difference import difference, short
from dtm_sdk.testing.faulty import calls_of, faults, in_time
from dtm_sdk.testing.influence import Influence, Scene, leaves
from dtm_sdk.testing.repeat import a_second_later
from dtm_sdk.testing.rules import check
from dtm_sdk.testing.subject import Raw, Subject, describe, same
from dtm_sdk.testing.watch import Watch
from dtm_sdk.testing.worlds.world import Fault, Place, at, with_place


@check("R1", calls=("read",))
def test_r1_what_is_not_there(subject: Subject) -> None:
    """Of what doesn't exist: `None`, no error.

    Why: the runner reads before it plans. An error there stops the tool before its first Create; an empty state looks
    like a resource that is there.

    Wrong:
        def read(options):
            return {"text": open(options.path).read()}  # FileNotFoundError

    Mend: return None where the world says that there is no such thing (ENOENT, 404), and only there. A world that your
    `dtm_world` gives must not hold what the examples name.
    """
    for raw in subject.examples:
        subject.fresh()
        found = subject.read(raw)
        if found is not None:
            subject.fail("Read of what doesn't exist says that there is something", difference(None, found))


@check("R2", rests_on=("C1",), calls=("create", "read"))
def test_r2_changes_nothing(subject: Subject) -> None:
    """It changes nothing: no mutating call, the world's snapshot is the same.

    Why: `plan` and `verify` read, and promise to change nothing. A Read that repairs what it finds hides the drift.

    Wrong:
        def read(options):
            os.chmod(options.path, 0o600)
            return describe(options.path)

    Mend: only look. What is to be put right belongs in Update; a lock or a temporary file is a change too.
    """
    for raw in subject.examples:
        subject.fresh()
        _only_looks(subject, raw, None)
        made = subject.create(raw)
        _only_looks(subject, raw, made)


def _only_looks(subject: Subject, raw: Raw, state: State | None) -> None:
    before, calls = subject.snapshot(), subject.world.mutations()
    with subject.quietly(), Watch.here().watching() as seen:
        subject.call("read", raw, state)
    subject.same_world(before, subject.snapshot(), "Read changed the world")
    if subject.world.mutations() != calls:
        subject.fail("Read made a call that changes things")
    for path in seen.writes:
        if _is_in(subject, path):
            subject.fail(f"Read opened for writing, or changed, the file {path}")


def _is_in(subject: Subject, path: str) -> bool:
    """Whether a path is in the world, and not among the plugin's temporary files."""
    real = os.path.realpath(path)
    folders = (os.path.realpath(folder) for folder in subject.world.writable)
    return any(real.startswith(folder + os.sep) for folder in folders)


@check("R3", rests_on=("C1",), calls=("create", "read"))
def test_r3_twice_the_same(subject: Subject) -> None:
    """Twice in a row, the same.

    Why: what differs by itself between two reads is a drift at each apply, and an Update for nothing.

    Wrong:
        return {"path": options.path, "age": time.time() - os.stat(options.path).st_mtime}

    Mend: leave out what moves by itself (ages, counters, the time of the question); sort what comes in any order.
    """
    for last, raw in ((raw is subject.examples[-1], raw) for raw in subject.examples):
        subject.fresh()
        made = subject.create(raw)
        first = subject.read(raw, made)
        subject.same_states(first, subject.read(raw, made), "a second Read says another thing")
        if last:
            a_second_later()
            subject.same_states(first, subject.read(raw, made), "a Read one second later says another thing")


@check("R4", rests_on=("C1", "C2", "R3"), calls=("create", "read"))
def test_r4_a_call_that_fails(subject: Subject) -> None:
    """When the world can't be asked (no permission, refused, 5xx, time-out, malformed answer): raises. Never `None`,
    never a made-up state. (Faults are injected at the call: as root, a mode bit stops nobody.)

    Why: what Read takes for gone is created again beside what is there, and overwrites or doubles it.

    Wrong:
        if not os.path.exists(options.path):  # False as well where the folder may not be entered
            return None

    Mend: return None only where the world says that there is nothing (FileNotFoundError, 404). Let any other error
    out, best as a PluginError, or a TransientError if it may pass.
    """  # noqa: D205, D415  # the rule's text, whole
    raw = subject.an_example()
    subject.fresh()
    made = subject.create(raw)
    calls = calls_of(lambda: subject.read(raw, made))
    for name, fault in in_time(subject, [(fault.name, fault) for fault in faults(calls)]):
        subject.steps[1:] = [f"# from here on, {name}"]
        try:
            with fault.strike():
                found = subject.call("read", raw, made)
        except Exception:  # noqa: BLE001, S112  # any error says that the world could not be asked
            continue
        except BaseException as error:  # noqa: BLE001  # SystemExit and the like end the run of all tools
            subject.fail(f"Read, where {name}, raised {describe(error)}, which is no error but an exit")
        if not same(made, found):
            subject.fail(f"Read, where {name}, did not raise: {_taken(found)}", difference(made, found))


def _taken(found: State | None) -> str:
    if found is None:
        return "it says that the resource doesn't exist"
    return "it says another thing than what is there"


@check("R4", rests_on=("C1", "C2", "R3"), calls=("create", "read"))
def test_r4_a_world_that_does_not_answer(subject: Subject) -> None:
    """While the whole world can't be asked, Read raises; whether the resource is there or not.

    Mend: return None for the one answer that says so (404, FileNotFoundError), and raise for any other that isn't a
    success; parse what came before you trust it; never answer with the recorded state.
    """
    raw = subject.an_example()
    for _, fault in in_time(subject, [(fault.name, fault) for fault in subject.world.faults()]):
        empty = subject.fresh()
        made = subject.create(raw)
        subject.read(raw, made)  # what it imports is there, then
        asked = _asked(subject, fault, raw, made)
        if not asked.raised and not same(made, asked.found):
            what = f"Read, while {fault.name}, did not raise: {_taken(asked.found)}"
            subject.fail(what, difference(made, asked.found))
        if fault.blind:
            subject.restore(empty, "the resource is removed")
            least = made if subject.plugin.recovery == "manual" else None  # without a record it has nothing to ask for
            for state in [least] if asked.raised else [least, made]:
                again = _asked(subject, fault, raw, state)
                if again.met and not again.raised:
                    what = f"Read, while {fault.name}, did not raise: nothing told it that"
                    subject.fail(what, [f"+ {short(again.found)}"])


class Asked(NamedTuple):
    """How Read ended while the world could not be asked.

    Attributes:
        raised: whether it did.
        met: whether it has met the fault; what Read doesn't use can fail.
        found: what it said.
    """

    raised: bool
    met: bool
    found: State | None


def _asked(subject: Subject, fault: Fault, raw: Raw, state: State | None) -> Asked:
    """How Read ends while the world can't be asked."""
    subject.steps.append(f"# from here on, {fault.name}")
    try:
        with fault.strike() as met:
            found: State | None = subject.call("read", raw, state)
    except Exception:  # noqa: BLE001  # any error says that the world could not be asked
        return Asked(raised=True, met=True, found=None)
    except BaseException as error:  # noqa: BLE001  # SystemExit and the like end the run of all tools
        subject.fail(f"Read, while {fault.name}, raised {describe(error)}, which is no error but an exit")
    finally:
        subject.steps.append("# until here")
    if not met():
        subject.notes.append(f"no call of Read has met this: {fault.name}")
    return Asked(raised=False, met=bool(met()), found=found)


@check("R5", rests_on=("C1", "C2", "C3", "C5", "R3"), calls=("create", "read"))
def test_r5_a_change_shows(subject: Subject) -> None:
    """A change made behind the plugin's back, in each place that C3 showed to depend on an option (write-only secrets
    aside), shows in the state.

    Why: drift that Read doesn't see is never repaired; the report says "nothing to do" while the resource is wrong.

    Wrong:
        return {"path": options.path, "text": open(options.path).read(), "access": options.access}

    Mend: describe what is in the world, each property of it; take nothing from the options or the recorded state but
    what names the resource.
    """  # noqa: D205  # the rule's text, whole
    scene = Scene(subject)
    for leaf in leaves(subject.plugin.options):
        found = None if leaf.role or leaf.secret else scene.influence(leaf)
        if found and found.places:
            _shows(subject, found, found.places)
            for place in _its_own(found) if len(found.places) > 1 else ():
                _shows(subject, found, [place])


def _its_own(found: Influence) -> list[Place]:
    """The places that are the resource's as it is; where the option moves it, those that it moves to aren't."""
    moves = any(at(found.other, place) is ... for place in found.places)
    return [place for place in found.places if not moves or at(found.base.tree, place) is not ...]


def _shows(subject: Subject, found: Influence, where: list[Place]) -> None:
    """Change some places, as the option would, and read.

    Only where one of several places that belong together is changed, and they contradict each other, may Read raise.
    """
    base = found.base
    subject.fresh()
    subject.restore(base.tree, "the world as Create leaves it")
    before = subject.read(base.raw, base.state)
    tree = base.tree
    for place in where:
        tree = with_place(tree, place, at(found.other, place))
    names = ", ".join(".".join(place) for place in where)
    subject.restore(tree, f"{names} as with another {found.leaf.name}")
    if len(where) < len(found.places):
        try:
            after = subject.call("read", base.raw, base.state)
        except Exception:  # noqa: BLE001  # it shows
            return
    else:
        after = subject.read(base.raw, base.state)
    if same(before, after):
        subject.fail(f"a change of {names}, which depends on the option {found.leaf.name}, doesn't show in the state")


@check("R6", rests_on=("C1", "C2", "R1"), calls=("create", "read"))
def test_r6_a_removal_shows(subject: Subject) -> None:
    """A removal behind its back (the world restored to what it was before Create) reads as `None`.

    Why: only so does the next apply make again what somebody has removed.

    Wrong:
        found = service.get(f"/widgets/{state['outputs']['id']}")
        return describe(found) if found else state  # it must be somewhere

    Mend: ask the world each time; keep nothing in a cache, and don't answer with the recorded state.
    """
    for raw in subject.examples:
        empty = subject.fresh()
        made = subject.create(raw)
        subject.read(raw, made)
        subject.restore(empty, "the resource is removed")
        for state in (None, made):
            found = subject.read(raw, state)
            if found is not None:
                subject.fail("Read of what was removed says that it is still there", difference(None, found))
