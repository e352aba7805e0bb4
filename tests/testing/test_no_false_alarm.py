"""What right plugins do, and a check must let pass."""

from tests.zoo.right import note
from tests.zoo.wrong.f1 import world_with_mv
from tests.zoo.zoo import Kept, findings


def test_a_command_that_read_does_not_start_may_fail() -> None:
    """A plugin may write by a command, and read by itself."""
    found = list(findings(Kept("note", note.plugin, world_with_mv), ["R4"]))
    assert [(each.check, each.message) for each in found if each.verdict != "passed"] == []
