"""Resources that are made beside another one, and held to what they were."""

from pathlib import Path
from typing import Any

import pytest

from dtm_sdk import PluginError
from dtm_sdk.testing.identities import identity
from dtm_sdk.testing.neighbours import Neighbours, neighbours
from dtm_sdk.testing.subject import Subject
from dtm_sdk.testing.verdicts import Violation
from tests.testing.subjects import subject_of
from tests.zoo.right import note, section, setting, ticket
from tests.zoo.zoo import but


def named(subject: Subject, found: Neighbours) -> list[tuple[Any, ...]]:
    """The identities of some neighbours."""
    return [tuple(identity(subject, raw).values()) for raw, _ in found.there]


def test_each_identity_option_is_varied_alone(tmp_path: Path) -> None:
    with subject_of(setting.plugin, tmp_path) as subject:
        found = neighbours(subject, subject.examples[0])
        assert named(subject, found) == [("app.json2", "colour"), ("app.json", "colour2")]
        assert [raw["value"] for raw, _ in found.there] == ["blue", "blue"]


def test_what_create_refuses_and_what_is_to_be_elsewhere_is_left_out(tmp_path: Path) -> None:
    with subject_of(section.plugin, tmp_path, section.world()) as subject:
        raw = subject.examples[0]
        assert named(subject, neighbours(subject, raw)) == [("hosts.conf", "web2")]
        found = neighbours(subject, raw, {**raw, "section": "web2"})
        assert named(subject, found) == [("hosts.conf", "web-2")]
        assert subject.notes == []


def test_an_example_has_an_identity_that_a_suffix_does_not_give(tmp_path: Path) -> None:
    def validate(options: note.NoteOptions) -> list[str]:
        return [] if options.path in {"a.note", "b.note"} else ["only these two"]

    with subject_of(but(note.plugin, validate=validate), tmp_path) as subject:
        assert named(subject, neighbours(subject, subject.examples[0])) == [("b.note",)]


def test_where_none_can_be_made_the_world_is_as_it_was_and_the_notes_say_so(tmp_path: Path) -> None:
    def create(options: note.NoteOptions) -> dict[str, Any]:
        Path(f".{options.path}.tmp").touch()
        raise PluginError("the disk is full", "empty it")

    for plugin, world in ((but(note.plugin, create=create), None), (ticket.plugin, ticket.world())):
        with subject_of(plugin, tmp_path / plugin.name, world) as subject:
            for _ in range(2):
                found = neighbours(subject, subject.examples[0])
            assert found.there == []
            assert found.tree == subject.snapshot() == subject.empty
            assert len(subject.notes) == 1


def test_a_fresh_world_has_them_alone(tmp_path: Path) -> None:
    with subject_of(setting.plugin, tmp_path) as subject:
        found = neighbours(subject, subject.examples[0])
        steps = [step for step in subject.steps if step.startswith("create")]
        subject.create(subject.examples[0])
        found.fresh()
        assert subject.snapshot() == found.tree
        assert [step.partition("(")[0] for step in subject.steps] == ["create", "create"]
        assert subject.steps[0] == steps[0]
        subject.create(subject.examples[0])
        assert neighbours(subject, subject.examples[0]).tree == found.tree


@pytest.mark.parametrize("harm", ["content", "mode", "gone"])
def test_what_is_theirs_alone_may_not_change(tmp_path: Path, harm: str) -> None:
    with subject_of(note.plugin, tmp_path) as subject:
        found = neighbours(subject, subject.examples[0])
        subject.create(subject.examples[0])
        found.share()
        found.unharmed("now")
        path = Path("a.note2")
        if harm == "content":
            path.write_bytes(b"0\nother")
        elif harm == "mode":
            path.chmod(0o777)
        else:
            path.unlink()
        with pytest.raises(Violation, match=r"^now, what is another resource's has changed in the world: a.note2"):
            found.unharmed("now")


def test_of_a_file_that_they_share_what_has_not_changed_stays_theirs(tmp_path: Path) -> None:
    with subject_of(setting.plugin, tmp_path) as subject:
        found = neighbours(subject, subject.examples[0])
        subject.create(subject.examples[0])
        found.share()
        found.unharmed("now")
        Path("app.json").chmod(0o777)
        with pytest.raises(Violation, match=r"what is another resource's has changed in the world: app\.json\.mode"):
            found.unharmed("now")


@pytest.mark.parametrize(("text", "message"), [('{"colour":{"value":"","remark":""}}', "$"), ("{", ": it raises")])
def test_what_they_share_may_change_and_what_read_says_may_not(tmp_path: Path, text: str, message: str) -> None:
    with subject_of(setting.plugin, tmp_path) as subject:
        found = neighbours(subject, subject.examples[0])
        subject.create(subject.examples[0])
        found.share()
        subject.update(subject.examples[1])
        found.unharmed("now")
        Path("app.json").write_text(text, encoding="utf-8")
        with pytest.raises(
            Violation, match=rf"now, what Read says of another resource, .*colour2'}}, has changed{message}"
        ):
            found.unharmed("now")
