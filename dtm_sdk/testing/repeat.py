"""The same twice: what two Creates with the same options must agree on, and what may differ."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

from dtm_sdk.errors import AlreadyExistsError
from dtm_sdk.plugin import State
from dtm_sdk.testing.influence import Made
from dtm_sdk.testing.subject import Raw, Subject, describe, same, trace_of
from dtm_sdk.testing.verdicts import unsupported
from dtm_sdk.testing.worlds.world import Place, Tree, at, is_at


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


def again(subject: Subject, raw: Raw) -> State | None:
    """Create where the resource is; None where it says so.

    Raises:
        Violation: it raised another error.
    """
    try:
        made: State = subject.call("create", raw)
    except AlreadyExistsError:
        return None
    except BaseException as error:  # noqa: BLE001  # the boundary to an author's code
        what = f"Create of what is there raised {describe(error)}; only AlreadyExistsError says that it is there"
        subject.fail(what, trace=trace_of(error))
    return made


def probe_manual(subject: Subject, *, found: bool) -> NoReturn:
    """End the check of a plugin that declares to find nothing without its record; `found`: a Create found it.

    Raises:
        Violation: it was found.
        Unsupported: it wasn't.
    """
    if found:
        subject.fail('recovery="manual" is declared, and a second Create found the resource that was there')
    unsupported('recovery="manual" is declared, and a second Create made a second resource')
