"""The rows of the contract's table, held against what a command did."""

from collections.abc import Mapping, Sequence

from dtm_sdk.options import Json
from dtm_sdk.testing.difference import difference
from dtm_sdk.testing.stage import Ran, Stage
from dtm_sdk.testing.subject import Raw, same
from dtm_sdk.testing.worlds.world import Tree


def row(stage: Stage, name: str, ran: Ran, action: str, said: str, calls: Sequence[str]) -> None:
    """Hold a row of the table against what a command did: what was planned, the sentence, the calls in order.

    Where the row reads, one Read or more is right: the runner may ask again.
    """
    message = f"the row {name!r} of the contract's table is not kept"
    if ran.problems:
        stage.subject.fail(f"{message}: {'; '.join(ran.problems)}", trace=ran.trace)
    reads, others = "read" in ran.calls, [call for call in ran.calls if call != "read"]
    found = {"planned": " ".join(ran.planned), "calls": [*["read"] * reads, *others]}
    wanted = {"planned": action, "calls": list(calls)}
    if found != wanted:
        stage.subject.fail(message, difference(wanted, found))
    if said not in " ".join(ran.messages):
        stage.subject.fail(f"{message}: the plan says {' '.join(ran.messages)!r}")


def drifted(stage: Stage, tool: Mapping[str, Json], raw: Raw, before: Tree) -> None:
    """The row of a resource that was changed behind the plugin's back, where Read can see the change."""
    subject = stage.subject
    recorded = stage.resource("one")
    subject.restore(before, "as it was with the options before")
    if not same(subject.read(raw, recorded), recorded):
        ran = stage.apply(tool)
        row(stage, "it differs from the record", ran, "Update one", "drifted from the state", ["read", "update"])
