"""A plugin in its world, in the process of a test."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dtm_sdk.options import Options
from dtm_sdk.plugin import Plugin
from dtm_sdk.testing.source import Source
from dtm_sdk.testing.subject import Subject
from dtm_sdk.testing.worlds.files import FileWorld
from dtm_sdk.testing.worlds.world import World


@contextmanager
def subject_of(plugin: Plugin, tmp_path: Path, world: World | None = None) -> Iterator[Subject]:
    """A plugin in a world of its own, a folder by default."""
    world = world or FileWorld()
    tmp_path.mkdir(exist_ok=True)
    with world.opened(tmp_path):
        yield Subject(plugin, world, 0, source=Source(), scratch=tmp_path)


def idle(options: type[Options], **parts: Any) -> Plugin:
    """A plugin that does nothing."""
    nothing: dict[str, Any] = {
        "create": lambda options: {},
        "read": lambda options: None,
        "update": lambda options: {},
        "delete": lambda options: True,
    }
    return Plugin(name="idle", options=options, **{**nothing, **parts})
