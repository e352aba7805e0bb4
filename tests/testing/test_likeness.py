from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dtm_sdk.testing.likeness import changes_of, elsewhere, leaves_of, like
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


def test_changes_are_of_the_identity_and_of_each_other_option_alone(subject: Subject) -> None:
    changed = [{key for key in {**old, **new} if old.get(key) != new.get(key)} for old, new in changes_of(subject)]
    assert changed[0] == {"path"}
    assert {"text"} in changed
    assert {"access"} in changed
    assert {"header"} in changed
    assert all(len(keys) == 1 and "wait" not in keys for keys in changed)


def test_leaves_are_those_of_objects() -> None:
    assert dict(leaves_of({"a": {"b": 1, "c": {}}, "d": [{"e": 1}]})) == {
        ("a", "b"): 1,
        ("a", "c"): {},
        ("d",): [{"e": 1}],
    }
