"""What a check tells of a plugin."""

from pathlib import Path
from typing import Any

import pytest

from dtm_sdk import State
from dtm_sdk.testing.source import Source
from dtm_sdk.testing.subject import Subject
from dtm_sdk.testing.verdicts import Violation
from tests.zoo.right import widget
from tests.zoo.zoo import but

KEY = "first-secret-key"


def test_no_secret_is_told_though_the_world_holds_it_in_the_clear(tmp_path: Path) -> None:
    def update(options: widget.WidgetOptions, state: State | None) -> Any:
        raise ValueError(f"{KEY} is wrong")

    world = widget.world()
    with world.opened(tmp_path):
        subject = Subject(
            but(widget.plugin, update=update), world, 0, source=Source(), scratch=tmp_path, thorough=False
        )
        raw = subject.examples[1]
        subject.create(raw)
        assert KEY in repr(subject.snapshot())
        with pytest.raises(Violation) as differs:
            subject.same_world({}, subject.snapshot(), f"{KEY} is there")
        with pytest.raises(Violation) as raised:
            subject.update(raw)
        with subject.quietly():
            subject.call("update", raw)
    for told in (differs.value, raised.value):
        assert "***" in told.message
        assert KEY not in "\n".join([told.message, *told.difference, told.trace])
    assert "'key': '***'" in "".join(differs.value.difference)
    assert subject.notes == ["ValueError: '*** is wrong'"]
    assert KEY not in "".join(subject.steps)
