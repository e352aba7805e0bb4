import os
from pathlib import Path
from typing import Annotated, Any

import pytest
import yaml
from msgspec import Meta

from dtm_sdk.config import load, load_backend
from dtm_sdk.errors import ConfigError, PluginError
from dtm_sdk.options import Identity, Options, Secret
from dtm_sdk.plugin import Plugin
from dtm_sdk.tools import Config, Tool
from tests.things import ThingOptions, World, manual_plugin

CASES = sorted((Path(__file__).parent / "cases" / "config").glob("*.yaml"))


class Part(Options):
    """A part of nested options."""

    size: int


class NestedOptions(Options):
    """Options with objects and lists in them."""

    name: Annotated[Identity[str], Meta(min_length=1)]
    zone: Identity[str] = "main"
    parts: tuple[Part, ...] = ()
    labels: dict[str, str] | None = None


def picky(options: ThingOptions) -> list[str]:
    """Messages that quote what they are about, as an author may write them."""
    return [f"note is {options.note!r}", "size is odd"] if "bad" in options.note else []


def broken(options: ThingOptions) -> list[str]:
    """What an author may have got wrong."""
    raise KeyError(options.id)


def nothing(options: Any) -> Any:
    """An operation that no load may call."""
    raise AssertionError


def plugin(name: str, options: type[Options], **more: Any) -> Plugin:
    """A plugin of which only the options matter."""
    return Plugin(name=name, options=options, create=nothing, read=nothing, update=nothing, delete=nothing, **more)


PLUGINS = {
    "thing": World().plugin(),
    "other": World().plugin("other"),
    "manual": manual_plugin(),
    "nested": plugin("nested", NestedOptions),
    "picky": plugin("picky", ThingOptions, validate=picky),
    "broken": plugin("broken", ThingOptions, validate=broken),
}


def find_plugin(name: str) -> Plugin:
    """The plugin of that name, as the registry gives it."""
    if name not in PLUGINS:
        raise PluginError(f"plugin {name!r} is neither installed nor in .devstream", "try another")
    return PLUGINS[name]


def loaded(text: str, folder: Path) -> Config:
    """The config that a file with this text holds."""
    path = folder / "config.yaml"
    path.write_text(text, "utf-8")
    return load(str(path), find_plugin)


def problems_of(path: str) -> list[str]:
    """What is wrong with a config, one line each."""
    with pytest.raises(ConfigError) as caught:
        load(path, find_plugin)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
def test_every_problem_is_told_at_once_each_with_its_place(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = yaml.safe_load(path.read_text("utf-8"))
    for name, value in case.get("env", {}).items():
        monkeypatch.setenv(name, value)
    files = case.get("files", {"config.yaml": case.get("config")})
    for name, text in files.items():
        (tmp_path / "config" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "config" / name).write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path / "config")
    assert problems_of("." if "files" in case else "config.yaml") == case["problems"]


STORY = """\
tools:
- name: my-file
  plugin: thing
  options:
    id: foo.txt
    note: "hello, world"
"""


def test_the_config_of_the_story_is_one_tool(tmp_path: Path) -> None:
    config = loaded(STORY, tmp_path)
    options = {"id": "foo.txt", "note": "hello, world"}
    typed = ThingOptions(id="foo.txt", note="hello, world")
    assert config == Config({"my-file.thing": Tool("my-file", "thing", (), options, (), typed)}, "local", {})


def test_a_file_may_have_a_mark_windows_line_ends_and_several_documents(tmp_path: Path) -> None:
    text = (
        f"\ufeff{STORY}---\nvars: {{x: 1}}\n---\ntools:\n- {{name: b, plugin: manual, options: {{size: '[[ x ]]'}}}}\n"
    )
    assert list(loaded(text.replace("\n", "\r\n"), tmp_path).tools) == ["my-file.thing", "b.manual"]


@pytest.mark.parametrize("text", ["tools: []", "config:\nvars:\ntools: []", "---\n---\ntools: []\n---\n"])
def test_no_tools_is_what_an_empty_list_says(text: str, tmp_path: Path) -> None:
    assert loaded(text, tmp_path) == Config({}, "local", {})


@pytest.mark.parametrize(
    ("written", "backend", "options"),
    [
        ("{backend: s3, options: {bucket: b, region: '[[ region ]]'}}", "s3", {"bucket": "b", "region": "eu"}),
        ("{options: {stateFile: x.state}}", "local", {"stateFile": "x.state"}),
        ("{backend: other, options: }", "other", {}),
        ("", "local", {}),
    ],
)
def test_the_backend_of_the_state_and_its_options_are_plain_values(
    written: str, backend: str, options: dict[str, Any], tmp_path: Path
) -> None:
    config = loaded(f"config:\n  state: {written}\nvars: {{region: eu}}\ntools: []", tmp_path)
    assert (config.backend, config.backend_options) == (backend, options)


BROKEN = "vars: {region: eu, bad: '[[ missing ]]'}\ntools: [{name: A}, 7]\n"


def test_the_backend_is_known_whatever_else_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(f"{BROKEN}config: {{state: {{backend: s3, options: {{region: '[[ region ]]'}}}}}}\n")
    assert load_backend(str(path)) == ("s3", {"region": "eu"})
    path.write_text("config: {state: {backend: s3}}\n")
    assert load_backend(str(path)) == ("s3", {})


@pytest.mark.parametrize("region", ["bad", "missing"])
def test_a_backend_whose_options_cant_be_known_is_refused(region: str, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(f"{BROKEN}config: {{state: {{options: {{region: '[[ {region} ]]'}}}}}}\n")
    with pytest.raises(ConfigError, match="the variable missing is not defined"):
        load_backend(str(path))


def test_variables_are_replaced_in_every_text_of_a_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DTM_TEST_TOKEN", "s3cr3t-t0ken")
    monkeypatch.setenv("DTM_TEST_PLUGIN", "nested")
    text = """
vars:
  name: web
  part: {size: 3}
  key: "[[ name ]].thing"
  token: "[[ env DTM_TEST_TOKEN ]]"
tools:
- name: "[[ name ]]"
  plugin: "th[[ ing ]]"
  options: {id: "[[ name ]].txt", token: "[[ token ]]", wait: "[[ part.size ]]"}
- name: n
  plugin: "[[ env DTM_TEST_PLUGIN ]]"
  dependsOn: ["[[ key ]]"]
  options: {name: '\\[[ name ]]', parts: ["[[ part ]]"], labels: {a: "[[ env DTM_TEST_TOKEN ]]", b: "x[[ token ]]"}}
"""
    config = loaded(text.replace("vars:", "vars:\n  ing: ing"), tmp_path)
    web, nested = config.tools.values()
    assert web.typed == ThingOptions(id="web.txt", token=Secret("s3cr3t-t0ken"), wait=3)
    assert (web.key, web.sources) == ("web.thing", {"token": "DTM_TEST_TOKEN"})
    labels = {"a": "s3cr3t-t0ken", "b": "xs3cr3t-t0ken"}
    assert nested.options == {"name": "[[ name ]]", "parts": [{"size": 3}], "labels": labels}
    assert nested.typed == NestedOptions(name="[[ name ]]", parts=(Part(size=3),), labels=labels)
    assert (nested.depends_on, nested.sources) == (("web.thing",), {"labels.a": "DTM_TEST_TOKEN"})


def test_references_are_needs_and_leave_the_options_untyped(tmp_path: Path) -> None:
    text = r"""
vars: {ref: "${{ a.thing.outputs.url }}"}
tools:
- {name: a, plugin: thing, options: {id: a, note: '\${{ b.thing.outputs.id }}'}}
- name: b
  plugin: nested
  dependsOn: [c.thing, "", " ", ~, c.thing]
  options:
    name: b
    parts: [{size: "${{ a.thing.outputs.size }}"}]
    labels: {x: "[[ ref ]]", y: '\${{ no }} ${{c.thing.outputs.a.b}}'}
- {name: c, plugin: thing, options: {id: c}}
"""
    config = loaded(text, tmp_path)
    a, b, _ = config.tools.values()
    assert a.typed == ThingOptions(id="a", note="${{ b.thing.outputs.id }}")
    assert a.options == {"id": "a", "note": "${{ b.thing.outputs.id }}"}
    assert (b.typed, b.depends_on, b.needs) == (None, ("c.thing",), ("c.thing", "a.thing"))
    assert b.options["parts"] == [{"size": "${{ a.thing.outputs.size }}"}]
    assert b.options["labels"] == {"x": "${{ a.thing.outputs.url }}", "y": r"\${{ no }} ${{c.thing.outputs.a.b}}"}


def test_an_escape_of_yaml_hides_neither_a_variable_nor_a_reference(tmp_path: Path) -> None:
    text = STORY.replace("hello, world", r"\x5b[ v ]] \x24{{ b.manual.outputs.x }}")
    config = loaded(f"{text}- {{name: b, plugin: manual}}\nvars: {{v: 1}}", tmp_path)
    assert config.tools["my-file.thing"].options["note"] == "1 ${{ b.manual.outputs.x }}"
    assert config.tools["my-file.thing"].needs == ("b.manual",)


def test_a_shared_value_is_read_in_each_tool(tmp_path: Path) -> None:
    text = "vars: {base: &base {size: 2}}\ntools:\n" + "".join(
        f"- {{name: {name}, plugin: thing, options: {{<<: *base, id: {name}}}}}\n" for name in "ab"
    )
    assert [tool.typed for tool in loaded(text, tmp_path).tools.values()] == [
        ThingOptions(id="a", size=2),
        ThingOptions(id="b", size=2),
    ]


def test_the_files_of_a_folder_are_one_config_in_the_order_of_their_paths(tmp_path: Path) -> None:
    for name, text in {
        "b.yaml": "tools:\n- {name: b, plugin: thing, options: {id: '[[ x ]]'}, dependsOn: [c.thing]}",
        "a/c.yml": "tools:\n- {name: c, plugin: thing, options: {id: c}}",
        "c.yaml": "config: {state: {backend: s3}}\nvars: {x: 12.txt}",
        "d.yaml": "",
        "e.yaml.bak": "}",
        ".hidden.yaml": "}",
        ".devstream/x.yaml": "}",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    config = load(str(tmp_path), find_plugin)
    assert list(config.tools) == ["c.thing", "b.thing"]
    assert config.backend == "s3"


def test_a_plugin_is_looked_for_once(tmp_path: Path) -> None:
    asked = []

    def find(name: str) -> Plugin:
        asked.append(name)
        return find_plugin(name)

    path = tmp_path / "config.yaml"
    path.write_text("tools:\n" + "".join(f"- {{name: {name}, plugin: manual}}\n" for name in "abc"))
    assert len(load(str(path), find).tools) == 3
    assert asked == ["manual"]


def test_a_thousand_problems_are_a_thousand_lines(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(
        "tools:\n" + "".join(f"- {{name: t{i}, plugin: manual, dependsOn: [x{i}.y]}}\n" for i in range(1000))
    )
    problems = problems_of(str(path))
    assert len(problems) == 1000
    assert problems[-1].startswith(f"{path}:1001:")


def test_environment_and_working_directory_stay_as_they_are(tmp_path: Path) -> None:
    before = (dict(os.environ), Path.cwd())
    loaded(STORY, tmp_path)
    assert (dict(os.environ), Path.cwd()) == before
