from dtm_sdk.testing.rules import checks, rules


def test_every_rule_that_a_check_rests_on_has_checks() -> None:
    known = {rule.id for rule in rules()}
    strange = {check.name: set(check.rests_on) - known for check in checks()}
    assert {name: ids for name, ids in strange.items() if ids} == {}


def test_no_check_rests_on_its_own_rule_or_in_a_circle() -> None:
    rests: dict[str, set[str]] = {}
    for check in checks():
        rests.setdefault(check.rule, set()).update(check.rests_on)

    def reached(rule: str, seen: frozenset[str]) -> frozenset[str]:
        for under in rests.get(rule, set()) - seen:
            seen = reached(under, seen | {under})
        return seen

    assert [rule for rule in rests if rule in reached(rule, frozenset())] == []
