"""The proof of the conformance suite: each wrong plugin fails its rule's check, each right one passes everything.

By default a wrong plugin meets the checks of its own rule, those that they rest on, and another one, chosen by its
name; one of the third level its own only, and what they rest on is taken for granted. A right one meets those of the
first two levels, and two of them most of the third. With `DTM_THOROUGH=1` each plugin meets every check.
"""

import os
from collections.abc import Iterable
from random import Random

import pytest

from dtm_sdk.testing import HttpWorld
from dtm_sdk.testing.rules import rule, rules
from dtm_sdk.testing.verdicts import Finding
from tests.zoo.zoo import Kept, Unavailable, Wrong, findings, right, wrong

THOROUGH = bool(os.environ.get("DTM_THOROUGH"))
SAMPLED = 1
"""How many other rules a wrong plugin meets by default."""
SLOW = frozenset({"F2", "M1"})
"""Rules that take longer than all others together."""
HARDENED = frozenset(each.id for each in rules() if each.checks[0].group.level == "hardened")
CHEAP = sorted(each.id for each in rules() if each.id[0] not in "LFM")
"""Rules of which some are chosen by default."""


def shown(found: Iterable[Finding]) -> list[str]:
    """Findings as lines, for the message of an assertion."""
    return [f"{each.check}: {each.verdict}: {each.message}\n{each.trace}".rstrip() for each in found]


@pytest.mark.parametrize("kept", right(), ids=lambda kept: kept.name)
def test_a_right_plugin_passes_everything(kept: Kept) -> None:
    left_out = frozenset() if THOROUGH else SLOW if kept.name in {"note", "widget"} else HARDENED
    try:
        found = list(findings(kept, {each.id for each in rules()} - left_out))
    except Unavailable as error:
        pytest.skip(str(error))
    assert shown(each for each in found if each.verdict not in {"passed", "unsupported"}) == []


@pytest.mark.parametrize("id_", [each.id for each in rules()])
def test_the_wrong_plugins_of_a_rule_fail_each_of_its_checks_and_no_other_rule(id_: str) -> None:
    """A check that no wrong plugin trips does not ship."""
    tripped, problems, missing = set(), {}, []
    for kept in [each for each in wrong() if each.rule == id_]:
        try:
            found = list(findings(kept, {id_, *others(kept)}, trusting=id_ in HARDENED and not THOROUGH))
        except Unavailable as error:
            missing.append(str(error))
            continue
        failed = [each for each in found if each.verdict == "failed"]
        own = {each.check for each in failed if each.rule == id_}
        tripped |= own
        if not own:
            problems[kept.id] = ["does not fail", *shown(each for each in found if each.rule == id_)]
        elif strange := [each for each in failed if each.rule not in {id_, *kept.also}]:
            problems[kept.id] = ["fails another rule", *shown(strange)]
    assert problems == {}
    if missing:
        pytest.skip(missing[0])
    assert tripped == {check.name for check in rule(id_).checks}


def others(kept: Wrong) -> list[str]:
    """The rules beside its own that a wrong plugin meets."""
    if THOROUGH:
        return [each.id for each in rules()]
    if kept.rule in HARDENED:
        return []
    return Random(kept.id).sample(CHEAP, SAMPLED)  # noqa: S311


def test_every_rule_has_a_plugin_that_breaks_it() -> None:
    assert sorted({rule.id for rule in rules()} - {kept.rule for kept in wrong()}) == []


def test_every_rule_of_the_first_two_levels_has_three_plugins_that_break_it() -> None:
    early = [rule.id for rule in rules() if rule.checks[0].group.level != "hardened"]
    counts = {rule: sum(kept.rule == rule for kept in wrong()) for rule in early}
    assert {rule: count for rule, count in counts.items() if count < 3} == {}


def test_every_rule_but_the_one_about_files_has_a_plugin_that_breaks_it_over_http() -> None:
    over_http = {kept.rule for kept in wrong() if isinstance(kept.world(), HttpWorld)}
    assert {rule.id for rule in rules()} - over_http == {"E1"}
