"""The places of a plugin that its author has still to fill: `# TODO(dtm): what belongs here`."""

import inspect
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from dtm_sdk.plugin import OPERATIONS, Operation, Plugin
from dtm_sdk.todo import Todo, marks

__all__ = ["Todo", "blocking", "todos"]

SUFFIXES: Final = frozenset({".py", ".md", ".toml", ".yaml", ".yml", ".cfg", ".txt"})
PASSED_OVER: Final = frozenset({"node_modules", "build", "dist", "__pycache__", "site-packages"})


def todos(root: Path) -> tuple[Todo, ...]:
    """What is left to fill below a folder, by file and line; hidden folders and environments are passed over."""
    return tuple(found for path in sorted(_files(root)) for found in _in_file(path, root))


def _files(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders[:] = [
            name
            for name in folders
            if not (name.startswith(".") and name != ".github")
            and name not in PASSED_OVER
            and not Path(folder, name, "pyvenv.cfg").exists()
        ]
        yield from (Path(folder, name) for name in files if Path(name).suffix in SUFFIXES)


def _in_file(path: Path, root: Path) -> Iterator[Todo]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return
    if "TODO(dtm)" in text:
        yield from marks(text, path.relative_to(root).as_posix())


def blocking(left: Sequence[Todo], plugin: Plugin, calls: Sequence[Operation]) -> Todo | None:
    """The first place that must be filled before a check that calls these operations can say anything.

    What stands in the file of an operation blocks the checks that call that operation; what stands in another Python
    file of the package blocks each that calls any; documents and tests block nothing but the rules about them.
    """
    if not left or not calls:
        return None
    homes = {name: _home(plugin, name) for name in OPERATIONS}
    for todo in left:
        own = [name for name, home in homes.items() if home and home.endswith(f"/{todo.path}")]
        if own and not set(own) & set(calls):
            continue
        if own or (todo.path.endswith(".py") and not todo.path.startswith("tests/")):
            return todo
    return None


def _home(plugin: Plugin, name: str) -> str:
    try:
        return Path(inspect.getsourcefile(getattr(plugin, name)) or "").as_posix()
    except TypeError:
        return ""
