"""Update: the rules U1 to U5."""

from collections.abc import Iterator

from dtm_sdk.errors import PluginError
from dtm_sdk.plugin import State, checked_state
from dtm_sdk.testing.difference import difference, short
from dtm_sdk.testing.meaning import Made, dependent_places, made, now, once, same_meaning
from dtm_sdk.testing.rules import check
from dtm_sdk.testing.subject import Raw, Subject, same, without
from dtm_sdk.testing.verdicts import skip, unsupported
from dtm_sdk.testing.worlds.world import Place, Tree, at, places, with_place


def _updates(subject: Subject) -> Iterator[tuple[Raw, Raw]]:
    """Each update pair of the examples, both ways.

    Raises:
        Unsupported: every option is Identity or Tuning.
        Skipped: there is no pair; rule A4 says so.
    """
    if not subject.pairs:
        shape = subject.plugin.shape
        fixed = {path[0] for path in (*shape.identity, *shape.tuning)}
        if set(subject.full(subject.an_example())) <= fixed:
            unsupported("every option is Identity or Tuning: there is nothing to update")
        skip("no two examples have the same identity and differ in another option")
    for one, other in subject.pairs:
        yield one, other
        yield other, one


@check("U1", rests_on=("C1", "C2", "R2"), calls=("create", "read", "update"))
def test_u1_update_does_all(subject: Subject) -> None:
    """For each update pair, both ways: read and update agree, the world holds the new options, nothing of the old ones
    is left.

    Why: the runner records what Update returned as what there is. An option that Update forgets stays as it was, and no
    apply ever says so, or each one tries in vain.

    Wrong:
        def update(options, state):
            body = {key: value for key, value in sent(options).items() if value}  # what became empty is not sent
            return described(patch(state["outputs"]["id"], body))

    Mend: let Create and Update send the same whole description of the resource, and remove what an option no longer
    asks for (a label, a file under its old name, a backup). If the service changes something by itself at each update,
    name that place in the `volatile` of the world.
    """  # noqa: D205  # the rule's text is more than a line
    for one, other in _updates(subject):
        wanted = made(subject, other)
        subject.fresh()
        changed = subject.update(other, subject.create(one))
        try:
            checked_state(changed, "update")
        except PluginError as error:
            subject.fail(str(error))
        found = subject.read(other, changed)
        subject.same_states(changed, found, "Read says another thing than Update returned")
        what = "the world after Create and Update is not as Create with the new options makes it"
        same_meaning(subject, wanted, now(subject, other, changed), what)
        _same_options(subject, other, wanted.state, changed)


def _same_options(subject: Subject, raw: Raw, wanted: State, found: State) -> None:
    """What a state says of the options is what the state of a fresh Create says."""
    named = set(subject.full(raw))
    aside = (*subject.plugin.volatile, *subject.plugin.stable)
    a, b = (without({key: state[key] for key in state if key in named}, aside) for state in (wanted, found))
    subject.same_states(a, b, "Update describes the new options in another way than Create does")


@check("U2", rests_on=("U1",), calls=("create", "update"))
def test_u2_update_to_the_same(subject: Subject) -> None:
    """To the options it has already: the world does not change.

    Why: the runner updates whenever it can't be sure, and tries again after an error. An Update that adds something
    each time (a line, a backup, a second entry) piles it up.

    Wrong:
        def update(options):
            with open(options.path, "a") as file:
                file.write(options.text)

    Mend: let Update bring the resource to the options, whatever it is now, instead of adding a step to it.
    """
    for raw in subject.examples:
        subject.fresh()
        state = subject.create(raw)
        before = subject.snapshot()
        for turn in ("", " for the second time"):
            state = subject.update(raw, state)
            what = f"Update with the options that the resource has already has changed the world{turn}"
            subject.same_world(before, subject.snapshot(), what)


@check("U3", rests_on=("U1",))
def test_u3_update_repairs_drift(subject: Subject) -> None:
    """After drift, it repairs.

    Why: a drift is found by Read, and Update is the only one that is called to end it. An Update that looks at the
    recorded state, or at its options alone, to see what is to be done sees nothing to do.

    Wrong:
        def update(options, state):
            if state["text"] == options.text:
                return state
            ...

    Mend: compare with the resource as it is now, or write all of it each time.
    """
    told = False
    for one, other in _updates(subject):
        there = made(subject, one)
        whole = subject.snapshot()
        for place, value in dependent_places(subject, there, once(subject, other)):
            told = _repaired(subject, one, there, with_place(whole, place, value), place) or told
    if not told:
        unsupported("Read shows nothing of what the options change: no drift is seen, rule R5 looks at that")


def _repaired(subject: Subject, raw: Raw, there: Made, drifted: Tree, place: Place) -> bool:
    """Whether a drift in one place was seen by Read, and was repaired."""
    subject.fresh()
    value = at(drifted, place)
    subject.steps.append(f"create({short(raw)})  -> {short(there.state)}")
    subject.restore(drifted, f"{'.'.join(place)} is {'gone' if value is ... else short(value)}")
    if same(_seen(subject, raw, there.state), there.state):
        return False
    repaired = subject.update(raw, there.state)
    what = "Update did not bring the world back to how it was before the drift"
    same_meaning(subject, there, now(subject, raw, repaired), what)
    _same_options(subject, raw, there.state, repaired)
    return True


def _seen(subject: Subject, raw: Raw, state: State) -> object:
    """What Read says of a resource that drifted; that it can't be read is seen too."""
    try:
        return subject.call("read", raw, state)
    except Exception:  # noqa: BLE001  # the boundary to an author's code
        return ...


@check("U3", rests_on=("U1",))
def test_u3_update_repairs_what_is_half_gone(subject: Subject) -> None:
    """After drift, it repairs: of a resource that is more than one thing in the world, each that is gone is made again.

    Mend: let Update make what is missing, as Create does, before it changes what is there.
    """
    parts = 0
    for raw in subject.examples:
        there = once(subject, raw)
        whole = subject.snapshot()
        added = [place for place in subject.changes(subject.empty, whole) if at(subject.empty, place) is ...]
        parts = max(parts, len(added))
        for place in added if len(added) > 1 else ():
            subject.fresh()
            subject.steps.append(f"create({short(raw)})  -> {short(there.state)}")
            subject.restore(with_place(whole, place, ...), f"{'.'.join(place)} is gone")
            if _seen(subject, raw, there.state) in (None, there.state):
                continue  # the resource is gone with it, or the runner never sees it: U5 and R5
            repaired = subject.update(raw, there.state)
            same_meaning(subject, there, now(subject, raw, repaired), f"Update did not make {'.'.join(place)} again")
    if parts < 2:
        unsupported("the resource is one thing in the world: it can't be half gone")


@check("U4", rests_on=("U1",), calls=("create", "read", "update"))
def test_u4_stable_outputs_stay(subject: Subject) -> None:
    """Ids and other declared `stable` outputs stay: an update is not a delete and a create.

    Why: others refer to the resource by its id, and what hangs on the old one is lost with it. The plan said that the
    resource will be updated, not that it will be replaced.

    Wrong:
        def update(options, state):
            delete(options, state)
            return create(options)

    Mend: change the resource in place. If the service can't, the option belongs to the identity: mark it
    `Identity[...]`, and the runner replaces the resource and says so. A path that is in no state is a typing error:
    write it as it is in the state, e.g. "outputs.id".
    """
    if not subject.plugin.stable:
        unsupported("no path is declared `stable`; the next check looks at the world")
    missing = dict.fromkeys(subject.plugin.stable)
    for one, other in _updates(subject):
        subject.fresh()
        before = subject.create(one)
        after = subject.update(other, before)
        seen = subject.read(other, after)
        for path in subject.plugin.stable:
            was, *later = (at(state, tuple(path.split("."))) for state in (before, after, seen))
            if was is not ...:
                missing.pop(path, None)
                if not all(same(was, each) for each in later):
                    subject.fail(f"{path}, declared stable, did not stay", difference({path: was}, {path: later[0]}))
    if missing:
        subject.fail(f"{', '.join(missing)}, declared stable, is in no state that Create returned")


@check("U4", rests_on=("U1",), calls=("create", "update"))
def test_u4_the_same_resource_stays(subject: Subject) -> None:
    """An update is not a delete and a create, whatever is declared: what the world itself gave a name keeps it.

    It is seen in the world: a thing there is gone, another one stands beside where it was, and a fresh Create would
    have given it yet another name. Things that a service itself makes anew at each change, such as revisions, belong in
    the `volatile` of the world.
    """
    for one, other in _updates(subject):
        fresh, before = once(subject, other).tree, once(subject, one)
        after = now(subject, other, subject.update(other, before.state)).tree
        for lost, gained in _replaced(before.tree, after, fresh):
            what = f"Update has made another resource, {'.'.join(gained)}, in place of {'.'.join(lost)}"
            subject.fail(what, difference(before.tree, after))


def _replaced(before: Tree, after: Tree, fresh: Tree) -> Iterator[tuple[Place, Place]]:
    """What is gone and what stands beside where it was, under names that the world gives."""
    moved = places(before, after)
    lost = [place for place in moved if at(after, place) is ...]
    gained = [place for place in moved if at(before, place) is ... and at(fresh, place) is ...]
    elsewhere = {place[:-1] for place in places(after, fresh) if at(after, place) is ...}
    for old in lost:
        for new in gained:
            if old[:-1] == new[:-1] and new[:-1] in elsewhere:
                yield old, new


@check("U5", rests_on=("C7", "U1"))
def test_u5_update_of_what_is_gone(subject: Subject) -> None:
    """Of a resource that is gone: makes it again, or raises; never a success that isn't.

    Why: a resource can go between Read and Update. A success that isn't is recorded, and the plan says that nothing is
    to be done.

    Wrong:
        def update(options, state):
            requests.put(url(state), json=sent(options))  # whatever it answers, 404 too
            return described(options)

    Mend: look at what the service answers; if the resource isn't there, call Create, or raise `PluginError`.
    """
    for raw in subject.examples:
        wanted = made(subject, raw)
        for recorded in (True, False) if subject.takes_state("update") else (True,):
            subject.fresh()
            state = subject.create(raw) if recorded else None
            subject.restore(subject.empty, "the resource is gone")
            try:
                again = subject.call("update", raw, state)
            except Exception:  # noqa: BLE001, S112  # that it raises is right
                continue
            if not isinstance(again, dict):
                subject.fail(f"Update of a resource that is gone returned {short(again)}: it must make it, or raise")
            found = subject.read(raw, again)
            what = "Update of a resource that is gone says that it succeeded, and Read says another thing"
            subject.same_states(again, found, what)
            what = "Update of a resource that is gone succeeded, but did not make what Create makes"
            same_meaning(subject, wanted, now(subject, raw, again), what)
