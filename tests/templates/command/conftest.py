"""The world that `pytest --dtm-conformance` lets the plugin act on: what its command manages."""

import json
import os
from pathlib import Path

import pytest
from dtm_sdk.testing import ProcessWorld, Tree

from dtm_tally.tally import COMMAND

TOOL = Path(__file__).parent / "tests" / "tool"
KEPT = Path("tally.json")


class CommandWorld(ProcessWorld):
    """What the command manages, seen and put back without the plugin; each check starts with an empty one."""

    def snapshot(self) -> Tree:
        """All that is there, as a JSON object."""
        kept: Tree = json.loads(KEPT.read_text()) if KEPT.exists() else {}
        return kept

    def restore(self, tree: Tree) -> None:
        """Make it hold just what the tree says."""
        KEPT.write_text(json.dumps(tree))


@pytest.fixture
def dtm_world() -> CommandWorld:
    return CommandWorld(commands=[COMMAND], environment={"PATH": f"{TOOL}{os.pathsep}{os.environ['PATH']}"})
