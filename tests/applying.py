"""Applies configs to a `World` by the real planner, executor, threads and plugin calls; the state is in memory."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from dtm_sdk.calls import Sources, calling
from dtm_sdk.changes import Plan
from dtm_sdk.events import Event
from dtm_sdk.execute import Batch, Executor
from dtm_sdk.ownership import Facts
from dtm_sdk.plan import Planner
from dtm_sdk.plugin import Plugin
from dtm_sdk.running import Running
from dtm_sdk.state import Ledger
from dtm_sdk.tools import Tool
from dtm_sdk.workers import Stop
from tests.things import finder

KEY = bytes(32)


@dataclass
class Applied:
    """What one apply did.

    Attributes:
        plan: what was planned.
        batches: what the executor gave, in order.
    """

    plan: Plan
    batches: list[Batch] = field(default_factory=list)

    @property
    def events(self) -> list[Event]:
        """Everything it told."""
        return [event for batch in self.batches for event in batch.events]


def apply(
    plugins: Iterable[Plugin], tools: Iterable[Tool], ledger: Ledger, *, parallelism: int = 4, agree: bool = True
) -> Applied:
    """Plan and execute; the ledger takes in each batch before the next one begins."""
    find_plugin = finder(*plugins)
    wanted = {tool.key: tool for tool in tools}
    stop = Stop()
    with calling(find_plugin, KEY, wanted, Sources({}), stop, parallelism=parallelism, debug=False) as (workers, calls):
        planner = Planner(Facts(wanted, dict(ledger.records), find_plugin, lambda text: text))
        while questions := planner.questions():
            for question in questions:
                planner.answer(question.desired.tool.key, calls.read(question))
        applied = Applied(planner.plan())
        executor = Executor(
            applied.plan,
            calls,
            ledger.records,
            workers,
            stop,
            Running(stop, None, None),
            planner=planner,
            ask=lambda change: agree,
            intents=ledger.open,
        )
        for batch in executor.run():
            for entry in batch.entries:
                ledger.fold(entry)
            applied.batches.append(batch)
    for record in applied.plan.notes:
        ledger.records[record.key] = record
    return applied
