from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtm_sdk.config import load
from dtm_sdk.config_check import cycles
from dtm_sdk.errors import ConfigError
from tests.things import World

graphs = st.dictionaries(st.integers(0, 7).map(str), st.lists(st.integers(0, 8).map(str), max_size=4))


@given(graphs)
def test_cycles_are_found_where_there_are_any_and_are_cycles(graph: dict[str, list[str]]) -> None:
    found = list(cycles(graph))
    for cycle in found:
        assert len(set(cycle)) == len(cycle)
        assert all(need in graph[node] for node, need in zip(cycle, [*cycle[1:], cycle[0]], strict=True))
    assert bool(found) == has_cycle(graph)
    without = {node: needs for node, needs in graph.items() if not any(node in cycle for cycle in found)}
    assert not has_cycle(without)


def has_cycle(graph: dict[str, list[str]]) -> bool:
    """What the standard library says."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError:
        return True
    return False


def test_a_graph_may_be_deep_and_dense() -> None:
    graph = {str(node): [str(need) for need in range(node + 1, node + 20)] for node in range(10_000)}
    assert not list(cycles(graph))
    (cycle,) = cycles({**graph, "9999": ["0", "1", "5000", "9999"]})
    assert len(cycle) == 10_000


def test_the_first_cycle_starts_at_its_first_node() -> None:
    assert list(cycles({"x": ["b"], "a": ["b"], "b": ["c", "a"], "c": []})) == [["b", "a"]]


@pytest.mark.parametrize("written", ["thing.b", "b.thing"])
def test_a_tool_in_the_later_form_is_known_by_both_keys(written: str, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(rf"""
tools:
- {{name: thing, instanceID: b, options: {{id: b}}}}
- {{name: a, plugin: thing, options: {{id: a}}, dependsOn: [{written}]}}
- name: thing
  instanceID: c
  options:
    id: c
    note: "${{{{ {written}.outputs.x.y }}}} \\${{{{ {written}.outputs.x.y }}}} ${{{{{written}.outputs.z}}}}"
""")
    config = load(str(path), World().plugin)
    assert list(config.tools) == ["b.thing", "a.thing", "c.thing"]
    assert config.tools["a.thing"].depends_on == ("b.thing",)
    c = config.tools["c.thing"]
    assert (c.depends_on, c.needs) == ((), ("b.thing",))
    first, escaped, last = c.options["note"].split("} ")
    assert (first, last.replace(" ", "")) == ("${{ b.thing.outputs.x.y }", "${{b.thing.outputs.z}}")
    assert escaped == rf"\${{{{ {written}.outputs.x.y }}"


def test_the_key_of_a_tool_in_the_early_form_is_not_turned_around(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("tools:\n- {name: a, plugin: thing, options: {id: a}, dependsOn: [thing.a]}\n")
    with pytest.raises(ConfigError, match=r"depends on thing\.a, which isn't in the config"):
        load(str(path), World().plugin)
