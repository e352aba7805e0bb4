"""What the tests of the command line share."""

from pathlib import Path

import pytest

from tests.workplace import Workplace


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    """A new folder with plugins, to run the command in."""
    return Workplace(tmp_path)
