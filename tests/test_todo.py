"""The marks at what is left to write, and what a call of an unwritten operation says."""

import os
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from dtm_sdk import Identity, Options
from dtm_sdk.errors import PluginError
from dtm_sdk.invoke import PluginBug, invoke
from dtm_sdk.plugin import Plugin
from dtm_sdk.todo import Todo, marks

UNWRITTEN = '''\
"""Operations."""


# TODO(dtm): not of a function
def create(options):
    """Make it."""
    # TODO(dtm): make it (C1).
    raise NotImplementedError


def plain(options):
    raise NotImplementedError("of something else")


def library(options):
    # TODO(dtm): not reached, what is called raises
    plain(options)
'''


class ThingOptions(Options):
    name: Identity[str]


def called(path: Path, name: str) -> PluginError:
    """What a call of a function of this file ends with."""
    spec = spec_from_file_location("unwritten", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    create: Any = getattr(module, name)
    plugin = Plugin(name="thing", options=ThingOptions, create=create, read=create, update=create, delete=create)
    with pytest.raises(PluginError) as raised:
        invoke(plugin, "create", ThingOptions(name="a"), None, say=print, interrupted=Event())
    return raised.value


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "src" / "create.py"
    path.parent.mkdir()
    path.write_text(UNWRITTEN)
    return path


def test_an_unwritten_operation_ends_with_its_place_and_no_traceback(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = called(file, "create")
    assert not isinstance(error, PluginBug)
    assert str(error) == f"TODO(dtm): {file}:7: make it (C1); write it, then run this again"
    monkeypatch.chdir(tmp_path)
    assert error.message != called(file, "create").message == "TODO(dtm): src/create.py:7: make it (C1)"


@pytest.mark.parametrize("name", ["plain", "library"])
def test_what_raises_without_a_mark_is_a_bug(file: Path, name: str) -> None:
    error = called(file, name)
    assert isinstance(error, PluginBug)
    assert "raised NotImplementedError: of something else" in error.message


def test_a_file_that_has_gone_is_no_place(file: Path) -> None:
    text = compile("def create(options):\n    raise NotImplementedError\n", str(file), "exec")
    assert isinstance(called(file, "create"), PluginError)
    names: dict[str, Any] = {}
    exec(text, names)  # noqa: S102  # a function of a file that is taken away
    os.unlink(file)  # noqa: PTH108
    create = names["create"]
    plugin = Plugin(name="thing", options=ThingOptions, create=create, read=create, update=create, delete=create)
    with pytest.raises(PluginBug):
        invoke(plugin, "create", ThingOptions(name="a"), None, say=print, interrupted=Event())


def test_a_mark_is_found_in_comments_of_each_kind_and_in_strings() -> None:
    text = '# TODO(dtm): one (A1).\n<!-- TODO(dtm): two -->\n\nx = "TODO(dtm): three"\n# TODO: none\n'
    assert list(marks(text, "a.md")) == [
        Todo("a.md", 1, "one (A1)."),
        Todo("a.md", 2, "two"),
        Todo("a.md", 4, "three"),
    ]
