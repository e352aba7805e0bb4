"""Company: the rules P1 and P2, of a plugin that isn't alone in its process."""

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple

from dtm_sdk.errors import TransientError
from dtm_sdk.options import Options
from dtm_sdk.plugin import OPERATIONS, Operation, State
from dtm_sdk.testing.difference import difference
from dtm_sdk.testing.disturbed import disturbed
from dtm_sdk.testing.identities import alone, elsewhere, identity, like
from dtm_sdk.testing.meaning import aligned, called
from dtm_sdk.testing.neighbours import neighbours
from dtm_sdk.testing.process_wide import open_files, process_wide, settled, threads
from dtm_sdk.testing.rules import check
from dtm_sdk.testing.subject import Raw, Subject, describe, same, trace_of, without
from dtm_sdk.testing.turns import by_turns
from dtm_sdk.testing.worlds.world import Tree, places, pruned


class Round(NamedTuple):
    """How two threads take turns.

    Attributes:
        strides: how many steps each takes at a turn.
        by_io: a step ends only where I/O is done.
    """

    strides: tuple[int, int]
    by_io: bool = False


ROUNDS: Final = (Round((1, 1)), Round((1, 3)), Round((1, 1), by_io=True))
"""The last one shows what is lost of what two share."""
TRIES: Final = 5
"""How often an operation is called that raises a TransientError; who comes second must get through at last."""
LABELS: Final = ("one", "two")


@check("P1", rests_on=("C2", "C5", "C7", "R3", "U1", "D1", "D2", "L1"))
def test_p1_two_at_once(subject: Subject) -> None:
    """Two instances at the same time in threads: each as if alone.

    They differ in all of their identity, and in each Identity option alone, as two keys of one file do.

    Why: the runner calls up to ten operations at once, in threads of one process. What one keeps in a module, in the
    working directory or in a file of a fixed name, the other one finds; and of two who read a file, change their own
    part of it and write it back, one undoes what the other one did.

    Wrong:
        current = None

        def create(options):
            global current
            current = options              # the other thread does the same
            write()                        # and reads `current`

    Mend: hand values on as arguments; name temporary files after the resource, so that the next try finds them too; use
    absolute paths in place of `chdir`; give each call its own connection, or guard a shared one by a lock. What several
    resources share is read, changed and written under one lock (`flock`, a transaction), or with `If-Match`, so that it
    is refused where somebody else has changed it meanwhile.
    """
    for number, raws in enumerate(_twos(subject)):
        _hold_two(subject, raws, ROUNDS[-1:] if number else ROUNDS)


def _hold_two(subject: Subject, raws: dict[str, Raw], rounds: Sequence[Round]) -> None:
    known: dict[Operation, tuple[Tree, list[Ended]]] = {}
    for how in rounds:
        subject.fresh()
        states: dict[str, State] = {}
        for operation, options in _phases(subject, raws):
            before = subject.snapshot()
            then, apart = known.get(operation, (None, []))
            if then != before:  # who came first in this round may have another place, another number
                apart = _apart(subject, operation, options, states)
                known[operation] = before, apart
            states = _together(subject, operation, options, states, apart, how)


def _twos(subject: Subject) -> list[dict[str, Raw]]:
    """Options of two that differ in their identity: as much as they can, then in each Identity option alone."""
    first = subject.pairs[0][0] if subject.pairs else subject.an_example()
    others = [example for example in subject.examples if identity(subject, example) != identity(subject, first)]
    second = next(iter(others), elsewhere(subject, first))
    several = len(subject.plugin.shape.identity) > 1
    near = [raw for raw, _ in neighbours(subject, first).there] if several else []
    found: dict[tuple[str, ...], Raw] = {}
    for other in filter(None, [second, *near]):
        found.setdefault(_apart_in(subject, first, other), other)
    if not found:
        alone(subject)
    return [{LABELS[0]: first, LABELS[1]: other} for other in found.values()]


def _apart_in(subject: Subject, one: Raw, other: Raw) -> tuple[str, ...]:
    """The Identity options in which two differ."""
    a, b = identity(subject, one), identity(subject, other)
    return tuple(name for name in a if not same(a[name], b[name]))


def _phases(subject: Subject, raws: dict[str, Raw]) -> Iterator[tuple[Operation, dict[str, Raw]]]:
    """What both do at the same time, one after the other."""
    yield "create", raws
    yield "read", raws
    if subject.pairs:
        changed = {label: _changed(subject, raw) for label, raw in raws.items()}
        yield "update", changed
        raws = changed
    yield "delete", raws


def _changed(subject: Subject, raw: Raw) -> Raw:
    """Options with the same identity, as the other one of a pair has them."""
    moved = (like(subject, example, raw) for example in reversed(subject.pairs[0]))
    return next((other for other in moved if other and other != raw), raw)


class Ended(NamedTuple):
    """How an operation of both ended.

    Attributes:
        returned: label -> what it returned.
        states: label -> the state of the resource then.
        tree: the world, what differs by itself left out.
    """

    returned: Mapping[str, Any]
    states: Mapping[str, State]
    tree: Tree


def _ended(subject: Subject, returned: Mapping[str, Any], states: Mapping[str, State]) -> Ended:
    described = {label: value for label, value in returned.items() if isinstance(value, dict)}
    return Ended(returned, {**states, **described}, pruned(subject.world, subject.snapshot()))


def _apart(subject: Subject, operation: Operation, raws: Mapping[str, Raw], states: Mapping[str, State]) -> list[Ended]:
    """What the two do one after the other, in the one order and in the other; the world is put back."""
    before, steps = subject.snapshot(), [*subject.steps]
    found = []
    for labels in (LABELS, LABELS[::-1]):
        returned = {label: subject.must(operation, raws[label], states.get(label)) for label in labels}
        found.append(_ended(subject, returned, states))
        subject.restore(before, "as it was")
    subject.steps[:] = steps
    return found


def _together(
    subject: Subject,
    operation: Operation,
    raws: Mapping[str, Raw],
    states: Mapping[str, State],
    apart: Sequence[Ended],
    how: Round,
) -> dict[str, State]:
    """What the two do at once, held against what they do alone; the states then."""
    returned: dict[str, Any] = {}

    def work(label: str) -> Callable[[], None]:
        options = subject.parse(raws[label])  # who validates longer would fall behind

        def call() -> None:
            returned[label] = _patiently(subject, operation, raws[label], options, states.get(label))

        return call

    what = "calls" if how.by_io else "steps"
    subject.steps.append(f"# at the same time, by turns of {how.strides[0]} and {how.strides[1]} {what}:")
    for error in by_turns([work(label) for label in LABELS], how.strides, by_io=how.by_io):
        if error is not None:
            subject.fail(f"{operation} of two at once raised {describe(error)}", trace=trace_of(error))
    _same_as_one_order(subject, operation, apart, _ended(subject, returned, states))
    return returned if operation != "delete" else dict(states)


def _patiently(subject: Subject, operation: Operation, raw: Raw, options: Options, state: State | None) -> Any:
    """What an operation returns, called again where it asks for that, as the runner does."""
    for _ in range(TRIES - 1):
        with suppress(TransientError):
            return subject.call(operation, raw, state, options=options)
    return subject.call(operation, raw, state, options=options)


def _same_as_one_order(subject: Subject, operation: Operation, apart: Sequence[Ended], found: Ended) -> None:
    """Hold what two at once did against what they do one after the other: it is like one of the orders."""
    parts = [{label: _same_part(subject, each.returned[label]) for label in LABELS} for each in (*apart, found)]
    if not any(same(each, parts[-1]) for each in parts[:-1]):
        message = f"{operation} of two at once returns another thing than of each alone"
        subject.same_states(parts[0], parts[-1], message)
    trees = [aligned(found.tree, each.tree, called(subject, found.states, each.states)) for each in apart]
    if all(places(each.tree, tree) for each, tree in zip(apart, trees, strict=True)):
        message = f"after {operation} of two at once the world is not as after each alone"
        subject.fail(message, difference(apart[0].tree, trees[0]))


def _same_part(subject: Subject, value: Any) -> Any:
    return without(value, subject.plugin.volatile) if isinstance(value, dict) else value


# --- P2 --------------------------------------------------------------------------------------------------------------

COUNTS: Final = (("open files", open_files), ("threads", threads))


@check("P2", rests_on=("C2", "D1"))
def test_p2_process_as_it_was(subject: Subject) -> None:
    """Process-wide things stay as they were.

    These are working directory, environment, umask, locale, signal handlers, `sys.path`.

    Why: they belong to all plugins of a run, and to the runner. What one changes, the others find changed, at the same
    time and afterwards. An operation that fails must put them back too.

    Wrong:
        os.chdir(options.folder)
        write(options.name)
        os.chdir("..")                     # not if write raises, and not for the other threads meanwhile

    Mend: use absolute paths, hand `env=` and `cwd=` to a child process, give a mode to `os.open` and `fchmod` in place
    of a umask. Where a library needs such a thing changed, put it back in a `finally`.
    """
    for first, second in subject.pairs[:1] or [(subject.an_example(),) * 2]:
        subject.fresh()
        state: State | None = None
        for operation, raw in zip(OPERATIONS, (first, first, second, second), strict=True):
            before = process_wide()
            result = subject.must(operation, raw, state)
            _unchanged(subject, before, f"{operation} changes")
            state = result if isinstance(result, dict) else state
        for operation, fault in disturbed(subject, first, second):
            _unchanged(subject, before, f"{operation}, which fails as {fault}, changes")


def _unchanged(subject: Subject, before: Mapping[str, Any], what: str) -> None:
    after = process_wide()
    for name, value in before.items():
        if value != after[name]:
            subject.fail(f"{what} {name}, and does not put it back", difference({name: value}, {name: after[name]}))


@check("P2", rests_on=("C2", "D1"))
def test_p2_nothing_grows(subject: Subject) -> None:
    """Open files and threads don't grow from the second call on.

    Mend: close what you open, by `with`, also a connection and its answer; end threads and pools before you return.
    """
    raw = subject.an_example()
    subject.fresh()
    for name, before, after in subject.apart(lambda: _grown(subject, raw)):  # a world may have files and threads too
        subject.fail(f"after two more rounds of create, read, update and delete there are {after} {name}, not {before}")


def _grown(subject: Subject, raw: Raw) -> list[tuple[str, int, int]]:
    gc.collect()
    gc.freeze()  # what is there already needn't be looked through again
    least = [count() for _, count in COUNTS]
    for _ in range(2):
        _cycle(subject, raw)
    before = [settled(count, few) for (_, count), few in zip(COUNTS, least, strict=True)]
    for _ in range(2):
        _cycle(subject, raw)
    after = [settled(count, few) for (_, count), few in zip(COUNTS, before, strict=True)]
    names = [name for name, _ in COUNTS]
    return [(name, few, many) for name, few, many in zip(names, before, after, strict=True) if many > few]


def _cycle(subject: Subject, raw: Raw) -> None:
    state = subject.create(raw)
    for _ in range(2):
        subject.read(raw, state)
        state = subject.update(raw, state)
    subject.delete(raw, state)
