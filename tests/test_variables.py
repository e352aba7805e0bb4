from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtm_sdk.variables import EXPANSION, Replaced, Variables, Wrong

RAW: dict[str, Any] = {
    "host": "example.org",
    "port": 8080,
    "ratio": 0.5,
    "on": True,
    "nothing": None,
    "empty": "",
    "list": [1, "two"],
    "db": {"name": "main", "user": {"id": 7}, "url": "db://[[ host ]]/[[ db-name ]]"},
    "db-name": "main",
    "名": "ü",
    "_x1": "underscore",
    "token": "[[ env TOKEN ]]",
    "copy": "[[ token ]]",
    "login": {"user": "[[ env USER_NAME ]]", "all": ["[[ token ]]", "x [[ token ]]"]},
}
ENVIRON = {"TOKEN": "s3cr3t", "USER_NAME": "ann", "EMPTY": "", "BROKEN": "a\udce9b", "REFERENCE": "a${{ b }}"}


def suggest(word: str, known: Mapping[str, object]) -> str:
    """A hint that shows what was asked for."""
    return f"{word} of {len(known)}"


def variables(raw: dict[str, Any] | None = None, *, complete: bool = True) -> Variables:
    """Variables with the environment of these tests."""
    return Variables(RAW if raw is None else raw, ENVIRON, suggest, complete=complete)


def replaced(value: Any) -> Any:
    """The value with its variables replaced, where nothing is wrong."""
    found = variables().replace(value)
    assert (found.wrong, found.left) == ([], set())
    return found.value


def wrong(value: Any, raw: dict[str, Any] | None = None) -> list[Wrong]:
    """What can't be replaced; the value stays as it was."""
    found = variables(raw).replace(value)
    assert found.value == value
    assert found.left
    return found.wrong


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[[ host ]]", "example.org"),
        ("[[host]]", "example.org"),
        ("[[\thost ]]", "example.org"),
        ("[[ .host ]]", "example.org"),
        ("[[ port ]]", 8080),
        ("[[ ratio ]]", 0.5),
        ("[[ on ]]", True),
        ("[[ nothing ]]", None),
        ("[[ empty ]]", ""),
        ("[[ list ]]", [1, "two"]),
        ("[[ db-name ]]", "main"),
        ("[[ 名 ]]", "ü"),
        ("[[ _x1 ]]", "underscore"),
        ("[[ db.user ]]", {"id": 7}),
        ("[[ db.user.id ]]", 7),
        ("[[ .db.url ]]", "db://example.org/main"),
        ("[[ env TOKEN ]]", "s3cr3t"),
        ('[[ env "TOKEN" ]]', "s3cr3t"),
        ("[[env 'TOKEN']]", "s3cr3t"),
        ("[[ copy ]]", "s3cr3t"),
        (
            "http://[[ host ]]:[[ port ]]/[[ on ]]/[[ nothing ]]/[[ ratio ]][[ empty ]]",
            "http://example.org:8080/true/null/0.5",
        ),
        (" [[ port ]]", " 8080"),
    ],
)
def test_a_variable_is_replaced_alone_with_its_type_and_inside_a_text_as_text(text: str, value: object) -> None:
    read = replaced(text)
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    "text",
    [
        *("[[ -f x ]]", "[[:alpha:]]", "[[ $x == 1 ]]", "[[ host == x ]]", "[[ host", "host ]]", "[[]]", "[[ ]]"),
        *("[[ 1 ]]", "[ [host] ]", "[[ host\n]]", "[[ a..b ]]", "[[ .. ]]", "[[ env 'TOKEN\" ]]", "[[ env A-B ]]"),
        *("[[ env TOKEN x ]]", "[[ host. ]]", r"\[[a-z]", r"\[[:alpha:]]", '[[ "host" ]]'),
    ],
)
def test_other_brackets_are_text_with_the_backslashes_before_them(text: str) -> None:
    assert replaced(text) == text
    assert replaced(f"{text} [[ port ]]") == f"{text} 8080"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r"\[[ host ]]", "[[ host ]]"),
        (r"\[[ nosuch ]]", "[[ nosuch ]]"),
        (r"\[[ env NOSUCH ]]", "[[ env NOSUCH ]]"),
        (r"\[[ host ]] [[ host ]]", "[[ host ]] example.org"),
        (r"\\[[ host ]]", r"\[[ host ]]"),
    ],
)
def test_a_backslash_makes_a_variable_text(text: str, value: str) -> None:
    assert replaced(text) == value


def test_variables_are_replaced_at_any_depth_but_not_in_keys() -> None:
    assert replaced({"[[ host ]]": ["[[ port ]]", {"a": "[[ host ]]!"}], "b": 1}) == {
        "[[ host ]]": [8080, {"a": "example.org!"}],
        "b": 1,
    }


def test_what_comes_out_of_a_variable_is_not_looked_through_again() -> None:
    found = Variables({"a": r"\[[ b ]]", "b": "no"}, {"E": "[[ b ]]"}, suggest)
    assert found.replace(["[[ a ]]", "[[ env E ]]", "x[[ a ]]"]).value == ["[[ b ]]", "[[ b ]]", "x[[ b ]]"]


def test_a_value_without_variables_is_the_same_object() -> None:
    value = {"a": ["b", {"c": 1}]}
    assert variables().replace(value).value is value


def test_the_source_of_what_came_from_the_environment_as_a_whole_is_known() -> None:
    found = variables().replace(
        {
            "direct": "[[ env TOKEN ]]",
            "copy": "[[ copy ]]",
            "part": "x[[ env TOKEN ]]",
            "login": "[[ login ]]",
            "users": [1, "[[ login.user ]]"],
            "first": "[[ login.all ]]",
        }
    )
    assert found.sources == {
        ("direct",): "TOKEN",
        ("copy",): "TOKEN",
        ("login", "user"): "USER_NAME",
        ("login", "all", 0): "TOKEN",
        ("users", 1): "USER_NAME",
        ("first", 0): "TOKEN",
    }


def test_values_of_the_environment_that_were_used_are_known() -> None:
    found = variables()
    found.replace(["[[ login ]]", "[[ env EMPTY ]]"])
    assert found.seen == {"s3cr3t", "ann"}


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        ("[[ hots ]]", "the variable hots is not defined", "hots of 14"),
        ("[[ db.nam ]]", "the variable db has no nam", "nam of 3"),
        ("[[ db.user.x ]]", "the variable db.user has no x", "x of 1"),
        ("[[ host.x ]]", "the variable host has no x", "it is no object"),
        ("[[ list.0 ]]", "the variable list has no 0", "it is no object"),
        ("[[ env TOKN ]]", "the environment variable TOKN is not set", "TOKN of 5"),
        ("[[ env EMPTY ]]", "the environment variable EMPTY is empty", "give it a value"),
        ("[[ env BROKEN ]]", "the environment variable BROKEN is no UTF-8", "give it a value that is text"),
        (
            "[[ env REFERENCE ]]",
            "the environment variable REFERENCE holds ${{, which would be read as a reference",
            "write such text into the config itself",
        ),
        ("x [[ db ]]", "[[ db ]] is an object inside a longer text", "let it stand alone"),
        ("x [[ list ]]", "[[ list ]] is a list inside a longer text", "let it stand alone"),
    ],
)
def test_a_variable_that_can_not_be_replaced_is_wrong_where_it_stands(text: str, what: str, hint: str) -> None:
    assert wrong({"a": ["b", text]}) == [Wrong(("a", 1), what, hint)]


def test_without_a_near_name_the_hint_says_what_to_write() -> None:
    found = Variables({}, {}, lambda word, known: "")
    assert [problem.hint for problem in found.replace(["[[ a ]]", "[[ env A ]]"]).wrong] == [
        r"define it below vars:, or write \[[ if it is text",
        "set it before the command: A=... dtm apply",
    ]


def test_every_wrong_variable_of_a_value_is_told() -> None:
    found = variables().replace(["[[ a ]] [[ host ]] [[ b ]]", "[[ host ]]", "[[ c ]]"])
    assert found.value == ["[[ a ]] [[ host ]] [[ b ]]", "example.org", "[[ c ]]"]
    assert [(problem.path, problem.what[13:14]) for problem in found.wrong] == [((0,), "a"), ((0,), "b"), ((2,), "c")]
    assert found.left == {"[[ a ]] [[ host ]] [[ b ]]", "[[ c ]]"}


def test_what_is_wrong_in_the_variables_is_told_once_with_its_path() -> None:
    found = variables({"a": {"b": ["[[ x ]]"]}, "c": "[[ a ]]", "d e": 1, "f": "[[ env EMPTY ]]"})
    assert list(found.check()) == [
        Wrong(("a", "b", 0), "the variable x is not defined", "x of 4"),
        Wrong(
            ("d e",),
            "the variable d e can't be used",
            "a name is letters, digits, _ and -, and starts with a letter or _",
        ),
        Wrong(("f",), "the environment variable EMPTY is empty", "give it a value"),
    ]
    assert found.replace("[[ c ]]") == Replaced("[[ c ]]", left={"[[ c ]]"})
    assert found.replace("x[[ a.b ]]") == Replaced("x[[ a.b ]]", left={"x[[ a.b ]]"})


def test_where_variables_may_be_missing_an_unknown_one_is_not_wrong() -> None:
    assert variables(complete=False).replace("[[ x ]]") == Replaced("[[ x ]]", left={"[[ x ]]"})


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ({"a": "[[ a ]]"}, [("a", "a uses itself: a -> a")]),
        ({"a": "x [[ b ]]", "b": {"c": ["[[ a.z ]]"]}}, [("b", "a uses itself: a -> b -> a")]),
        ({"a": "[[ b ]]", "b": "[[ c ]]", "c": "[[ b ]]"}, [("c", "b uses itself: b -> c -> b")]),
        ({"a": "[[ x ]] [[ b ]]", "x": 1, "b": "[[ a ]]"}, [("b", "a uses itself: a -> b -> a")]),
        ({"a": "[[ b ]]", "b": "[[ a ]]", "c": "[[ d ]]", "d": "[[ c ]]"}, [("b", "a uses"), ("d", "c uses")]),
    ],
)
def test_variables_that_use_themselves_are_told_once_for_each_circle(
    raw: dict[str, Any], told: list[tuple[str, str]]
) -> None:
    found = list(variables(raw).check())
    assert [problem.path[0] for problem in found] == [name for name, _ in told]
    assert all(what in problem.what for problem, (_, what) in zip(found, told, strict=True))


def test_variables_may_use_one_another_100_deep_and_no_deeper() -> None:
    raw = {f"v{level}": f"[[ v{level + 1} ]]" for level in range(200)} | {"v200": "end"}
    assert variables(raw).replace("[[ v101 ]]").value == "end"
    assert wrong("[[ v100 ]]", raw) == []
    (first,) = (problem for problem in variables(raw).check() if problem.path == ("v99",))
    assert first.what == "variables use one another more than 100 deep"


def test_values_may_not_become_deeper_than_a_file_may_be() -> None:
    deep: Any = "x"
    for _ in range(60):
        deep = [deep]
    outer: Any = "[[ a ]]"
    for _ in range(40):
        outer = [outer]
    assert not variables({"a": deep}).replace(outer).wrong
    (problem,) = wrong([outer], {"a": deep})
    assert problem.what == "lists and mappings are more than 100 deep with [[ a ]]"


@pytest.mark.parametrize("step", ["{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}", ["{0}"] * 10])
def test_variables_that_repeat_one_another_end_at_the_limit(step: Any) -> None:
    def use(name: str) -> Any:
        token = f"[[ {name} ]]"
        return step.format(token) if isinstance(step, str) else [item.format(token) for item in step]

    raw = {"v0": "0123456789"} | {f"v{level}": use(f"v{level - 1}") for level in range(1, 11)}
    found = [problem.what for problem in variables(raw).check()]
    assert found == [f"variables stand for more than {EXPANSION} characters"]


def test_what_variables_add_is_counted_together() -> None:
    raw = {"big": "x" * (EXPANSION // 4 - 40)}
    assert not variables(raw).replace(["[[ big ]]"] * 4).wrong
    assert [problem.path for problem in wrong_in(raw, ["[[ big ]]"] * 4 + ["", "[[ big ]]", "[[ big ]]"])] == [(5,)]


def wrong_in(raw: dict[str, Any], value: Any) -> list[Wrong]:
    """What can't be replaced."""
    return variables(raw).replace(value).wrong


PIECES = ["[[ a ]]", "[[ env A ]]", "\\", "[[", "]]", "[", " ", "${{"]


@given(st.lists(st.sampled_from(PIECES)))
def test_any_text_can_be_written_with_a_backslash_before_what_would_be_a_variable(pieces: list[str]) -> None:
    written = "".join(f"\\{piece}" if piece in PIECES[:2] else piece for piece in pieces)
    found = Variables({"a": "no", "v": written}, {"A": "no"}, suggest)
    assert found.replace(written) == Replaced("".join(pieces))
    assert found.replace("[[ v ]]") == Replaced("".join(pieces))
