"""Plugin: it checks itself when it is made; what it accepts, and what its operations may return."""

import importlib
import json
import math
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from functools import partial, wraps
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from dtm_sdk.errors import OptionsError, PluginError
from dtm_sdk.options import Identity, Options, Secret, Tuning
from dtm_sdk.plugin import OPERATIONS, Operation, Plugin, State, checked_state, is_name


class ThingOptions(Options):
    """Options of a thing."""

    name: Annotated[Identity[str], Meta(min_length=1)]
    size: int = 1
    token: Secret | None = None


class NamelessOptions(Options):
    """Options that name nothing."""

    size: int = 1


def plain(options: ThingOptions) -> State:
    return {"called with": options}


def stateful(options: ThingOptions, state: State | None) -> State:
    return {"called with": options, "and": state}


def make(**changes: Any) -> Plugin:
    """A plugin that is right but for what is changed."""
    right = {"name": "thing", "options": ThingOptions, "create": plain, "read": plain, "update": plain, "delete": plain}
    return Plugin(**{**right, **changes})


def refusal(**changes: Any) -> str:
    """Why a plugin can't be made."""
    with pytest.raises(PluginError) as caught:
        make(**changes)
    message = str(caught.value)
    assert caught.value.hint
    assert "\n" not in message
    return message


@pytest.mark.parametrize("text", ["a", "1", "a-b", "a.b", "local-file.v1", "a" * 63, "a." * 126 + "a"])
def test_a_name_is_labels_of_rfc_1123(text: str) -> None:
    assert is_name(text)
    assert make(name=text).name == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A",
        "a_b",
        "-a",
        "a-",
        ".a",
        "a.",
        "a..b",
        "a.-b",
        "a b",
        "a\n",
        "ä",
        "a" * 64,
        "a." * 126 + "aa",
        "1.",
    ],
)
def test_what_is_no_name_is_refused(text: str) -> None:
    assert not is_name(text)
    assert refusal(name=text) == (
        f"plugin {text!r}: a name is lower-case letters, digits, '-' and '.', each part of at most 63 of them, "
        "starting and ending with a letter or digit; write e.g. name='my-plugin'"
    )


def test_a_name_that_is_no_text_is_refused() -> None:
    assert refusal(name=5).startswith("plugin 5: a name is lower-case letters")


class Typed(Options):
    """One type that JSON has not."""

    name: Identity[str]
    when: datetime


class Two(Options):
    """Two kinds of objects, and nothing that tells them apart."""

    name: Identity[str]
    either: ThingOptions | NamelessOptions


class Both(Options):
    """A contradiction."""

    name: Identity[Tuning[str]]


class Lost(Options):
    """A name that is nowhere."""

    name: Identity[str]
    inner: "Nowhere"  # type: ignore[name-defined]  # noqa: F821  # what is tested


FIT = "write bool, int, float, str, Secret, Literal, Enum, list[...], tuple[...], dict[str, ...] or Options"
TOP = "use JSON's types, and names defined at the top of the module"
OPTIONS: list[tuple[Any, str]] = [
    (dict, "options is no subclass of dtm_sdk.Options; write `class MyOptions(Options): ...`"),
    (ThingOptions(name="a"), "options is no subclass of dtm_sdk.Options; write `class MyOptions(Options): ...`"),
    (msgspec.Struct, "options is no subclass of dtm_sdk.Options; write `class MyOptions(Options): ...`"),
    (Typed, f"Typed.when has a type that can't be used: datetime; {FIT}"),
    (
        Both,
        "the option name is both Identity and Tuning; mark it, and what holds it, as one of them",
    ),
    (Lost, f"the types of its options can't be used: name 'Nowhere' is not defined; {TOP}"),
]


@pytest.mark.parametrize(("options", "said"), OPTIONS)
def test_options_that_can_not_be_used_are_refused(options: Any, said: str) -> None:
    assert refusal(options=options) == f"plugin thing: {said}"


def test_a_union_that_json_can_not_tell_apart_is_refused() -> None:
    said = refusal(options=Two)
    assert said.startswith("plugin thing: the types of its options can't be used: ")
    assert "union" in said
    assert said.endswith(TOP)


class Called:
    """A callable object, with and without state."""

    def __call__(self, options: ThingOptions) -> State:
        return plain(options)

    def method(self, options: ThingOptions, state: State | None = None) -> State:
        return stateful(options, state)

    @staticmethod
    def static(options: ThingOptions, /) -> State:
        return plain(options)

    @classmethod
    def of_class(cls, options: ThingOptions, /, state: State | None) -> State:
        return stateful(options, state)


def with_client(options: ThingOptions, state: State | None, client: str) -> State:
    return {**stateful(options, state), "client": client}


def with_client_first(client: str, options: ThingOptions) -> State:
    return {**plain(options), "client": client}


def more(options: ThingOptions, *args: Any, retries: int = 3, **kwargs: Any) -> State:
    assert not args
    assert not kwargs
    return {**plain(options), "retries": retries}


def logged(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


FORMS: list[tuple[Callable[..., Any], bool, dict[str, Any]]] = [
    (plain, False, {}),
    (stateful, True, {}),
    (lambda options: {"called with": options}, False, {}),
    (Called(), False, {}),
    (Called().method, True, {}),
    (Called.static, False, {}),
    (Called.of_class, True, {}),
    (partial(with_client, client="c"), True, {"client": "c"}),
    (partial(with_client_first, "c"), False, {"client": "c"}),
    (more, False, {"retries": 3}),
    (logged(stateful), True, {}),
    (logged(plain), False, {}),
]


@pytest.mark.parametrize(("function", "takes_state", "added"), FORMS)
def test_an_operation_is_called_with_the_state_if_it_takes_it(
    function: Callable[..., Any],
    takes_state: bool,  # noqa: FBT001  # a column of the table
    added: dict[str, Any],
) -> None:
    options, state = ThingOptions(name="a"), {"id": 1}
    made = make(read=function, update=function, delete=function)
    operations: list[Operation] = ["read", "update", "delete"]
    for operation in operations:
        expected = {"called with": options, **({"and": state} if takes_state else {}), **added}
        assert made.call(operation, options, state) == expected
        assert made.call(operation, options) == {**expected, **({"and": None} if takes_state else {})}
    assert made.call("create", options, state) == {"called with": options}


async def coroutine(options: ThingOptions) -> State:
    return {}


async def stream(options: ThingOptions) -> AsyncIterator[State]:
    yield {}


def generator(options: ThingOptions) -> Iterator[State]:
    yield {}


class AsyncCalled:
    """Its call is a coroutine."""

    async def __call__(self, options: ThingOptions) -> State:
        return {"called with": options}


def nothing() -> State:
    return {}


def stateful_by_keyword(options: ThingOptions, *, state: State | None = None) -> State:
    return stateful(options, state)


WRONG: list[tuple[Any, str]] = [
    (None, "{} is of type NoneType, no function"),
    ("create", "{} is of type str, no function"),
    (coroutine, "{} is async, or yields; it is called and must return"),
    (partial(coroutine), "{} is async, or yields; it is called and must return"),
    (AsyncCalled(), "{} is async, or yields; it is called and must return"),
    (stream, "{} is async, or yields; it is called and must return"),
    (generator, "{} is async, or yields; it is called and must return"),
    (dict, "the parameters of {} can't be seen"),
    (nothing, "{} takes ()"),
    (lambda *args, **kwargs: {}, "{} takes (*args, **kwargs)"),
    (lambda *, options: {}, "{} takes (*, options)"),
    (lambda options, *, state=None: {}, "{} takes (options, *, state=None)"),
    (lambda options, previous: {}, "{} takes (options, previous)"),
    (lambda options, state, client="": {}, "{} takes (options, state, client='')"),
    (lambda options, *, client: {}, "{} takes (options, *, client)"),
    (partial(lambda options, state: {}, state=None), "{} takes (options, *, state=None)"),
    (stateful_by_keyword, "{} takes (options, *, state=None)"),
]


@pytest.mark.parametrize(("function", "said"), WRONG, ids=[case[1] for case in WRONG])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_that_can_not_be_called_is_refused(operation: str, function: Any, said: str) -> None:
    either = f"write `def {operation}(options)` or `def {operation}(options, state)`"
    hint = "write `def create(options)`" if operation == "create" else either
    assert refusal(**{operation: function}) == f"plugin thing: {said.format(operation)}; {hint}"


@pytest.mark.parametrize("name", ["create", "validate"])
def test_create_and_validate_take_no_state(name: str) -> None:
    expected = f"plugin thing: {name} takes (options, state=None); write `def {name}(options)`"
    assert refusal(**{name: lambda options, state=None: {}}) == expected


@pytest.mark.parametrize("function", [None, coroutine, nothing, stateful])
def test_a_validate_that_can_not_be_called_is_refused(function: Any) -> None:
    said = refusal(validate=function)
    assert said.startswith("plugin thing: validate ")
    assert said.endswith("; write `def validate(options)`")


DECLARED: list[tuple[dict[str, Any], str]] = [
    ({"recovery": "magic"}, "recovery='magic' is unknown; write one of identity, lookup, manual"),
    ({"recovery": ["manual"]}, "recovery=['manual'] is unknown; write one of identity, lookup, manual"),
    ({"state_version": 0}, "state_version=0 is no positive integer; write state_version=1"),
    ({"state_version": True}, "state_version=True is no positive integer; write state_version=1"),
    ({"state_version": "1"}, "state_version='1' is no positive integer; write state_version=1"),
    ({"volatile": "outputs.id"}, "volatile='outputs.id' is no list of paths; write e.g. volatile=['outputs.id']"),
    ({"stable": None}, "stable=None is no list of paths; write e.g. stable=['outputs.id']"),
    ({"normalized": [1]}, "normalized=[1] is no list of paths; write e.g. normalized=['outputs.id']"),
    ({"examples": {"name": "a"}}, "examples is of type dict, no list; write examples=[{...}, {...}]"),
    ({"examples": None}, "examples is of type NoneType, no list; write examples=[{...}, {...}]"),
    (
        {"examples": [{"name": "a"}, ThingOptions(name="a")]},
        "examples[1] is of type ThingOptions, no dict; write options as a config would have them, e.g. {'name': 'a'}",
    ),
    (
        {"examples": ["name"]},
        "examples[0] is of type str, no dict; write options as a config would have them, e.g. {'name': 'a'}",
    ),
]


@pytest.mark.parametrize(("changes", "said"), DECLARED, ids=[case[1] for case in DECLARED])
def test_a_wrong_declaration_is_refused_with_what_to_write_instead(changes: dict[str, Any], said: str) -> None:
    assert refusal(**changes) == f"plugin thing: {said}"


@pytest.mark.parametrize("recovery", ["identity", "lookup"])
def test_what_is_found_by_its_identity_needs_an_identity_option(recovery: str) -> None:
    assert refusal(options=NamelessOptions, recovery=recovery) == (
        f"plugin thing: recovery='{recovery}' needs an Identity option; write e.g. `name: Identity[str]`, or "
        "recovery='manual' if nothing names the resource"
    )
    assert make(recovery=recovery).recovery == recovery


def test_a_plugin_needs_no_more_than_its_name_options_and_operations() -> None:
    made = make()
    assert (made.recovery, made.state_version) == ("identity", 1)
    assert not any((made.examples, made.volatile, made.stable, made.normalized))


def test_what_can_not_be_found_needs_none() -> None:
    assert make(options=NamelessOptions, recovery="manual").shape.identity == ()


def test_a_plugin_keeps_what_its_author_declares_and_can_not_be_changed() -> None:
    examples = ({"name": "a"}, {"name": "a", "size": 2})
    made = make(examples=examples, volatile=("outputs.id",), stable=["a"], normalized=[], state_version=3)
    assert (made.examples, made.volatile, made.stable) == (examples, ("outputs.id",), ["a"])
    assert (made.state_version, made.recovery, made.normalized) == (3, "identity", [])
    assert made.shape.identity == (("name",),)
    with pytest.raises(FrozenInstanceError):
        made.name = "other"  # type: ignore[misc]


def test_a_plugin_is_made_by_names_and_equal_to_itself_alone() -> None:
    made = make(examples=[])
    assert {made: 1}[made] == 1
    assert made != make(examples=[])
    with pytest.raises(TypeError, match="positional"):
        Plugin("thing", ThingOptions, plain, plain, plain, plain)  # type: ignore[arg-type, call-arg]


MODULE = '''
from __future__ import annotations

from typing import Annotated, Any

from dtm_sdk import Identity, Meta, Options, Plugin, Secret, State


class Inner(Options):
    """Refers to what is defined below it."""

    outer: AuthorOptions | None = None
    token: Secret | None = None


class AuthorOptions(Options):
    """Options of the author's plugin."""

    size: Annotated[int, Meta(ge=1)] = 1
    inners: list[Inner] = []
    free: dict[str, Any] = {}


def create(options: AuthorOptions) -> State:
    return {"size": options.size}


plugin = Plugin(
    name="author", options=AuthorOptions, create=create, read=create, update=create, delete=create, recovery="manual"
)
'''


def test_an_author_may_write_annotations_that_are_read_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "authors_module.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    made: Plugin = importlib.import_module("authors_module").plugin
    raw = {"size": 2, "inners": [{"outer": {"size": 3}, "token": "secret-1"}]}
    assert made.call("create", made.parse(raw)) == {"size": 2}
    with pytest.raises(OptionsError, match=r"^inners\[0\]\.outer\.size: expected int >= 1$"):
        made.parse({"inners": [{"outer": {"size": 0}}]})


def even(options: ThingOptions) -> list[str]:
    messages = ["size must be even"] if options.size % 2 else []
    return [*messages, *(["name is taken"] if options.name == "taken" else [])]


def test_all_messages_of_validate_are_given_where_no_type_is_wrong() -> None:
    made = make(validate=even)
    assert made.parse({"name": "a", "size": 2}) == ThingOptions(name="a", size=2)
    with pytest.raises(OptionsError) as caught:
        made.parse({"name": "taken", "size": 1})
    assert caught.value.problems == (("", "size must be even"), ("", "name is taken"))
    assert str(caught.value) == "size must be even; name is taken"


def test_validate_is_not_asked_where_a_type_is_wrong() -> None:
    made = make(validate=even)
    with pytest.raises(OptionsError) as caught:
        made.parse({"size": "1", "nam": ""})
    assert [path for path, _ in caught.value.problems] == ["name", "size", "nam"]


def test_a_plugin_without_validate_accepts_what_its_types_do() -> None:
    assert make().parse({"name": "a"}) == ThingOptions(name="a")


def test_problems_are_found_though_some_values_are_not_known_yet() -> None:
    made = make(validate=even)
    found = made.problems({"name": "?", "size": "1", "token": "?"}, lambda value: value == "?")
    assert found == [("size", "expected int, got str")]


def raise_it(error: BaseException) -> Any:
    raise error


@pytest.mark.parametrize(
    ("validate", "said"),
    [
        (lambda options: None, "returned NoneType, no list of messages"),
        (lambda options: "size must be even", "returned str, no list of messages"),
        (lambda options: [1], "returned list, no list of messages"),
        (lambda options: raise_it(KeyError("size")), "raised KeyError: 'size'"),
        (lambda options: raise_it(SystemExit(3)), "raised SystemExit: 3"),
    ],
)
def test_a_validate_that_does_what_it_may_not_is_a_bug_of_the_plugin(validate: Callable[[Any], Any], said: str) -> None:
    with pytest.raises(PluginError) as caught:
        make(validate=validate).parse({"name": "a"})
    assert str(caught.value) == f"plugin thing: validate {said}; this is a bug of the plugin"


def test_an_interrupt_in_validate_stays_one() -> None:
    with pytest.raises(KeyboardInterrupt):
        make(validate=lambda options: raise_it(KeyboardInterrupt())).parse({"name": "a"})


NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
KEYS = st.text(max_size=3)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(KEYS, JSON, max_size=3))
def test_a_state_of_plain_values_comes_back_as_a_copy_that_is_equal(state: dict[str, Any]) -> None:
    copy = checked_state(state, "x's read")
    assert json.dumps(copy) == json.dumps(state)
    assert copy is not state
    assert all(item is not state[key] for key, item in copy.items() if isinstance(item, dict | list))


class Mode(StrEnum):
    """A text that is an Enum too."""

    FAST = "fast"


class Number(IntEnum):
    """A number that is an Enum too."""

    ONE = 1


def test_a_state_comes_back_in_the_plain_types_of_json() -> None:
    copy = checked_state({"mode": Mode.FAST, "number": Number.ONE, Mode.FAST: True}, "x's read")
    assert copy == {"mode": "fast", "number": 1, "fast": True}
    assert [type(item) for item in (*copy, *copy.values())] == [str, str, str, str, int, bool]


def levels(count: int, kind: type = dict) -> dict[str, Any]:
    """An object of so many levels, with a value in the last."""
    state: Any = {"a": 1} if kind is dict else [1]
    for _ in range(count - 2):
        state = {"a": state} if kind is dict else [state]
    return {"a": state}


@pytest.mark.parametrize("kind", [dict, list])
def test_a_state_may_have_a_hundred_levels_and_no_more(kind: type) -> None:
    for state in (levels(100, kind), {**levels(100, kind), "wide": [[], {}]}):
        assert checked_state(state, "x's read") == state
    for count in (101, 102, 900, 100_000):
        with pytest.raises(PluginError, match=r" a(\.a|\[0\])+\[?\.\.\. is nested too deep; a state holds null"):
            checked_state(levels(count, kind), "x's read")


def test_a_wide_state_is_not_a_deep_one() -> None:
    state = {"items": [{"id": 10**19, "texts": ["{[" * 200]} for _ in range(200)]}
    assert checked_state(state, "x's read") == state


def endless() -> dict[str, Any]:
    state: dict[str, Any] = {}
    state["me"] = state
    return state


class Odd(Enum):
    """No text and no number."""

    ODD = "odd"


UNFIT: list[tuple[Any, str]] = [
    ({"a": {1: 2}}, "a.1 is under a key of type int"),
    ({"a": {None: 2}}, "a.None is under a key of type NoneType"),
    ({"\ud800": 2}, "'\\ud800' is under a key with a lone surrogate"),
    ({"a": [1, {"b": "x\udfffy"}]}, "a[1].b is with a lone surrogate"),
    ({"a": math.nan}, "a is nan"),
    ({"a": [math.inf]}, "a[0] is inf"),
    ({"a": -math.inf}, "a is -inf"),
    ({"a": 2**64}, "a is an integer of more than 64 bits"),
    ({"a": {"b": [-(2**63) - 1]}}, "a.b[0] is an integer of more than 64 bits"),
    ({"a": (1, 2)}, "a is of type tuple"),
    ({"a": [{1, 2}]}, "a[0] is of type set"),
    ({"a": b"x"}, "a is of type bytes"),
    ({"a": Decimal(1)}, "a is of type Decimal"),
    ({"a": datetime(2020, 1, 1, tzinfo=UTC)}, "a is of type datetime"),
    ({"a": Path("x")}, "a is of type PosixPath"),
    ({"a": Secret("hunter22")}, "a is of type Secret"),
    ({"a": ThingOptions(name="a")}, "a is of type ThingOptions"),
    ({"a": Odd.ODD}, "a is of type Odd"),
    ({"fine": [1], "a": object()}, "a is of type object"),
    (endless(), "me.me.me.me.me.me.me.me.me.me.me.me.me.me.me.me.me.me.me.me... is nested too deep"),
]


@pytest.mark.parametrize(("state", "said"), UNFIT, ids=[case[1] for case in UNFIT])
def test_a_state_that_is_no_json_is_refused_with_the_place(state: Any, said: str) -> None:
    with pytest.raises(PluginError) as caught:
        checked_state(state, "x's read")
    assert caught.value.message == f"x's read returned a state in which {said}"
    assert caught.value.hint == (
        "a state holds null, booleans, integers, finite numbers, strings, lists and objects with string keys: "
        "this is a bug of the plugin"
    )


class Strange(dict[str, Any]):
    """Says that it is equal to nothing."""

    __hash__ = None

    def __eq__(self, other: object) -> bool:
        return False


def test_a_state_that_does_not_come_back_as_it_was_is_refused() -> None:
    with pytest.raises(PluginError, match="returned a state in which it is something that is no JSON; a state"):
        checked_state(Strange(a=1), "x's read")


@pytest.mark.parametrize("value", [None, [], "text", 1, True, ThingOptions(name="a")])
def test_a_state_that_is_no_object_is_refused(value: object) -> None:
    with pytest.raises(PluginError) as caught:
        checked_state(value, "x's create")
    name = type(value).__name__
    assert str(caught.value) == f"x's create returned {name}, no dict; this is a bug of the plugin"
