"""In which order nodes can be done, where some edges give way to others. Pure; fast where nothing is in conflict."""

from collections.abc import Iterable, Mapping
from heapq import heappop, heappush


class Graph:
    """Nodes by name, and what each waits for.

    Hard edges must hold, and have no cycle among themselves. Soft edges give way, one by one, where they close a cycle:
    they come from records, which may say the opposite of the config.
    """

    __slots__ = ("_hard", "_soft")

    def __init__(self, nodes: Iterable[str]) -> None:
        self._hard: dict[str, set[str]] = {node: set() for node in nodes}
        self._soft: dict[str, set[str]] = {}

    def __contains__(self, node: str) -> bool:
        return node in self._hard

    def hard(self, node: str, before: str) -> None:
        """`node` waits for `before`; nothing happens where either isn't in the graph."""
        if node in self._hard and before in self._hard and node != before:
            self._hard[node].add(before)

    def soft(self, node: str, before: str) -> None:
        """The same, for an edge that may give way."""
        if node in self._hard and before in self._hard and node != before:
            self._soft.setdefault(node, set()).add(before)

    def ordered(self) -> dict[str, frozenset[str]]:
        """Each node with what it waits for, in an order that could be done one by one.

        Of the nodes that could come next, the first in the order given does.

        Raises:
            ValueError: the hard edges have a cycle.
        """
        waits = {node: before | self._soft.get(node, set()) for node, before in self._hard.items()}
        left = {node: len(before) for node, before in waits.items()}
        followers: dict[str, list[str]] = {}
        for node, before in waits.items():
            for each in before:
                followers.setdefault(each, []).append(node)
        names = list(waits)
        places = {node: place for place, node in enumerate(names)}
        ready = [place for place, node in enumerate(names) if not left[node]]  # a heap, since it is sorted
        at = 0
        order: dict[str, frozenset[str]] = {}
        while len(order) < len(waits):
            if not ready:
                while names[at] in order:
                    at += 1
                node, before_node = self._conflict(names[at], waits, order)
                waits[node] = waits[node] - {before_node}
                followers[before_node].remove(node)
                left[node] -= 1
                if not left[node]:
                    heappush(ready, places[node])
                continue
            node = names[heappop(ready)]
            order[node] = frozenset(waits[node])
            for each in followers.get(node, ()):
                left[each] -= 1
                if not left[each]:
                    heappush(ready, places[each])
        return order

    def _conflict(self, node: str, waits: Mapping[str, set[str]], done: Mapping[str, object]) -> tuple[str, str]:
        """A soft edge on a cycle, as (node, what it waits for): walk back along what isn't done until a node recurs."""
        path: dict[str, str] = {}
        while node not in path:
            path[node] = next(each for each in sorted(waits[node]) if each not in done)
            node = path[node]
        start = node
        while path[node] in self._hard[node]:
            node = path[node]
            if node == start:
                raise ValueError(f"the hard edges have a cycle through {start}")
        return node, path[node]
