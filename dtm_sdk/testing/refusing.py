"""What a plugin refuses, and how: the questions that the checks of validation are made of."""

from collections.abc import Iterator, Mapping, Sequence

from dtm_sdk.errors import OptionsError
from dtm_sdk.options import parse
from dtm_sdk.testing.difference import short
from dtm_sdk.testing.samples import HOSTILE, Path, Spot, completed, dropped, put, spots, variants, wrong
from dtm_sdk.testing.subject import Raw, Subject, describe, trace_of

Problems = Sequence[tuple[str, str]]


def bases(subject: Subject) -> list[Raw]:
    """Plain options to put wrong values into: each example with its defaults, and some in which nothing is empty."""
    filled = whole(subject)
    known = [subject.full(example) for example in subject.examples]
    return [*known, filled, *variants(subject.plugin.options, filled)]


def whole(subject: Subject) -> Raw:
    """Plain options in which nothing is left out or empty; what is in no example may be refused by `validate`."""
    return completed(subject.plugin.options, subject.full(subject.examples[0]) if subject.examples else {})


def each_spot(subject: Subject) -> Iterator[tuple[Raw, Spot]]:
    """Each place of the options once, with plain options that have something there."""
    seen: set[Path] = set()
    for base in bases(subject):
        for spot in spots(subject.plugin.options, base):
            if spot.pattern not in seen:
                seen.add(spot.pattern)
                yield base, spot


def refusal(subject: Subject, raw: Raw, what: str) -> Problems | None:
    """The problems for which options are refused; None where they are accepted.

    Raises:
        Violation: anything else is raised than an OptionsError.
    """
    try:
        subject.plugin.parse(raw)
    except OptionsError as error:
        return error.problems
    except BaseException as error:  # noqa: BLE001  # the boundary to an author's code
        subject.fail(f"{what}: it raised {describe(error)}, no OptionsError that names it", trace=trace_of(error))
    return None


def hold_refused(subject: Subject, raw: Raw, name: str, what: str) -> None:
    """Hold that options are refused by an error that names an option, or what is inside of it."""
    problems = refusal(subject, raw, what)
    if problems is None:
        subject.fail(f"{what}: it is accepted")
    if not is_named(problems, name):
        told = "; ".join(f"{path}: {message}" if path else message for path, message in problems)
        subject.fail(f"{what}: the error doesn't name it: {short(told)}")


def is_named(problems: Problems, name: str) -> bool:
    """Whether some problem is one of that option, or of what is inside of it."""
    return any(path == name or path.startswith((f"{name}.", f"{name}[")) for path, _ in problems)


def messages(subject: Subject, raw: Raw) -> set[str]:
    """The messages of validate; none where the types are wrong already."""
    problems = refusal(subject, raw, "a hostile text") or ()
    return {message for path, message in problems if not path}


def hold_both_told(subject: Subject, base: Raw, found: Mapping[Path, tuple[str, set[str]]]) -> None:
    """Hold that, of two options that are refused each by itself, none is passed over where both are there."""
    raw = put(base, *((path, text) for path, (text, _) in found.items()))
    told = messages(subject, raw)
    (one, (_, first)), (other, (_, second)) = found.items()
    for passed_over, mine, others in ((other, second, first), (one, first, second)):
        if told and told <= others and not mine & told:
            names = [Spot(path, None, required=False).name for path in (one, other)]
            name = Spot(passed_over, None, required=False).name
            subject.fail(
                f"{' and '.join(names)} are both refused, but together nothing is said of {name}",
                [
                    *(f"- {short(each)}" for each in sorted(first | second)),
                    *(f"+ {short(each)}" for each in sorted(told)),
                ],
            )


def _against_validate(subject: Subject, base: Raw) -> Iterator[Raw]:
    """Options whose types are right and of which `validate` has something to say, by its own word."""
    for spot in spots(subject.plugin.options, base):
        for text in (each for each in HOSTILE if spot.takes_text and each.isprintable()):
            raw = put(base, (spot.path, text))
            try:
                if subject.plugin.validate(parse(subject.plugin.options, raw)):
                    yield raw
                    return
            except Exception:  # noqa: BLE001, S112  # V4 says so
                continue


def invalid(subject: Subject, base: Raw) -> Iterator[tuple[str, Raw]]:
    """Options that are wrong in one way each, by what is wrong."""
    plain = [spot for spot in spots(subject.plugin.options, base) if len(spot.path) == 1]
    yield "an-unknown-key", put(base, (("unknown",), 1))
    yield from (("a-missing-option", dropped(base, spot.path)) for spot in plain if spot.required)
    yield from (("a-wrong-type", put(base, (spot.path, wrong(spot.kind)[0]))) for spot in plain if wrong(spot.kind))
    yield from (("what-validate-refuses", raw) for raw in _against_validate(subject, base))


def shown(subject: Subject, raw: Raw) -> Raw:
    """Options without the text of secrets."""
    secret = [spot.path for spot in spots(subject.plugin.options, raw) if spot.is_secret]
    return put(raw, *((path, "***") for path in secret))
