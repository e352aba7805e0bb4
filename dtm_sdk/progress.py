"""How far the execution of a plan has come: which nodes are ready, which wait, which can't be done any more. Pure."""

from collections import deque

from msgspec import Struct, field

from dtm_sdk.changes import Change, Plan, delete_node
from dtm_sdk.decide import Action
from dtm_sdk.operations import Op, operations


class Node(Struct, eq=False):
    """A node of the plan while it is executed.

    Attributes:
        name: its name in the plan.
        waits: how many nodes it waits for still.
        followers: the nodes that wait for it.
        change: what it is about; None for a tool with nothing to do.
        ops: the operations that are left to call.
        ended: done, failed or skipped.
    """

    name: str
    waits: int
    followers: list["Node"] = field(default_factory=list)
    change: Change | None = None
    ops: list[Op] = field(default_factory=list)
    ended: bool = False


class Progress:
    """The nodes of one plan.

    Attributes:
        nodes: name -> node.
        ready: those that wait for nothing, in the order in which they became so.
    """

    def __init__(self, plan: Plan) -> None:
        self.nodes = {name: Node(name, len(waits)) for name, waits in plan.nodes.items()}
        for name, waits in plan.nodes.items():
            for each in waits:
                self.nodes[each].followers.append(self.nodes[name])
        for change in plan.changes:
            for op in operations(change):
                node = self.nodes[delete_node(change.key) if op.action is Action.DELETE else change.key]
                node.change = change
                node.ops.append(op)
            if change.action in (Action.LATE, Action.MOVE):
                self.nodes[change.key].change = change
        self.ready = deque(node for node in self.nodes.values() if not node.waits)
        self._parked: dict[str, list[Node]] = {}

    def end(self, node: Node) -> None:
        """A node is done: what waited for it may start."""
        node.ended = True
        for follower in node.followers:
            follower.waits -= 1
            if not follower.waits and not follower.ended:
                self.ready.append(follower)
        self.ready.extend(self._parked.pop(node.name, ()))

    def fail(self, node: Node) -> list[Node]:
        """A node can't be done: nor can what waits for it, which is returned where it has something to do."""
        node.ended = True
        skipped: list[Node] = []
        stack = [*node.followers, *self._parked.pop(node.name, ())]
        while stack:
            follower = stack.pop()
            if follower.ended:
                continue
            follower.ended = True
            stack += [*follower.followers, *self._parked.pop(follower.name, ())]
            if follower.change:
                skipped.append(follower)
        return skipped

    def park(self, node: Node, behind: Node) -> None:
        """A node that was ready has to wait for another one after all."""
        self._parked.setdefault(behind.name, []).append(node)

    def unpark(self) -> list[tuple[Node, Node]]:
        """The nodes that are parked still, each with the one it waits for."""
        stuck = [(node, self.nodes[name]) for name, nodes in self._parked.items() for node in nodes if not node.ended]
        self._parked.clear()
        return stuck

    def add(self, name: str, change: Change, op: Op) -> Node:
        """A node that the plan didn't foresee, ready to start."""
        node = self.nodes[name] = Node(name, 0, change=change, ops=[op])
        self.ready.append(node)
        return node
