"""What a type of options says of itself: its options, its identity, its JSON Schema; and what no type may say."""

from collections.abc import Callable, Iterator
from enum import Enum, IntEnum
from pathlib import Path
from typing import Annotated, Any, Dict, Generic, List, Literal, NewType, Optional, TypeVar  # noqa: UP035  # old habits

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct, field

from dtm_sdk.errors import OptionsError
from dtm_sdk.options import Identity, Options, Secret, Tuning, parse
from dtm_sdk.shape import Shape, declared, flaw, full, json_schema


class Colour(Enum):
    """Which colour."""

    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    """How much."""

    LOW = 1
    HIGH = 2


class Login(Options):
    """How to log in."""

    user: Annotated[Identity[str], Meta(description="Who.")]
    password: Annotated[Secret, Meta(description="Of the user.")]
    retries: Annotated[Tuning[int], Meta(ge=0, description="How often to try again.")] = 3


class Port(Options, rename="kebab"):
    """A port."""

    port_number: Annotated[int, Meta(ge=1, le=9, extra={"an author's": "own"})]
    keys: list[Secret] = []  # noqa: RUF012  # a new list for each


class File(Options, tag="file", tag_field="kind"):
    """A place to write to."""

    path: Annotated[str, Meta(description="Where.")]


class Bucket(Options, tag=2, tag_field="kind"):
    """Not used together with a text as tag."""

    path: str


class Store(Options, tag="store", tag_field="kind"):
    """Another place to write to."""

    path: Annotated[str, Meta(description="Its address.")]
    port: Port | None = None


class Tree(Options):
    """Holds itself."""

    value: int
    left: Optional["Tree"] = None
    others: "list[Tree]" = []  # noqa: RUF012  # a new list for each


class Server(Options):
    """Options of a server."""

    name: Annotated[Identity[Annotated[str, Meta(description="inner")]], Meta(min_length=1, description="Its name.")]
    token: Tuning[Secret | None] = None
    login: Annotated[Login, Meta(description="How to log in.")]
    spare: Login | None = None
    ports: Annotated[list[Port], Meta(max_length=2)] = field(default_factory=lambda: [Port(port_number=8)])
    named: dict[str, Port] = {}  # noqa: RUF012  # a new dict for each
    target: File | Store
    pair: tuple[int, Port] = (1, Port(port_number=2))
    colour: Colour = Colour.BLUE
    wait: Annotated[Tuning[float], Meta(ge=0)] = 60.0
    tree: Tree | None = None


LOGIN = {"user": "u", "password": "secret-1"}
PLAIN: dict[str, Any] = {"name": "a", "login": LOGIN, "target": {"kind": "file", "path": "p"}}


class ServerMore(Server):
    """The same, for a type that has another name."""


def test_every_option_is_declared_with_its_path_in_the_order_they_are_written() -> None:
    assert [option.path for option in declared(Server)] == [
        "name",
        "token",
        "login",
        "login.user",
        "login.password",
        "login.retries",
        "spare",
        "spare.user",
        "spare.password",
        "spare.retries",
        "ports",
        "ports[].port-number",
        "ports[].keys",
        "named",
        "named.*.port-number",
        "named.*.keys",
        "target",
        "target.kind",
        "target.path",
        "target.kind",
        "target.path",
        "target.port",
        "target.port.port-number",
        "target.port.keys",
        "pair",
        "pair[1].port-number",
        "pair[1].keys",
        "colour",
        "wait",
        "tree",
        "tree.value",
        "tree.left",
        "tree.others",
    ]


def test_an_option_says_whether_it_is_required_and_its_default_as_a_plain_value() -> None:
    defaults = {option.path: option.default for option in declared(Server) if not option.required}
    assert defaults == {
        "token": None,
        "login.retries": 3,
        "spare": None,
        "spare.retries": 3,
        "ports": [{"port-number": 8, "keys": []}],
        "ports[].keys": [],
        "named": {},
        "named.*.keys": [],
        "target.port": None,
        "target.port.keys": [],
        "pair": [1, {"port-number": 2, "keys": []}],
        "pair[1].keys": [],
        "colour": "blue",
        "wait": 60.0,
        "tree": None,
        "tree.left": None,
        "tree.others": [],
    }
    assert all(option.default is None for option in declared(Server) if option.required)


def test_an_option_says_its_type_bare_and_as_declared() -> None:
    options = {option.path: option for option in declared(Server)}
    assert options["name"].type is str
    assert options["token"].type == Secret | None
    assert options["ports"].type == list[Port]
    with pytest.raises(msgspec.ValidationError, match="length >= 1"):
        msgspec.convert("", options["name"].declared)


def test_an_option_says_its_role_its_outermost_description_and_whether_it_holds_a_secret() -> None:
    options = declared(Server)
    assert {option.path: option.role for option in options if option.role} == {
        "name": "identity",
        "token": "tuning",
        "login.user": "identity",
        "login.retries": "tuning",
        "spare.user": "identity",
        "spare.retries": "tuning",
        "wait": "tuning",
    }
    assert {option.path for option in options if option.secret} == {
        *("token", "login.password", "spare.password"),
        *("ports[].keys", "named.*.keys", "target.port.keys", "pair[1].keys"),
    }
    descriptions = {option.path: option.description for option in options}
    assert (descriptions["name"], descriptions["login.user"], descriptions["wait"]) == ("Its name.", "Who.", "")


def test_the_tag_of_an_object_that_has_several_forms_is_an_option_of_each() -> None:
    tags = [option for option in declared(Server) if option.path == "target.kind"]
    assert [(tag.type, tag.declared, tag.required) for tag in tags] == [
        (Literal["file"], Literal["file"], True),
        (Literal["store"], Literal["store"], True),
    ]
    assert all(tag.description and not tag.role and not tag.secret for tag in tags)


def test_a_type_that_holds_itself_is_declared_once() -> None:
    assert [option.path for option in declared(Tree)] == ["value", "left", "others"]


def test_the_identity_is_the_values_of_the_identity_options_nested_ones_too() -> None:
    shape = Shape(Server)
    assert shape.identity == (("name",), ("login", "user"), ("spare", "user"))
    assert shape.identity_of(full(parse(Server, PLAIN))) == ("a", "u", None)
    spare = {**PLAIN, "spare": {"user": "s", "password": "secret-2"}}
    assert shape.identity_of(full(parse(Server, spare))) == ("a", "u", "s")
    assert shape.identity_of({}) == (None, None, None)


def test_without_an_identity_option_there_is_no_identity() -> None:
    assert Shape(Tree).identity_of({"value": 1}) is None


def test_what_is_comparable_is_everything_but_tuning_at_any_depth() -> None:
    shape = Shape(Server)
    assert shape.tuning == (("token",), ("login", "retries"), ("spare", "retries"), ("wait",))
    spare = {"user": "s", "password": "secret-2", "retries": 7}
    plain = full(parse(Server, {**PLAIN, "token": "secret-0", "wait": 1, "spare": spare}), lambda text: text)
    before = msgspec.json.encode(plain)
    assert shape.comparable(plain) == {
        "name": "a",
        "login": LOGIN,
        "spare": {"user": "s", "password": "secret-2"},
        "ports": [{"port-number": 8, "keys": []}],
        "named": {},
        "target": {"kind": "file", "path": "p"},
        "pair": [1, {"port-number": 2, "keys": []}],
        "colour": "blue",
        "tree": None,
    }
    assert msgspec.json.encode(plain) == before


@pytest.mark.parametrize("plain", [{}, {"login": None}, {"login": "odd"}, {"login": {}}])
def test_what_was_recorded_by_another_version_is_compared_as_far_as_it_goes(plain: dict[str, Any]) -> None:
    assert Shape(Server).comparable(plain) == plain


def test_a_shape_knows_whether_there_is_a_secret_at_any_depth() -> None:
    assert Shape(Server).secret
    assert Shape(Port).secret
    assert not Shape(Tree).secret


def test_options_of_two_forms_with_the_same_identity_option_have_it_once() -> None:
    class Left(Options, tag=True):
        id: Identity[str]

    class Right(Options, tag=True):
        id: Identity[str]

    class Sides(Options):
        side: Left | Right

    assert Shape(Sides).identity == (("side", "id"),)


def test_full_options_are_plain_with_defaults_and_what_hides_the_secrets() -> None:
    typed = parse(Server, {**PLAIN, "ports": [{"port-number": 1, "keys": ["secret-3"]}]})
    assert full(typed, lambda text: f"<{text}>") == {
        "name": "a",
        "token": None,
        "login": {"user": "u", "password": "<secret-1>", "retries": 3},
        "spare": None,
        "ports": [{"port-number": 1, "keys": ["<secret-3>"]}],
        "named": {},
        "target": {"kind": "file", "path": "p"},
        "pair": [1, {"port-number": 2, "keys": []}],
        "colour": "blue",
        "wait": 60.0,
        "tree": None,
    }


def test_a_secret_is_hidden_when_nobody_says_how() -> None:
    assert full(parse(Server, PLAIN))["login"] == {"user": "u", "password": "***", "retries": 3}


def test_full_options_can_be_parsed_again() -> None:
    typed = parse(Server, PLAIN)
    assert parse(Server, full(typed, lambda text: text)) == typed


def test_a_value_that_no_option_can_have_is_no_plain_value() -> None:
    class Odd(Options):
        odd: Any = None

    with pytest.raises(NotImplementedError, match="Path"):
        full(Odd(odd=Path()))


def test_the_schema_says_what_identity_and_tuning_are_and_what_is_only_written() -> None:
    schema = json_schema(Server)
    properties, login = schema["properties"], schema["$defs"]["Login"]["properties"]
    assert {name for name, value in properties.items() if value.get("x-dtm-identity") is True} == {"name"}
    assert {name for name, value in properties.items() if value.get("x-dtm-tuning") is True} == {"token", "wait"}
    assert login["user"]["x-dtm-identity"] is True
    assert login["retries"]["x-dtm-tuning"] is True
    assert login["password"] == {"type": "string", "minLength": 6, "writeOnly": True, "description": "Of the user."}
    assert {"type": "string", "minLength": 6, "writeOnly": True} in properties["token"]["anyOf"]


def test_the_schema_has_every_description_and_every_default() -> None:
    schema = json_schema(Server)
    assert schema["title"] == "Server"
    assert schema["description"] == "Options of a server."
    assert schema["properties"]["name"]["description"] == "Its name."
    assert schema["$defs"]["Login"]["description"] == "How to log in."
    here = {option.path: option.default for option in declared(Server) if option.path in schema["properties"]}
    required = set(schema["required"])
    assert required == {"name", "login", "target"}
    found = {name: value["default"] for name, value in schema["properties"].items() if "default" in value}
    assert found == {name: default for name, default in here.items() if name not in required}
    assert schema["$defs"]["Login"]["properties"]["retries"]["default"] == 3


def test_the_schema_holds_the_examples_as_they_are_and_no_word_of_them_where_there_are_none() -> None:
    examples = [PLAIN, {**PLAIN, "name": "b"}]
    schema = json_schema(Server, examples)
    assert schema["examples"] == examples
    assert "examples" not in json_schema(Server)
    assert all(jsonschema.Draft202012Validator(schema).is_valid(example) for example in schema["examples"])


def references(schema: Any) -> Iterator[str]:
    """Every `$ref` and every mapping of a discriminator."""
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(schema, list):
        for item in schema:
            yield from references(item)


def test_the_schema_is_json_and_correct_and_needs_nothing_outside_of_itself() -> None:
    for options in (Server, Tree, Port, ServerMore):
        schema = json_schema(options)
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        jsonschema.Draft202012Validator.check_schema(schema)
        assert msgspec.json.decode(msgspec.json.encode(schema)) == schema
        for reference in references(schema):
            assert reference.removeprefix("#/$defs/") in schema["$defs"]


def test_the_schema_of_a_type_that_holds_itself_has_its_options_at_the_top() -> None:
    schema = json_schema(Tree)
    assert list(schema["properties"]) == ["value", "left", "others"]
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid({"value": 1, "left": {"value": 2, "others": [{"value": 3}]}})
    assert not validator.is_valid({"value": 1, "left": {"value": 2, "others": [{"value": ""}]}})


def same_names() -> type[Options]:
    class Inner(Options):
        a: int

    def another() -> type[Options]:
        class Inner(Options):
            b: str = "x"

        return Inner

    other = another()

    class Outer(Options):
        one: Inner
        two: other  # type: ignore[valid-type]

    return Outer


def test_nested_types_of_the_same_name_are_told_apart_in_the_schema() -> None:
    options = same_names()
    schema = json_schema(options)
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid({"one": {"a": 1}, "two": {"b": "y"}})
    assert not validator.is_valid({"one": {"b": "y"}, "two": {"b": "y"}})
    assert sorted(list(value["properties"]) for value in schema["$defs"].values()) == [["a"], ["b"]]


class Everything(Options):
    """One option of each kind that a schema can judge."""

    name: Annotated[Identity[str], Meta(min_length=1, max_length=3, pattern="^[a-z]*$")]
    number: Annotated[int, Meta(ge=-2, lt=3)] = 0
    even: Annotated[int, Meta(multiple_of=2)] = 0
    share: Annotated[float, Meta(gt=0, le=1)] = 0.5
    flag: bool = False
    secret: Secret | None = None
    port: Port | None = None
    target: File | Store | None = None
    colour: Colour = Colour.RED
    level: Level = Level.LOW
    mode: Literal["fast", 3] | None = None
    ports: Annotated[list[Port], Meta(min_length=1, max_length=2)] | None = None
    named: Annotated[dict[Annotated[str, Meta(pattern="^[a-z]+$")], int], Meta(max_length=1)] = {}  # noqa: RUF012
    pair: tuple[int, str] = (0, "")
    numbers: tuple[int, ...] = ()
    free: dict[str, Any] = {}  # noqa: RUF012  # a new dict for each
    either: int | str | list[int] | dict[str, int] | None = None
    tree: Tree | None = None


# JSON has one kind of number: to a schema `1.0` is an integer, to `parse` it is none.
SCALARS = st.sampled_from(
    [None, True, False, 0, 1, 2, 3, -3, 10**20, 0.5, -1.5, "", "a", "red", "fast", "A", "secret", "ü"]
)
KEYS = st.sampled_from(
    ["a", "B", "kind", "path", "port", "port-number", "port_number", "keys", "value", "left", "others"]
)
JSON = st.recursive(
    SCALARS | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=2), inner, max_size=3),
    max_leaves=6,
)
PORT = st.fixed_dictionaries(
    {"port-number": st.integers(0, 10)}, optional={"keys": st.lists(st.text(min_size=5, max_size=7), max_size=2)}
)
TREE = st.recursive(
    st.fixed_dictionaries({"value": st.integers() | st.none()}),
    lambda inner: st.fixed_dictionaries(
        {"value": st.integers()}, optional={"left": inner, "others": st.lists(inner, max_size=2), "x": inner}
    ),
    max_leaves=4,
)
LIKELY: dict[str, st.SearchStrategy[Any]] = {
    "name": st.text("abC", max_size=4),
    "number": st.integers(-4, 4),
    "even": st.integers(-4, 4),
    "share": st.sampled_from([0, 0.25, 1, 1.5]),
    "flag": st.booleans(),
    "secret": st.text(min_size=4, max_size=8) | st.none(),
    "port": PORT | st.none(),
    "target": st.fixed_dictionaries(
        {"path": st.text(max_size=2)}, optional={"kind": st.sampled_from(["file", "store", "x", 2]), "port": PORT}
    ),
    "colour": st.sampled_from(["red", "blue", "green"]),
    "level": st.integers(0, 3),
    "mode": st.sampled_from(["fast", "slow", 3, 4, None, True]),
    "ports": st.lists(PORT, max_size=3),
    "named": st.dictionaries(st.text("abC", max_size=2), st.integers(), max_size=2),
    "pair": st.lists(st.integers(0, 1) | st.text(max_size=1), max_size=3),
    "numbers": st.lists(st.integers(), max_size=3),
    "free": JSON,
    "either": st.lists(st.integers()) | st.dictionaries(st.text(max_size=1), st.integers() | st.none()) | SCALARS,
    "tree": TREE,
    "unknown": st.none(),
}
VALIDATOR = jsonschema.Draft202012Validator(json_schema(Everything))


def accepted(options: type[Options], raw: Any) -> bool:
    """Whether `parse` takes a value."""
    try:
        parse(options, raw)
    except OptionsError:
        return False
    return True


OPTION = st.sampled_from(sorted(LIKELY)).flatmap(lambda name: st.tuples(st.just(name), LIKELY[name] | JSON))


@given(OPTION)
def test_the_schema_accepts_and_refuses_what_parse_does_in_each_option(option: tuple[str, Any]) -> None:
    raw = {"name": "a", option[0]: option[1]}
    assert VALIDATOR.is_valid(raw) is accepted(Everything, raw)


@given(st.lists(OPTION, max_size=4).map(dict) | JSON)
def test_the_schema_accepts_and_refuses_what_parse_does_as_a_whole(raw: Any) -> None:
    assert VALIDATOR.is_valid(raw) is accepted(Everything, raw)


@given(st.fixed_dictionaries({}, optional=LIKELY))
def test_options_that_are_parsed_and_made_plain_are_valid_and_parsed_to_the_same(likely: dict[str, Any]) -> None:
    fine = {name: value for name, value in likely.items() if accepted(Everything, {"name": "abc", name: value})}
    raw = {"name": "abc", **fine}
    typed = parse(Everything, raw)
    plain = full(typed, lambda text: text)
    assert VALIDATOR.is_valid(plain)
    assert parse(Everything, plain) == typed
    assert msgspec.json.decode(msgspec.json.encode(plain)) == plain


def test_a_type_without_a_flaw_has_none() -> None:
    for options in (Server, ServerMore, Everything, Tree, Port, same_names()):
        assert flaw(options) is None


Later = NewType("Later", Secret)
Value = TypeVar("Value")


class Box(Options, Generic[Value]):
    """Of whatever is put in."""

    value: Value


class Bare(Struct):
    """Nested, and no Options."""

    a: int = 0


class Several(Enum):
    """Values of several types."""

    A = 1
    B = "b"


FIT = "write bool, int, float, str, Secret, Literal, Enum, list[...], tuple[...], dict[str, ...] or Options"
UNFIT: list[tuple[Any, str]] = [
    (object, "object"),
    (Path, "Path"),
    (bytes, "bytes"),
    (set[str], "set[str]"),
    (frozenset[str] | None, "frozenset[str]"),
    (list, "list"),
    (List, "typing.List"),  # noqa: UP006  # an old habit
    (Dict, "typing.Dict"),  # noqa: UP006  # an old habit
    (dict, "dict"),
    (tuple, "tuple"),
    (dict[int, str], "dict[int, str]"),
    (dict[Secret, str], "dict[dtm_sdk.options.Secret, str]"),
    (dict[str, list[tuple[int, Path]]], "Path"),
    (Annotated[list[Annotated[Path, "note"]], "note"] | None, "Path"),
    (None, "NoneType"),
    (Later, f"{__name__}.Later"),
    (Box[int], f"{__name__}.Box[int]"),
    (File, "File with a tag, outside of a union"),
    (list[File | None], "File with a tag, outside of a union"),
]


@pytest.mark.parametrize(("kind", "said"), UNFIT, ids=[case[1] for case in UNFIT])
def test_a_type_that_json_has_not_is_a_flaw(kind: Any, said: str) -> None:
    class Odd(Options):
        fine: int
        odd: kind

    class Holder(Options):
        inner: list[Odd]

    expected = (f"Odd.odd has a type that can't be used: {said}", FIT)
    assert flaw(Odd) == expected
    assert flaw(Holder) == expected


def test_a_nested_object_that_is_no_options_is_a_flaw() -> None:
    class Holder(Options):
        inner: dict[str, Bare | None]

    assert flaw(Holder) == (
        "Bare, nested in its options, is no subclass of dtm_sdk.Options",
        "write `class Bare(Options)`, so that unknown keys are refused",
    )


def test_a_tag_of_the_options_themselves_is_a_flaw() -> None:
    assert flaw(File) == ("its options have a tag", "leave out `tag`")


@pytest.mark.parametrize("name", ["a.b", "a[0]"])
def test_a_name_that_looks_like_a_path_is_a_flaw(name: str) -> None:
    class Odd(Options):
        odd: int = field(name=name)

    assert flaw(Odd) == (f"Odd.odd is written {name!r}, which looks like a path", "rename it, without '.' and '['")


def fail() -> Any:
    raise KeyError("HOME")


def fail_silently() -> Any:
    raise ValueError


DEFAULTS: list[tuple[Any, Callable[[], Any], str]] = [
    (int, lambda: "big", "expected int, got str"),
    (int, lambda: None, "expected int, got null"),
    (Annotated[str, Meta(min_length=1)], lambda: "", "expected str of length >= 1"),
    (list[Port], lambda: [Port(port_number=0), Port(port_number=1)], "[0].port-number: expected int >= 1"),
    (tuple[int, str], lambda: ["1", 2], "[0]: expected int, got str; [1]: expected str, got int"),
    (Secret, lambda: Secret("hunter22"), "a secret has no default"),
    (Port, lambda: Port(port_number=1, keys=[Secret("hunter22")]), "a secret has no default"),
    (dict[str, Any], lambda: {"a": 1j}, "complex is no JSON"),
    (str, fail, "'HOME'"),
    (str, fail_silently, "ValueError"),
]


@pytest.mark.parametrize(("kind", "default", "said"), DEFAULTS, ids=[case[2] for case in DEFAULTS])
def test_a_default_that_no_config_could_say_is_a_flaw(kind: Any, default: Callable[[], Any], said: str) -> None:
    class Odd(Options):
        odd: kind = field(default_factory=default)

    expected = (f"Odd.odd has a default that can't be used: {said}", "leave it out, or write what a config could say")
    assert flaw(Odd) == expected


def test_a_default_that_is_written_is_checked_as_one_that_is_made() -> None:
    class Odd(Options):
        odd: int = None  # type: ignore[assignment]

    found = flaw(Odd)
    assert found is not None
    assert found[0] == "Odd.odd has a default that can't be used: expected int, got null"


class Marked(Options):
    """Has an Identity option."""

    id: Identity[str]
    wait: int = 0


class Waits(Options):
    """Has a Tuning option."""

    wait: Tuning[int] = 0


class Keyed(Options):
    """Holds a Secret."""

    keys: list[Secret]


class Loop(Options):
    """Holds itself, and what has an Identity option."""

    loop: Optional["Loop"] = None
    marked: Marked | None = None


BOTH = ("is both Identity and Tuning", "mark it, and what holds it, as one of them")
INSIDE = ("is marked inside a list or dict", "mark the whole of that, or nothing in it")
PART = ("has a mark inside its type", "mark the whole, e.g. `Identity[str | None]`")
SECRET = ("is a Secret and an Identity", "name the resource by what may be shown")
ROLES: list[tuple[Any, str, tuple[str, str]]] = [
    (Identity[Tuning[str]], "odd", BOTH),
    (Annotated[Tuning[str], Meta(extra={"dtm": "identity"})], "odd", BOTH),
    (Identity[Waits], "odd.wait", BOTH),
    (Tuning[Marked | None], "odd.id", BOTH),  # type: ignore[misc]  # mypy: a union is no type here
    (list[Marked], "odd[].id", INSIDE),
    (dict[str, Waits], "odd.*.wait", INSIDE),
    (tuple[int, Marked], "odd[1].id", INSIDE),
    (Identity[str] | None, "odd", PART),
    (list[Tuning[str]], "odd", PART),
    (dict[str, list[Identity[int]]], "odd", PART),
    (Identity[Secret], "odd", SECRET),
    (Identity[Secret | None], "odd", SECRET),  # type: ignore[misc]  # mypy: a union is no type here
    (Identity[Keyed], "odd.keys", SECRET),
    (Identity[list[Keyed]], "odd[].keys", SECRET),
    (Identity[dict[str, Keyed]], "odd.*.keys", SECRET),
]


@pytest.mark.parametrize(("kind", "path", "expected"), ROLES, ids=[f"{case[1]}: {case[2][0]}" for case in ROLES])
def test_a_mark_that_can_not_be_kept_is_a_flaw(kind: Any, path: str, expected: tuple[str, str]) -> None:
    class Odd(Options):
        od: Identity[str]
        odd: kind

    assert flaw(Odd) == (f"the option {path} {expected[0]}", expected[1])


@pytest.mark.parametrize(
    "kind",
    [
        Identity[Marked],
        Tuning[Waits | None],  # type: ignore[misc]  # mypy: a union is no type here
        Tuning[Keyed],
        Tuning[Secret],
        Identity[list[int]],
        Identity[str | None],  # type: ignore[misc]  # mypy: a union is no type here
        Tuning[dict[str, int]],
        list[Keyed],
    ],
)
def test_a_mark_that_can_be_kept_is_none(kind: Any) -> None:
    class Fine(Options):
        od: Identity[str]
        odd: kind

    assert flaw(Fine) is None


def test_a_mark_in_a_type_that_holds_itself_is_a_flaw() -> None:
    class Holder(Options):
        loop: Loop

    for options in (Loop, Holder):
        assert flaw(options) == (
            "Loop holds itself, and has an Identity or Tuning option",
            "mark what stands outside of it",
        )


@pytest.mark.parametrize(("kind", "said"), [(Several, "either all str or all int"), (Path, "Path'> is not supported")])
def test_a_schema_that_can_not_be_made_raises(kind: Any, said: str) -> None:
    class Odd(Options):
        odd: kind

    with pytest.raises(TypeError, match=said):
        json_schema(Odd)


def test_an_annotation_that_names_nothing_raises() -> None:
    class Odd(Options):
        odd: "Nowhere"  # type: ignore[name-defined]  # noqa: F821  # what is tested

    with pytest.raises(NameError, match="Nowhere"):
        flaw(Odd)
