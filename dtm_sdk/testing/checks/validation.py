"""Validation: the rules V1 to V6."""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from copy import deepcopy
from itertools import combinations, product
from typing import Final

from dtm_sdk.errors import DtmError
from dtm_sdk.options import members
from dtm_sdk.testing.difference import difference, short
from dtm_sdk.testing.refusing import (
    bases,
    each_spot,
    hold_both_told,
    hold_refused,
    invalid,
    is_named,
    messages,
    refusal,
    shown,
    whole,
)
from dtm_sdk.testing.rules import check
from dtm_sdk.testing.runs import Runner
from dtm_sdk.testing.samples import HOSTILE, LONG, Path, Spot, at, dropped, objects, put, spots, wrong
from dtm_sdk.testing.subject import Raw, Subject, describe, same, trace_of
from dtm_sdk.testing.verdicts import Violation, unsupported
from dtm_sdk.testing.watch import Seen, Watch


@check("V1", calls=())
def test_v1_required_options(subject: Subject) -> None:
    """Each required option, left out, is refused by an error that names it.

    Why: what is taken from somewhere else (an environment variable, the last run, an example) makes one config mean two
    things on two machines; an error that names nothing sends its reader through all of the docs.

    Wrong:
        class MyPlugin(Plugin):
            def parse(self, raw):
                return super().parse({"token": os.environ.get("TOKEN", ""), **raw})

    Mend: leave it to the types: an option without a default is required, and the SDK says so.
    """
    asked = False
    for base, spot in each_spot(subject):
        if spot.required:
            asked = True
            hold_refused(subject, dropped(base, spot.path), spot.name, f"{spot.name} is required and left out")
    if not asked:
        unsupported("no option is required")


@check("V2", calls=())
def test_v2_types(subject: Subject) -> None:
    """Each option, given a value of each wrong type, is refused by an error that names it, nested ones too.

    Types are strict: `"60"` is no integer, and what is no choice is no value of a choice.

    Why: in YAML `true` is a boolean and `1.10` a number. What is quietly made into another value is another resource
    than the one that was written down.

    Wrong:
        class Size(Enum):
            SMALL = "small"
            LARGE = "large"

            @classmethod
            def _missing_(cls, value):
                return cls.SMALL

    Mend: declare the type that you want and convert nothing; where several are fine, say so in the type: `int | str`.
    """
    for base, spot in each_spot(subject):
        for value in wrong(spot.kind):
            hold_refused(subject, put(base, (spot.path, value)), spot.name, f"{spot.name} is {json.dumps(value)}")


@check("V3", rests_on=("A2",), calls=())
def test_v3_unknown_keys(subject: Subject) -> None:
    """An unknown key is refused by name.

    Why: a slip (`contnet:`) is a setting that does nothing, and nobody is told.

    Wrong:
        class MyPlugin(Plugin):
            def parse(self, raw):
                return super().parse({key: value for key, value in raw.items() if not key.startswith("x-")})

    Mend: leave it to `Options`, which refuses what it doesn't know; for free content declare `dict[str, Any]`.
    """
    seen: set[Path] = set()
    for base in bases(subject):
        for place in objects(subject.plugin.options, base):
            pattern = tuple(0 if isinstance(step, int) else step for step in place.path)
            if (*pattern, *place.known) in seen:
                continue
            seen.add((*pattern, *place.known))
            for key in _strange(place.known):
                spot = Spot((*place.path, key), None, required=False)
                what = f"there is no option {spot.name}, and it is given"
                hold_refused(subject, put(base, (spot.path, "some text")), spot.name, what)


def _strange(known: Sequence[str]) -> list[str]:
    """Keys that are none: slips, comments and extensions among them."""
    slips = [slip for name in known[:1] for slip in (name.upper(), name.capitalize(), f"{name}s", f" {name}")]
    return [key for key in ("unknown", "x-unknown", "_comment", *slips) if key not in known]


@check("V4", rests_on=("V2",), calls=())
def test_v4_all_type_problems_at_once(subject: Subject) -> None:
    """All type problems are reported at once; only if there is none, all of `validate`'s.

    Hostile strings (NUL, `/`, `..`, very long, in several options together too) are accepted or refused with a message,
    never an exception.

    Why: an error at a time is a run at a time. `validate` may trust the types, so it is asked last; and an exception
    tells a user nothing.

    Wrong:
        def validate(options):
            if "/" in options.name:
                return ["name has no '/'"]          # the rest is found in the next run
            return [] if int(options.port) else []  # ValueError, with a traceback

    Mend: leave the types to the SDK; in `validate` collect the messages in a list, return it at the end, and catch what
    the functions that it calls raise for some text.
    """
    for base in bases(subject):
        every = [spot for spot in spots(subject.plugin.options, base) if wrong(spot.kind)]
        leaves = [spot for spot in every if not any(_is_inside(other, spot) for other in every)]
        broken = put(base, *((spot.path, wrong(spot.kind)[0]) for spot in leaves))
        names = [spot.name for spot in leaves]
        problems = refusal(subject, broken, f"{', '.join(names)} are all wrong")
        missing = [name for name in names if not is_named(problems or (), name)]
        if missing:
            subject.fail(f"{', '.join(names)} are all wrong, and the error doesn't name {', '.join(missing)}")
        early = [message for path, message in problems or () if not path]
        if early:
            subject.fail(f"types are wrong ({', '.join(names)}), and validate is asked all the same: {early[0]}")


def _is_inside(inner: Spot, outer: Spot) -> bool:
    return len(inner.path) > len(outer.path) and inner.path[: len(outer.path)] == outer.path


@check("V4", calls=())
def test_v4_hostile_strings(subject: Subject) -> None:
    """Hostile strings, in one option or in all of them, are accepted or refused with a message, never an exception."""
    for base, spot in _texts(subject):
        for text in HOSTILE:
            refusal(subject, put(base, (spot.path, text)), f"{spot.name} is {short(text, 40)}")
    for base, spot in each_spot(subject):
        value = at(base, spot.path)
        if isinstance(value, dict) and value and any(member is dict for member in _origins(spot)):
            for text in HOSTILE:
                raw = put(base, (spot.path, {text: next(iter(value.values()))}))
                refusal(subject, raw, f"{spot.name} has the key {short(text, 40)}")
    base = whole(subject)
    places = [spot.path for spot in spots(subject.plugin.options, base) if spot.takes_text]
    for text in HOSTILE if places else ():
        refusal(subject, put(base, *((path, text) for path in places)), f"all texts are {short(text, 40)}")


def _origins(spot: Spot) -> list[object]:
    return [getattr(member, "__origin__", None) for member, _ in members(spot.kind)]


def _texts(subject: Subject) -> Iterator[tuple[Raw, Spot]]:
    return ((base, spot) for base, spot in each_spot(subject) if spot.takes_text)


@check("V4", calls=())
def test_v4_all_messages_at_once(subject: Subject) -> None:
    """What `validate` says of one option, it says too when another one is wrong as well."""
    base = whole(subject)
    if messages(subject, base):
        base = subject.full(subject.an_example())
    found: dict[Path, tuple[str, set[str]]] = {}
    for spot in spots(subject.plugin.options, base):
        for text in HOSTILE if spot.takes_text else ():
            said = messages(subject, put(base, (spot.path, text)))
            if said:
                found[spot.path] = (text, said)
                break
    for one, other in combinations(found, 2):
        hold_both_told(subject, base, {path: found[path] for path in (one, other)})


@check("V5", calls=())
def test_v5_no_io(subject: Subject) -> None:
    """Validation, `__post_init__` and the making of the options included, does no I/O and leaves its input as it was.

    Why: every tool of a config is validated before the plan is shown, in an editor too: a network that is down must not
    make a config wrong. What changes its input changes what is recorded.

    Wrong:
        def validate(options):
            return [] if Path(options.folder).is_dir() else ["folder is missing"]

    Mend: check in `validate` what the text alone says; let Create and Update raise a PluginError for the rest.
    """
    inputs = _inputs(subject)
    with Watch.here().watching() as first:
        _parse(subject, deepcopy(inputs[0]))
    _quiet(subject, inputs[0], [*_loud(first)])
    for raw in inputs:
        given = deepcopy(raw)
        with Watch.here().watching() as seen:
            _parse(subject, given)
        _quiet(subject, raw, seen.any_io)
        if not same(raw, given):
            subject.fail("validation changes its input", difference(raw, given))


def _inputs(subject: Subject) -> list[Raw]:
    """Valid options and invalid ones."""
    every: list[Raw] = [*subject.examples]
    for base in bases(subject):
        texts = [spot.path for spot in spots(subject.plugin.options, base) if spot.takes_text]
        every += [base, *(put(base, *((path, text) for path in texts)) for text in ("a/b/../c", "sample.example"))]
        every += [put(base, (("unknown",), 1))]
    return every


def _parse(subject: Subject, raw: Raw) -> None:
    with suppress(BaseException):
        subject.plugin.parse(raw)


def _loud(seen: Seen) -> Iterator[str]:
    """What can't be the loading of a module that is used for the first time."""
    yield from (f"writes {path}" for path in seen.writes)
    yield from (f"starts {command}" for command in seen.children)
    yield from (f"connects to {address}" for address in seen.sockets)


def _quiet(subject: Subject, raw: Raw, done: Sequence[str]) -> None:
    if done:
        subject.fail(f"validation of {short(shown(subject, raw))} does I/O: {', '.join(done[:5])}")


BAD: Final = ("a\0b", "half \ud800", "..", "a/b/c", "-rf", "line\r\nX-Header: x", LONG)
"""Strings that are fine in JSON and in few other places."""


@check("V6", rests_on=("C1", "V4"), calls=("create",))
def test_v6_what_is_accepted_can_be_done(subject: Subject) -> None:
    """Invalid options never reach an operation's I/O: what Create can't do is refused before anything is done.

    Why: a Create that stops in the middle because of a text that could have been looked at before leaves half a
    resource, and a record that says so.

    Wrong:
        def create(options):
            with open(options.filename, "wb") as file:
                file.write(options.content.encode("ascii"))     # an empty file is left, and a UnicodeEncodeError

    Mend: refuse texts by their form, not one by one: say what an option may be by `Meta(pattern=...)` and `max_length`;
    say in `validate` what a pattern can't. What only the world can say (no permission, no space) is a PluginError, and
    leaves nothing behind.
    """
    base = subject.full(subject.an_example())
    texts = [spot for spot in spots(subject.plugin.options, base) if spot.takes_text]
    naming = [spot for spot in texts if any(spot.path[: len(path)] == path for path in subject.plugin.shape.identity)]
    others = [spot for spot in texts if spot not in naming]
    found: list[Violation] = []
    steps: list[str] = []
    for text, group in product(BAD, (naming, others)):
        fine = [spot for spot in group if _is_accepted(subject, base, spot, text)]
        for error in _violations(subject, base, text, fine):
            found.append(error)
            steps += subject.steps
    if found:
        subject.steps[:] = steps
        raise Violation("\n".join(error.message for error in found), found[0].difference, found[0].trace)


def _violations(subject: Subject, base: Raw, text: str, fine: Sequence[Spot]) -> Iterator[Violation]:
    """What goes wrong with a text in some places at once; in each of them by itself, where that shows it too."""

    def violation(*spots: Spot) -> Violation | None:
        raw = subject.world.bind(put(base, *((spot.path, text) for spot in spots)))
        try:
            _tried(subject, raw, f"{', '.join(spot.name for spot in spots)} is {short(text, 40)}")
        except Violation as error:
            return error
        return None

    every = violation(*fine) if fine else None
    if every is None:
        return
    alone = False
    for spot in fine if len(fine) > 1 else ():
        error = violation(spot)
        if error:
            alone = True
            yield error
    if not alone:
        yield violation(*fine) or every


def _is_accepted(subject: Subject, base: Raw, spot: Spot, text: str) -> bool:
    """Whether a text may stand somewhere, and does so in this world."""
    raw = subject.world.bind(put(base, (spot.path, text)))
    return at(raw, spot.path) == text and refusal(subject, raw, f"{spot.name} is {short(text, 40)}") is None


def _tried(subject: Subject, raw: Raw, what: str) -> None:
    """Hold that options are refused, or done, or stopped at by the world; what stops is no bug and leaves nothing."""
    if refusal(subject, raw, what) is not None:
        return
    before = subject.fresh()
    try:
        subject.call("create", raw)
    except DtmError as error:
        after = subject.snapshot()
        if subject.changes(before, after):
            told = f"{what}: this is valid, create refuses it ({describe(error)}), and has changed the world by then"
            subject.same_world(before, after, told)
    except BaseException as error:  # noqa: BLE001  # the boundary to an author's code
        subject.fail(f"{what}: this is valid, and create raised {describe(error)}", trace=trace_of(error))


@check("V6", rests_on=("V1", "V2", "V3", "V4"), calls=("create", "read"))
def test_v6_runner_stops(subject: Subject) -> None:
    """A config with invalid options is refused whole: nothing is called, and the world stays as it was."""
    base = subject.full(subject.an_example())
    wrong_ones = dict(invalid(subject, base))
    folder = subject.scratch / "runner"
    with Watch.here().unguarded():
        folder.mkdir()
    before, calls = subject.fresh(), subject.world.mutations()
    for name, raw in wrong_ones.items():
        tool = {"name": name, "plugin": subject.plugin.name, "options": raw}
        with Watch.here().guarding(folder, *subject.world.writable):
            run = Runner(folder, [subject.plugin]).apply([tool])
        subject.steps.append(f"apply of {name}  -> {short('; '.join([*run.done, *run.problems]))}")
        if run.error is None or run.done:
            subject.fail(f"options with {name.replace('-', ' ')} are invalid, and apply goes on")
    subject.same_world(before, subject.snapshot(), "apply with invalid options has changed the world")
    if subject.world.mutations() != calls:
        subject.fail("apply with invalid options has made calls that change things")
