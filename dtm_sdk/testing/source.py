"""Where a plugin under test comes from."""

from pathlib import Path

from msgspec import Struct

from dtm_sdk.testing.todos import Todo


class Source(Struct, frozen=True):
    """Where a plugin comes from.

    Attributes:
        entry: name of its entry point; empty where there is none.
        repository: the folder with its `pyproject.toml` and docs; None where only the installed package is known.
        todos: the marks `TODO(dtm)` that are left in it.
    """

    entry: str = ""
    repository: Path | None = None
    todos: tuple[Todo, ...] = ()
