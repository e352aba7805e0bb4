"""What a power cut may leave of the files that a process wrote, worked out from what strace saw it do.

The disk is the worst one that is in use: each folder keeps some of the changes made to its names since it was last
synced, each file some of its writes since it was last synced, the last of them maybe torn. Each keeps them in their
order, and waits for no other.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple, TypeAlias, TypeVar

T = TypeVar("T")

CALLS = "openat,mkdirat,rename,renameat,unlink,unlinkat,write,pwrite64,ftruncate,fsync,fdatasync"
TRACE = ["strace", "-f", "-y", "-xx", "-s", "1000000", "-e", f"trace={CALLS}"]
"""The start of a command whose output, by `-o`, is a trace for `Recording.add`."""

_CALL = re.compile(r"\d+ +(\w+)\((.*)\) += \d+")
_BEGUN = re.compile(r"(\d+) +(\w+\(.*) <unfinished \.\.\.>")
_RESUMED = re.compile(r"(\d+) +<\.\.\. \w+ resumed>(.*)")
_HEX = re.compile(r"((?:\\x[0-9a-f]{2})+)")

Tree: TypeAlias = dict[str, bytes | None]
"""Path below the root -> the content of a file; None for a folder."""
Node: TypeAlias = str | int
"""The path of a folder; the number of a file, which stays when it is renamed."""
Names: TypeAlias = dict[str, Node]
"""What the names in a folder stand for."""


class Named(NamedTuple):
    """A change of the names in a folder: without an old one, something new; without a new one, something removed."""

    target: Node
    old: str
    new: str
    node: Node

    def half(self) -> "Named | None":
        """What is left of it when it is torn: it can't be."""
        return None


class Written(NamedTuple):
    """A change of the content of a file: `data` at `offset`, or at its end; without data, it is cut there."""

    target: Node
    offset: int | None
    data: bytes | None

    def half(self) -> "Written | None":
        """What is left of it when it is torn."""
        return self._replace(data=self.data[: len(self.data) // 2]) if self.data else None


class Synced(NamedTuple):
    """All changes of a folder or file before this are durable."""

    target: Node


class Said(NamedTuple):
    """Text was written to standard output."""

    text: str


class Recording:
    """What was done below a folder that was empty before.

    Attributes:
        root: its path.
        steps: in their order.
    """

    def __init__(self, root: Path) -> None:
        self.steps: list[Named | Written | Synced | Said] = []
        self.root = str(root)
        self._nodes: Names = {self.root: self.root}  # by path, as things are now

    def add(self, trace: str) -> None:
        """Take in the trace of one more process."""
        for line in _whole(trace):
            call = _CALL.match(line)
            if call:
                name, arguments = call[1], call[2].split(", ")
                at = _decoded(arguments[0]).decode()
                if name in {"rename", "unlink"} and not at.startswith("/"):  # from the working directory, the root
                    self._take(f"{name}at", self.root, [arguments[0], "", *arguments[1:]])
                elif arguments[0].startswith("1<"):
                    self.steps.append(Said(_decoded(arguments[1]).decode()))
                elif f"{at}/".startswith(f"{self.root}/"):
                    self._take(name, at, arguments[1:])

    def _take(self, call: str, at: str, arguments: Sequence[str]) -> None:
        match call:
            case "openat" | "mkdirat":
                name = _decoded(arguments[0]).decode()
                path = f"{at}/{name}"
                if path not in self._nodes and (call == "mkdirat" or "O_CREAT" in arguments[1]):
                    self._nodes[path] = path if call == "mkdirat" else len(self.steps)
                    self.steps.append(Named(at, "", name, self._nodes[path]))
            case "renameat" | "unlinkat":
                old, new = (
                    _decoded(arguments[0]).decode(),
                    _decoded(arguments[2]).decode() if len(arguments) > 2 else "",
                )
                node = self._nodes.pop(f"{at}/{old}")
                if new:
                    self._nodes[f"{at}/{new}"] = node
                self.steps.append(Named(at, old, new, node))
            case "fsync" | "fdatasync":
                self.steps.append(Synced(self._nodes[at]))
            case "ftruncate":
                self.steps.append(Written(self._nodes[at], int(arguments[0]), None))
            case "write" | "pwrite64":
                offset = int(arguments[2]) if call == "pwrite64" else None
                self.steps.append(Written(self._nodes[at], offset, _decoded(arguments[0])))

    def syncs(self) -> Iterator[tuple[int, str, Named | None]]:
        """Each sync: its index, the name of what is synced, and, of a folder, the last change of the names in it."""
        names: dict[Node, str] = {self.root: "."}
        last: dict[Node, Named] = {}
        for index, step in enumerate(self.steps):
            if isinstance(step, Synced):
                yield index, names[step.target], last[step.target] if isinstance(step.target, str) else None
            elif isinstance(step, Named):
                last[step.target] = step
                names[step.node] = step.new or step.old

    def said(self, count: int) -> str:
        """What was written to standard output in so many steps."""
        return "".join(step.text for step in self.steps[:count] if isinstance(step, Said))

    def after_power_cut(self, count: int, without: int | None = None) -> Iterator[Tree]:
        """Every tree that a power cut after so many steps may leave.

        Args:
            count: how many steps.
            without: the index of a sync that is taken for not done.
        """
        steps = [step for index, step in enumerate(self.steps[:count]) if index != without]
        folders = list(dict.fromkeys([self.root, *(step.target for step in steps if isinstance(step, Named))]))
        for chosen in product(*(_alternatives(steps, folder, _names) for folder in folders)):
            reached = dict(_reached(dict(zip(folders, chosen, strict=True)), self.root, ""))
            files = sorted({node for node in reached.values() if isinstance(node, int)})
            for contents in product(*(_alternatives(steps, file, _content) for file in files)):
                content: dict[Node, bytes] = dict(zip(files, contents, strict=True))
                yield {path: content.get(node) for path, node in reached.items()}


def _whole(trace: str) -> Iterator[str]:
    """The lines of a trace; a call that another thread's interrupted stands where it ended."""
    begun: dict[str, str] = {}
    for line in trace.splitlines():
        if call := _BEGUN.fullmatch(line):
            begun[call[1]] = call[2]
        elif (rest := _RESUMED.fullmatch(line)) and rest[1] in begun:
            yield f"{rest[1]} {begun.pop(rest[1])}{rest[2]}"
        else:
            yield line


def _alternatives(
    steps: Sequence[Named | Written | Synced | Said], target: Node, outcome: Callable[[Sequence[NamedTuple]], T]
) -> list[T]:
    """What the changes of a folder or file may have come to: all before its last sync, and some of those after."""
    changes: list[Named | Written] = []
    durable = 0
    for step in steps:
        if isinstance(step, Named | Written) and step.target == target:
            changes.append(step)
        elif isinstance(step, Synced) and step.target == target:
            durable = len(changes)
    found: list[T] = []
    for kept in range(durable, len(changes) + 1):
        torn = [half for change in changes[kept : kept + 1] if (half := change.half()) is not None]
        for last in ([], torn):
            result = outcome([*changes[:kept], *last])
            if result not in found:
                found.append(result)
    return found


def _names(changes: Sequence[NamedTuple]) -> Names:
    names: Names = {}
    for change in changes:
        assert isinstance(change, Named)
        names.pop(change.old, None)
        if change.new:
            names[change.new] = change.node
    return names


def _content(changes: Sequence[NamedTuple]) -> bytes:
    content = b""
    for change in changes:
        assert isinstance(change, Written)
        offset = len(content) if change.offset is None else change.offset
        rest = b"" if change.data is None else content[offset + len(change.data) :]
        content = content[:offset].ljust(offset, b"\0") + (change.data or b"") + rest
    return content


def _reached(folders: dict[Node, Names], folder: str, below: str) -> Iterator[tuple[str, Node]]:
    """Each path below a folder, and what it stands for."""
    for name, node in folders.get(folder, {}).items():
        yield f"{below}{name}", node
        if isinstance(node, str):
            yield from _reached(folders, node, f"{below}{name}/")


def _decoded(argument: str) -> bytes:
    """The text in an argument: strace was told to write all text in hexadecimal."""
    found = _HEX.search(argument)
    return bytes.fromhex(found[1].replace("\\x", "")) if found else b""
