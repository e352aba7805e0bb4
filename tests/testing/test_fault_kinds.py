"""Each kind of fault finds what no other one finds: without it, a plugin that is wrong in just that way passes."""

import pytest

from dtm_sdk.testing import blows
from dtm_sdk.testing.checks import faults
from dtm_sdk.testing.worlds import commands
from tests.zoo.zoo import findings, wrong

SIZE = "the size of files"
KINDS = {
    "f1-note-takes-a-short-write-for-a-whole-one": (SIZE,),
    "f1-note-does-not-ask-tee": (SIZE,),
    "f1-note-does-not-ask-mv": ("the command fails", "the command is killed"),
    "f1-note-does-not-see-that-mv-was-killed": ("the command is killed",),
    "f1-row-takes-locked-for-empty": ("database locked",),
    "f1-row-takes-locked-for-changed": ("database locked",),
    "f1-row-takes-locked-for-deleted": ("database locked",),
}
"""A wrong plugin of the zoo -> the kinds of faults without which it passes for a right one."""


@pytest.mark.parametrize(("id_", "kinds"), KINDS.items(), ids=KINDS)
def test_nothing_else_finds_it(id_: str, kinds: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    if SIZE in kinds:
        monkeypatch.setattr(faults, "SIZES", ())
    fitting = blows._FITTING  # noqa: SLF001  # a kind is taken out of the table
    kept = {call: [kind for kind in every if kind not in kinds] for call, every in fitting.items()}
    monkeypatch.setattr(blows, "_FITTING", kept)
    monkeypatch.setattr(commands, "BROKEN", {kind: how for kind, how in commands.BROKEN.items() if kind not in kinds})
    (broken,) = (each for each in wrong() if each.id == id_)
    found = [(each.check, each.verdict, each.message) for each in findings(broken, ["F1"])]
    assert [each for each in found if each[1] != "passed"] == []
