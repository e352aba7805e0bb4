"""Name -> Plugin: entry points of group `dtm.plugins`, of what is installed and of what lies in the plugin directory.

Folders are looked through here, as `importlib.metadata` would: its import alone costs more than all the rest of a run
with nothing to do. For anything else on `sys.path`, a zip file or a finder of its own, it is asked after all.
"""

# ruff: noqa: PTH100, PTH112, PTH113, PTH118, PTH123, PTH208  # importing pathlib costs more than looking through folders
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from importlib import import_module
from importlib.machinery import PathFinder
from threading import Lock
from typing import Any, Final, NamedTuple

from dtm_sdk.errors import DtmError, PluginError
from dtm_sdk.plugin import Plugin

GROUP: Final = "dtm.plugins"


class UnknownPluginError(PluginError):
    """No installed distribution gives a plugin of that name: the reader corrects the name, or installs it."""


class Entry(NamedTuple):
    """One entry point.

    Attributes:
        name: of the plugin.
        value: where it is, `module:attribute`.
        distribution: who gives it, as its `.dist-info` folder is named.
        version: of the distribution; empty where its folder doesn't say.
    """

    name: str
    value: str
    distribution: str
    version: str

    @property
    def source(self) -> str:
        """The distribution and its version, for messages."""
        return f"{self.distribution} {self.version}".strip()


class Registry:
    """The plugins that can be used; each is imported when it is first asked for, and once.

    Args:
        plugin_dir: a folder that distributions may be installed into (`pip install --target`). It goes to the end of
            `sys.path`, so that it can't replace what is installed.
        given: plugins that are there already; each is taken before an entry point of its name.
    """

    def __init__(self, plugin_dir: str, given: Sequence[Plugin] = ()) -> None:
        folder = os.path.abspath(plugin_dir)
        if os.path.isdir(folder) and folder not in sys.path:
            sys.path.append(folder)
        self.plugin_dir = plugin_dir
        self.entries: tuple[Entry, ...] = tuple(sorted(set(find())))
        self._lock = Lock()
        self._loaded: dict[str, Plugin | PluginError] = {plugin.name: plugin for plugin in given}

    def names(self) -> tuple[str, ...]:
        """The names of all plugins, sorted; that one is listed doesn't mean that it can be imported."""
        return tuple(dict.fromkeys(entry.name for entry in self.entries))

    def get(self, name: str) -> Plugin:
        """The plugin of that name.

        Raises:
            UnknownPluginError: there is none.
            PluginError: it can't be imported, is no Plugin, has another name, or comes from two distributions.
        """
        with self._lock:
            if name not in self._loaded:
                self._loaded[name] = self._load(name)
        found = self._loaded[name]
        if isinstance(found, PluginError):
            raise found
        return found

    def _load(self, name: str) -> Plugin | PluginError:
        try:
            with redirect_stdout(sys.stderr):  # what a module prints has no place in what a command prints
                return load(self._entry(name))
        except PluginError as error:
            return error

    def _entry(self, name: str) -> Entry:
        found = [entry for entry in self.entries if entry.name == name]
        if not found:
            what = f"plugin {name!r} is neither installed nor in {self.plugin_dir}"
            raise UnknownPluginError(what, self._suggest(name))
        if len(found) > 1:
            sources = " and ".join(f"{entry.source} ({entry.value})" for entry in found)
            raise PluginError(f"plugin {name!r} is given twice, by {sources}", "uninstall one of them")
        return found[0]

    def _suggest(self, name: str) -> str:
        from difflib import get_close_matches

        close = get_close_matches(name, self.names(), 1)
        return f"{f'did you mean {close[0]!r}? ' if close else ''}`dtm list plugins` shows what there is"


def load(entry: Entry) -> Plugin:
    """The plugin of an entry point, imported.

    Raises:
        PluginError: it can't be imported, is no Plugin, or has another name.
    """
    who = f"plugin {entry.name!r} of {entry.source}"
    try:
        found = _import(entry.value)
    except KeyboardInterrupt:
        raise
    except DtmError as error:
        raise PluginError(f"{who}: {error.message}", error.hint) from error
    except BaseException as error:  # the boundary to an author's code: anything may come, sys.exit() too
        lacks = isinstance(error, ModuleNotFoundError)
        hint = "install what it needs into the same environment" if lacks else "this is a bug of the plugin"
        raise PluginError(f"{who}: {entry.value} can't be imported: {type(error).__name__}: {error}", hint) from error
    if not isinstance(found, Plugin):
        hint = "write `plugin = Plugin(...)`, and name it in the entry point"
        raise PluginError(f"{who}: {entry.value} is of type {type(found).__name__}, no dtm_sdk.Plugin", hint)
    if found.name != entry.name:
        hint = "give it and its entry point the same name"
        raise PluginError(f"{who}: {entry.value} calls itself {found.name!r}", hint)
    return found


def _import(value: str) -> Any:
    module, _, attributes = value.partition("[")[0].replace(" ", "").partition(":")
    found: Any = import_module(module)
    for attribute in filter(None, attributes.split(".")):
        found = getattr(found, attribute)
    return found


def find() -> list[Entry]:
    """The entry points of the group, in the order of `sys.path`; a distribution counts where it is found first."""
    folders = _folders()
    return _ask_importlib() if folders is None else list(scan(folders))


def _folders() -> list[str] | None:
    """What `sys.path` names, if all of it is folders and nobody else finds distributions; else None."""
    if any(finder is not PathFinder and hasattr(finder, "find_distributions") for finder in sys.meta_path):
        return None
    paths = [path or "." for path in sys.path]
    if any(path.endswith(".egg") or os.path.isfile(path) for path in paths):
        return None
    return paths


def scan(folders: Sequence[str]) -> Iterator[Entry]:
    """The same as `importlib.metadata.entry_points`, for folders."""
    seen = set()
    for folder in folders:
        for child in _list(folder):
            if not child.endswith((".dist-info", ".egg-info")):
                continue
            name, _, rest = child[: -len(".dist-info")].partition("-")
            normal = _normalize(name)
            if normal not in seen:
                seen.add(normal)
                version = rest.partition("-")[0]
                for key, value in _parse(_read(os.path.join(folder, child, "entry_points.txt"))):
                    yield Entry(key, value, name, version)


def _list(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _read(path: str) -> bytes:
    try:
        with open(path, "rb", buffering=0) as file:
            return file.readall()
    except OSError:
        return b""


def _normalize(name: str) -> str:
    """The name of a distribution as PEP 503 compares it."""
    return "_".join(filter(None, name.lower().replace("-", "_").replace(".", "_").split("_")))


def _parse(data: bytes) -> Iterator[tuple[str, str]]:
    """The pairs of our group (format: Entry points specification, packaging.python.org)."""
    if GROUP.encode() not in data:  # as in most: it need not be text then
        return
    section = ""
    for line in map(str.strip, data.decode("utf-8", "replace").splitlines()):
        if line.startswith("[") and line.endswith("]"):
            section = line.strip("[]")
        elif section == GROUP and "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            yield name.strip(), value.strip()


def _ask_importlib() -> list[Entry]:
    from importlib.metadata import entry_points

    found = [(point, point.dist) for point in entry_points(group=GROUP)]
    return [Entry(point.name, point.value, _normalize(dist.name), dist.version) for point, dist in found if dist]
