"""What a change calls: its operations as values. Pure."""

from collections.abc import Mapping
from typing import Final, Protocol

from msgspec import Struct

from dtm_sdk.changes import Change, Plan, recorded
from dtm_sdk.decide import Action, Desired, Seen, known_state, lasting
from dtm_sdk.options import Json, Options
from dtm_sdk.plan import Question
from dtm_sdk.plugin import Operation
from dtm_sdk.state import Record

OPERATIONS: Final[Mapping[Action, Operation]] = {
    Action.CREATE: "create",
    Action.ADOPT: "update",
    Action.UPDATE: "update",
    Action.DELETE: "delete",
}


class Op(Struct, frozen=True):
    """One operation to be called.

    Attributes:
        change: why.
        action: what it is shown as: CREATE, ADOPT, UPDATE or DELETE.
        desired: the tool as it is wanted; None for a Delete of what is recorded.
        record: its record; None where there is none.
    """

    change: Change
    action: Action
    desired: Desired | None
    record: Record | None

    @property
    def makes(self) -> bool:
        """Whether a resource that wasn't this tool's is made or taken over."""
        return self.action in (Action.CREATE, Action.ADOPT)

    @property
    def manual(self) -> bool:
        """Whether nothing can find what it makes once its record is lost."""
        return self.desired is not None and self.desired.plugin.recovery == "manual"

    @property
    def operation(self) -> Operation:
        """The operation of the plugin."""
        return OPERATIONS[self.action]

    def intent(self) -> Record:
        """What will be recorded when it succeeds, with the resource as last known; of a Delete, what is recorded."""
        if self.action is Action.DELETE and self.record:
            return lasting(self.record)
        return self.outcome(known_state(self.record) or {})

    def outcome(self, resource: dict[str, Json]) -> Record:
        """What is recorded when it has succeeded, but for a Delete."""
        if self.desired is None:
            raise ValueError(f"{self.change.key}: only what is wanted has an outcome")
        adopted = self.action is Action.ADOPT and self.record is None
        return recorded(self.desired, resource, self.record, adopted=adopted)


class Calls(Protocol):
    """Calls the plugins, from worker threads."""

    def read(self, question: Question) -> Seen:
        """What Read says; never raises."""

    def options(self, op: Op) -> Options:
        """The typed options to call an operation with; in the main thread, since it may have to ask for a secret.

        Raises:
            DtmError: they can't be had.
        """

    def operate(self, op: Op, options: Options) -> dict[str, Json]:
        """Call one operation; returns the resource, masked; empty for a Delete.

        Raises:
            DtmError: it failed; where it is a bug of the plugin, `trace` holds the traceback.
        """


def operations(change: Change) -> list[Op]:
    """What a change calls, in order; nothing for one that is decided late or changes a record only."""
    match change.action:
        case Action.LATE | Action.MOVE:
            return []
        case Action.REPLACE:
            delete = Op(change, Action.DELETE, None, change.record)
            return [delete, Op(change, Action.CREATE, change.desired, None)]
        case _:
            return [Op(change, change.action, change.desired, change.record)]


def total(plan: Plan) -> int:
    """How many operations a plan has, as far as is known."""
    return len(plan.changes) + sum(change.action is Action.REPLACE for change in plan.changes)
