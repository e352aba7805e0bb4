"""The real runner, on a config and a state of its own, beside the world that its plugins act on."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from dtm_sdk.backends import open_backend
from dtm_sdk.changes import Change, Plan
from dtm_sdk.errors import DtmError
from dtm_sdk.events import Done, Event, Failed, Planned, Said, Skipped
from dtm_sdk.options import Json
from dtm_sdk.plugin import Plugin
from dtm_sdk.runner import Ask, Result, Settings, apply, delete, destroy, plan, verify
from dtm_sdk.state import Record


class Run(Struct, frozen=True):
    """How a command of the runner ended.

    Attributes:
        result: what it returned; None where it raised.
        events: what it told, in order.
        error: what it raised for its user.
    """

    result: Result | None
    events: tuple[Event, ...]
    error: DtmError | None = None

    @property
    def plan(self) -> Plan:
        """What was planned; an empty plan where nothing was."""
        return next((event.plan for event in self.events if isinstance(event, Planned)), Plan())

    @property
    def done(self) -> list[str]:
        """What succeeded, as `Create name`, in order."""
        return [f"{event.action.value} {event.name}" for event in self.events if isinstance(event, Done)]

    @property
    def problems(self) -> list[str]:
        """What went wrong, a line each; empty where nothing did."""
        failed = [f"{event.name}: {event.error}" for event in self.events if isinstance(event, Failed)]
        skipped = [f"{event.name}: {event.because}" for event in self.events if isinstance(event, Skipped)]
        planned = [f"{key}: {why}" for key, why in self.plan.failures.items()]
        return [*([str(self.error)] if self.error else []), *planned, *failed, *skipped]

    @property
    def said(self) -> list[str]:
        """The lines of the plugins."""
        return [event.text for event in self.events if isinstance(event, Said)]


class Runner:
    """The commands of `dtm`, in this process, with everything answered by yes.

    Args:
        folder: where the config and the state lie: `config.yaml`, `devstream.state` and what belongs to it.
        plugins: the plugins that tools may name, beside the installed ones.
        config_state: the value of `config.state` in the config; the local backend in `folder` by default.
    """

    def __init__(self, folder: Path, plugins: Sequence[Plugin], config_state: Mapping[str, Json] | None = None) -> None:
        self.folder = folder
        self.config = folder / "config.yaml"
        self.state = folder / "devstream.state"
        self._backend = dict(
            config_state or {"backend": "local", "options": {"stateFile": os.path.abspath(self.state)}}  # noqa: PTH100
        )
        self._plugins = tuple(plugins)
        self._secrets: dict[str, str] = {}

    def write(self, tools: Sequence[Mapping[str, Json]]) -> None:
        """Write the config: each tool with `name`, `plugin`, `options` and, if wanted, `dependsOn`.

        The secrets in it are given again when a tool that has left the config needs them to be deleted.
        """
        for tool in tools:
            self._secrets.update(_texts(tool["options"], f"{tool['name']} ({tool['plugin']})"))
        document = {"config": {"state": self._backend}, "tools": list(tools)}
        self.config.write_bytes(msgspec.json.encode(document))  # JSON is YAML

    def using(self, *plugins: Plugin) -> "Runner":
        """The same with other plugins in place of these."""
        other = copy(self)
        other._plugins = plugins  # noqa: SLF001  # one of us
        return other

    def apply(self, tools: Sequence[Mapping[str, Json]] | None = None, **settings: Any) -> Run:
        """`dtm -y apply`, of these tools if they are given; settings as those of `dtm_sdk.runner.Settings`."""
        return self._run(apply, tools, settings)

    def delete(self, tools: Sequence[Mapping[str, Json]] | None = None, **settings: Any) -> Run:
        """`dtm -y delete`."""
        return self._run(delete, tools, settings)

    def destroy(self, tools: Sequence[Mapping[str, Json]] | None = None, **settings: Any) -> Run:
        """`dtm -y destroy`."""
        return self._run(destroy, tools, settings)

    def plan(self, tools: Sequence[Mapping[str, Json]] | None = None, **settings: Any) -> Run:
        """`dtm plan`."""
        return self._run(lambda given, tell, ask: plan(given, tell), tools, settings)

    def verify(self, tools: Sequence[Mapping[str, Json]] | None = None, **settings: Any) -> Run:
        """`dtm verify`."""
        return self._run(lambda given, tell, ask: verify(given, tell), tools, settings)

    def records(self) -> dict[str, Record]:
        """What is recorded now: `name.plugin` -> record."""
        return dict(open_backend(self._backend["backend"], self._backend["options"]).load().state.records)

    def forget(self) -> None:
        """Lose the state: the file and all that belongs to it."""
        import shutil

        self.state.unlink(missing_ok=True)
        shutil.rmtree(self.folder / f".{self.state.name}.d", ignore_errors=True)

    def _answer(self, question: str) -> str:
        """The secret that a line such as `Tool N (P) needs its secret token: ` asks for; empty if it isn't known."""
        words = question.removeprefix("Tool ").rstrip(": ").replace(" needs its secret ", " ")
        return self._secrets.get(words, "")

    def _run(
        self,
        command: Callable[[Settings, Callable[[Event], None], Ask], Result],
        tools: Sequence[Mapping[str, Json]] | None,
        settings: Mapping[str, Any],
    ) -> Run:
        if tools is not None:
            self.write(tools)
        events: list[Event] = []
        given = Settings(
            config=str(self.config),
            plugin_dir=str(self.folder / "plugins"),
            plugins=self._plugins,
            ask_secret=self._answer,
            **settings,
        )

        def ask(what: Plan | Change) -> bool:
            return True

        try:
            return Run(command(given, events.append, ask), tuple(events))
        except DtmError as error:
            return Run(None, tuple(events), error)


def _texts(value: Json, path: str) -> Iterator[tuple[str, str]]:
    """Every text in plain options, with what names it in the runner's question: the tool's title and the path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(item, f"{path} {key}" if path.endswith(")") else f"{path}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, f"{path}[{index}]")
