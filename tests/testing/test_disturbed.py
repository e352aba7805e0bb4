"""Operations that meet a fault leave nothing at work in the world of the next one."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import pytest

from dtm_sdk import Identity, Meta, Options, State
from dtm_sdk.testing import FileWorld
from dtm_sdk.testing.children import adopt, children
from dtm_sdk.testing.disturbed import disturbed
from dtm_sdk.testing.forked import forked
from dtm_sdk.testing.worlds.world import Tree
from tests.children import CHILDREN_ARE_LISTED
from tests.testing.subjects import idle, subject_of


class FileOptions(Options):
    name: Annotated[Identity[str], Meta(description="Name of the file.")]


def create(options: FileOptions) -> State:
    """Make the file by a command that a shell starts, and that goes on when the shell is killed."""
    command = f'{sys.executable} -c \'open("{options.name}", "w")\' & wait'
    subprocess.run(["sh", "-c", command], check=True, capture_output=True)
    return {}


class LookingWorld(FileWorld):
    """A folder that looks who is at work while it is put back."""

    def __init__(self) -> None:
        super().__init__()
        self.at_work = 0

    def restore(self, tree: Tree) -> None:
        self.at_work += len(children())
        super().restore(tree)


def create_whatever_happens(options: FileOptions) -> State:
    """The same, by a plugin that hides what has befallen it."""
    with suppress(OSError):
        create(options)
    return {}


@CHILDREN_ARE_LISTED
@pytest.mark.parametrize("make", [create, create_whatever_happens])
def test_the_world_is_put_back_when_what_an_operation_that_met_a_fault_has_started_is_done(
    tmp_path: Path, make: Callable[[FileOptions], State]
) -> None:
    def work() -> tuple[int, int]:
        adopt()
        world = LookingWorld()
        plugin = idle(FileOptions, create=make, examples=[{"name": "a"}])
        with subject_of(plugin, tmp_path / "there", world) as subject:
            left = [len(children()) for _ in disturbed(subject, {"name": "a"}, {"name": "a"})]
        return max(left), world.at_work

    left, at_work = forked(work)
    assert left > 0
    assert at_work == 0
