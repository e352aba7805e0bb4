"""Identities that are near another one's."""

from pathlib import Path
from typing import Any

import pytest

from dtm_sdk import Identity, Options, PluginError
from dtm_sdk.options import Options as AnyOptions
from dtm_sdk.testing.identities import identity
from dtm_sdk.testing.influence import Scene
from dtm_sdk.testing.siblings import siblings, stranger
from dtm_sdk.testing.verdicts import Unsupported
from tests.testing.subjects import idle, subject_of
from tests.zoo.right import note
from tests.zoo.zoo import but


class Named(Options):
    name: Identity[str]
    size: int = 1


class Numbered(Options):
    number: Identity[int]


def near(tmp_path: Path, raw: dict[str, Any], options: type[AnyOptions] = Named, **parts: Any) -> list[Any]:
    """The identities of the siblings of some options."""
    with subject_of(idle(options, examples=[raw], **parts), tmp_path) as subject:
        return [tuple(identity(subject, each.raw).values()) for each in siblings(Scene(subject), raw)]


def test_a_suffix_and_a_prefix_are_found_and_the_other_options_stay(tmp_path: Path) -> None:
    with subject_of(note.plugin, tmp_path) as subject:
        found = siblings(Scene(subject), subject.examples[1])
        assert [each.raw for each in found] == [
            {**subject.examples[1], "path": path} for path in ("a.note2", "2a.note")
        ]
        assert all(each.raw["path"] in each.tree for each in found)


def test_what_validate_refuses_is_passed_over(tmp_path: Path) -> None:
    def validate(options: Named) -> list[str]:
        return ["digits"] if any(char.isdigit() for char in options.name) else []

    assert near(tmp_path, {"name": "a"}, validate=validate) == [("ax",), ("xa",)]


def test_what_create_refuses_is_passed_over_and_the_last_part_of_a_path_is_tried(tmp_path: Path) -> None:
    def create(options: Named) -> dict[str, Any]:
        if not options.name.startswith("folder/"):
            raise PluginError("no such folder", "make it")
        return {}

    assert near(tmp_path, {"name": "folder/a"}, create=create) == [("folder/a2",), ("folder/2a",)]


def test_where_none_is_valid_the_check_ends_and_says_so(tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match="none of those tried"):
        near(tmp_path, {"name": "a"}, validate=lambda options: [] if options.name == "a" else ["only a"])


def test_where_no_name_is_a_text_the_check_ends_too(tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match="none of those tried"):
        near(tmp_path, {"number": 1}, Numbered)


def test_a_stranger_is_another_example_or_has_a_value_beside(tmp_path: Path) -> None:
    with subject_of(note.plugin, tmp_path / "one") as subject:
        found = stranger(Scene(subject), subject.examples[0])
        assert found
        assert found.raw == subject.examples[2]
    with subject_of(idle(Numbered, examples=[{"number": 1}]), tmp_path / "two") as subject:
        found = stranger(Scene(subject), subject.examples[0])
        assert found
        assert found.raw == {"number": 2}


def test_where_nothing_else_can_be_made_there_is_no_stranger(tmp_path: Path) -> None:
    def create(options: note.NoteOptions) -> dict[str, Any]:
        raise PluginError("the disk is full", "empty it")

    with subject_of(but(note.plugin, create=create), tmp_path) as subject:
        assert stranger(Scene(subject), subject.examples[0]) is None
