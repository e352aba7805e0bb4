"""The plugin under the real runner: each command in a process of its own, the calls of the plugin counted."""

import encodings.utf_8_sig
import hashlib
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from itertools import count
from typing import Any, Final, Literal

from msgspec import Struct

import dtm_sdk.backends.local
from dtm_sdk.errors import PluginError
from dtm_sdk.events import Failed, Said
from dtm_sdk.options import Json
from dtm_sdk.plugin import OPERATIONS, Operation, Plugin
from dtm_sdk.shape import full
from dtm_sdk.state import Record
from dtm_sdk.testing.forked import ChildDiedError, forked
from dtm_sdk.testing.runs import Run, Runner
from dtm_sdk.testing.subject import Raw, Subject
from dtm_sdk.testing.watch import Watch

_IMPORTED: Final = (encodings.utf_8_sig, logging, dtm_sdk.backends.local)
"""What each command would import anew in its process, at ten times the cost of the rest of it."""

Command = Literal["apply", "delete", "destroy", "plan", "verify"]


class Ran(Struct, frozen=True):
    """How a command ended, as plain values.

    Attributes:
        planned: what was planned, as `Create one`, in order.
        messages: the sentences of the decision table.
        problems: what went wrong, a line each.
        calls: the operations that were called, in order, as `create`.
        returned: what the last call of each operation returned.
        trace: the traceback of a plugin's bug; else empty.
        said: the lines of the plugins.
    """

    planned: list[str]
    messages: list[str]
    problems: list[str]
    calls: list[str]
    returned: dict[str, Any]
    trace: str
    said: list[str]


class Calls:
    """What a plugin was asked and what it answered, in the order it was done.

    Attributes:
        names: of the operations.
        returned: operation -> what its last call returned.
        failing: operations that are made to fail in place of being called.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self.returned: dict[str, Any] = {}
        self.failing: frozenset[str] = frozenset()

    def counted(self, plugin: Plugin) -> Plugin:
        """The plugin, each of whose operations is noted here when it is called."""
        noted: dict[str, Any] = {name: self._noted(name, getattr(plugin, name)) for name in OPERATIONS}
        return replace(plugin, **noted)

    def _noted(self, name: Operation, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def noted(*given: Any) -> Any:
            self.names.append(name)
            if name in self.failing:
                raise PluginError(f"the suite made this {name} fail", "nothing")
            self.returned[name] = result = function(*given)
            return result

        return noted


class Stage:
    """A config, a state, and the commands on them. One operation at a time: what two at once do is rule P1's.

    Args:
        subject: the plugin and its world.
        others: plugins of the suite's own that tools may name too.
    """

    _numbers = count(1)

    def __init__(self, subject: Subject, others: Sequence[Plugin] = ()) -> None:
        self.subject = subject
        self.calls = Calls()
        self.folder = subject.scratch / f"run{next(self._numbers)}"
        with Watch.here().unguarded():
            self.folder.mkdir()
        self.runner = Runner(self.folder, [self.calls.counted(subject.plugin), *others])

    def tool(self, name: str, raw: Raw) -> dict[str, Json]:
        """A tool of the config. Its secrets come from the environment, as they should: Delete finds them again."""
        texts: list[str] = []

        def named(text: str) -> str:
            texts.append(text)
            return f"{_MARK}{len(texts) - 1}"

        def written(value: Json, mark: Json) -> Json:
            if isinstance(value, dict) and isinstance(mark, dict):
                return {key: written(item, mark.get(key)) for key, item in value.items()}
            if isinstance(value, list) and isinstance(mark, list):
                return [written(item, inner) for item, inner in zip(value, mark, strict=True)]
            if isinstance(mark, str) and mark.startswith(_MARK):
                return from_environment(texts[int(mark.removeprefix(_MARK))])
            return _quoted(value) if isinstance(value, str) else value

        options = written(raw, full(self.subject.parse(raw), named))
        return {"name": name, "plugin": self.subject.plugin.name, "options": options}

    def apply(self, *tools: Mapping[str, Json], **settings: Any) -> Ran:
        """`dtm -y apply` of these tools."""
        return self.run("apply", tools, **settings)

    def must(self, *tools: Mapping[str, Json]) -> Ran:
        """`dtm -y apply` of these tools, which must succeed.

        Raises:
            Violation: it didn't.
        """
        return self.succeeded(self.apply(*tools), "apply")

    def succeeded(self, ran: Ran, what: str) -> Ran:
        """A command that must have succeeded.

        Raises:
            Violation: it didn't.
        """
        if ran.problems:
            self.subject.fail(f"{what} failed under the runner: {'; '.join(ran.problems)}", trace=ran.trace)
        return ran

    def run(
        self,
        command: Command,
        tools: Sequence[Mapping[str, Json]] | None = None,
        *,
        failing: frozenset[str] = frozenset(),
        **settings: Any,
    ) -> Ran:
        """A command, of these tools if they are given; `failing` operations fail without being called.

        Raises:
            Violation: the process of the command died.
        """
        names = "" if tools is None else f" [{', '.join(_told(tool) for tool in tools)}]"
        self.subject.steps.append(f"dtm {command}{names}")
        try:
            with self.allowed():
                ran = forked(lambda: self._ran(command, tools, failing, settings))
        except ChildDiedError as error:
            self.subject.fail(f"{command} died under the runner: {error}")
        self.subject.leftovers.likely |= bool(ran.problems)
        self.subject.steps[-1] += f"  -> {', '.join(ran.planned) or 'nothing to do'}; calls {', '.join(ran.calls)}"
        return ran

    def _ran(
        self,
        command: Command,
        tools: Sequence[Mapping[str, Json]] | None,
        failing: frozenset[str],
        settings: Mapping[str, Any],
    ) -> Ran:
        self.calls.failing = failing
        run: Run = getattr(self.runner, command)(tools, parallelism=1, **settings)
        return Ran(
            planned=[f"{change.action.value} {change.name}" for change in run.plan.changes],
            messages=[message for change in run.plan.changes for message in change.messages],
            problems=run.problems,
            calls=self.calls.names,
            returned=self.calls.returned,
            trace="\n".join(event.trace for event in run.events if isinstance(event, Failed) and event.trace),
            said=[event.text for event in run.events if isinstance(event, Said)],
        )

    @contextmanager
    def allowed(self) -> Iterator[None]:
        """Inside, the folder of the run may be written in too."""
        watch = Watch.here()
        before = watch.allowed
        watch.allowed = (*before, os.path.realpath(self.folder))
        try:
            yield
        finally:
            watch.allowed = before

    def forget(self) -> None:
        """Lose the state."""
        with Watch.here().unguarded():
            self.runner.forget()
        self.subject.steps.append("# the state file is lost")

    def records(self) -> dict[str, Record]:
        """What is recorded: `name.plugin` -> record."""
        return self.runner.records()

    def resource(self, name: str) -> dict[str, Json]:
        """What is recorded of the resource of a tool.

        Raises:
            Violation: nothing is.
        """
        record = self.records().get(f"{name}.{self.subject.plugin.name}")
        if record is None:
            self.subject.fail(f"nothing is recorded of the tool {name}")
        return record.resource


_MARK: Final = "\0dtm secret \0"


def from_environment(text: str) -> str:
    """A reference to an environment variable that holds a text."""
    variable = f"DTM_TEXT_{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
    os.environ[variable] = text
    return f"[[ env {variable} ]]"


def _quoted(text: str) -> str:
    """A text as it has to stand in a config to be what it is."""
    plain = text.replace("${{", "\\${{")
    return from_environment(plain) if "[[" in plain else plain


def _told(tool: Mapping[str, Json]) -> str:
    from dtm_sdk.testing.difference import short

    return f"{tool['name']}: {short(tool['options'], 120)}"
