"""YAML text -> Config; variables; every problem with file:line:column."""

import os
from collections.abc import Mapping
from typing import Final

from dtm_sdk.config_check import Checker
from dtm_sdk.config_files import File, Place, Report, kind, read
from dtm_sdk.config_tools import Draft, FindPlugin, Reader
from dtm_sdk.options import Json
from dtm_sdk.tools import Config, Tool
from dtm_sdk.variables import Variables

_FOLDER: Final = "put the files into one folder and give that with -f"
_KEYS: Final = {
    "tools": "",
    "vars": "",
    "config": "",
    "apps": "write the tools that an app stands for below tools:",
    "pipelineTemplates": "write the options of each pipeline's tool below tools:",
    "state": "write it below config:",
    "varFile": _FOLDER,
    "toolFile": _FOLDER,
    "pluginDir": "give it with -p",
}
"""What may stand at the top, and what the ancestor knew: what to do instead."""
_CONFIG_KEYS: Final = {"state": "", "pluginDir": "give it with -p"}
_STATE_KEYS: Final = {"backend": "", "options": ""}
_WRITE_TOOLS: Final = "write a list below tools:, or tools: [] to have none"


def load(path: str, find_plugin: FindPlugin) -> Config:
    """The config in a file, or in the YAML files of a folder and the folders below.

    Args:
        path: the file or folder.
        find_plugin: gives the plugin of a name; raises a DtmError where there is none.

    Raises:
        ConfigError: with every problem of all the files, in the order in which they stand.
    """
    report = Report()
    sections, variables = _sections(path, report)
    sections.check(variables)
    backend, backend_options = sections.backend(variables)
    reader = Reader(variables, find_plugin, report)
    drafts = [draft for item, place in sections.tools or () if (draft := reader.draft(item, place)) is not None]
    checked = Checker(drafts, report).check()
    if sections.tools is None and not report:
        report.add_missing(path, 0, "there are no tools: in it", _WRITE_TOOLS)
    report.raise_any(variables.seen)
    tools = {draft.key: _tool(draft) for draft in checked}
    return Config(tools, backend, backend_options)


def load_backend(path: str) -> tuple[str, Mapping[str, Json]]:
    """The name of the state's backend, and its options, of a config whose tools may be wrong, or not there.

    Raises:
        ConfigError: with every problem of what it takes.
    """
    report = Report()
    sections, variables = _sections(path, report)
    backend = sections.backend(variables)
    if sections.left:
        sections.check(variables)
    report.raise_any(variables.seen)
    return backend


def _sections(path: str, report: Report) -> "tuple[_Sections, Variables]":
    sections = _Sections(report)
    for file in read(path, report):
        sections.take(file)
    return sections, Variables(sections.values, os.environ, report.suggest, complete=report.complete)


def _tool(draft: Draft) -> Tool:
    return Tool(
        name=draft.name,
        plugin=draft.plugin,
        depends_on=tuple(draft.depends_on),
        options=draft.options or {},
        needs=tuple(draft.needs),
        typed=draft.typed,
        sources=draft.sources,
    )


class _Sections:
    """What the files hold, sorted by their top keys.

    Attributes:
        values: name -> variable.
        places: name -> where the variable stands.
        tools: each item of `tools:` and where it stands; None where no file has any.
        left: whether a variable in the options of the backend can't be replaced.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._config: tuple[Json, Place] | None = None
        self.values: dict[str, Json] = {}
        self.places: dict[str, Place] = {}
        self.tools: list[tuple[Json, Place]] | None = None
        self.left = False

    def take(self, file: File) -> None:
        """Sort in the documents of a file."""
        for number, document in enumerate(file.documents):
            place = Place(file, number)
            if isinstance(document, list):
                self._report.add(place, "a config is a mapping, this is a list", "write tools: in the line above it")
            elif document is not None:
                self._take(self._report.mapping(document, place, "a config", _KEYS) or {}, place)

    def _take(self, document: dict[str, Json], place: Place) -> None:
        if "config" in document:
            here = place.at("config")
            if self._config:
                self._report.add(here, f"config is there already, at {self._config[1]}", "write it once")
            else:
                self._config = document["config"], here
        if document.get("vars") is not None:
            self._take_variables(document["vars"], place.at("vars"))
        if "tools" in document:
            self._take_tools(document["tools"], place.at("tools"))

    def _take_variables(self, value: Json, place: Place) -> None:
        if not isinstance(value, dict):
            self._report.add(place, f"vars is a mapping, this is {kind(value)}", "write a name and its value")
            return
        for name, item in value.items():
            if name in self.values:
                what = f"the variable {name} is there already, at {self.places[name]}"
                self._report.add(place.at(name), what, "remove or rename one of them")
            else:
                self.values[name], self.places[name] = item, place.at(name)

    def _take_tools(self, value: Json, place: Place) -> None:
        if isinstance(value, list):
            self.tools = [*(self.tools or ()), *((item, place.at(index)) for index, item in enumerate(value))]
        else:
            self._report.add(place, f"tools is a list, this is {kind(value)}", _WRITE_TOOLS)

    def check(self, variables: Variables) -> None:
        """Report what is wrong in the variables themselves."""
        for wrong in variables.check():
            self._report.add(self.places[str(wrong.path[0])].at(*wrong.path[1:]), wrong.what, wrong.hint)

    def backend(self, variables: Variables) -> tuple[str, Mapping[str, Json]]:
        """The name of the state's backend, and its options."""
        if not self._config or self._config[0] is None:
            return "local", {}
        value, place = self._config
        replaced = variables.replace(value)
        self.left = bool(replaced.left)
        for wrong in replaced.wrong:
            self._report.add(place.at(*wrong.path), wrong.what, wrong.hint)
        config = self._report.mapping(replaced.value, place, "config", _CONFIG_KEYS) or {}
        if config.get("state") is None:
            return "local", {}
        place = place.at("state")
        state = self._report.mapping(config["state"], place, "config.state", _STATE_KEYS) or {}
        name, options = state.get("backend", "local"), state.get("options")
        if not isinstance(name, str):
            self._report.add(place.at("backend"), f"backend is {kind(name)}, not text", "write backend: local")
        if options is not None and not isinstance(options, dict):
            self._report.add(
                place.at("options"), f"options is a mapping, this is {kind(options)}", "write an option of it"
            )
        return name, options or {}
