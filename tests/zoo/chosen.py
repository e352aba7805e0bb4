"""`python -m tests.zoo.chosen`: some plugins of the zoo, so that each line of the checks is run: to measure coverage.

Right plugins meet all checks but the slowest, two wrong ones of each rule the checks of their rule. Under coverage each
check leaves a file of its own, since it runs in a process of its own: with the whole zoo there would be thousands.
"""

from dtm_sdk.testing.rules import rules
from tests.zoo.zoo import findings, right, wrong

RIGHT = ("note", "row", "ticket", "widget")
SLOW = frozenset({"F2", "M1"})


def main() -> None:
    """Run them, and say how it went."""
    every = [rule.id for rule in rules()]
    for kept in right():
        if kept.name in RIGHT:
            met = [id_ for id_ in every if id_ not in SLOW or kept.name == "note"]
            print(kept.name, *(found.verdict[0] for found in findings(kept, met)), flush=True)
    for id_ in every:
        for broken in [each for each in wrong() if each.rule == id_ and not each.ready][:2]:
            print(broken.id, *(found.verdict[0] for found in findings(broken, [id_])), flush=True)


main()
