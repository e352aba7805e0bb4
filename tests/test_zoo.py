"""The proof of the conformance suite: each wrong plugin fails its rule's check, each right one passes everything.

By default each wrong plugin meets the checks of its own rule and some of the others, chosen by its name; all of them
with `DTM_THOROUGH=1`.
"""

import os
from collections.abc import Collection, Iterable
from random import Random

import pytest

from dtm_sdk.testing.rules import checks, rules
from dtm_sdk.testing.verdicts import Finding
from tests.zoo.zoo import Kept, Unavailable, Wrong, findings, right, wrong

THOROUGH = bool(os.environ.get("DTM_THOROUGH"))
SAMPLED = 6
"""How many other rules a wrong plugin meets by default."""


def met(kept: Kept | Wrong, rules: Collection[str] = ()) -> list[Finding]:
    """What the checks find; the test is skipped where the world of the plugin can't be had."""
    try:
        return list(findings(kept, rules))
    except Unavailable as error:
        pytest.skip(str(error))


def shown(found: Iterable[Finding]) -> list[str]:
    """Findings as lines, for the message of an assertion."""
    return [f"{each.check}: {each.verdict}: {each.message}" for each in found]


@pytest.mark.parametrize("kept", right(), ids=lambda kept: kept.name)
def test_a_right_plugin_passes_everything(kept: Kept) -> None:
    found = met(kept)
    assert shown(each for each in found if each.verdict not in {"passed", "unsupported"}) == []


@pytest.mark.parametrize("kept", wrong(), ids=lambda kept: kept.id)
def test_a_wrong_plugin_fails_its_rule_and_no_other(kept: Wrong) -> None:
    others = sorted({rule.id for rule in rules()} - {kept.rule})
    chosen = others if THOROUGH else Random(kept.id).sample(others, min(SAMPLED, len(others)))  # noqa: S311
    found = met(kept, [kept.rule, *chosen])
    failed = {each.rule for each in found if each.verdict == "failed"}
    assert kept.rule in failed, shown(found)
    assert failed <= {kept.rule, *kept.also}, shown(each for each in found if each.verdict == "failed")


def test_every_rule_has_a_plugin_that_breaks_it() -> None:
    assert sorted({rule.id for rule in rules()} - {kept.rule for kept in wrong()}) == []


def test_every_rule_of_the_first_two_levels_has_three_plugins_that_break_it() -> None:
    early = [rule.id for rule in rules() if rule.checks[0].group.level != "hardened"]
    counts = {rule: sum(kept.rule == rule for kept in wrong()) for rule in early}
    assert {rule: count for rule, count in counts.items() if count < 3} == {}


def test_every_check_fails_on_some_wrong_plugin() -> None:
    """A check that no wrong plugin trips does not ship; each wrong plugin here meets the checks of its rule only."""
    tripped = {
        each.check
        for kept in wrong()
        for each in findings(kept, [kept.rule])
        if each.verdict == "failed" and each.rule == kept.rule
    }
    assert sorted({check.name for check in checks()} - tripped) == []
