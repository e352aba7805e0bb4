"""Options: what a subclass is, and every problem of a value at once, each with its path."""

import copy
import pickle
from enum import Enum, IntEnum
from types import MappingProxyType
from typing import Annotated, Any, Literal, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct, field

from dtm_sdk.errors import OptionsError
from dtm_sdk.options import (
    Identity,
    Options,
    Secret,
    Tuning,
    holds,
    nested,
    nested_types,
    parse,
    peel,
    problems,
    secret_texts,
)


class Colour(Enum):
    """Which colour."""

    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    """How much."""

    LOW = 1
    HIGH = 2


class Port(Options):
    """A nested object that can say no by itself."""

    number: Annotated[int, Meta(ge=1, le=65535)]
    name: str = ""

    def __post_init__(self) -> None:
        if self.number == 13:
            raise ValueError("port 13 is\nunlucky")


class Basic(Options, tag="basic"):
    """One form of access."""

    user: str
    password: Secret


class Bearer(Options, tag="bearer", tag_field="type"):
    """Another form of access."""

    token: Secret
    ports: list[Port] = []  # noqa: RUF012  # a new list for each


class Tree(Options):
    """A type that holds itself."""

    value: int
    left: Optional["Tree"] = None
    others: "list[Tree]" = []  # noqa: RUF012  # a new list for each


class Everything(Options):
    """One option of each kind."""

    name: Annotated[Identity[str], Meta(min_length=1, max_length=5, pattern="^[a-z]*$")]
    number: int = 0
    share: Annotated[float, Meta(ge=0, lt=1)] = 0.5
    wait: Tuning[bool] = False
    secret: Secret | None = None
    port: Port | None = None
    access: Basic | Bearer | None = None
    colour: Colour = Colour.RED
    level: Level = Level.LOW
    mode: Literal["fast", "slow", 3] | list[int] | None = None
    ports: Annotated[list[Port], Meta(max_length=2)] = []  # noqa: RUF012  # a new list for each
    tags: Annotated[list[Annotated[str, Meta(min_length=2)]], Meta(min_length=2)] | None = None
    named: Annotated[dict[Annotated[str, Meta(pattern="^[a-z]+$")], Port], Meta(max_length=2)] = {}  # noqa: RUF012
    pair: tuple[int, str] = (0, "")
    single: tuple[int] = (0,)
    numbers: tuple[int, ...] = ()
    free: dict[str, Any] = {}  # noqa: RUF012  # a new dict for each
    either: int | str | list[int] | dict[str, int] | None = None
    tree: Tree | None = None
    secrets: dict[str, list[Secret]] = {}  # noqa: RUF012  # a new dict for each
    renamed: Annotated[int, Meta(multiple_of=2)] = field(default=0, name="re-named")


VALID: dict[str, Any] = {
    "name": "abc",
    "number": -3,
    "share": 0,
    "wait": True,
    "secret": "s3cret",
    "port": {"number": 80, "name": "http"},
    "access": {"type": "bearer", "token": "a token", "ports": [{"number": 1}]},
    "colour": "blue",
    "level": 2,
    "mode": 3,
    "ports": [{"number": 1}, {"number": 2}],
    "tags": ["ab", "cd"],
    "named": {"a": {"number": 1}},
    "pair": [1, "x"],
    "single": [1],
    "numbers": [1, 2, 3],
    "free": {"any": [1, {"thing": None}]},
    "either": {"a": 1},
    "tree": {"value": 1, "left": {"value": 2}, "others": [{"value": 3}]},
    "secrets": {"a": ["secret-1", "secret-2"]},
    "re-named": 4,
}

WRONG: list[tuple[str, Any, dict[str, str]]] = [
    ("name", "", {"name": "expected str of length >= 1"}),
    ("name", "A", {"name": "expected str matching regex '^[a-z]*$'"}),
    ("name", None, {"name": "expected str, got null"}),
    ("number", "60", {"number": "expected int, got str"}),
    ("number", True, {"number": "expected int, got bool"}),
    ("number", 1.0, {"number": "expected int, got float"}),
    ("number", {"a": [1]}, {"number": "expected int, got object"}),
    ("share", 1, {"share": "expected float < 1.0"}),
    ("share", "0.5", {"share": "expected float, got str"}),
    ("wait", 1, {"wait": "expected bool, got int"}),
    ("secret", 123456, {"secret": "expected str, got int"}),
    ("secret", "short", {"secret": "expected a secret of at least 6 characters"}),
    ("secret", ["s3cret"], {"secret": "expected str, got array"}),
    ("secret", {}, {"secret": "expected str, got object"}),
    ("port", [], {"port": "expected object | null, got array"}),
    ("port", {}, {"port.number": "is required and missing"}),
    ("port", {"number": 0}, {"port.number": "expected int >= 1"}),
    ("port", {"number": 13}, {"port": "port 13 is unlucky"}),
    ("port", {"number": 1, "nmae": ""}, {"port.nmae": "is unknown, did you mean name?"}),
    ("port", {"number": 1, 5: ""}, {"port.5": "is unknown"}),
    ("port", {"number": "1", "name": 2}, {
        "port.number": "expected int, got str",
        "port.name": "expected str, got int",
    }),
    ("access", {}, {"access.type": "is required and missing, expected one of basic, bearer"}),
    ("access", {"type": "none", "x": 1}, {"access.type": "expected one of basic, bearer"}),
    ("access", {"type": [1]}, {"access.type": "expected one of basic, bearer"}),
    (
        "access",
        {"type": "basic", "user": 1, "token": "a token"},
        {
            "access.user": "expected str, got int",
            "access.password": "is required and missing",
            "access.token": "is unknown",
        },
    ),
    (
        "access",
        {"type": "bearer", "token": "a token", "ports": [{}]},
        {"access.ports[0].number": "is required and missing"},
    ),
    ("access", "basic", {"access": "expected object | null, got str"}),
    ("colour", "green", {"colour": "invalid enum value 'green', expected one of red, blue"}),
    ("level", 3, {"level": "invalid enum value 3, expected one of 1, 2"}),
    ("mode", "slower", {"mode": "invalid enum value 'slower', expected one of fast, slow, 3"}),
    ("mode", True, {"mode": "expected int | str | array | null, got bool"}),
    ("ports", {}, {"ports": "expected array, got object"}),
    ("ports", [{"number": 1}] * 3, {"ports": "expected array of length <= 2"}),
    (
        "ports",
        [{"number": "1"}, 5, {"number": 13}],
        {
            "ports": "expected array of length <= 2",
            "ports[0].number": "expected int, got str",
            "ports[1]": "expected object, got int",
            "ports[2]": "port 13 is unlucky",
        },
    ),
    ("tags", ["ab"], {"tags": "expected array of length >= 2"}),
    ("tags", ["a"], {"tags": "expected array of length >= 2", "tags[0]": "expected str of length >= 2"}),
    ("tags", ["ab", "a", 1], {"tags[1]": "expected str of length >= 2", "tags[2]": "expected str, got int"}),
    ("named", {"A": {"number": 1}}, {"named.A": "wrong key, expected str matching regex '^[a-z]+$'"}),
    ("named", {1: {"number": 1}}, {"named.1": "wrong key, expected str, got int"}),
    (
        "named",
        {"a": {"number": 0}, "b": {}, "c": {"number": 1}},
        {
            "named": "expected object of length <= 2",
            "named.a.number": "expected int >= 1",
            "named.b.number": "is required and missing",
        },
    ),
    ("pair", [1], {"pair": "expected array of length 2, got 1"}),
    ("pair", ["1", 2, 3], {
        "pair": "expected array of length 2, got 3",
        "pair[0]": "expected int, got str",
        "pair[1]": "expected str, got int",
    }),
    ("single", ["1", "2"], {"single": "expected array of length 1, got 2", "single[0]": "expected int, got str"}),
    ("numbers", [1, "2", 3, None], {"numbers[1]": "expected int, got str", "numbers[3]": "expected int, got null"}),
    ("free", [], {"free": "expected object, got array"}),
    ("free", {1: 2}, {"free.1": "wrong key, expected str, got int"}),
    ("either", 1.5, {"either": "expected int | str | object | array | null, got float"}),
    ("either", [1, "2"], {"either[1]": "expected int, got str"}),
    ("either", {"a": "1"}, {"either.a": "expected int, got str"}),
    (
        "tree",
        {"value": 1, "left": {"left": {"value": ""}}, "others": [{"value": 1, "others": [{}]}]},
        {
            "tree.left.value": "is required and missing",
            "tree.left.left.value": "expected int, got str",
            "tree.others[0].others[0].value": "is required and missing",
        },
    ),
    ("secrets", {"a": ["short"], "b": [None]}, {
        "secrets.a[0]": "expected a secret of at least 6 characters",
        "secrets.b[0]": "expected str, got null",
    }),
    ("re-named", 3, {"re-named": "expected int that's a multiple of 2"}),
    ("renamed", 2, {"renamed": "is unknown, did you mean re-named?"}),
    ("nam", 2, {"nam": "is unknown, did you mean name?"}),
]  # fmt: skip


def refused(options: type[Options], raw: Any) -> dict[str, str]:
    """The problems for which `parse` refuses a value."""
    with pytest.raises(OptionsError) as caught:
        parse(options, raw)
    return dict(caught.value.problems)


def test_options_that_are_right_are_parsed_with_their_types() -> None:
    options = parse(Everything, VALID)
    assert options.port == Port(number=80, name="http")
    assert options.access == Bearer(token=Secret("a token"), ports=[Port(number=1)])
    assert (options.colour, options.level, options.mode) == (Colour.BLUE, Level.HIGH, 3)
    assert (options.pair, options.numbers, options.renamed) == ((1, "x"), (1, 2, 3), 4)
    assert options.secrets == {"a": [Secret("secret-1"), Secret("secret-2")]}
    assert options.tree is not None
    assert options.tree.left == Tree(value=2)


def test_options_left_out_take_their_defaults_and_no_default_is_shared() -> None:
    one, other = parse(Everything, {"name": "a"}), parse(Everything, {"name": "a"})
    assert one == other == Everything(name="a")
    one.ports.append(Port(number=1))
    one.free["a"] = 1
    assert other == Everything(name="a")


@pytest.mark.parametrize(("name", "value", "expected"), WRONG, ids=[f"{case[0]} {case[1]!r}"[:50] for case in WRONG])
def test_a_wrong_value_is_refused_with_the_path_of_each_problem(
    name: str, value: Any, expected: dict[str, str]
) -> None:
    raw = {**VALID, name: value}
    before = copy.deepcopy(raw)
    assert refused(Everything, raw) == expected
    assert raw == before


@given(st.sets(st.sampled_from(range(len(WRONG)))), st.booleans())
def test_all_problems_are_reported_at_once_and_nothing_else(chosen: set[int], named: bool) -> None:  # noqa: FBT001
    raw, expected = dict(VALID), {}
    for index in chosen:
        name, value, found = WRONG[index]
        if name not in {WRONG[other][0] for other in chosen if other < index}:
            raw[name] = value
            expected.update(found)
    if not named and raw["name"] == VALID["name"]:
        del raw["name"]
        expected["name"] = "is required and missing"
    assert dict(problems(Everything, raw)) == expected
    assert len(problems(Everything, raw)) == len(expected)


def test_problems_come_in_the_order_the_options_are_declared_and_unknown_ones_last() -> None:
    raw = {"zzz": 1, "pair": 1, "ports": [1, 2], "number": ""}
    assert list(refused(Everything, raw)) == ["name", "number", "ports[0]", "ports[1]", "pair", "zzz"]


def test_what_an_unknown_option_may_have_meant_is_said_only_while_there_are_few() -> None:
    few = {f"numbe{index}": 1 for index in range(99)}
    assert set(refused(Port, {"number": 1, **few}).values()) == {"is unknown, did you mean number?"}
    assert set(refused(Port, {"number": 1, **few, "numbe": 1}).values()) == {"is unknown"}


@pytest.mark.parametrize(("raw", "said"), [(None, "null"), ([], "array"), ("text", "str"), (1, "int")])
def test_options_that_are_no_object_are_refused_as_a_whole(raw: Any, said: str) -> None:
    assert refused(Everything, raw) == {"": f"expected object, got {said}"}


def test_any_mapping_may_hold_the_options() -> None:
    assert parse(Port, MappingProxyType({"number": 1})) == Port(number=1)
    assert refused(Port, MappingProxyType({})) == {"number": "is required and missing"}


def test_the_error_names_each_problem_in_its_text() -> None:
    with pytest.raises(OptionsError) as caught:
        parse(Port, {"name": 1})
    assert str(caught.value) == "number: is required and missing; name: expected str, got int"


REFERENCE = "${{ a.b.outputs.c }}"
UNKNOWN: list[tuple[str, Any, dict[str, str]]] = [
    ("name", REFERENCE, {}),
    ("number", REFERENCE, {}),
    ("port", REFERENCE, {}),
    ("port", {"number": REFERENCE, "name": 1}, {"port.name": "expected str, got int"}),
    ("port", {"number": REFERENCE, "x": REFERENCE}, {"port.x": "is unknown"}),
    ("access", {"type": REFERENCE, "x": 1}, {}),
    ("access", {"type": "basic", "user": REFERENCE}, {"access.password": "is required and missing"}),
    ("ports", [REFERENCE, {"number": REFERENCE}, 3], {
        "ports": "expected array of length <= 2",
        "ports[2]": "expected object, got int",
    }),
    ("tags", [REFERENCE, 2], {"tags[1]": "expected str, got int"}),
    ("named", {"A": REFERENCE}, {"named.A": "wrong key, expected str matching regex '^[a-z]+$'"}),
    ("pair", [REFERENCE], {"pair": "expected array of length 2, got 1"}),
    ("either", [REFERENCE], {}),
    ("mode", [REFERENCE], {}),
    ("free", {"a": [{"b": REFERENCE}]}, {}),
    ("secret", REFERENCE, {}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "expected"), UNKNOWN)
def test_what_is_not_known_yet_is_not_judged_but_what_stands_beside_it_is(
    name: str, value: Any, expected: dict[str, str]
) -> None:
    assert dict(problems(Everything, {**VALID, name: value}, lambda text: text == REFERENCE)) == expected


def test_a_value_nested_too_deep_is_refused() -> None:
    deep: Any = {"value": 1}
    for _ in range(100_000):  # from Python 3.12 on, what is written in C goes deeper than the recursion limit
        deep = {"value": 1, "left": deep}
    assert refused(Tree, deep) == {"": "nested too deep"}


def test_a_value_that_holds_itself_is_refused() -> None:
    endless: dict[str, Any] = {"value": 1}
    endless["left"] = endless
    assert refused(Tree, endless) == {"": "nested too deep"}


class Whim(Options):
    """Its check raises what the value names."""

    raised: str

    def __post_init__(self) -> None:
        kinds = {
            "ValueError": ValueError("a `b` - at `$.c`"),
            "empty": ValueError(),
            "TypeError": TypeError("no type"),
            "KeyError": KeyError("gone"),
            "RecursionError": RecursionError("too deep"),
            "SystemExit": SystemExit("bye"),
        }
        raise kinds[self.raised]


class Whims(Options):
    """Holds it."""

    one: Whim | None = None
    many: dict[str, list[Whim]] = {}  # noqa: RUF012  # a new dict for each


@pytest.mark.parametrize(
    ("raised", "message"),
    [
        ("ValueError", "a `b` - at `$.c`"),
        ("empty", "can't be accepted"),
        ("TypeError", "no type"),
        ("KeyError", "checking it raised KeyError: 'gone'; this is a bug of the plugin"),
        ("RecursionError", "nested too deep"),
        ("SystemExit", "checking it raised SystemExit: bye; this is a bug of the plugin"),
    ],
)
def test_what_the_check_of_an_object_raises_is_a_problem_at_its_path(raised: str, message: str) -> None:
    whim = {"raised": raised}
    assert refused(Whim, whim) == {"": message}
    assert refused(Whims, {"one": whim, "many": {"a": [whim]}}) == {"one": message, "many.a[0]": message}


class Moody(Options):
    """Its check is right only every second time, which no plugin may do."""

    def __post_init__(self) -> None:
        MOODS.append("")
        if len(MOODS) % 2:
            raise ValueError("not now")


MOODS: list[str] = []


def test_options_refused_without_a_reason_are_refused() -> None:
    assert refused(Moody, {}) == {"": "can't be read"}


class Loose(  # type: ignore[misc]  # a type checker sees it too
    Everything, frozen=False, kw_only=False, forbid_unknown_fields=False, array_like=True, omit_defaults=True
):
    """A subclass of a subclass that tries to undo what Options are."""

    extra: int = 1
    later: int  # type: ignore[misc]  # the same


def test_a_subclass_of_a_subclass_is_frozen_keyword_only_and_strict() -> None:
    options = parse(Loose, {"name": "a", "later": 2})
    assert (options.name, options.extra, options.later) == ("a", 1, 2)
    with pytest.raises(AttributeError, match="immutable"):
        options.extra = 2
    with pytest.raises(TypeError, match="positional"):
        Loose("a", later=2)  # type: ignore[arg-type, call-arg]
    assert refused(Loose, {"name": "a", "huge": 1}) == {"later": "is required and missing", "huge": "is unknown"}


def test_a_subclass_is_an_object_with_its_defaults_whatever_its_author_says() -> None:
    assert refused(Loose, ["a", 2]) == {"": "expected object, got array"}
    assert Loose.__struct_config__.omit_defaults is False


class Camel(Options, rename="camel"):
    """Its options have other names in a config."""

    first_name: str
    last_name: str = ""


class MoreCamel(Camel):
    """Inherits that."""

    middle_name: int = 0


def test_renamed_options_are_known_and_reported_by_their_new_names() -> None:
    assert parse(MoreCamel, {"firstName": "a", "middleName": 1}) == MoreCamel(first_name="a", middle_name=1)
    expected = {
        "firstName": "is required and missing",
        "middleName": "expected int, got str",
        "last_name": "is unknown, did you mean lastName?",
    }
    assert refused(MoreCamel, {"last_name": "b", "middleName": ""}) == expected


def test_a_default_that_all_options_would_share_is_refused_when_it_is_written() -> None:
    with pytest.raises(TypeError, match="mutable"):

        class Shared(Options):
            ports: list[int] = [80]  # noqa: RUF012  # what is tested


def test_a_secret_hides_its_text() -> None:
    secret = Secret("hunter22")
    options = Everything(name="a", secret=secret)
    for text in (repr(secret), str(secret), f"{secret}", f"{secret!s:>20}", repr(options), str([secret])):
        assert "hunter22" not in text
    assert repr(secret) == str(secret) == "Secret(***)"
    assert secret.reveal() == "hunter22"


def test_secrets_are_equal_by_their_text_alone() -> None:
    assert Secret("hunter22") == Secret("hunter22")
    assert hash(Secret("hunter22")) == hash(Secret("hunter22"))
    assert Secret("hunter22") != Secret("hunter23")
    assert Secret("hunter22") != "hunter22"
    assert {Secret("hunter22"), Secret("hunter22")} == {Secret("hunter22")}


def test_a_secret_can_not_be_changed_nor_pickled_and_its_copy_is_itself() -> None:
    secret = Secret("hunter22")
    with pytest.raises(AttributeError, match="can't be changed"):
        secret._text = "other"  # noqa: SLF001  # what is tested
    with pytest.raises(TypeError, match="can't be pickled"):
        pickle.dumps(secret)
    assert copy.copy(secret) is secret
    assert copy.deepcopy([secret])[0] is secret


def test_a_secret_may_stand_among_plain_values() -> None:
    assert parse(Everything, {"name": "a", "secret": Secret("hunter22")}).secret == Secret("hunter22")


def test_no_other_class_can_be_made_of_a_text() -> None:
    class Odd(Options):
        odd: object

    assert refused(Odd, {"odd": "text"}) == {
        "odd": "checking it raised NotImplementedError: can't be accepted; this is a bug of the plugin"
    }


def test_peel_gives_the_bare_type_and_its_metas_from_inside_out() -> None:
    kind, metas = peel(Annotated[Identity[str], "a note", Meta(description="d")])
    assert kind is str
    assert [(meta.extra, meta.description) for meta in metas] == [({"dtm": "identity"}, None), (None, "d")]
    assert peel(int) == (int, [])


class Plain(Struct):
    """A nested object that is no Options."""

    inner: Port


def test_nested_objects_are_found_with_their_paths_in_whatever_holds_them() -> None:
    kind = Annotated[
        list[Port] | dict[str, Annotated[Plain, "note"]] | tuple[Port, int, Basic | Bearer] | tuple[Port, ...] | None,
        Meta(description="d"),
    ]
    assert list(nested(kind)) == [
        ("[]", Port),
        (".*", Plain),
        ("[0]", Port),
        ("[2]", Basic),
        ("[2]", Bearer),
        ("[]", Port),
    ]
    assert list(nested(dict[str, list[Port]])) == [(".*[]", Port)]


@pytest.mark.parametrize("kind", [int, list, list[int], dict, dict[str, Any], tuple, tuple[()], Any, Secret | None])
def test_types_without_objects_hold_none(kind: Any) -> None:
    assert list(nested(kind)) == []


def test_nested_types_are_found_at_any_depth_once() -> None:
    class Holder(Options):
        plain: dict[str, Plain]
        everything: Everything

    assert list(nested_types(Holder)) == [Plain, Everything, Port, Basic, Bearer, Tree]


def test_a_type_that_holds_itself_is_among_its_nested_types() -> None:
    assert list(nested_types(Tree)) == [Tree]
    assert list(nested_types(Port)) == []


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Secret, True),
        (Identity[Secret], True),
        (Annotated[dict[str, list[Tuning[Secret] | None]], "note"], True),
        (dict[str, str], False),
        (Literal["Secret"], False),
        (Basic, False),
    ],
)
def test_a_type_holds_what_stands_in_it_but_not_in_its_objects(kind: Any, expected: bool) -> None:  # noqa: FBT001
    assert holds(kind, Secret) is expected


class Keyed(Options):
    key: Secret


class Hiding(Options):
    token: Secret | None = None
    inner: Keyed | None = None
    many: list[Secret] | None = None
    pair: tuple[int, Secret] | None = None
    named: dict[str, Keyed] | None = None
    note: str = ""


def test_secrets_are_found_where_the_type_has_them_though_the_rest_is_wrong() -> None:
    raw = {
        "token": "the token",
        "inner": {"key": "the inner", "other": "no"},
        "many": ["the first", 2, "the other"],
        "pair": [1, "the second"],
        "named": {"no": {"key": "the named"}, "nor": "this"},
        "note": 5,
        "more": "no",
    }
    found = [*secret_texts(Hiding, raw)]
    assert found == ["the token", "the inner", "the first", "the other", "the second", "the named"]
    assert [*secret_texts(Hiding, {"token": {"a": "no"}, "inner": "no", "many": "no", "pair": []})] == []
