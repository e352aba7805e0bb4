"""Resources beside another one, in the same container where the identities allow it: they stay, whatever befalls it."""

from collections.abc import Iterator, Sequence
from typing import Any

from dtm_sdk.plugin import State
from dtm_sdk.testing.difference import difference, short
from dtm_sdk.testing.identities import identities, identity, others
from dtm_sdk.testing.influence import is_valid, put
from dtm_sdk.testing.subject import Raw, Subject, describe, same, trace_of
from dtm_sdk.testing.worlds.world import Place, Tree, at, places, pruned


class Neighbours:
    """Some resources of a plugin, in a world where there is nothing else of it.

    Attributes:
        subject: whose plugin it is.
        there: the options of each, and what Read says of it.
        tree: the world; the empty one where there are none.
    """

    def __init__(self, subject: Subject, there: Sequence[tuple[Raw, State | None]], steps: Sequence[str]) -> None:
        self.subject = subject
        self.there = there
        self.tree: Tree = subject.snapshot()
        self._steps = steps
        seen = pruned(subject.world, self.tree)
        self._own = [leaf for place in subject.changes(subject.empty, seen) for leaf in _leaves(seen, place)]

    def fresh(self) -> None:
        """Put the world back to how it is with them alone."""
        self.subject.restore(self.tree, "as it was")
        self.subject.steps[:] = self._steps

    def share(self) -> None:
        """Take the world as it is for right: where it has changed, they share a place with what is beside them."""
        now = self.subject.snapshot()
        self._own = [place for place in self._own if not self._changed(place, now)]

    def unharmed(self, when: str) -> None:
        """Hold what is there of them against what was.

        Raises:
            Violation: a place that is theirs has changed, or what Read says; `when` begins the message.
        """
        now = self.subject.snapshot() if self._own else {}
        for place in self._own:
            if self._changed(place, now):
                where = ".".join(place)
                diff = difference({where: at(self.tree, place)}, {where: at(now, place)})
                self.subject.fail(f"{when}, what is another resource's has changed in the world: {where}", diff)
        for raw, known in self.there:
            message = f"{when}, what Read says of another resource, {short(identity(self.subject, raw))}, has changed"
            found = self._read(raw, known, message)
            if not same(known, found):
                self.subject.fail(message, difference(known, found))

    def _read(self, raw: Raw, known: State | None, message: str) -> State | None:
        try:
            found: State | None = self.subject.call("read", raw, known)
        except Exception as error:  # noqa: BLE001  # the boundary to an author's code
            self.subject.fail(f"{message}: it raises {describe(error)}", trace=trace_of(error))
        return found

    def _changed(self, place: Place, now: Tree) -> bool:
        return bool(places(at(self.tree, place), at(now, place)))


def _leaves(tree: Any, place: Place) -> Iterator[Place]:
    """The places of a part of a tree that hold no others."""
    inner = at(tree, place)
    if isinstance(inner, dict) and inner:
        for key in inner:
            yield from _leaves(tree, (*place, key))
    else:
        yield place


def neighbours(subject: Subject, raw: Raw, *apart: Raw) -> Neighbours:
    """Make resources whose identity is another one's but for one option: one for each option where that can be.

    Their other options are those of another example, so that a mix-up is seen. Where none is made, the notes say so.

    Args:
        subject: whose plugin it is.
        raw: the options beside which they are to be.
        apart: other options whose identities they may not have either.
    """
    taken = [identity(subject, each) for each in (raw, *apart)]
    subject.fresh()
    found, steps = [], []
    for leaf in identities(subject):
        made = _made(subject, _varied(subject, raw, leaf.path, taken))
        if made:
            found.append(made)
            steps.append(subject.steps[-1])
    there = [(other, subject.read(other, state)) for other, state in found]
    if not there:
        note = "nothing was made beside it: no other identity is known that can be made"
        subject.notes += [] if note in subject.notes else [note]
    return Neighbours(subject, there, steps)


def _varied(subject: Subject, raw: Raw, path: Place, taken: Sequence[Raw]) -> Iterator[Raw]:
    """Valid options with another value of an Identity option: near ones first, then what the examples have."""
    own = at(subject.full(raw), path)
    base = next((other for one, other in subject.pairs if identity(subject, one) == identity(subject, raw)), raw)
    values: list[Any] = [*others(own), *(at(subject.full(example), path) for example in subject.examples)]
    for value in values:
        if value is ... or value == own:
            continue
        other = put(base, path, value)
        if is_valid(subject, other) and identity(subject, other) not in taken:
            yield other


def _made(subject: Subject, every: Iterator[Raw]) -> tuple[Raw, State] | None:
    """The first of some options with which Create makes a resource in the world as it is."""
    before = subject.snapshot()
    for raw in every:
        try:
            if subject.call("read", raw) is None:  # else it is one that the world has, of others
                return raw, subject.call("create", raw)
        except Exception:  # noqa: BLE001  # a part of the identity may name what has to be there before
            subject.restore(before, "as it was")
    return None
