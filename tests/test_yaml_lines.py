"""Tests of `dtm_sdk.yaml_lines`: what it reads is what the parser makes of it, and it reads what people write."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from dtm_sdk.document import CONFIG, DocumentError, Limits
from dtm_sdk.state import Record, State
from dtm_sdk.state_text import LIMITS, dump
from dtm_sdk.yaml_lines import read
from dtm_sdk.yaml_values import build

CONFIG_TEXT = r"""# A config

tools:
- name: file-1   # the first
  plugin: localfile
  dependsOn:
    - file-2.localfile
  options:
    filename: a/b.txt
    content: "hello, world \\ \/\t1\n"
    mode: 420
    count: -1
    owner: 'someone else'
    none:
    also: null
    really: true
    no: no
    version: 1.2.3
    time: 22:22

-   plain
- name: file-2
  plugin: localfile
  options:
    deep:
      deeper:
      - a:b
      - - x
vars:
  who: world"""


def same(text: str, limits: Limits = CONFIG) -> bool:
    """Whether a text is read at all; then its value, and the types in it, are those that the parser gives."""
    value = read(text, limits)
    if value is None:
        return False
    assert read(text.encode(), limits) == value
    assert repr([value]) == repr(build(text, limits))
    return True


def test_what_people_write_is_read() -> None:
    written = CONFIG_TEXT.replace("-   plain\n", "").replace("      - - x\n", "")
    assert same(written)
    assert not same(CONFIG_TEXT)


def test_a_state_is_read() -> None:
    resource = {"outputs": {"id": 7, "names": ["a", "b"], "text": "a\nb"}, "left": None, "right": True}
    record = Record("a", "thing", ("b.thing",), {"id": "a", "list": [{"x": 1, "z": [1, 2]}]}, resource)
    assert same(dump(State({"a.thing": record})).decode(), LIMITS)


LINES = [
    "a:", "b:", "a: 1", "b: x", "c: 'y z'", 'd: "q\\n"', "- a", "- a: 1", "- b:", "- 'x'", "e: true", "-", "a", "- - a",
    "k: ", "# c", "", "  ", "a: x # c", "a: x #c", "a: x#c", "a: 'it''s'", 'a: "\\x41"', "a: 1.5", "a: 012", "a: 1_0",
    "a: -", "a: - b", "a: ~", "a: null", "a: -5", "a: 2024-01-02", "a: b: c", "a: b:c", "a:b", "a : b", "? a", "<<: x",
    "a: &x 1", "a: *x", "a: !x 1", "a: |", "a: >", "a: [1]", "a: {}", "---", "...", "%TAG", "a: @x", "a: `x", "a: b,",
    "a: 9223372036854775807", "a: 99999999999999999999", "a: 0x1F", "a: .5", "a: (b)", "a: =", "a: x  ", "a:  x",
    "a: b -c", "a: b - c", "a: b ?", "a: \tb", "a: b\t", "\ta: b", "null: 1", "true: 1", "1: 1", "a.b-c: /e/f", "_: _",
    "y: n", "a: 'b' # c", "a: # c", "- # c", r'a: "x\\"', r'a: "x\"', r'a: "x\" # y"',
    "a: b  c", "a: b :c", "a: b: c", "a: 'b'# c", "a: x #",
]  # fmt: skip
line = st.tuples(st.integers(0, 4), st.sampled_from(LINES)).map(lambda each: " " * each[0] + each[1])


@given(st.lists(line, max_size=8).map("\n".join))
@example("a:\n- a\n- b:\n- c: 1\n  d:\n  - e\n  f:\n    g: 1\nb: 1")
@example("a:\n  - b:\n     c: 1\n  - 2\n \n# x\nd:")
@example("a:\n    b: 1\n    c:\n  d: 1")
@example("a: 1\n  b: 2")
@example("a: x\n  y")
@example("a:\n  x")
@example("a:\n - b\n- c")
@example("a: 1\na: 2")
@example("- a: 1")
def test_lines_of_any_kind_are_read_as_the_parser_reads_them_or_not_at_all(text: str) -> None:
    same(text)
    same(f"{text}\n")


@given(
    st.integers(0, len(CONFIG_TEXT)),
    st.text(st.sampled_from("a1:-[]{}#&*!|>'\"%@`\\ \n\t\r\x00\x7fé,?~=."), max_size=3),
)
def test_an_edit_anywhere_is_read_as_the_parser_reads_it_or_not_at_all(at: int, inserted: str) -> None:
    written = CONFIG_TEXT.replace("-   plain\n", "").replace("      - - x\n", "")
    same(written[:at] + inserted + written[at:])
    same(written[:at] + inserted + written[at + len(inserted) :])


values: Any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.text(st.sampled_from("abc /:-.\n\"\\'"), min_size=1),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3) | st.dictionaries(st.text("abc", min_size=1), inner, min_size=1)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text("xyz", min_size=1), values, min_size=1))
def test_what_we_write_is_read_as_it_was(value: dict[str, Any]) -> None:
    record = Record("a", "thing", (), value, value)
    text = dump(State({"a.thing": record})).decode()
    if same(text, LIMITS):
        found = read(text, LIMITS)
        assert found is not None
        assert found["a_thing"]["options"] == value


@pytest.mark.parametrize(
    "text", ["a: 1", "a:", "a:\n- b\n- c: 1\n  d:\n", "a:\n  b:\n    c:\n", "a:\n  b:\n   - x\n  c: 1"]
)
def test_the_limits_are_those_of_the_parser(text: str) -> None:
    for count in range(30):
        for limits in (replace(CONFIG, events=count), replace(CONFIG, depth=count), replace(CONFIG, size=count)):
            try:
                expected = build(text, limits)
            except DocumentError:
                expected = [None]
            assert [read(text, limits)] == expected


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n", "a: é", "\ufeffa: 1", "a: 1\r\nb: 2", "a: 1\n# é"])
def test_other_texts_are_left_to_the_parser(text: str) -> None:
    assert read(text, CONFIG) is None
