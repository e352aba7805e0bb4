import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from dtm_sdk.document import CONFIG, DocumentError, Limits, parse, shown, weigh
from dtm_sdk.yaml_values import Positions


def refused(text: str, limits: Limits = CONFIG) -> DocumentError:
    """The error that a text ends in."""
    with pytest.raises(DocumentError) as caught:
        parse(text, limits)
    return caught.value


# Plain scalars


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((word, None) for word in ("", "~", "null", "Null", "NULL")),
        *((word, True) for word in ("true", "True", "TRUE")),
        *((word, False) for word in ("false", "False", "FALSE")),
        *((str(number), number) for number in (0, 7, 10, -1, -(2**63), 2**64 - 1)),
        ("+12", 12),
        ("-0", 0),
        ("0x1F", 31),
        ("0x00ff", 255),
        ("0o17", 15),
        ("1.5", 1.5),
        ("-0.25", -0.25),
        ("+.5", 0.5),
        ("1.", 1.0),
        ("1e3", 1000.0),
        ("1.5E-2", 0.015),
        ("0.1e+1", 1.0),
        ("1e-999", 0.0),
    ],
)
def test_a_plain_scalar_of_the_core_schema_has_its_type(text: str, value: object) -> None:
    read = parse(f"a: {text}")[0]["a"]
    assert (read, type(read)) == (value, type(value))


PLAIN_TEXTS = """
yes no on off y n Yes NO tRUE nULL nil none = inf nan -inf .Inf. ~a nullable
012 -012 00 01.5 0b1 0x 0xg 0o8 -0x1 1_000 1,000 0x_f + . ..x -x ... 22:22 1:20:30.5
2024-01-02 2024-01-02T03:04:05Z 1.2.3 v1 1e e1 1.5. ._5 1.5e3.2 1-2 ٣ 1٣
"""


@pytest.mark.parametrize("text", PLAIN_TEXTS.split())
def test_any_other_plain_scalar_is_text(text: str) -> None:
    assert parse(f"- {text}") == [[text]]


@pytest.mark.parametrize("text", ["", "~", "null", "true", "12", "0x1f", "1.5", ".inf", "9" * 30, "<<"])
@pytest.mark.parametrize("form", ["'{}'", '"{}"', "!!str {}", "! {}", "! '{}'", "!!str '{}'"])
def test_what_is_quoted_or_tagged_as_text_is_text(text: str, form: str) -> None:
    assert parse(f"- {form.format(text)}") == [[text]]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (str(2**64), "the integer 18446744073709551616 has more than 64 bits"),
        (str(-(2**63) - 1), "the integer -9223372036854775809 has more than 64 bits"),
        ("0x10000000000000000", "the integer 0x10000000000000000 has more than 64 bits"),
        ("0o2000000000000000000000", "the integer 0o2000000000000000000000 has more than 64 bits"),
        ("1" * 5000, f"the integer {'1' * 50}... (5000 characters) has more than 64 bits"),
        ("1e999", "the number 1e999 is too large"),
        ("-1e999", "the number -1e999 is too large"),
        *((word, f"{word} is no finite number") for word in (".inf", "-.Inf", "+.INF", ".nan", ".NaN", ".NAN")),
    ],
)
def test_a_number_that_does_not_fit_is_refused_where_it_stands(text: str, what: str) -> None:
    error = refused(f"a: 1\nb: {text}")
    assert str(error) == f"{what}; put it in quotes if it is text"
    assert (error.line, error.column) == (2, 4)


@pytest.mark.parametrize("key", ["yes", "012", "1", "1.5", "true", "null", "~", "2024-01-02", "'1'", '"1"', "!!str 1"])
def test_a_key_is_text_as_it_is_written(key: str) -> None:
    assert list(parse(f"{key}: x")[0]) == [key.removeprefix("!!str ").strip("'\"")]


def test_an_empty_key_is_an_empty_text() -> None:
    assert parse("? \n: x") == [{"": "x"}]


# Texts


@pytest.mark.parametrize(
    ("escape", "char"),
    [(r"\0", "\0"), (r"\a", "\a"), (r"\e", "\x1b"), (r"\x01", "\1"), (r"\u007f", "\x7f"), (r"\U0000009f", "\x9f")],
)
def test_a_control_character_is_refused_unless_the_limits_allow_it(escape: str, char: str) -> None:
    for text in (f'\n"b{escape}"', f'\n"b{escape}": a', f'\n&a "b{escape}": a'):
        error = refused(text)
        assert str(error) == f"the text holds the control character U+{ord(char):04X}; remove it"
        assert (error.line, error.column) == (2, 1)
    assert parse(f'"{escape}": "b{escape}"', replace(CONFIG, control_characters=True)) == [{char: f"b{char}"}]


def test_escapes_of_printable_characters_and_line_ends_are_kept() -> None:
    assert parse(r'"\t\r\n\u2028\x85\U0001F600\/\\"') == ["\t\r\n\u2028\x85😀/\\"]


def test_text_is_kept_in_every_style() -> None:
    text = "a: |\n  x\n   y\n\nb: >-\n  x\n  y\nc: 'it''s'\nd: x\n  y\ne: |+\n  x\n\n"
    assert parse(text) == [{"a": "x\n y\n", "b": "x y", "c": "it's", "d": "x y", "e": "x\n\n"}]
    assert parse(text.replace("\n", "\r\n")) == parse(text)


# Lists, mappings, documents


def test_each_document_has_a_value() -> None:
    assert parse("") == []
    assert parse("# nothing\n") == []
    assert parse("---\n---\na\n...\n---\n- b\n") == [None, "a", ["b"]]


def test_anchors_end_with_their_document() -> None:
    assert str(refused("&a b\n---\n*a")).startswith("the alias *a has no anchor above it")


@pytest.mark.parametrize(
    ("text", "place"), [("a: 1\nb: 2\na: 3", (3, 1)), ("{a: 1, 'a': 2}", (1, 8)), ("x:\n - {1: a, 1: b}", (2, 11))]
)
def test_a_key_that_is_there_twice_is_refused_where_it_stands_again(text: str, place: tuple[int, int]) -> None:
    error = refused(text)
    assert str(error) in {f"the key {key} is there twice; remove or rename one of the two" for key in "a1"}
    assert (error.line, error.column) == place


@pytest.mark.parametrize("text", ["? [a]\n: b", "? {a: b}\n: c", "- &a b\n- {*a : c}"])
def test_a_key_that_is_no_text_is_refused(text: str) -> None:
    assert str(refused(text)) == (
        "a key is a list, a mapping or an alias; write the key as text, and quotes around a text with {{ }}"
    )


@pytest.mark.parametrize("tag", ["!!int", "!!python/object:os.system", "!mine", "!<tag:e,1:x>", "!!binary", "!!set"])
@pytest.mark.parametrize(
    "form", ["{} a", "{} [a]", "{} {{a: b}}", "{{{} a: b}}", "{{a: {} 1}}", "[{{a: b}}, {{{} a: b}}]"]
)
def test_a_tag_is_refused(tag: str, form: str) -> None:
    assert str(refused(form.format(tag))).endswith("isn't supported; remove it; YAML is read as data only")


@pytest.mark.parametrize("text", ["!!seq {a: b}", "!!map [a]", "!!str [a]", "!!str {a: b}", "!!seq a", "!!map a"])
def test_a_tag_of_another_kind_of_value_is_refused(text: str) -> None:
    assert "isn't supported" in str(refused(text))


def test_tags_that_say_what_is_there_are_let_through() -> None:
    assert parse("!!map {a: !!seq [!!str b], c: ! [d], e: ! {f: g}}") == [{"a": ["b"], "c": ["d"], "e": {"f": "g"}}]


# Aliases and merge keys


def test_an_alias_is_the_value_of_the_last_anchor_of_that_name() -> None:
    assert parse("[&a b, *a, &a [c], *a, &d e: *a]") == [["b", "b", ["c"], ["c"], {"e": ["c"]}]]
    assert parse("{&k key: 1, x: *k}") == [{"key": 1, "x": "key"}]
    assert parse("{&k 12: 1, x: *k}") == [{"12": 1, "x": 12}]
    assert parse("[{k: 1}, {&a k: 1, x: *a}]") == [[{"k": 1}, {"k": 1, "x": "k"}]]


@pytest.mark.parametrize("text", ["a: &x [*x]", "&x {a: {b: *x}}", "&x {<<: *x}"])
def test_an_alias_inside_its_own_value_is_refused(text: str) -> None:
    assert str(refused(text)) == "the alias *x stands inside its own value; write what it should be"


@pytest.mark.parametrize(
    ("merge", "merged"),
    [
        ("<<: *a", {"x": 1, "y": 2}),
        ("<<: {x: 5}", {"x": 5}),
        ("<<: [*a, *b]", {"x": 1, "y": 2, "z": 4}),
        ("<<: [*b, *a]", {"x": 3, "y": 2, "z": 4}),
        ("<<: []", {}),
        ("<<: *list", {"x": 3, "y": 2, "z": 4}),
        ("y: 9\n  <<: *a", {"x": 1, "y": 9}),
        ("<<: *a\n  y: 9", {"x": 1, "y": 9}),
        ("'<<': *a", {"<<": {"x": 1, "y": 2}}),
        ("!!str <<: 1", {"<<": 1}),
    ],
)
def test_a_merge_key_adds_entries_that_are_not_there(merge: str, merged: dict[str, Any]) -> None:
    text = f"a: &a {{x: 1, y: 2}}\nb: &b {{x: 3, z: 4}}\nlist: &list [*b, *a]\nm:\n  {merge}\n"
    assert parse(text)[0]["m"] == merged


@pytest.mark.parametrize("value", ["", "text", "[a]", "[{}, [a]]", "12"])
def test_a_merge_of_something_else_is_refused(value: str) -> None:
    expected = "<< needs a mapping or a list of mappings; put << in quotes if it is an ordinary key"
    assert str(refused(f"a:\n  <<: {value}")) == expected


def test_a_second_merge_key_is_refused() -> None:
    assert str(refused("<<: {}\n<<: {}")).startswith("the key << is there twice")


# Limits


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ("{a: ", "}"), ("- ", ""), ("[{a: ", "}]")])
def test_lists_and_mappings_may_be_as_deep_as_the_limit_says_and_no_deeper(opening: str, closing: str) -> None:
    step = opening.count("[{") + 1
    deep = opening * (20 // step) + closing * (20 // step)
    assert parse(deep, replace(CONFIG, depth=20))
    error = refused(deep, replace(CONFIG, depth=19))
    assert str(error) == "lists and mappings are more than 19 deep; write it flatter, or as text in quotes"


def test_aliases_count_for_the_depth() -> None:
    text = "- &a [[x]]\n- [[*a]]"
    assert parse(text, replace(CONFIG, depth=5))
    error = refused(text, replace(CONFIG, depth=4))
    assert str(error) == "lists and mappings are more than 4 deep with the alias *a; write it flatter"
    assert (error.line, error.column) == (2, 5)


@pytest.mark.parametrize("text", ["[a, b]", "{a: b}", "- a\n- b\n"])
def test_there_may_be_as_many_events_as_the_limit_says_and_no_more(text: str) -> None:
    assert parse(text, replace(CONFIG, events=8))
    for events in range(8):
        assert f"more than {events} keys, values and brackets" in str(refused(text, replace(CONFIG, events=events)))


def test_aliases_may_stand_for_as_much_as_the_limit_says_and_no_more() -> None:
    text = "- &a [xyz, {k: 1}]\n- *a\n- *a"
    each = 4 * 40 + len("xyz")
    assert parse(text, replace(CONFIG, expansion=2 * each))
    error = refused(text, replace(CONFIG, expansion=2 * each - 1))
    assert str(error).startswith(f"aliases stand for more than {2 * each - 1} characters; use fewer of them")
    assert (error.line, error.column) == (3, 3)


BILLION = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 11)
)
MERGES = "a0: &a0 {x: 1}\n" + "".join(
    f"a{level}: &a{level} {{k{level}: {{<<: [{', '.join([f'*a{level - 1}'] * 9)}]}}, <<: *a{level - 1}}}\n"
    for level in range(1, 41)
)
HOSTILE = {
    "brackets": ("[" * 30_000, "1:101: lists and mappings are more than 100 deep"),
    "braces": ("{a: " * 30_000, "1:401: lists and mappings are more than 100 deep"),
    "dashes": ("- " * 30_000, "1:201: lists and mappings are more than 100 deep"),
    "a chain of aliases": (
        "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 20_000)),
        "100:12: lists and mappings are more than 100 deep with the alias *a98",
    ),
    "an alias bomb": (BILLION, "6:10: aliases stand for more than 4194304 characters"),
    "a merge bomb": (MERGES, "aliases stand for more than 4194304 characters"),
    "a flat list of 10 MB": ("- a\n" * 2_500_000, "1:1: the text has more than 4194304 bytes"),
    "a flat list of 4 MiB": ("- a\n" * (2**20 - 1), "199998:3: the text has more than 200000 keys, values"),
    "a flat list in brackets": ("[" + "1," * (2**21 - 1), "1:399996: the text has more than 200000 keys, values"),
    "a text of 4 MiB": ("a: '" + "x" * (2**22 - 100) + "😀'", "read"),
    "a text of 4 MiB without an end": ('"' + "x\n" * (2**21 - 1), "no valid YAML: found unexpected end of stream"),
    "a large number": ("a: " + "1" * 5000, "1:4: the integer 1111"),
    "a large hexadecimal number": ("a: 0x" + "f" * 2**21, "1:4: the integer 0xffff"),
    "empty lines": ("\n" * 2**22, "read"),
    "comments": ("#\n" * 2**21, "read"),
    "spaces": (" " * 2**22, "read"),
    "words": ("a: " + "b " * (2**21 - 2), "read"),
    "escapes": ('a: "' + "\\n" * (2**21 - 3) + '"', "read"),
    "lines of the simplest form": ("a:\n" + "- a: 1\n" * 590_000, "the text has more than 200000 keys, values"),
    "keys of the simplest form": ("".join(f"a{i}:\n" for i in range(400_000)), "the text has more than 200000 keys"),
    "lists of the simplest form": ("".join(" " * i + "a:\n" for i in range(2800)), "more than 100 deep"),
    "empty lists": ("- []\n" * 90_000, "read"),
    "tag lines": ("%TAG !e! tag:e,1:\n" * 200_000, "1:1: %TAG lines aren't supported"),
    "NUL": ("a: b\0", "1:5: the character U+0000 may not stand in YAML"),
    "an escaped NUL": ('a: "\\0"', "1:4: the text holds the control character U+0000"),
    "a recursive alias": ("a: &a [*a]", "1:8: the alias *a stands inside its own value"),
}
CHILD = """
import resource, sys
from pathlib import Path
from dtm_sdk.document import DocumentError, parse
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 80 * 2**20,) * 2)
try:
    parse(Path(sys.argv[1]).read_bytes())
    print("read")
except DocumentError as error:
    print(f"{error.line}:{error.column}: {error}")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to a limit of its memory")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_ends_in_one_line_within_100_mb(name: str, tmp_path: Path) -> None:
    text, said = HOSTILE[name]
    path = tmp_path / "hostile.yaml"
    path.write_text(text, "utf-8")
    child = [sys.executable, "-c", CHILD, str(path)]
    ran = subprocess.run(child, check=False, capture_output=True, text=True, timeout=60)
    assert ran.stderr == ""
    assert ran.stdout.count("\n") == 1
    assert said in ran.stdout


# What others say of the same text


NUMBER_OF_1_2 = re.compile(r"[-+]?(0o[0-7]+|\.?[0-9]+\.?[0-9]*([eE][-+]?[0-9]+)?)")
"""What YAML 1.2 reads as a number, and PyYAML, which follows YAML 1.1, may write without quotes."""

texts = st.text(st.characters(exclude_categories=["Cc", "Cs"], include_characters="\n\t")) | st.text(
    "0123456789abcdefoxinfyesNULLtrue~<=!*&[]{}#|>@%`'\"-+._:, \n", max_size=8
).filter(lambda text: not NUMBER_OF_1_2.fullmatch(text))
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@given(documents=st.lists(values, max_size=3), flow=st.sampled_from([True, False, None]), unicode=st.booleans())
def test_what_pyyaml_writes_is_read_as_it_was(*, documents: list[Any], flow: bool | None, unicode: bool) -> None:
    text = yaml.safe_dump_all(documents, default_flow_style=flow, allow_unicode=unicode, sort_keys=False)
    assume(not any(char in text for char in "\x85\u2028\u2029"))
    assert parse(text) == documents


@given(values)
def test_json_is_read_as_json_reads_it(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False)
    assume(not any(char in text for char in "\u2028\u2029\ufeff\ufffe\uffff"))
    assert parse(text) == [value]


def test_a_character_in_two_halves_as_json_writes_it_is_refused_with_what_to_write() -> None:
    assert str(refused(json.dumps("😀"))).endswith(
        r"; write one character as \U and all eight digits, not as two halves"
    )


@given(st.text(st.sampled_from("ab:-?[]{},&*!|>'\"%@`#~ \n\t\\0x1<")) | st.text())
def test_any_text_is_read_or_refused_at_a_place_in_it(text: str) -> None:
    read = read_or_refused(text)
    if isinstance(read, DocumentError):
        assert 1 <= read.line <= text.count("\n") + text.count("\r") + 2
        assert read.column >= 1
        assert "\n" not in str(read)
    else:
        positions = Positions(text)
        assert all(positions.find(number, ())[0] >= 1 for number in range(len(read)))


def read_or_refused(text: str) -> list[Any] | DocumentError:
    """What a text holds, or why it is refused."""
    try:
        return parse(text)
    except DocumentError as error:
        return error


SAME = [
    "a: [1, 'b', \"c\\n\", !!str 2, ! 3]\nd: |\n  e\nf:\n",
    "&a b: &c {d: e}\nx: *c\ny: {<<: *c, z: *a}",
    "---\na\n---\n- b\n",
    "a: 1\na: 2",
    "a: !x b",
    "<<: 1",
    "[*a]",
    "a: .inf",
    "a: 'b\0'",
    'a: "\\0"',
    "[" * 200,
]
HALF = 'ä: "\\ud800"'
PURE = """
import json, sys
sys.modules["yaml._yaml"] = None
from dtm_sdk.document import DocumentError, parse
def read(text):
    try:
        return parse(text)
    except DocumentError as error:
        return [str(error), error.line, error.column]
import yaml
assert not yaml.__with_libyaml__
print(json.dumps([read(text) for text in json.load(sys.stdin)]))
"""


def test_without_the_c_library_the_same_is_read_and_refused() -> None:
    child = [sys.executable, "-c", PURE]
    ran = subprocess.run(child, check=True, capture_output=True, text=True, input=json.dumps([*SAME, HALF]))
    *pure, half = json.loads(ran.stdout)
    for text, value in zip(SAME, pure, strict=True):
        read = read_or_refused(text)
        assert value == ([str(read), read.line, read.column] if isinstance(read, DocumentError) else read)
    assert half == [r"the text holds half a character (U+D800 to U+DFFF); write \U and all eight digits", 1, 4]


# Positions, weights, messages


POSITIONS = """\
# a comment
tools:
- name: a
  options: {x: 1, y: [p, {q: r}]}
-   name: b
    ? z
    : - 1
      - 2
base: &base
  k: 1
  l: [1, 2]
uses: *base
merged:
  <<: [{m: 1}, *base, {m: 2, k: 3}]
  own: 1
  l: 1
---
- second
"""


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ((), (2, 1)),
        (("tools",), (2, 1)),
        (("tools", 0), (3, 3)),
        (("tools", 0, "name"), (3, 3)),
        (("tools", 0, "options"), (4, 3)),
        (("tools", 0, "options", "x"), (4, 13)),
        (("tools", 0, "options", "y", 1, "q"), (4, 27)),
        (("tools", 1), (5, 5)),
        (("tools", 1, "z"), (6, 7)),
        (("tools", 1, "z", 1), (8, 9)),
        (("uses",), (12, 1)),
        (("uses", "l", 1), (11, 10)),
        (("merged", "m"), (14, 9)),
        (("merged", "k"), (10, 3)),
        (("merged", "own"), (15, 3)),
        (("merged", "l"), (16, 3)),
        (("tools", 0, "options", "nothing"), (4, 3)),
        (("tools", 5, "name"), (2, 1)),
        (("tools", 0, "name", "deeper"), (3, 3)),
        (("nothing",), (2, 1)),
    ],
)
def test_a_value_is_found_where_it_stands_or_else_what_holds_it(
    path: tuple[str | int, ...], place: tuple[int, int]
) -> None:
    assert Positions(POSITIONS).find(0, path) == place


def test_each_document_has_its_positions() -> None:
    assert Positions("\ufeff" + POSITIONS).find(1, (0,)) == (18, 3)


def test_columns_count_characters() -> None:
    assert Positions("{ä: 1, 😀: 2, b: 3}").find(0, ("b",)) == (1, 14)


@pytest.mark.parametrize(
    ("value", "weight", "depth"),
    [
        (None, 40, 0),
        ("abc", 43, 0),
        ([], 40, 1),
        ({"key": "ab"}, 82, 1),
        ([1, [2, {"k": ["xyz"]}], 3], 7 * 40 + 3 + 40, 4),
    ],
)
def test_a_value_weighs_its_texts_and_40_for_each_value(value: Any, weight: int, depth: int) -> None:
    assert weigh(value, 10_000) == (weight, depth)


def test_a_value_is_weighed_up_to_the_most_that_is_asked_for() -> None:
    value: list[Any] = []
    for _ in range(200):
        value = [value, value]
    assert weigh(value, 10_000)[0] > 10_000


def test_a_text_is_shown_in_one_line_and_cut() -> None:
    assert shown("a.b") == "a.b"
    assert shown("a\nb") == r"'a\nb'"
    assert shown("x" * 60) == "x" * 60
    assert shown("x" * 61) == f"{'x' * 50}... (61 characters)"
