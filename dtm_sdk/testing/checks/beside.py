"""Create: the rule C7. What is beside a resource stays as it is."""

from dtm_sdk.plugin import OPERATIONS
from dtm_sdk.testing.influence import Scene
from dtm_sdk.testing.rules import check
from dtm_sdk.testing.siblings import siblings, stranger, together, updated_beside
from dtm_sdk.testing.subject import Subject
from dtm_sdk.testing.verdicts import unsupported
from dtm_sdk.testing.watch import Watch
from dtm_sdk.testing.worlds.world import at


@check("C7", rests_on=("C1", "C2", "R3"), calls=("create", "read"))
def test_c7_what_is_beside_it_stays(subject: Subject) -> None:
    """Nothing else in the world changed: what was beside it, and siblings that the plugin itself made under identities
    that are this one's with a suffix or a prefix (where none is valid: skipped, saying so).

    Why: a match that is too wide (a pattern, a prefix, the first of a list) hits the resources of others.

    Wrong:
        for old in Path().glob(f"{options.path}*"):  # its leftovers, and its neighbours
            old.unlink()

    Mend: touch only what the identity names, exactly; give leftovers names that no other identity can have.
    """  # noqa: D205  # the rule's text, whole
    scene = Scene(subject)
    for raw in subject.examples:
        alone = scene.made(raw)
        for place in subject.changes(subject.empty, alone.tree):
            gone = at(alone.tree, place) is ...
            if gone or place[0] in subject.world.planted:
                what = "removed" if gone else "changed"
                subject.fail(f"Create {what} what was there before, and isn't its own: {'.'.join(place)}")
        other = stranger(scene, raw)
        if other:
            together(scene, [other, alone])


@check("C7", rests_on=("C1", "C2", "C5", "R3"), calls=("create", "read"))
def test_c7_siblings_stay(subject: Subject) -> None:
    """Siblings that the plugin made under identities with a suffix or a prefix stay as they are, and so does this one.

    Mend: compare whole names; a search that finds more than was asked for is followed by a comparison.
    """
    scene = Scene(subject)
    one, other = subject.pairs[0] if subject.pairs else (subject.an_example(),) * 2
    near = siblings(scene, other)  # they differ in more than the name, so that a mix-up is seen
    alone = scene.made(one)
    together(scene, [*near, alone])
    together(scene, [alone, *near])


@check("C7", rests_on=("C1", "C2", "C5", "R3"), calls=("create", "read", "update"))
def test_c7_siblings_stay_at_an_update(subject: Subject) -> None:
    """An Update changes no sibling either."""
    if not subject.pairs:
        unsupported("no two examples are an update pair: nothing is updated")
    one, other = subject.pairs[0]
    scene = Scene(subject)
    near = siblings(scene, one)
    updated_beside(subject, one, other, [each.raw for each in near])


@check("C7")
def test_c7_nothing_is_written_outside(subject: Subject) -> None:
    """No operation writes outside of its world; the suite keeps it from that, and sees it.

    Mend: write where the options say, in the working directory, or in the folder for temporary files (`tempfile`).
    """
    raw = subject.an_example()
    state = None
    for operation in OPERATIONS:
        with subject.quietly():
            state = subject.call(operation, raw, state)
        for path in Watch.here().outside:
            subject.fail(f"{operation} was about to write outside of its world: {path}")
