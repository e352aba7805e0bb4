"""The plugin under test in its world: what the checks call it through, and how they say what is wrong."""

import os
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any, NoReturn, TypeVar

import msgspec

from dtm_sdk.errors import DtmError, OptionsError
from dtm_sdk.options import Json, Options
from dtm_sdk.plugin import Operation, Plugin, State
from dtm_sdk.secret_text import reveal_all
from dtm_sdk.shape import full
from dtm_sdk.testing.children import Leftovers
from dtm_sdk.testing.difference import difference, short
from dtm_sdk.testing.forked import ChildDiedError, forked
from dtm_sdk.testing.source import Source
from dtm_sdk.testing.verdicts import Violation, skip
from dtm_sdk.testing.watch import Watch
from dtm_sdk.testing.worlds.world import Place, Tree, World, places, pruned

T = TypeVar("T")

Raw = dict[str, Json]
"""Plain options, as a config has them."""


class Subject:
    """A plugin in its world, in the process of one check.

    Attributes:
        plugin: the plugin.
        world: its world, open.
        seed: of what is left to chance.
        source: where the plugin comes from.
        scratch: a folder for what a check keeps beside the world; the plugin may not write there.
        thorough: whether to try all where else some are tried.
        empty: the world as it was before anything was done.
        bound: the plugin's examples, bound to the world.
        random: a source of chance that repeats with the same seed.
        steps: what was called since the world was fresh, oldest first.
        notes: what is worth telling beside the verdict.
        leftovers: processes that operations have left at work.
    """

    def __init__(
        self, plugin: Plugin, world: World, seed: int, *, source: Source, scratch: Path, thorough: bool = False
    ) -> None:
        self.plugin = plugin
        self.world = world
        self.seed = seed
        self.source = source
        self.scratch = scratch
        self.thorough = thorough
        self.empty: Tree = world.snapshot()
        self.bound: list[Raw] = [world.bind(example) for example in plugin.examples]
        self.random = Random(seed)  # noqa: S311  # it makes samples
        self.steps: list[str] = []
        self.notes: list[str] = []
        self.leftovers = Leftovers()
        self._secrets: set[str] = set()
        self._process = os.getpid()

    @cached_property
    def refused(self) -> list[tuple[int, str]]:
        """The examples that are not valid: the number of each, from 0, and why; rule A4 says so."""
        why = [(index, self._refusal(raw)) for index, raw in enumerate(self.bound)]
        return [(index, text) for index, text in why if text]

    @cached_property
    def examples(self) -> list[Raw]:
        """The plugin's examples, bound to the world; those that are valid."""
        wrong = {index for index, _ in self.refused}
        return [raw for index, raw in enumerate(self.bound) if index not in wrong]

    def _refusal(self, raw: Raw) -> str:
        try:
            self.plugin.parse(deepcopy(raw))
        except BaseException as error:  # noqa: BLE001  # the boundary to an author's code
            return describe(error)
        return ""

    # --- what is there -----------------------------------------------------------------------------------------------

    def fresh(self) -> Tree:
        """Put the world back to how it was, forget the steps; returns its snapshot."""
        self.leftovers.outlive()
        with Watch.here().unguarded():
            self.world.restore(self.empty)
        self.steps.clear()
        return self.empty

    def snapshot(self) -> Tree:
        """What is in the world now."""
        with Watch.here().unguarded():
            return self.world.snapshot()

    def restore(self, tree: Tree, what: str) -> None:
        """Put the world to a snapshot, behind the plugin's back; `what` tells the reader of the steps."""
        self.leftovers.outlive()
        with Watch.here().unguarded():
            self.world.restore(tree)
        self.steps.append(f"# behind the plugin's back: {what}")

    def changes(self, before: Tree, after: Tree) -> list[Place]:
        """Where two snapshots differ, what the world calls volatile aside."""
        return places(pruned(self.world, before), pruned(self.world, after))

    @property
    def pairs(self) -> list[tuple[Raw, Raw]]:
        """The update pairs among the examples: two with the same identity that differ in more than Tuning."""
        shape = self.plugin.shape
        found = []
        for index, one in enumerate(self.examples):
            for other in self.examples[index + 1 :]:
                a, b = self.full(one), self.full(other)
                if shape.identity_of(a) == shape.identity_of(b) and shape.comparable(a) != shape.comparable(b):
                    found.append((one, other))
        return found

    def full(self, raw: Mapping[str, Json]) -> Raw:
        """Plain options with defaults; secrets as their text."""
        return full(self.parse(raw), lambda text: text)

    def parse(self, raw: Mapping[str, Json]) -> Options:
        """The typed options of plain ones that must be valid.

        Raises:
            Violation: they aren't.
        """
        try:
            return self.plugin.parse(deepcopy(dict(raw)))
        except DtmError as error:
            self.fail(f"the options {short(raw)} are refused: {error}")

    # --- calling -----------------------------------------------------------------------------------------------------

    def call(
        self,
        operation: Operation,
        raw: Mapping[str, Json],
        state: State | None = None,
        *,
        options: Options | None = None,
    ) -> Any:
        """What an operation returns, or raises, as it is; `options` are those of `raw` where a check keeps them.

        Raises:
            BaseException: what the plugin raised.
        """
        options = options or self.parse(raw)
        secrets = reveal_all(options)
        self._secrets.update(secrets)
        given = short(raw) + (f", {short(state)}" if state is not None and self.takes_state(operation) else "")
        self.steps.append(_hidden(f"{operation}({given})", secrets))
        try:
            result = self.plugin.call(operation, options, deepcopy(state))
        except BaseException as error:
            self.leftovers.likely = True
            self.steps[-1] += _hidden(f"  raises {describe(error)}", secrets)
            raise
        finally:
            if os.getpid() != self._process:  # the plugin has forked, and this is not the one that is asked
                os._exit(0)
        self.steps[-1] += _hidden(f"  -> {short(result)}", secrets)
        return result

    def shown(self, raw: Mapping[str, Json]) -> str:
        """Plain options in a line, without their secrets."""
        return _hidden(short(raw), reveal_all(self.parse(raw)))

    def must(self, operation: Operation, raw: Mapping[str, Json], state: State | None = None) -> Any:
        """What an operation returns, which must succeed.

        Raises:
            Violation: it raised.
        """
        try:
            return self.call(operation, raw, state)
        except BaseException as error:  # noqa: BLE001  # the boundary to an author's code
            self.fail(f"{operation} raised {describe(error)}", trace=trace_of(error))

    def create(self, raw: Mapping[str, Json]) -> State:
        """Create, which must succeed."""
        made: State = self.must("create", raw)
        return made

    def read(self, raw: Mapping[str, Json], state: State | None = None) -> State | None:
        """Read, which must succeed."""
        found: State | None = self.must("read", raw, state)
        return found

    def update(self, raw: Mapping[str, Json], state: State | None = None) -> State:
        """Update, which must succeed."""
        made: State = self.must("update", raw, state)
        return made

    def delete(self, raw: Mapping[str, Json], state: State | None = None) -> bool:
        """Delete, which must succeed; what it returned."""
        gone: bool = self.must("delete", raw, state)
        return gone

    def apart(self, work: Callable[[], T]) -> T:
        """What some work returns, done in a child process, where only the plugin's own threads and files are.

        Raises:
            Violation: the work said so, or its process ended early.
        """

        def work_there() -> T:
            self._process = os.getpid()
            return work()

        try:
            return forked(work_there)
        except ChildDiedError as error:
            self.fail(str(error))

    @contextmanager
    def quietly(self) -> Iterator[None]:
        """Inside, an operation whose verdict doesn't matter may raise what it likes."""
        try:
            yield
        except Violation:
            raise
        except BaseException as error:  # noqa: BLE001  # the boundary to an author's code
            note = _hidden(describe(error), self._secrets)
            self.notes += [] if note in self.notes else [note]

    def takes_state(self, operation: Operation) -> bool:
        """Whether an operation takes the recorded state."""
        return operation in self.plugin._stateful  # noqa: SLF001  # ours

    # --- judging -----------------------------------------------------------------------------------------------------

    def fail(self, message: str, diff: Sequence[str] = (), trace: str = "") -> NoReturn:
        """End the check: the plugin breaks the rule. What it says shows no secret: worlds hold them in the clear.

        Raises:
            Violation: always.
        """
        lines = tuple(_hidden(line, self._secrets) for line in diff)
        raise Violation(_hidden(message, self._secrets), lines, _hidden(trace, self._secrets))

    def same_states(self, wanted: object, found: object, message: str) -> None:
        """Hold two states against each other.

        Raises:
            Violation: they differ; the difference is shown, `-` of the first, `+` of the second.
        """
        if not same(wanted, found):
            self.fail(message, difference(wanted, found))

    def same_world(self, wanted: Tree, found: Tree, message: str) -> None:
        """Hold two snapshots against each other, what the world calls volatile aside.

        Raises:
            Violation: they differ; the difference is shown.
        """
        a, b = pruned(self.world, wanted), pruned(self.world, found)
        if places(a, b):
            self.fail(message, difference(a, b))

    def keeps_options(self, operation: Operation, raw: Raw, state: State | None = None) -> None:
        """Call an operation, however it ends, and look at its options then.

        Raises:
            Violation: they have changed.
        """
        options = self.parse(deepcopy(raw))  # an object of free content is shared with the plain options
        before = full(options)
        with self.quietly():
            self.call(operation, raw, state, options=options)
        if not same(before, full(options)):
            self.fail(f"{operation} changed its options", difference(before, full(options)))

    def an_example(self) -> Raw:
        """The first valid example.

        Raises:
            Skipped: there is none; rule A4 says so.
        """
        if not self.examples:
            skip("the plugin has no valid examples: rule A4")
        return self.examples[0]


def same(one: object, other: object) -> bool:
    """Whether two plain values are the same JSON: 1, 1.0 and true are three values."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    return type(one) is type(other) and one == other


def _hidden(text: str, secrets: Iterable[str]) -> str:
    """A text without the secrets: it is printed, and written to reports."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def describe(error: BaseException) -> str:
    """An exception in one line; every problem of an OptionsError."""
    said = (
        "; ".join(f"{path}: {message}" for path, message in error.problems) if isinstance(error, OptionsError) else ""
    )
    try:
        text = said or str(error)
    except Exception:  # noqa: BLE001  # an author's __str__
        text = ""
    return f"{type(error).__name__}: {short(text)}" if text else type(error).__name__


def trace_of(error: BaseException, *, whole: bool = False) -> str:
    """The traceback, from where the plugin's code begins; with the suite's own if it is to be `whole`."""
    start = error.__traceback__
    while not whole and start and start.tb_next and "dtm_sdk" in start.tb_frame.f_globals.get("__name__", ""):
        start = start.tb_next
    text = "".join(traceback.format_exception(type(error), error, start))
    return text.encode(errors="backslashreplace").decode()  # it is sent and written as UTF-8


def without(state: Json, paths: Sequence[str]) -> Json:
    """A copy of a state without what is at some dotted paths."""
    copy = deepcopy(state)
    for path in paths:
        *above, last = path.split(".")
        inner = copy
        for key in above:
            inner = inner.get(key) if isinstance(inner, dict) else None
        if isinstance(inner, dict):
            inner.pop(last, None)
    return copy


def plain(value: object) -> Json:
    """A value as JSON gives it back."""
    return msgspec.json.decode(msgspec.json.encode(value))
