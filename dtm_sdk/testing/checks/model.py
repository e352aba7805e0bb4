"""Model: the rules M1 and M2. Sequences and options that nobody has thought of."""

import time
import warnings
from collections.abc import Callable
from random import Random
from typing import Any, Final

from dtm_sdk.errors import DtmError, OptionsError, PluginError
from dtm_sdk.testing.enough import within
from dtm_sdk.testing.model import Step, Theme, script, sequences
from dtm_sdk.testing.replay import replayed, smaller
from dtm_sdk.testing.rules import CORE, check
from dtm_sdk.testing.subject import Raw, Subject, describe, trace_of
from dtm_sdk.testing.verdicts import Violation
from dtm_sdk.testing.watch import Watch

SEQUENCES: Final = 8
"""How many sequences of each theme are tried, unless as many as can be are asked for."""
OPTIONS: Final = 60
"""How many sets of options are tried, likewise."""
THOROUGH: Final = 20
"""How many times more, when that is asked for."""
ENOUGH: Final = 25.0
"""Seconds after which no further sequence is begun, unless as many as can be are asked for."""
SHRINKING: Final = 15.0
"""Seconds that a failing sequence is made smaller for: the check has a time limit, and must say what it found."""
STEPS = ("L1", "L2", "L3", "L4", "L5", "L6", "P1")
"""Rules of single steps, likewise."""


@check("M1", rests_on=(*CORE, *STEPS))
def test_m1_sequences_of_edits(subject: Subject) -> None:
    """Generated sequences of apply, change, tamper, remove, delete, lose-state and crash agree with a pure model.

    The model is the table of section 2, written once more. A failing sequence is made smaller, and printed as a script
    that runs by itself. These sequences are mostly of edits of the config.

    Why: each step may be right and two of them together wrong: a rename after a crash, a change of what somebody else
    has changed. Nobody thinks of all of them.

    Wrong:
        def update(options):
            if WRITTEN.get(options.path) != options:  # somebody may have changed it since
                path.write_text(options.text)
                WRITTEN[options.path] = options

    Mend: run the printed script, and look at the first step whose outcome is not what you expect. Let what an operation
    does depend on its options and on what is there, on nothing that an earlier one has left in memory.
    """
    _hold(subject, "edits")


@check("M1", rests_on=(*CORE, *STEPS))
def test_m1_sequences_of_drift(subject: Subject) -> None:
    """Sequences in which things are changed and removed behind the plugin's back, and states are lost, agree too."""
    _hold(subject, "drift")


@check("M1", rests_on=(*CORE, *STEPS))
def test_m1_sequences_of_crashes(subject: Subject) -> None:
    """Sequences in which runs die and calls fail agree too."""
    _hold(subject, "crashes")


def _hold(subject: Subject, theme: Theme) -> None:
    """Do generated sequences; the first one that fails is made smaller."""
    folder = subject.scratch / "run" / "sequence"

    def holds(steps: list[Step]) -> Violation | None:
        return replayed(subject.plugin, subject.world, folder, steps)

    count = SEQUENCES * (THOROUGH if subject.thorough else 1)
    done: list[int] = []
    random = Random(f"{subject.seed} {theme}")  # noqa: S311  # it makes samples
    for steps in within(ENOUGH, sequences(random, theme, count), subject):
        done.append(len(steps))
        if violation := holds(steps):
            least, violation = _shrunk(steps, violation, holds)
            raise Violation(violation.message, violation.difference, violation.trace, script(least))
    more = "" if subject.thorough else f"; --dtm-thorough tries {THOROUGH} times as many"
    short = f" of {count}, for they take long" if len(done) < count else ""
    subject.notes.append(f"{len(done)} sequences{short}, {sum(done)} steps{more}")


def _shrunk(
    steps: list[Step], violation: Violation, holds: Callable[[list[Step]], Violation | None]
) -> tuple[list[Step], Violation]:
    """The smallest sequence that fails, as far as time allows, and how."""
    deadline = time.monotonic() + SHRINKING
    found = True
    while found and time.monotonic() < deadline:
        found = False
        for fewer in smaller(steps):
            failing = holds(fewer)
            if failing:
                steps, violation, found = fewer, failing, True
                break
            if time.monotonic() > deadline:
                break
    return steps, violation


@check("M2", rests_on=(*CORE, "V6"))
def test_m2_generated_options(subject: Subject) -> None:
    """Options generated from the schema create, read back and delete, or are refused by validation.

    They hold unicode, empty and long texts, extreme numbers. What an operation refuses with a PluginError, and leaves
    the world as it was, is a matter between the options and that world, and is counted.

    Why: a config is written by people in many languages, and by programs. What validation lets through and an operation
    stumbles over fails in the middle of an apply.

    Wrong:
        path.write_text(options.content, encoding="ascii")

    Mend: take the value as it is, or say in the option's type (a length, a pattern) or in `validate` what is not taken.
    """
    counts = dict.fromkeys(("made", "refused by validation", "refused by an operation", "there already"), 0)

    def run(raw: Raw) -> None:
        subject.fresh()
        counts[_tried(subject, subject.world.bind(raw))] += 1

    def options(_: Any) -> Any:
        from dtm_sdk.testing.generated import raws

        return raws(subject.plugin.options, subject.an_example())

    _generate(subject, OPTIONS, options, run)
    more = "" if subject.thorough else f"; --dtm-thorough tries {THOROUGH} times as many"
    subject.notes.append(", ".join(f"{count} {what}" for what, count in counts.items()) + more)
    if not counts["made"]:
        subject.fail(f"nothing could be made of {OPTIONS} generated sets of options: {subject.notes[-1]}")


def _tried(subject: Subject, raw: Raw) -> str:
    """What comes of one set of options."""
    try:
        subject.plugin.parse(raw)
    except OptionsError:
        return "refused by validation"
    except DtmError as error:
        subject.fail(f"validation raises {describe(error)} of {subject.shown(raw)}")
    try:
        if subject.call("read", raw) is not None:
            return "there already"
        made = subject.call("create", raw)
    except PluginError:
        outside = bool(Watch.here().outside)
        Watch.here().outside.clear()
        if not outside:
            subject.same_world(subject.empty, subject.snapshot(), "options were refused, and the world has changed")
        return "refused by an operation"
    except Exception as error:  # noqa: BLE001  # the boundary to an author's code
        subject.fail(f"options that validation takes raise {describe(error)}", trace=trace_of(error))
    subject.same_states(made, subject.read(raw, made), "generated options read back as other ones")
    if subject.delete(raw, made) is not True:
        subject.fail("Delete doesn't return True")
    subject.same_world(subject.empty, subject.snapshot(), "Delete leaves something of generated options over")
    return "made"


def _generate(subject: Subject, count: int, strategy: Callable[[Any], Any], run: Callable[[Any], None]) -> None:
    """Run something with generated values, the same ones with the same seed."""
    from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
    from hypothesis import strategies as st
    from hypothesis.configuration import set_hypothesis_home_dir
    from hypothesis.errors import HypothesisWarning

    set_hypothesis_home_dir(str(subject.scratch / "home"))
    set_up = settings(
        max_examples=count * (THOROUGH if subject.thorough else 1),
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    seeded: Any = seed(subject.seed)
    generated: Any = given(strategy(st))
    with warnings.catch_warnings():  # where the author's tests make errors of warnings, they mean those of the plugin
        warnings.simplefilter("ignore", HypothesisWarning)
        seeded(set_up(generated(run)))()
