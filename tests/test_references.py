"""References in options: which there are, what becomes of them, and what is refused."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtm_sdk.errors import UnresolvedError
from dtm_sdk.references import Reference, find, holds_reference, output, resolve

VALUES: dict[str, Any] = {
    "text": "a text",
    "number": 5,
    "large": 2**64 - 1,
    "real": 1e22,
    "yes": True,
    "none": None,
    "list": [1, {"a": None}],
    "object": {"a": [1]},
    "tricky": r"\g<0> ${{ a.b.outputs.text }} \${{",
}
HINT = r"write ${{ name.plugin.outputs.key }}, or \${{ for the text itself"


def lookup(reference: Reference) -> Any:
    """The outputs of the tool `a.b`."""
    assert reference.key == "a.b"
    return VALUES[reference.path[0]]


READ = [
    ("${{ a.b.outputs.c }}", "a.b", ("c",)),
    ("${{a.b.outputs.c}}", "a.b", ("c",)),
    ("${{\t a.b.outputs.c\n  }}", "a.b", ("c",)),
    ("${{ a.b.outputs.c.d.e }}", "a.b", ("c", "d", "e")),
    ("${{ my-app.v1.local-file.outputs.c }}", "my-app.v1.local-file", ("c",)),
    ("${{ a.outputs.outputs.c }}", "a.outputs", ("c",)),
    ("${{ outputs.b.outputs.c }}", "outputs.b", ("c",)),
    ("${{ my.outputs.p.outputs.c }}", "my.outputs.p", ("c",)),
    ("${{ a.b.outputs.outputs }}", "a.b", ("outputs",)),
    ("${{ a.b.outputs.c.outputs.d }}", "a.b", ("c", "outputs", "d")),
    ("${{ a.b.outputs.Some_key-1.ö/ü:$ }}", "a.b", ("Some_key-1", "ö/ü:$")),
    ("${{ 1.2.outputs.3 }}", "1.2", ("3",)),
]


@pytest.mark.parametrize(("text", "key", "path"), READ)
def test_a_reference_is_read_as_a_tool_and_keys(text: str, key: str, path: tuple[str, ...]) -> None:
    assert list(find(text)) == [Reference(key, path, text)]
    assert holds_reference(text)


def test_a_message_shows_a_reference_in_one_line() -> None:
    assert str(Reference("a.b", ("c",), "${{\t a.b.outputs.c\n  }}")) == "${{ a.b.outputs.c }}"
    with pytest.raises(UnresolvedError, match=r"^\$\{\{ a\.b\.outputs\.list \}\} is a list"):
        resolve("x ${{\na.b.outputs.list\n}}", lookup)
    with pytest.raises(UnresolvedError, match=r"^\$\{\{ a\.b\.outputs\.c \}\}: a\.b has no c"):
        output({}, Reference("a.b", ("c",), "${{\na.b.outputs.c\n}}"))


MALFORMED = [
    "${{ }}",
    "${{}}",
    "${{ a }}",
    "${{ a.b }}",
    "${{ a.b.c }}",
    "${{ a.b.outputs }}",
    "${{ a.b.outputs. }}",
    "${{ a.b.outputs..c }}",
    "${{ a.b.outputs.c. }}",
    "${{ .b.outputs.c }}",
    "${{ a..b.outputs.c }}",
    "${{ a.outputs.c }}",
    "${{ outputs.c }}",
    "${{ A.b.outputs.c }}",
    "${{ a_b.c.outputs.d }}",
    "${{ -a.b.outputs.c }}",
    "${{ a.b.outputs.c | upper }}",
    "${{ a.b.outputs.c d }}",
    "${{ a.b .outputs.c }}",
]


@pytest.mark.parametrize("text", MALFORMED)
def test_what_has_not_the_form_of_a_reference_is_refused_as_it_is_written(text: str) -> None:
    assert holds_reference(text)
    for attempt in (lambda: list(find(["fine", text])), lambda: resolve({"a": f"x {text}"}, lookup)):
        with pytest.raises(UnresolvedError) as caught:
            attempt()
        assert str(caught.value) == f"{text} is no reference; {HINT}"


UNCLOSED = [
    ("a ${{", "${{"),
    ("a ${{ a.b.outputs.c", "${{ a.b.outputs.c"),
    ("${{ a.b.outputs.c }", "${{ a.b.outputs.c }"),
    ("${{ a.b.outputs.c } }}", "${{ a.b.outputs.c } }}"),
    ("${{ a.b.outputs.c ${{ a.b.outputs.c }}", "${{ a.b.outputs.c ${{ a.b.outputs.c }}"),
    ("${{${{ a.b.outputs.c }}", "${{${{ a.b.outputs.c }}"),
    ("${{ {a.b.outputs.c} }}", "${{ {a.b.outputs.c} }}"),
    ("a ${{ " + "long " * 50, "${{ long long long long long long long l"),
    ("${{ " + "long " * 50 + "}}", "${{" + " long" * 11 + " l"),
    ("${{ two\nlines", "${{ two lines"),
]


@pytest.mark.parametrize(("text", "shown"), UNCLOSED, ids=[case[1] for case in UNCLOSED])
def test_what_is_opened_and_not_closed_is_refused_in_one_short_line(text: str, shown: str) -> None:
    assert holds_reference(text)
    for attempt in (lambda: list(find(text)), lambda: resolve(text, lookup)):
        with pytest.raises(UnresolvedError) as caught:
            attempt()
        assert str(caught.value) == f"{shown} is no reference; {HINT}"


ESCAPED = [
    (r"\${{ a.b.outputs.text }}", "${{ a.b.outputs.text }}"),
    (r"\${{", "${{"),
    (r"x \${{ secrets.TOKEN }} y", "x ${{ secrets.TOKEN }} y"),
    (r"\\${{ a", r"\${{ a"),
    (r"\${{\${{", "${{${{"),
    (r"\$ \{{ \\ $", r"\$ \{{ \\ $"),
    ("$ { {{ }} ${ a } $${ {", "$ { {{ }} ${ a } $${ {"),
    ("", ""),
]


@pytest.mark.parametrize(("text", "expected"), ESCAPED)
def test_an_escaped_one_is_text_without_its_backslash(text: str, expected: str) -> None:
    assert not holds_reference(text)
    assert list(find(text)) == []
    assert resolve(text, lookup) == expected


@pytest.mark.parametrize("name", VALUES)
def test_a_value_that_is_one_reference_keeps_the_type_of_what_it_names(name: str) -> None:
    assert resolve(f"${{{{ a.b.outputs.{name} }}}}", lookup) is VALUES[name]


INSIDE = [
    ("text", "a text"),
    ("number", "5"),
    ("large", "18446744073709551615"),
    ("real", "1e22"),
    ("yes", "true"),
    ("none", "null"),
    ("tricky", r"\g<0> ${{ a.b.outputs.text }} \${{"),
]


@pytest.mark.parametrize(("name", "written"), INSIDE)
def test_inside_a_longer_text_a_value_is_written_as_json_but_for_text(name: str, written: str) -> None:
    reference = f"${{{{ a.b.outputs.{name} }}}}"
    assert resolve(f" {reference}", lookup) == f" {written}"
    assert resolve(f"{reference}\n", lookup) == f"{written}\n"
    assert resolve(f"{reference}{reference}", lookup) == written * 2


@pytest.mark.parametrize(("name", "kind"), [("list", "a list"), ("object", "an object")])
def test_a_list_or_an_object_inside_a_longer_text_is_refused(name: str, kind: str) -> None:
    with pytest.raises(UnresolvedError) as caught:
        resolve(f"x ${{{{a.b.outputs.{name}}}}}", lookup)
    text = f"${{{{a.b.outputs.{name}}}}}"
    assert str(caught.value) == f"{text} is {kind} and stands inside a longer text; let it stand alone"


def test_several_references_in_one_text_are_each_replaced_by_their_own_value() -> None:
    text = r"${{ a.b.outputs.text }}:${{ a.b.outputs.number }} \${{ x }} ${{a.b.outputs.none}} }}"
    assert [reference.path for reference in find(text)] == [("text",), ("number",), ("none",)]
    assert resolve(text, lookup) == "a text:5 ${{ x }} null }}"


def test_references_are_found_and_replaced_at_any_depth_but_not_in_keys() -> None:
    key = "${{ a.b.outputs.text }}"
    value = {"x": [1, {"y": "${{ a.b.outputs.list }}"}, None], key: ["${{ a.b.outputs.yes }}", True, 0.5]}
    before = msgspec.json.encode(value)
    assert [reference.path for reference in find(value)] == [("list",), ("yes",)]
    assert resolve(value, lookup) == {"x": [1, {"y": VALUES["list"]}, None], key: [True, True, 0.5]}
    assert msgspec.json.encode(value) == before


def test_what_the_lookup_raises_is_raised() -> None:
    def refuse(reference: Reference) -> Any:
        raise UnresolvedError(f"{reference.text} isn't known yet")

    for value in ("${{ a.b.outputs.c }}", ["x ${{ a.b.outputs.c }}"]):
        with pytest.raises(UnresolvedError, match=r"^\$\{\{ a\.b\.outputs\.c \}\} isn't known yet$"):
            resolve(value, refuse)


@pytest.mark.parametrize("value", [None, 1, {"a": "${{ a.b.outputs.c }}"}, ["${{ a.b.outputs.c }}"]])
def test_only_a_text_holds_a_reference_by_itself(value: object) -> None:
    assert not holds_reference(value)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.sampled_from("\\${}x")).map("".join),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(PLAIN)
def test_a_value_with_every_opening_escaped_holds_none_and_is_resolved_to_itself(value: Any) -> None:
    def escaped(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: escaped(item) for key, item in part.items()}
        if isinstance(part, list):
            return [escaped(item) for item in part]
        return part.replace("${{", r"\${{") if isinstance(part, str) else part

    assert list(find(escaped(value))) == []
    assert resolve(escaped(value), lookup) == value


PIECES = st.sampled_from(["${{", "}}", "\\", "$", "{", "}", " a.b.outputs.text ", "a.b", ".outputs.", "\n", "x"])


@given(st.lists(PIECES).map("".join))
def test_find_resolve_and_holds_reference_agree_on_any_text(text: str) -> None:
    def refusal(call: Callable[[], object]) -> str:
        try:
            call()
        except UnresolvedError as error:
            return str(error)
        return ""

    found: list[Reference] = []
    asked: list[Reference] = []

    def ask(reference: Reference) -> str:
        asked.append(reference)
        return ""

    refused = refusal(lambda: found.extend(find(text)))
    assert refusal(lambda: resolve(text, ask)) == refused
    assert asked == found
    assert holds_reference(text) is bool(found or refused)


def test_a_long_hostile_text_is_refused_without_trying_every_end() -> None:
    # Were each of them looked for up to the end of the text, this would take hours.
    for text in ("${{" * 300_000, "${{ a.b" + ".outputs" * 200_000 + " x }}"):
        with pytest.raises(UnresolvedError, match="is no reference"):
            list(find(text))


RESOURCE = {"id": 1, "outputs": {"url": "u", "deep": {"b": {"c": None}, "a": 1}, "list": [1], "empty": {}}}


@pytest.mark.parametrize(("path", "expected"), [("url", "u"), ("deep.b", {"c": None}), ("deep.b.c", None)])
def test_an_output_is_the_value_at_its_path(path: str, expected: Any) -> None:
    assert output(RESOURCE, Reference("a.b", tuple(path.split(".")), "${{ }}")) == expected


@pytest.mark.parametrize(
    ("resource", "path", "message"),
    [
        (RESOURCE, "id", "a.b has no id in its outputs; it has deep, empty, list, url"),
        (RESOURCE, "deep.x", "a.b has no x in its outputs.deep; it has a, b"),
        (RESOURCE, "deep.b.c.d", "a.b has no d in its outputs.deep.b.c; it has none"),
        (RESOURCE, "url.x", "a.b has no x in its outputs.url; it has none"),
        (RESOURCE, "list.0", "a.b has no 0 in its outputs.list; it has none"),
        (RESOURCE, "empty.x", "a.b has no x in its outputs.empty; it has none"),
        ({}, "url", "a.b has no url in its outputs; it has none"),
    ],
)
def test_an_output_that_is_not_there_is_refused_with_those_that_are(
    resource: dict[str, Any], path: str, message: str
) -> None:
    reference = Reference("a.b", tuple(path.split(".")), f"${{{{ a.b.outputs.{path} }}}}")
    with pytest.raises(UnresolvedError) as caught:
        output(resource, reference)
    assert str(caught.value) == f"{reference.text}: {message}"
