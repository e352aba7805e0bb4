"""Options under another identity."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dtm_sdk.testing.identities import elsewhere, like, makeable, nearby
from dtm_sdk.testing.neighbours import neighbours
from dtm_sdk.testing.source import Source
from dtm_sdk.testing.subject import Subject
from tests.zoo.right import note
from tests.zoo.zoo import but


@pytest.fixture
def subject(tmp_path: Path) -> Iterator[Subject]:
    world = note.world()
    with world.opened(tmp_path):
        yield Subject(note.plugin, world, 0, source=Source("note", None), scratch=tmp_path)


def of(subject: Subject, **changes: Any) -> Subject:
    plugin = but(subject.plugin, **changes)
    return Subject(plugin, subject.world, 0, source=subject.source, scratch=subject.scratch)


def test_another_identity_is_that_of_another_example(subject: Subject) -> None:
    assert elsewhere(subject, note.EXAMPLES[0]) == {**note.EXAMPLES[0], "path": "b.note"}


def test_without_such_an_example_it_is_one_that_is_valid(subject: Subject) -> None:
    moved = elsewhere(of(subject, examples=note.EXAMPLES[:2]), note.EXAMPLES[0])
    assert moved is not None
    assert moved["path"] != "a.note"


def test_there_may_be_none(subject: Subject) -> None:
    strict = of(
        subject,
        examples=note.EXAMPLES[:2],
        validate=lambda options: [] if options.path == "a.note" else ["path is a.note"],
    )
    assert elsewhere(strict, note.EXAMPLES[0]) is None
    assert like(strict, note.EXAMPLES[0], {"path": "a.note", "text": "x"}) == note.EXAMPLES[0]


def test_near_is_what_has_a_suffix_or_a_prefix(subject: Subject) -> None:
    near = [raw["path"] for raw in nearby(subject, note.EXAMPLES[0])]
    assert near == ["a.note2", "aa.note", "a.note-b"]


def test_one_that_the_world_has_is_not_made(subject: Subject) -> None:
    Path("a.note2").write_text("of others")
    subject.empty = subject.snapshot()
    made = [raw["path"] for raw in makeable(subject, note.EXAMPLES[0])]
    assert made == ["aa.note", "a.note-b"]
    assert "a.note2" not in [raw["path"] for raw, _ in neighbours(subject, note.EXAMPLES[0]).there]
