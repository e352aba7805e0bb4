"""The world that `pytest --dtm-conformance` lets the plugin act on: what its command manages."""

import os
from pathlib import Path

import pytest
from dtm_sdk.testing import ProcessWorld, Tree

from dtm_tally.tally import COMMAND

TOOL = Path(__file__).parent / "tests" / "tool"


class CommandWorld(ProcessWorld):
    """What the command manages, seen and put back without the plugin; each check starts with an empty one."""

    def snapshot(self) -> Tree:
        """All that is there, as a JSON object."""
        return {file.name: file.read_bytes() for file in self._kept()}

    def restore(self, tree: Tree) -> None:
        """Make it hold just what the tree says."""
        for file in self._kept():
            file.unlink(missing_ok=True)  # a command that was cut short may be at work
        for name, text in tree.items():
            Path(self.environment["TALLY_HOME"], name).write_bytes(text)

    def _kept(self) -> list[Path]:
        return list(Path(self.environment["TALLY_HOME"]).iterdir())


@pytest.fixture
def dtm_world(tmp_path: Path) -> CommandWorld:
    path = f"{TOOL}{os.pathsep}{os.environ['PATH']}"
    return CommandWorld(commands=[COMMAND], environment={"PATH": path, "TALLY_HOME": str(tmp_path)})
