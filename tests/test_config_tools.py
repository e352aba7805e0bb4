from pathlib import Path

import pytest

from dtm_sdk.config import load
from dtm_sdk.config_tools import dotted
from dtm_sdk.errors import ConfigError
from tests.things import ThingOptions, World


@pytest.mark.parametrize(
    "written",
    [
        "{name: a, plugin: thing, options: {id: x}}",
        "{name: a, plugin: {kind: thing}, options: {id: x}}",
        "{name: a, plugin: {kind: thing, version: 0.3.0}, options: {id: x}}",
        "{name: a, plugin: {kind: thing, version: 1}, dependsOn: , options: {id: x}}",
        "{name: thing, instanceID: a, options: {id: x}, dependsOn: []}",
        "{name: thing, instanceID: a, options: {id: x}, dependsOn: ['', '  ', ~]}",
    ],
)
def test_each_form_of_the_ancestor_is_the_same_tool(written: str, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(f"tools:\n- {written}\n")
    (tool,) = load(str(path), World().plugin).tools.values()
    assert (tool.name, tool.plugin, tool.key) == ("a", "thing", "a.thing")
    assert (tool.depends_on, tool.options, tool.typed) == ((), {"id": "x"}, ThingOptions(id="x"))


def test_options_may_be_missing_or_empty(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("tools:\n- {name: a, plugin: other}\n- {name: b, plugin: other, options: }\n")
    with pytest.raises(ConfigError) as caught:
        load(str(path), World().plugin)
    assert [problem.what for problem in caught.value.problems] == [
        f"tool {name} (other): option id is required and missing" for name in "ab"
    ]


@pytest.mark.parametrize(
    ("path", "text"), [((), ""), (("a",), "a"), (("a", 0, "b", 1, 2, "c"), "a[0].b[1][2].c"), (("a.b",), "a.b")]
)
def test_a_path_is_written_with_dots_and_indexes(path: tuple[str | int, ...], text: str) -> None:
    assert dotted(path) == text
