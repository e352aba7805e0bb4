import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from dtm_sdk.testing.source import Source
from dtm_sdk.testing.stage import Stage
from dtm_sdk.testing.subject import Subject
from dtm_sdk.testing.verdicts import Violation
from tests.zoo.right import note, widget
from tests.zoo.right.widget_service import TOKEN
from tests.zoo.zoo import Kept, but


@pytest.fixture(params=["note", "widget"])
def kept(request: pytest.FixtureRequest) -> Kept:
    module = {"note": note, "widget": widget}[request.param]
    return Kept(request.param, module.plugin, module.world)


@pytest.fixture
def subject(kept: Kept, tmp_path: Path) -> Iterator[Subject]:
    world = kept.world()
    (tmp_path / "scene").mkdir()
    with world.opened(tmp_path / "scene"):
        yield Subject(kept.plugin, world, 0, source=Source(kept.name, None), scratch=tmp_path)


def test_calls_are_counted_in_order(subject: Subject) -> None:
    stage = Stage(subject)
    tool = stage.tool("one", subject.examples[0])
    assert stage.must(tool).calls == ["read", "create"]
    assert stage.must(tool).calls == ["read"]
    assert stage.must(stage.tool("one", subject.examples[1])).calls == ["read", "update"]
    assert stage.apply().calls == ["delete"]


def test_an_operation_that_is_made_to_fail_is_not_called(subject: Subject) -> None:
    stage = Stage(subject)
    ran = stage.apply(stage.tool("one", subject.examples[0]), failing=frozenset({"create"}))
    assert ran.calls == ["read", "create"]
    assert "the suite made this create fail" in ran.problems[0]
    assert subject.changes(subject.empty, subject.snapshot()) == []


def test_secrets_are_in_no_file_of_the_run(tmp_path: Path) -> None:
    world = widget.world()
    (tmp_path / "scene").mkdir()
    with world.opened(tmp_path / "scene"):
        subject = Subject(widget.plugin, world, 0, source=Source("widget", None), scratch=tmp_path)
        stage = Stage(subject)
        stage.must(stage.tool("one", subject.examples[1]))
        stage.apply()  # Delete needs the token, which the config no longer has
        files = [path.read_bytes() for path in stage.folder.rglob("*") if path.is_file()]
        assert not [data for data in files if TOKEN.encode() in data or b"first-secret-key" in data]
        assert subject.changes(subject.empty, subject.snapshot()) == []


@pytest.mark.parametrize("text", ["[[ env HOME ]]", "[[ name ]]", "a [[ b", "${{ a.b.outputs.c }}", "\\[[ x ]]"])
def test_a_text_comes_to_the_plugin_as_it_is(text: str, tmp_path: Path) -> None:
    world = note.world()
    (tmp_path / "scene").mkdir()
    with world.opened(tmp_path / "scene"):
        subject = Subject(note.plugin, world, 0, source=Source("note", None), scratch=tmp_path)
        stage = Stage(subject)
        stage.must(stage.tool("one", {"path": "a", "text": text}))
        assert stage.resource("one")["text"] == text


def test_a_command_that_dies_is_the_plugins_fault(subject: Subject) -> None:
    plugin = but(subject.plugin, create=lambda options: os._exit(3))
    dying = Subject(plugin, subject.world, 0, source=subject.source, scratch=subject.scratch)
    stage = Stage(dying)
    with pytest.raises(Violation, match="apply died under the runner: its process exited with 3"):
        stage.must(stage.tool("one", subject.examples[0]))
