"""`python -m tests.zoo NAME [RULE...]`: what the checks find in one plugin of the zoo; without a name, their names."""

import sys

from tests.zoo.zoo import Kept, Wrong, findings, right, wrong


def main() -> None:
    """Look at one."""
    every: dict[str, Kept | Wrong] = {each.name: each for each in right()}
    every |= {each.id: each for each in wrong()}
    if not sys.argv[1:]:
        print("\n".join(every))
        return
    name, *rules = sys.argv[1:]
    for finding in findings(every[name], rules):
        print(f"{finding.verdict:12}{finding.check}  {finding.seconds:.2f} s  {finding.message}")
        for line in (*finding.steps, *finding.difference, *finding.notes, *finding.trace.splitlines()):
            print(f"                {line}")


main()
