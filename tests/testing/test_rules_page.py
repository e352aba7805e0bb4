"""The page of the rules is what the checks say, and each rule says all that a stranger needs."""

from pathlib import Path

import pytest

from dtm_sdk.testing.rules import Rule, rules
from dtm_sdk.testing.telling import explain, markdown

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"


def test_the_page_is_in_step() -> None:
    """Made by `pytest --dtm-explain markdown >docs/rules.md`."""
    assert PAGE.read_text(encoding="utf-8") == markdown() + "\n"


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.id)
def test_a_rule_says_why_what_is_wrong_and_how_to_mend_it(rule: Rule) -> None:
    assert all((rule.text, rule.why, rule.wrong, rule.mend))
    assert all(check.text for check in rule.checks)
    assert rule.why.splitlines()[0] in explain(rule.id)
