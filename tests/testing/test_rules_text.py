from dtm_sdk.testing.rules import rules


def test_a_wrong_example_is_indented_as_it_was_written() -> None:
    wrong = {rule.id: rule.wrong for rule in rules()}
    assert wrong["C1"].startswith("return {")
    assert wrong["L2"] == (
        'def update(options, state):\n    state["size"] = options.size    # the record of the runner\n    return state'
    )


def test_every_rule_says_why_what_is_wrong_and_how_to_mend_it() -> None:
    assert [rule.id for rule in rules() if not (rule.text and rule.why and rule.wrong and rule.mend)] == []
