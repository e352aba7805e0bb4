"""Identities near another one."""

from pathlib import Path
from typing import Annotated, Any

import pytest

from dtm_sdk import Identity, Meta, Options
from dtm_sdk.testing import FileWorld
from dtm_sdk.testing.nearby import nearby
from dtm_sdk.testing.source import Source
from dtm_sdk.testing.subject import Subject
from tests.zoo.right import note, section
from tests.zoo.zoo import but


class Numbered(Options):
    """Options whose identity is a number."""

    port: Annotated[Identity[int], Meta(description="The port.")]


def named(plugin: Any, raw: dict[str, Any], scratch: Path, *keys: str) -> list[tuple[str, ...]]:
    subject = Subject(plugin, FileWorld(), 0, source=Source(), scratch=scratch)
    return [tuple(each[key] for key in keys) for each in nearby(subject, raw)]


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_one_with_a_suffix_and_one_with_a_prefix(scratch: Path) -> None:
    raw = {"path": "a.note", "text": "x"}
    assert named(note.plugin, raw, scratch, "path", "text") == [("a.note2", "x"), ("2a.note", "x")]
    assert raw["path"] == "a.note"


def test_of_each_identity_option_while_the_others_stay(scratch: Path) -> None:
    raw = {"file": "f", "section": "s", "lines": []}
    assert named(section.plugin, raw, scratch, "file", "section") == [
        ("f2", "s"),
        ("2f", "s"),
        ("f", "s2"),
        ("f", "2s"),
    ]


def test_what_is_not_valid_is_left_out(scratch: Path) -> None:
    def validate(options: note.NoteOptions) -> list[str]:
        return [] if options.path in {"a", "a-2"} else ["no"]

    assert named(but(note.plugin, validate=validate), {"path": "a", "text": ""}, scratch, "path") == [("a-2",)]


def test_none_of_what_is_no_text(scratch: Path) -> None:
    assert named(but(note.plugin, options=Numbered, examples=[{"port": 1}]), {"port": 1}, scratch, "port") == []
