"""Create: the rules C1 to C6."""

from dtm_sdk.errors import PluginError
from dtm_sdk.plugin import Operation, State, checked_state
from dtm_sdk.testing.difference import difference
from dtm_sdk.testing.influence import Scene, differing, leaves, unsaid
from dtm_sdk.testing.meaning import Made
from dtm_sdk.testing.repeat import (
    again,
    changed_and_made,
    never_differing,
    probe_manual,
    same_resource,
    state_differs,
    twice,
    world_differs,
)
from dtm_sdk.testing.rules import check
from dtm_sdk.testing.subject import Subject, same, without
from dtm_sdk.testing.tunings import Varied, same_with, varied
from dtm_sdk.testing.verdicts import unsupported


@check("C1", rests_on=("A6",), calls=("create",))
def test_c1_state_is_json(subject: Subject) -> None:
    """Create returns a State that survives a JSON round trip unchanged.

    Why: the state is written to a file and read back by the next run. What comes back changed (a tuple, a date, NaN)
    looks like a drift for ever.

    Wrong:
        return {"filename": options.filename, "changed": datetime.now()}

    Mend: return null, booleans, integers, finite floats, strings, lists and dicts with string keys, nothing else.
    """
    for raw in subject.examples:
        subject.fresh()
        made = subject.must("create", raw)
        try:
            checked_state(made, "create")
        except PluginError as error:
            subject.fail(str(error))


@check("C2", rests_on=("C1",), calls=("create", "read"))
def test_c2_read_after_create(subject: Subject) -> None:
    """Read, right after Create, returns the same.

    Why: the runner compares what Read says with what Create returned. Where they differ, each apply sees a drift, and
    updates for ever.

    Wrong:
        def create(options):
            path.write_text(options.content)
            return {"content": options.content}

        def read(options):
            return {"content": path.read_text().strip()}

    Mend: let one helper describe the resource, and return what it says from Create and Read alike. A time or an id that
    is made up at each call belongs in no state: leave it out. One that the resource keeps is read from there, also in
    Create, and declared `volatile`. If the service answers late, wait in Create until Read would agree.
    """
    for raw in subject.examples:
        subject.fresh()
        made = subject.create(raw)
        found = subject.read(raw, made)
        subject.same_states(made, found, "Read says another thing than Create returned")
        try:
            checked_state(found, "read")
        except PluginError as error:
            subject.fail(str(error))


@check("C2", rests_on=("C1",), calls=("create", "read"))
def test_c2_read_without_the_record(subject: Subject) -> None:
    """Read, right after Create, finds the resource without the recorded state too, unless recovery is "manual".

    Mend: where the state is None, find the resource by its Identity options, or by what Create stored in it (a name, a
    tag). If nothing can tell which one it is, declare recovery="manual".
    """
    if subject.plugin.recovery == "manual":
        unsupported('recovery="manual" is declared: a resource without a record is not found; C6 probes that')
    for raw in subject.examples:
        subject.fresh()
        made = subject.create(raw)
        known: State | None = None
        with subject.quietly():
            known = subject.call("read", raw, made)
        if known is None or not same(made, known):
            subject.notes.append("unjudged: Read, given the record, doesn't confirm it; see test_c2_read_after_create")
            continue
        found = subject.read(raw)
        if found is None:
            subject.fail("Read finds nothing where the recorded state is None")
        subject.same_states(made, found, "Read says another thing where the recorded state is None")


@check("C3", rests_on=("C1",), calls=("create",))
def test_c3_the_world_changes(subject: Subject) -> None:
    """The world has changed; where a state key is also an option's, its value is the option's (secrets, `normalized`
    ones and options left out aside); every option that is neither Identity nor Tuning differs between two of the
    examples and makes a difference in the world; a Tuning option makes none in world or state.

    Why: an option that does nothing is a promise that is not kept, and no apply ever tells. This shows which places of
    the world depend on which option, and later rules change just those.

    Wrong:
        def create(options):
            body = {"name": options.name, "size": options.size}  # and options.labels?
            return service.post(body) | {"labels": options.labels}

    Mend: make the resource before returning, so that it is seen from outside of the plugin.
    """  # noqa: D205  # the rule's text, whole
    for raw in subject.examples:
        before = subject.fresh()
        subject.create(raw)
        if not subject.changes(before, subject.snapshot()):
            subject.fail("Create succeeded, and nothing in the world has changed")


@check("C3", rests_on=("C1",), calls=("create",))
def test_c3_the_state_says_what_was_asked(subject: Subject) -> None:
    """Where a state key is also an option's, its value is the option's.

    Mend: return what the option says; if the server rewrites the value, declare its path in `normalized`; if the key
    means another thing than the option, give it another name.
    """
    for raw in subject.examples:
        subject.fresh()
        made = subject.create(raw)
        for path, wanted, found in unsaid(subject, raw, made):
            subject.fail(f"the state has another {path} than the options", difference({path: wanted}, {path: found}))


@check("C3", rests_on=("A4", "A6"), calls=())
def test_c3_the_examples_vary_each_option(subject: Subject) -> None:
    """Every option that is neither Identity nor Tuning differs between two of the examples.

    Mend: add an example, or change one, in which the option has another value than in the others.
    """
    for leaf in leaves(subject.plugin.options):
        if not leaf.role and not any(differing(subject, leaf.path)):
            subject.fail(f"the option {leaf.name} is the same in every example: no check can tell what it does")


@check("C3", rests_on=("C1", "C5"), calls=("create",))
def test_c3_each_option_makes_a_difference(subject: Subject) -> None:
    """Every option that is neither Identity nor Tuning makes a difference in the world.

    Mend: let Create apply the option to the resource; if it only says how the resource is reached or waited for, mark
    it `Tuning[...]`; if it does nothing, remove it.
    """
    scene = Scene(subject)
    for leaf in leaves(subject.plugin.options):
        if leaf.role or not any(differing(subject, leaf.path)):
            continue
        found = scene.influence(leaf)
        if not found:
            subject.notes.append(f"unjudged: {leaf.name}, no example can be made with the value that another one has")
        elif not found.places:
            subject.fail(f"the option {leaf.name} makes no difference: Create leaves the same world with another value")


@check("C3", rests_on=("C1", "C2", "C5"), calls=("create", "read"))
def test_c3_a_tuning_makes_none(subject: Subject) -> None:
    """A Tuning option makes no difference in world or state.

    Mend: leave it out of the resource and of the state; if it is part of the resource, don't mark it `Tuning[...]`.
    """
    scene = Scene(subject)
    for leaf in leaves(subject.plugin.options):
        tried = varied(scene, leaf) if leaf.role == "tuning" else None
        if isinstance(tried, Varied):
            same_with(scene, leaf.name, tried)
        elif tried:
            subject.notes.append(f"unjudged: {leaf.name}, {tried}")


@check("C4", rests_on=("C1",), calls=("create",))
def test_c4_create_leaves_the_options(subject: Subject) -> None:
    """Options come back as they were, deeply.

    Why: the runner records them after the call. What an operation adds to a list or an object of them is recorded as
    if the config had said it, and the next plan sees a difference that nobody made.

    Wrong:
        options.labels["managed-by"] = "dtm"
        service.post({"labels": options.labels})

    Mend: build a new list or dict from them: `{**options.labels, "managed-by": "dtm"}`, `sorted(options.people)`.
    """
    for raw in subject.examples:
        subject.fresh()
        subject.keeps_options("create", raw)


@check("C4", rests_on=("C1",))
def test_c4_the_other_operations_leave_them(subject: Subject) -> None:
    """Options come back from Read, Update and Delete as they were too."""
    for raw in subject.examples:
        subject.fresh()
        state = subject.create(raw)
        others: tuple[Operation, ...] = ("read", "update", "delete")
        for operation in others:
            subject.keeps_options(operation, raw, state)


@check("C5", rests_on=("C1",), calls=("create",))
def test_c5_same_options_same_state(subject: Subject) -> None:
    """Two fresh worlds, same options, give the same state; what can't be (ids, times) is declared `volatile`; a path
    declared so that never differs fails.

    Why: a state that holds a time or a random value by accident differs at each Create. Where it is meant, whoever
    compares two runs must know it.

    Wrong:
        return {"name": options.name, "made": time.time()}

    Mend: leave it out of the state; if the resource really has it (an id, a time that the server keeps), declare its
    path: volatile=["outputs.id"].
    """  # noqa: D205  # the rule's text, whole
    for one, other in twice(subject, later=True):
        a, b = (without(made.state, subject.plugin.volatile) for made in (one, other))
        subject.same_states(a, b, "Create returned another state in another fresh world, with the same options")


@check("C5", rests_on=("C1",), calls=("create",))
def test_c5_what_is_volatile_differs(subject: Subject) -> None:
    """A path that is declared `volatile` differs between two fresh worlds.

    Mend: take it out of `volatile`, or write the path as it is in the state.
    """
    for path in never_differing(subject, subject.plugin.volatile, state_differs):
        subject.fail(f"{path} is declared volatile, and is the same after each Create")


@check("C5", rests_on=("C1",), calls=("create",))
def test_c5_what_the_world_calls_volatile_differs(subject: Subject) -> None:
    """A place that the world declares `volatile` differs between two fresh worlds, or from before to after.

    So does a revision that counts on: after an Update it is another one than after a Create with the same options.

    Mend: take it out of the world's `volatile`: what is left out of comparisons hides mistakes.
    """

    def differs(pattern: str, one: Made, other: Made) -> bool:
        return world_differs(subject.empty, pattern, one, other)

    left = never_differing(subject, subject.world.volatile, differs)
    counted = (
        [pair for first, second in subject.pairs for pair in changed_and_made(subject, first, second)] if left else []
    )
    for pattern in (each for each in left if not any(differs(each, *pair) for pair in counted)):
        subject.fail(f"the world calls {pattern} volatile, and nothing there ever differs")


@check("C6", rests_on=("C1", "C5"), calls=("create",))
def test_c6_create_twice(subject: Subject) -> None:
    """On a resource that is there already: converges or raises `AlreadyExistsError`; never a second one (`manual`:
    unsupported).

    Why: after a crash between Create and its record the runner asks for the same resource again. A second one is paid
    for, and nobody ever deletes it.

    Wrong:
        return service.post("/widgets", body)  # which takes a name twice

    Mend: look for the resource first, by its identity, and bring it to the options; or raise AlreadyExistsError.
    """  # noqa: D205  # the rule's text, whole
    for raw in subject.examples:
        subject.fresh()
        first = Made(raw, subject.create(raw), subject.snapshot())
        second = again(subject, raw)
        if subject.plugin.recovery == "manual":
            probe_manual(subject, first, second)
        same_resource(subject, first, second, "a second Create is not like the first")


@check("C6", rests_on=("C1", "C5"), calls=("create",))
def test_c6_create_over_another(subject: Subject) -> None:
    """On a resource that is there with other options: converges, or raises and changes nothing.

    Mend: bring what is there to the options, all of them; or raise AlreadyExistsError before anything is changed.
    """
    if subject.plugin.recovery == "manual":
        unsupported('recovery="manual" is declared: Create finds nothing that is there; C6 probes that')
    if not subject.pairs:
        unsupported("no two examples are an update pair: there are no other options")
    scene = Scene(subject)
    for one, other in [pair for a, b in subject.pairs for pair in ((a, b), (b, a))]:
        wanted = scene.given(scene.made(other))
        subject.fresh()
        first = Made(one, subject.create(one), subject.snapshot())
        second = again(subject, other)
        if second.state is None:
            same_resource(subject, first, second, "Create raised AlreadyExistsError, and changed things")
        else:
            same_resource(subject, wanted, second, "Create over other options is not like Create of a new one")
