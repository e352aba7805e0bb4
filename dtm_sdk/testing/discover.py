"""Which plugins to judge: those of a repository, installed or not; those that are named; or all that are installed."""

import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from dtm_sdk.errors import UsageError
from dtm_sdk.plugin import Plugin
from dtm_sdk.registry import GROUP, Entry, find, load


class Found(Struct, frozen=True):
    """A plugin that is there, not imported yet.

    Attributes:
        entry: its entry point.
        repository: the folder that it is the source of; None for one that is only installed.
    """

    entry: Entry
    repository: Path | None

    def load(self) -> Plugin:
        """The plugin, imported; that of a repository from its `src` or the folder itself, whatever else is installed.

        Raises:
            PluginError: it can't be imported, is no Plugin or has another name.
        """
        for folder in (self.repository / "src", self.repository) if self.repository else ():
            package = folder / self.entry.value.partition(":")[0].partition(".")[0]
            if package.is_dir() or package.with_suffix(".py").is_file():
                sys.path.insert(0, str(folder))
                break
        return load(self.entry)


def discover(root: Path, names: Sequence[str]) -> list[Found]:
    """The plugins to judge, by name.

    Args:
        root: the folder of a repository; the entry points of its `pyproject.toml` come first.
        names: those that are asked for; without any, all of the repository, else all that are installed.

    Raises:
        UsageError: one that is asked for isn't there, or there is none at all.
    """
    own = {entry.name: Found(entry, root) for entry in declared(root / "pyproject.toml")}
    others = {entry.name: Found(entry, None) for entry in sorted(set(find()), reverse=True)}
    every = {**others, **own}
    for name in names:
        if name not in every:
            from difflib import get_close_matches

            close = get_close_matches(name, every, 1)
            hint = f"did you mean {close[0]!r}?" if close else "`dtm list plugins` shows what is installed"
            raise UsageError(f"--dtm-plugin {name}: no entry point of the group {GROUP} has that name", hint)
    chosen = list(names) or sorted(own) or sorted(every)
    if not chosen:
        what = (
            f"there is no plugin: {root / 'pyproject.toml'} has no [project.entry-points.{GROUP!r}], none is installed"
        )
        raise UsageError(what, 'write e.g. my-plugin = "dtm_my_plugin:plugin" there')
    return [every[name] for name in dict.fromkeys(chosen)]


def declared(pyproject: Path) -> list[Entry]:
    """The entry points of the group in a `pyproject.toml`; none where there is no such file.

    Raises:
        UsageError: it can't be read.
    """
    if not pyproject.is_file():
        return []
    try:
        project = tomllib.loads(pyproject.read_text(encoding="utf-8")).get("project", {})
    except (OSError, ValueError) as error:
        raise UsageError(f"{pyproject} can't be read: {error}", "correct it") from None
    group = project.get("entry-points", {}).get(GROUP, {})
    name, version = str(project.get("name", "")), str(project.get("version", ""))
    return [Entry(key, str(value), name, version) for key, value in sorted(group.items())]
