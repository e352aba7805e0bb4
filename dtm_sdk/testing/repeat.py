"""The same twice: what two Creates with the same options must agree on, and what may differ."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, NoReturn

from dtm_sdk.errors import AlreadyExistsError
from dtm_sdk.plugin import State
from dtm_sdk.testing.meaning import Made, aligned, names
from dtm_sdk.testing.subject import Raw, Subject, describe, same, trace_of, without
from dtm_sdk.testing.verdicts import Violation, unsupported
from dtm_sdk.testing.worlds.world import Place, Tree, at, is_at, pruned


def a_second_later() -> None:
    """Wait until every clock that counts seconds, and every age in seconds, has moved."""
    time.sleep(1.0)


def twice(subject: Subject, *, later: bool) -> list[tuple[Made, Made]]:
    """Each example, made in two fresh worlds; the second time at a later second of the clock, if asked for."""
    first = [_made(subject, index) for index in range(len(subject.examples))]
    if later:
        a_second_later()
    return [(one, _made(subject, index)) for index, one in enumerate(first)]


def _made(subject: Subject, index: int) -> Made:
    subject.fresh()
    raw = subject.examples[index]
    state = subject.create(raw)
    return Made(raw, state, subject.snapshot())


def never_differing(subject: Subject, paths: Sequence[str], differs: Callable[[str, Made, Made], bool]) -> list[str]:
    """Those paths at which no two fresh resources with the same options differ; a second apart, if need be."""
    left = list(paths)
    for later in (False, True):
        if left:
            pairs = twice(subject, later=later)
            left = [path for path in left if not any(differs(path, one, other) for one, other in pairs)]
    return left


def changed_and_made(subject: Subject, first: Raw, second: Raw) -> Iterator[tuple[Made, Made]]:
    """What an Update leaves, and a Create with the same options; nothing where the Update fails."""
    subject.fresh()
    state = subject.create(first)
    with suppress(Exception):  # what is wrong with Update is for other rules to say
        changed = Made(second, subject.call("update", second, state), subject.snapshot())
        subject.fresh()
        yield changed, Made(second, subject.create(second), subject.snapshot())


def state_differs(path: str, one: Made, other: Made) -> bool:
    """Whether two states differ at a dotted path."""
    place = tuple(path.split("."))
    return not same(at(one.state, place), at(other.state, place))


def world_differs(empty: Tree, pattern: str, one: Made, other: Made) -> bool:
    """Whether two worlds differ in what is at the places that a pattern names, or one of them from the empty one."""
    before, a, b = (dict(_matches(tree, pattern)) for tree in (empty, one.tree, other.tree))
    moved = any(place in a and a[place] != value for place, value in before.items())
    return moved or sorted(map(repr, a.values())) != sorted(map(repr, b.values()))


def _matches(tree: Any, pattern: str, above: Place = ()) -> Iterator[tuple[Place, Any]]:
    for key, value in tree.items() if isinstance(tree, dict) else ():
        place = (*above, key)
        if is_at(place, [pattern]):
            yield place, value
        else:
            yield from _matches(value, pattern, place)


class Again(NamedTuple):
    """What a Create left where the resource was there already.

    Attributes:
        state: what it returned; None where it said that the resource is there.
        tree: the world, whole.
    """

    state: State | None
    tree: Tree


def again(subject: Subject, raw: Raw) -> Again:
    """Create where the resource is.

    Raises:
        Violation: it raised another error than the one that says so.
    """
    state = None
    try:
        state = subject.call("create", raw)
    except AlreadyExistsError:
        pass
    except BaseException as error:  # noqa: BLE001  # the boundary to an author's code
        what = f"Create of what is there raised {describe(error)}; only AlreadyExistsError says that it is there"
        subject.fail(what, trace=trace_of(error))
    return Again(state, subject.snapshot())


def same_resource(subject: Subject, wanted: Made, found: Again, what: str) -> None:
    """Hold a world and a state against those that there should be; ids may be others.

    Raises:
        Violation: they differ; `what` begins the message.
    """
    wanted = wanted._replace(tree=pruned(subject.world, wanted.tree))
    tree, volatile = pruned(subject.world, found.tree), subject.plugin.volatile
    if found.state is not None:
        tree = aligned(tree, wanted.tree, names(subject, wanted._replace(state=found.state, tree=tree), wanted))
        message = f"{what}: it returned another state"
        subject.same_states(without(wanted.state, volatile), without(found.state, volatile), message)
    subject.same_world(wanted.tree, tree, f"{what}: it left another world")


def probe_manual(subject: Subject, first: Made, second: Again) -> NoReturn:
    """End the check of a plugin that declares to find nothing without its record.

    Raises:
        Violation: a second Create has found the resource.
        Unsupported: it made another one.
    """
    try:
        same_resource(subject, first, second, "a second Create")
    except Violation:
        unsupported('recovery="manual" is declared, and a second Create made a second resource')
    subject.fail('recovery="manual" is declared, and a second Create found the resource that was there')
