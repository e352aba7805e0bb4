"""Tests of `dtm_sdk.registry`: what is found, and what is said where that goes wrong."""

import importlib.metadata
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from dtm_sdk.errors import PluginError
from dtm_sdk.registry import GROUP, Entry, Registry, UnknownPluginError, find, scan

SOURCE = """
from dtm_sdk import Identity, Options, Plugin

class TinyOptions(Options):
    name: Identity[str]

def nothing(options: TinyOptions) -> dict[str, str]:
    return {}

plugin = Plugin(name="tiny", options=TinyOptions, create=nothing, read=nothing, update=nothing, delete=nothing)
"""


def install(folder: Path, info: str, entry_points: str, module: str = "", source: str = SOURCE) -> None:
    """Put a distribution into a folder, as pip does: its metadata, and a module."""
    (folder / info).mkdir(parents=True)
    (folder / info / "entry_points.txt").write_text(entry_points)
    name, _, version = info.rpartition(".")[0].partition("-")
    (folder / info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    if module:
        (folder / f"{module}.py").write_text(source)


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Leave the paths and modules of the process as they were."""
    path, modules = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def ask_importlib() -> set[tuple[str, str]]:
    return {(point.name, point.value) for point in importlib.metadata.entry_points(group=GROUP)}


def test_a_distribution_in_the_plugin_folder_is_found_like_an_installed_one(tmp_path: Path) -> None:
    install(tmp_path, "dtm_tiny-1.2.dist-info", f"[{GROUP}]\ntiny = tiny_one:plugin\n", "tiny_one")
    registry = Registry(str(tmp_path))
    assert "tiny" in registry.names()
    assert registry.get("tiny").name == "tiny"
    assert registry.get("tiny") is registry.get("tiny")
    assert Entry("tiny", "tiny_one:plugin", "dtm_tiny", "1.2") in registry.entries


def test_the_plugin_folder_comes_last_so_that_it_replaces_nothing(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('shadowed')\n")
    Registry(str(tmp_path))
    assert sys.path[-1] == str(tmp_path)
    assert sys.path.count(str(tmp_path)) == 1
    Registry(str(tmp_path))
    assert sys.path.count(str(tmp_path)) == 1


def test_a_plugin_folder_that_is_not_there_is_no_error(tmp_path: Path) -> None:
    Registry(str(tmp_path / "missing"))
    assert str(tmp_path / "missing") not in sys.path


def test_an_unknown_name_gets_the_nearest_and_the_command_that_lists_them(tmp_path: Path) -> None:
    install(tmp_path, "dtm_tiny-1.dist-info", f"[{GROUP}]\ntiny = tiny_one:plugin\n", "tiny_one")
    with pytest.raises(UnknownPluginError, match=r"plugin 'tinny'.* did you mean 'tiny'.* `dtm list plugins`"):
        Registry(str(tmp_path)).get("tinny")


@pytest.mark.parametrize(
    ("value", "source", "said"),
    [
        ("broken:plugin", "import not_there\n", "ModuleNotFoundError.*not_there.*install what it needs"),
        ("broken:plugin", "def f(:\n", "SyntaxError.*bug of the plugin"),
        ("broken:plugin", "raise SystemExit(3)\n", "SystemExit: 3"),
        ("broken:other", SOURCE, "AttributeError.*other"),
        ("broken:plugin", "plugin = {}\n", r"broken:plugin is of type dict, no dtm_sdk.Plugin"),
        ("broken:plugin.name", SOURCE, r"broken:plugin.name is of type str"),
        ("broken:plugin", SOURCE.replace('"tiny"', '"other"'), "calls itself 'other'.*same name"),
        ("broken:plugin", SOURCE.replace('"tiny"', '"Tiny!"'), "'Tiny!'.*lower-case"),
        ("not_there_at_all:plugin", "", "No module named 'not_there_at_all'"),
    ],
)
def test_what_is_no_plugin_is_one_error_that_names_the_distribution(
    tmp_path: Path, value: str, source: str, said: str
) -> None:
    install(tmp_path, "dtm_tiny-1.2.dist-info", f"[{GROUP}]\ntiny = {value}\n", "broken", source)
    registry = Registry(str(tmp_path))
    with pytest.raises(PluginError, match=f"plugin 'tiny' of dtm_tiny 1.2: .*{said}"):
        registry.get("tiny")
    with pytest.raises(PluginError, match=said):
        registry.get("tiny")


def test_a_broken_plugin_is_imported_once(tmp_path: Path) -> None:
    count = f"with open({str(tmp_path / 'count')!r}, 'a') as file:\n    file.write('x')\n"
    source = f"{count}raise ValueError\n"
    install(tmp_path, "dtm_tiny-1.dist-info", f"[{GROUP}]\ntiny = broken:plugin\n", "broken", source)
    registry = Registry(str(tmp_path))
    for _ in range(2):
        with pytest.raises(PluginError):
            registry.get("tiny")
    assert (tmp_path / "count").read_text() == "x"


def test_two_distributions_with_one_name_are_an_error_that_names_both(tmp_path: Path) -> None:
    install(tmp_path, "first-1.dist-info", f"[{GROUP}]\ntiny = tiny_one:plugin\n", "tiny_one")
    install(tmp_path, "second-2.dist-info", f"[{GROUP}]\ntiny = tiny_two:plugin\n", "tiny_two")
    registry = Registry(str(tmp_path))
    assert registry.names().count("tiny") == 1
    with pytest.raises(PluginError, match=r"given twice, by first 1 \(tiny_one:plugin\) and second 2 .*uninstall one"):
        registry.get("tiny")


def test_the_fast_way_finds_what_importlib_finds_in_this_environment() -> None:
    assert {(entry.name, entry.value) for entry in find()} == ask_importlib()


FORMS = {
    "plain-1.dist-info": f"[{GROUP}]\nplain = plain:plugin\n",
    "Mixed_Case.And-Dots-1.0.dist-info": f"[{GROUP}]\nmixed = mixed:plugin\n",
    "others-1.dist-info": (
        f"[console_scripts]\nx = y:z\n\n[{GROUP}] \n\n # a = comment\n two = a.b : c.d [extra]\none=a:b\n"
    ),
    "after-1.dist-info": f"[{GROUP}]\nkept = a:b\n[{GROUP}.other]\nlost = a:c\n",
    "egg-1.egg-info": f"[{GROUP}]\negg = egg:plugin\n",
    "mentioned-1.dist-info": f"[other]\nname = {GROUP}:x\n",
    "spaced-1.dist-info": f"[ {GROUP} ]\nspaced = a:b\n",
    "empty-1.dist-info": "",
}


def test_the_fast_way_reads_every_form_as_importlib_does(tmp_path: Path) -> None:
    for info, text in FORMS.items():
        install(tmp_path, info, text)
    (tmp_path / "no_entry_points-1.dist-info").mkdir()
    (tmp_path / "a_file-1.dist-info").write_text("")
    before = ask_importlib()
    sys.path.append(str(tmp_path))
    found = {(entry.name, entry.value) for entry in scan([str(tmp_path)])}
    assert found == ask_importlib() - before
    assert found >= {("plain", "plain:plugin"), ("two", "a.b : c.d [extra]"), ("egg", "egg:plugin"), ("kept", "a:b")}


def test_a_distribution_counts_where_it_is_found_first(tmp_path: Path) -> None:
    install(tmp_path / "one", "dtm_tiny-1.dist-info", f"[{GROUP}]\ntiny = one:plugin\n")
    install(tmp_path / "two", "DTM.tiny-2.dist-info", f"[{GROUP}]\ntiny = two:plugin\nmore = two:more\n")
    folders = [str(tmp_path / "one"), str(tmp_path / "two")]
    before = ask_importlib()
    sys.path.extend(folders)
    assert [entry.value for entry in scan(folders)] == ["one:plugin"]
    assert ask_importlib() - before == {("tiny", "one:plugin")}


def test_a_zip_file_on_the_path_is_left_to_importlib(tmp_path: Path) -> None:
    install(tmp_path / "tree", "zipped-1.dist-info", f"[{GROUP}]\ntiny = zipped:plugin\n", "zipped")
    archive = tmp_path / "plugins.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted((tmp_path / "tree").rglob("*")):
            file.write(path, path.relative_to(tmp_path / "tree"))
    code = "from dtm_sdk.registry import Registry; print(Registry('none').get('tiny').name)"
    environment = {**os.environ, "PYTHONPATH": f"{archive}:{Path(__file__).parents[1]}"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("tiny\n", "")


def test_importlib_metadata_is_not_imported_to_find_plugins(tmp_path: Path) -> None:
    install(tmp_path, "dtm_tiny-1.dist-info", f"[{GROUP}]\ntiny = tiny_one:plugin\n", "tiny_one")
    code = (
        "import json, sys; from dtm_sdk.registry import Registry\n"
        f"names = Registry({str(tmp_path)!r}).names()\n"
        "print(json.dumps([names, 'importlib.metadata' in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names, imported = json.loads(done.stdout)
    assert "tiny" in names
    assert not imported
