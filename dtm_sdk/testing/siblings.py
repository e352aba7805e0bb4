"""Resources beside another one, under near identities too: what a careless match takes for the same."""

from collections.abc import Iterator, Sequence
from typing import Final

from dtm_sdk.plugin import State
from dtm_sdk.testing.difference import difference, short
from dtm_sdk.testing.identities import SUFFIXES, identities, identity, others
from dtm_sdk.testing.influence import Leaf, Scene, is_valid, put
from dtm_sdk.testing.meaning import Made, aligned, called
from dtm_sdk.testing.subject import Raw, Subject
from dtm_sdk.testing.verdicts import unsupported
from dtm_sdk.testing.worlds.world import Place, Tree, at

PREFIXES: Final = ("2", "2-", "2.", "x")


def siblings(scene: Scene, raw: Raw) -> list[Made]:
    """Resources that the plugin can make under the identity of `raw` with a suffix or a prefix, the first of each.

    Each is as it is alone in a fresh world, its other options those of `raw`. Each Identity option that is a text is
    tried alone; the identities that Create refuses are left out.

    Raises:
        Unsupported: none can be made.
    """
    found = [
        _first(scene, raw, leaf, affixes, front=front)
        for leaf in _texts(scene.subject, raw)
        for affixes, front in ((SUFFIXES, False), (PREFIXES, True))
    ]
    if not any(found):
        unsupported("no identity is this one's with a suffix or a prefix: none of those tried can be made")
    return [each for each in found if each]


def _first(scene: Scene, raw: Raw, leaf: Leaf, affixes: tuple[str, ...], *, front: bool) -> Made | None:
    text = at(scene.subject.full(raw), leaf.path)
    for affix in affixes:
        for near in _near(text, affix, front=front):
            other = put(raw, leaf.path, near)
            alone = scene.tried(other) if is_valid(scene.subject, other) else None
            if alone:
                return alone
    return None


def _near(text: str, affix: str, *, front: bool) -> list[str]:
    """A text with an affix; with a prefix before the last part of a path too."""
    if not front:
        return [f"{text}{affix}"]
    above, slash, last = text.rpartition("/")
    return [f"{affix}{text}", *([f"{above}{slash}{affix}{last}"] if slash else [])]


def _texts(subject: Subject, raw: Raw) -> list[Leaf]:
    full = subject.full(raw)
    return [leaf for leaf in identities(subject) if isinstance(at(full, leaf.path), str)]


def stranger(scene: Scene, raw: Raw) -> Made | None:
    """A resource under any other identity, alone in a fresh world; None where none can be made."""
    return next(filter(None, map(scene.tried, _strangers(scene.subject, raw))), None)


def _strangers(subject: Subject, raw: Raw) -> Iterator[Raw]:
    shape = subject.plugin.shape
    mine = shape.identity_of(subject.full(raw))
    yield from (other for other in subject.examples if shape.identity_of(subject.full(other)) != mine)
    for leaf in identities(subject):
        for value in others(at(subject.full(raw), leaf.path)):
            other = put(raw, leaf.path, value)
            if is_valid(subject, other):
                yield other


def together(scene: Scene, row: Sequence[Made]) -> None:
    """Make some resources one after the other in one world: each may change what it changes alone, and no more.

    Raises:
        Violation: a Create changed something else in the world, or what Read says of one that was there.
    """
    subject = scene.subject
    subject.fresh()
    there: list[tuple[Raw, State]] = []
    for alone in row:
        before = subject.snapshot()
        state = subject.create(alone.raw)
        after = subject.snapshot()
        by = called(subject, {"": alone.state}, {"": state})
        untouched(subject, subject.changes(subject.empty, aligned(alone.tree, after, by)), before, after, "Create")
        unmoved(subject, there, "Create")
        there.append((alone.raw, state))


def updated_beside(subject: Subject, one: Raw, other: Raw, near: Sequence[Raw]) -> None:
    """Update a resource beside others: it may change what its Create has changed, and no more.

    Raises:
        Violation: the Update changed something else in the world, or what Read says of one of the others.
    """
    subject.fresh()
    beside = [(raw, subject.create(raw)) for raw in near]
    without = subject.snapshot()
    state = subject.create(one)
    unmoved(subject, beside, "Create")
    before = subject.snapshot()
    subject.update(other, state)
    untouched(subject, subject.changes(without, before), before, subject.snapshot(), "Update")
    unmoved(subject, beside, "Update")


def untouched(subject: Subject, mine: Sequence[Place], before: Tree, after: Tree, what: str) -> None:
    """Hold what an operation (`what`) changed against the places that are the resource's.

    Raises:
        Violation: it changed another one; what is new there is the resource's, for its id may not be known.
    """
    for place in subject.changes(before, after):
        if at(before, place) is not ... and not any(_within(place, each) or _within(each, place) for each in mine):
            where = ".".join(place)
            subject.fail(
                f"{what} changed something else in the world: {where}",
                difference({where: at(before, place)}, {where: at(after, place)}),
            )


def _within(place: Place, other: Place) -> bool:
    return place[: len(other)] == other


def unmoved(subject: Subject, there: Sequence[tuple[Raw, State]], what: str) -> None:
    """Read what is beside, which must say what it said.

    Raises:
        Violation: it says another thing.
    """
    for raw, state in there:
        message = f"{what} changed what Read says of another resource, {short(identity(subject, raw))}"
        subject.same_states(state, subject.read(raw, state), message)
