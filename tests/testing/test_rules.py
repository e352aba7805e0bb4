"""What a check says of itself, taken from its docstring."""

from dtm_sdk.testing.rules import rule
from dtm_sdk.testing.telling import page


def test_the_code_in_a_rule_keeps_its_indentation() -> None:
    assert rule("C4").wrong == 'options.labels["managed-by"] = "dtm"\nservice.post({"labels": options.labels})'
    assert "\n    def create(options):\n        body = " in page(rule("C3"))
