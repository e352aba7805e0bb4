"""The tools of a config as they are written: each read by itself, in both of the ancestor's forms."""

from collections.abc import Callable
from typing import Final

from msgspec import Struct, field

from dtm_sdk.config_files import Place, Report, kind
from dtm_sdk.errors import DtmError
from dtm_sdk.options import Json, Options
from dtm_sdk.plugin import Plugin, is_name
from dtm_sdk.references import holds_reference
from dtm_sdk.variables import Path, Replaced, Variables

FindPlugin = Callable[[str], Plugin]
"""Gives the plugin of a name, or raises a DtmError."""

WRITE_KEY: Final = "write it as name.plugin"
_EXAMPLES: Final = {"name": "my-file", "plugin": "localfile", "plugin.kind": "localfile", "instanceID": "my-file"}
_KEYS: Final = dict.fromkeys(("name", "plugin", "dependsOn", "options", "instanceID"), "")
_PLUGIN_KEYS: Final = {"kind": "", "version": ""}


class Draft(Struct):
    """A tool that is being read.

    Attributes:
        place: where it stands.
        name: its name; empty where that isn't known.
        plugin: the name of its plugin; empty where that isn't known.
        swapped: it is written in the ancestor's later form: `name` is the plugin, `instanceID` the name.
        found: its plugin; None where there is none.
        options: its options, variables replaced; None where they are no mapping.
        listed: what its `dependsOn` lists, as written, with the index of each.
        left: the texts whose variables aren't known.
        sources: path of an option, as `a.b[0]` -> the environment variable that its whole value came from.
        depends_on: keys of the tools that `dependsOn` lists.
        needs: those, and the keys of the tools that references name.
        typed: the options as the plugin takes them; None while something in them isn't known.
    """

    place: Place
    name: str
    plugin: str
    swapped: bool
    found: Plugin | None
    options: dict[str, Json] | None
    listed: list[tuple[int, str]]
    left: set[str]
    sources: dict[str, str]
    depends_on: list[str] = field(default_factory=list)
    needs: list[str] = field(default_factory=list)
    typed: Options | None = None

    @property
    def key(self) -> str:
        """`name.plugin`; empty where one of them isn't known."""
        return f"{self.name}.{self.plugin}" if self.name and self.plugin else ""

    def __str__(self) -> str:
        return " ".join(filter(None, ("tool", self.name, f"({self.plugin})" if self.plugin else "")))

    def is_open(self, value: object) -> bool:
        """Whether a value isn't known yet."""
        return holds_reference(value) or (isinstance(value, str) and value in self.left)


class Reader:
    """Reads tools, each by itself."""

    __slots__ = ("_find_plugin", "_found", "_report", "_variables")

    def __init__(self, variables: Variables, find_plugin: FindPlugin, report: Report) -> None:
        self._variables = variables
        self._find_plugin = find_plugin
        self._report = report
        self._found: dict[str, Plugin | DtmError] = {}

    def draft(self, item: Json, place: Place) -> Draft | None:
        """An item of `tools:`; None where it is no mapping."""
        raw = self._report.mapping(item, place, "a tool", _KEYS)
        if raw is None:
            return None
        replaced = Replaced(raw) if place.file.is_plain else self._variables.replace(raw)
        for wrong in replaced.wrong:
            self._report.add(place.at(*wrong.path), wrong.what, wrong.hint)
        value, left = replaced.value, replaced.left
        swapped = "instanceID" in value and "plugin" not in value
        name = self._name(value, place, left, "instanceID" if swapped else "name")
        written, steps = self._plugin(value, place, swapped=swapped)
        plugin = self._text(written, place, steps, left)
        return Draft(
            place=place,
            name=name,
            plugin=plugin,
            swapped=swapped,
            found=self._find(plugin, place, steps) if plugin else None,
            options=self._options(value.get("options"), place, left),
            listed=self._listed(value["dependsOn"], place, left) if "dependsOn" in value else [],
            left=left,
            sources={dotted(path[1:]): env for path, env in replaced.sources.items() if path[0] == "options"},
        )

    def _name(self, value: dict[str, Json], place: Place, left: set[str], key: str) -> str:
        if key == "name" and "instanceID" in value:
            hint = "remove it; or remove plugin:, if name: is the plugin"
            self._report.add(place.at("instanceID"), "a tool with plugin: has no instanceID", hint)
        name = self._text(value.get(key), place, (key,), left)
        if name and not is_name(name):
            hint = "use a-z, 0-9, - and ., as in my-file (RFC 1123)"
            self._report.add(place.at(key), f"{name} can't be the name of a tool", hint)
        return name

    def _plugin(self, value: dict[str, Json], place: Place, *, swapped: bool) -> tuple[Json, tuple[str, ...]]:
        """What names the plugin, and the keys that lead to it."""
        if swapped:
            return value.get("name"), ("name",)
        plugin = value.get("plugin")
        if not isinstance(plugin, dict):
            return plugin, ("plugin",)
        self._report.mapping(plugin, place.at("plugin"), "plugin", _PLUGIN_KEYS)
        return plugin.get("kind"), ("plugin", "kind")

    def _find(self, name: str, place: Place, steps: tuple[str, ...]) -> Plugin | None:
        if name not in self._found:
            try:
                self._found[name] = self._find_plugin(name)
            except DtmError as error:
                self._found[name] = error
        found = self._found[name]
        if isinstance(found, DtmError):
            self._report.add(place.at(*steps), found.message, found.hint)
            return None
        return found

    def _text(self, value: Json, place: Place, steps: tuple[str, ...], left: set[str]) -> str:
        if isinstance(value, str) and value:
            return "" if value in left else value
        what = ".".join(steps)
        if value is None or value == "":
            self._report.add(place.at(*steps), f"the tool has no {what}", f"write e.g. {steps[-1]}: {_EXAMPLES[what]}")
        else:
            self._report.add(place.at(*steps), f"{what} is {kind(value)}, not text", "put it in quotes if it is text")
        return ""

    def _options(self, value: Json, place: Place, left: set[str]) -> dict[str, Json] | None:
        if value is None or isinstance(value, dict):
            return value or {}
        if not (isinstance(value, str) and value in left):
            what = f"options is a mapping, this is {kind(value)}"
            self._report.add(place.at("options"), what, "write an option and its value")
        return None

    def _listed(self, value: Json, place: Place, left: set[str]) -> list[tuple[int, str]]:
        if not isinstance(value, list):
            if value is not None and not (isinstance(value, str) and value in left):
                what = f"dependsOn is a list, this is {kind(value)}"
                self._report.add(place.at("dependsOn"), what, "write - name.plugin below it")
            return []
        listed = []
        for index, entry in enumerate(value):
            if isinstance(entry, str):
                if entry.strip() and entry not in left:
                    listed.append((index, entry.strip()))
            elif entry is not None:
                what = f"an entry of dependsOn is {kind(entry)}, not text"
                self._report.add(place.at("dependsOn", index), what, WRITE_KEY)
        return listed


def dotted(path: Path) -> str:
    """A path as messages and records write it, e.g. `a.b[0]`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")
