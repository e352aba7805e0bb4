"""Delete: the rules D1 to D4."""

from collections.abc import Sequence
from typing import Any

from dtm_sdk.plugin import State
from dtm_sdk.testing.difference import difference, short
from dtm_sdk.testing.faulty import faults as call_faults
from dtm_sdk.testing.identities import nearby
from dtm_sdk.testing.rules import check
from dtm_sdk.testing.subject import Raw, Subject
from dtm_sdk.testing.verdicts import skip, unsupported
from dtm_sdk.testing.watch import Call, Watch
from dtm_sdk.testing.worlds.files import FileWorld
from dtm_sdk.testing.worlds.world import Fault, Place, Tree, at


@check("D1", rests_on=("C1", "C2"), calls=("create", "read", "delete"))
def test_d1_delete_says_true(subject: Subject) -> None:
    """It returns `True`, and Read says `None` at once.

    Why: the runner drops the record when Delete returns True, and nothing else. A service that still lists what it is
    about to remove makes the next apply adopt it.

    Wrong:
        def delete(options):
            os.unlink(options.path)  # returns None

    Mend: `return True`, once the resource is gone; where a service removes it later, wait until Read finds nothing.
    """
    for raw in subject.examples:
        subject.fresh()
        state = subject.create(raw)
        _true(subject, subject.delete(raw, state), "Delete of a resource that is there")
        known = (state,) if subject.plugin.recovery == "manual" else (state, None)
        for given in known:
            found = subject.read(raw, given)
            if found is not None:
                subject.fail("Read, after Delete, finds the resource", difference(None, found))


def _true(subject: Subject, said: object, what: str) -> None:
    if said is not True:
        subject.fail(f"{what} returned {short(said)}; it must return True when the resource is gone")


@check("D2", rests_on=("C1", "C7", "D1"), calls=("create", "update", "delete"))
def test_d2_nothing_is_left(subject: Subject) -> None:
    """The world is as it was before Create.

    Why: what is left over is nobody's: no record names it, no command removes it. And what belongs to others is gone
    for good.

    Wrong:
        def delete(options):
            for path in glob(f"{options.path}*"):  # and the neighbour's, whose name begins the same
                os.unlink(path)

    Mend: remove all that Create and Update made (side files, locks, empty folders), each by its exact name or id, and
    nothing else.
    """
    for raw in subject.examples:
        for neighbours in ([], nearby(subject, raw)):  # what all of them share hides where there are some
            before = _with(subject, neighbours)
            _as_before(subject, before, raw, subject.create(raw), "Create and Delete")


@check("D2", rests_on=("C1", "C7", "D1", "U1"), calls=("create", "update", "delete"))
def test_d2_nothing_is_left_after_an_update(subject: Subject) -> None:
    """The world, after Create, Update and Delete, is as it was before Create."""
    for one, other in subject.pairs:
        for first, second in ((one, other), (other, one)):
            before = _with(subject, nearby(subject, first))
            state = subject.update(second, subject.create(first))
            _as_before(subject, before, second, state, "Create, Update and Delete")


def _as_before(subject: Subject, before: Tree, raw: Raw, state: State, done: str) -> None:
    """Delete a resource: then the world is as it was before.

    Raises:
        Violation: it isn't; the message tells what was lost from what was left.
    """
    there = subject.snapshot()
    _true(subject, subject.delete(raw, state), "Delete of a resource that is there")
    after = subject.snapshot()
    by_fate: dict[str, list[Place]] = {}
    for place in subject.changes(before, after):
        by_fate.setdefault(_fate(*(at(tree, place) for tree in (before, there, after))), []).append(place)
    said = [fate.format(_named(places)) for fate, places in by_fate.items()]
    subject.same_world(before, after, f"after {done}: {'; '.join(said)}")


def _fate(before: Any, there: Any, after: Any) -> str:
    """What became of something, as it was before, while the resource was there, and after Delete."""
    if before is ...:
        return "{} is left over"
    less = _less(before, after)
    if before == there:
        return f"Delete {'removed' if less else 'changed'} more than its resource: {{}}"
    if less and not _less(before, there):
        return "Delete removed more than its resource: a part of {}"
    return "{} is gone" if less else "{} is not as it was"


def _less(before: Any, after: Any) -> bool:
    """Whether something, or a part of it, is gone."""
    return after is ... or (
        isinstance(before, str | bytes | list) and isinstance(after, type(before)) and len(after) < len(before)
    )


def _named(places: Sequence[Place]) -> str:
    return ", ".join(".".join(place) for place in places[:3]) + (", ..." if places[3:] else "")


def _with(subject: Subject, neighbours: Sequence[Raw]) -> Tree:
    """A fresh world in which the plugin has made some resources; its snapshot."""
    subject.fresh()
    for other in neighbours:
        with subject.quietly():  # an identity that the types allow may mean nothing to the service
            subject.call("create", other)
    return subject.snapshot()


@check("D3", rests_on=("D1",), calls=("create", "delete"))
def test_d3_delete_of_what_is_gone(subject: Subject) -> None:
    """Of what is gone already: `True`, no error.

    Why: a Delete that was cut short is done again, and a person may have been quicker. An error keeps the record, and
    each run after it fails too.

    Wrong:
        def delete(options):
            os.unlink(options.path)  # raises FileNotFoundError
            return True

    Mend: take "it isn't there" for success: suppress FileNotFoundError, accept 404.
    """
    for raw in subject.examples:
        subject.fresh()
        state = subject.create(raw)
        subject.restore(subject.empty, "the resource is gone")
        _true(subject, subject.delete(raw, state), "Delete of a resource that is gone")
        subject.fresh()
        state = subject.create(raw)
        subject.delete(raw, state)
        _true(subject, subject.delete(raw, state), "the second Delete of a resource")
        if subject.plugin.recovery != "manual":
            subject.fresh()
            _true(subject, subject.delete(raw), "Delete of a resource that never was")


@check("D4", rests_on=("D1", "D2"), calls=("create", "delete"))
def test_d4_true_is_no_lie(subject: Subject) -> None:
    """While the resource is still there, it never returns `True`; called without the recorded state (`None`) neither.

    Why: the runner drops the record when it hears True. A resource that is still there then is lost: it costs money,
    and nobody knows of it.

    Wrong:
        def delete(options, state):
            with suppress(OSError):  # a permission that is missing, too
                os.unlink(options.path)
            return True

    Mend: take only "it isn't there" (FileNotFoundError, 404) for success, and raise `PluginError` for all else; where
    nothing is recorded, look the resource up as Read does, and with `recovery="manual"` raise.
    """
    met, known = 0, set[tuple[Call, ...]]()
    for index, raw in enumerate(subject.examples):
        calls = _calls(subject, raw)
        faults = [] if calls in known else call_faults(calls)
        known.add(calls)
        for fault in (*faults, *_world_faults(subject, first=index == 0)):
            before = subject.fresh()
            state = subject.create(raw)
            there = subject.snapshot()
            subject.steps.append(f"# from here on: {fault.name}")
            with fault.strike() as count:
                said = _said(subject, raw, state)
                met += count()
            _no_lie(subject, said, before, there, f"while {fault.name}")
    if not met:
        skip("no call of Delete can be made to fail: give the world `faults()` or `refusals()`")


def _world_faults(subject: Subject, *, first: bool) -> Sequence[Fault]:
    """The faults of the world; for one example only, since some of them take a second."""
    return (*subject.world.faults(), *subject.world.refusals()) if first else ()


def _calls(subject: Subject, raw: Raw) -> tuple[Call, ...]:
    """The calls of Delete that can fail by themselves; none where a server does the work, which has faults of its own.

    Neither do those of a plugin that starts children: one that nobody waits for works on in the next world. A `close`
    is none: it gives the descriptor back whatever it says (close(2)).
    """
    if not isinstance(subject.world, FileWorld) and subject.world.faults():
        return ()
    calls: Sequence[Call] = ()
    for _ in range(2):  # the first one may import something
        subject.fresh()
        state = subject.create(raw)
        with Watch.here().watching() as seen:
            _said(subject, raw, state)
        calls = () if seen.children else seen.calls
    return tuple(call for call in calls if call.name.rpartition(".")[2] != "close")


def _said(subject: Subject, raw: Raw, state: State | None) -> object:
    """What Delete returned; None where it raised, which is no lie."""
    try:
        return subject.call("delete", raw, state)
    except Exception:  # noqa: BLE001  # the boundary to an author's code
        return None


def _no_lie(subject: Subject, said: object, before: Tree, there: Tree, when: str) -> None:
    """Hold what Delete returned against the world.

    Raises:
        Violation: it returned True, and some of what Create made is still there.
    """
    if said is not True:
        return
    now = subject.snapshot()
    left = [place for place in subject.changes(before, there) if at(now, place) != at(before, place)]
    if left:
        what = ", ".join(".".join(place) for place in left)
        subject.fail(f"Delete returned True {when}, and {what} is still there", difference(before, now))


@check("D4", rests_on=("D1", "D2"), calls=("create", "delete"))
def test_d4_without_the_record(subject: Subject) -> None:
    """Called without the recorded state (`None`), while the resource is still there, it never returns `True`.

    Mend: where nothing is recorded, look the resource up as Read does; with `recovery="manual"` raise, since nothing
    says which resource is meant.
    """
    if not subject.takes_state("delete"):
        unsupported("delete takes no recorded state: D1 has called it without one")
    for raw in subject.examples:
        before = subject.fresh()
        subject.create(raw)
        there = subject.snapshot()
        _no_lie(subject, _said(subject, raw, None), before, there, "without the recorded state")
