"""Whatever a plugin does when it is called, it fails its own tool only, and the reader learns why."""

import subprocess
import sys
from collections.abc import Callable
from threading import Event, Thread
from typing import Annotated, Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta
from msgspec.structs import force_setattr

from dtm_sdk import options as options_
from dtm_sdk.errors import AlreadyExistsError, DtmError, PluginError, TransientError
from dtm_sdk.invoke import Patience, PluginBug, invoke
from dtm_sdk.options import Identity, Options, Secret
from dtm_sdk.plugin import Operation, Plugin, State

PATIENCE = Patience()
MADE = {"filename": "a", "outputs": {"id": 1}}


class Part(Options):
    """A nested object."""

    sizes: list[int]
    token: Secret | None = None


class ThingOptions(Options):
    """Options with something of everything that can be changed in place."""

    name: Annotated[Identity[str], Meta(description="Its name.")]
    labels: dict[str, str]
    part: Part
    tags: tuple[list[str], ...]
    free: dict[str, Any]


RAW: dict[str, Any] = {
    "name": "a",
    "labels": {"x": "y"},
    "part": {"sizes": [1, 2], "token": "hunter22"},
    "tags": [["one"]],
    "free": {"list": [{"deep": 1}], "none": None},
}
OPTIONS = options_.parse(ThingOptions, RAW)


class Clock:
    """Time that passes only by waiting."""

    def __init__(self, interrupted_at: float = float("inf")) -> None:
        self.now = 1000.0
        self.waits: list[float] = []
        self.interrupted_at = interrupted_at

    def wait(self, timeout: float, /) -> bool:
        self.waits.append(timeout)
        self.now += timeout
        return self.now >= self.interrupted_at

    def __call__(self) -> float:
        return self.now


def unused(options: Any) -> NoReturn:
    raise AssertionError


def thing(**operations: Callable[..., Any]) -> Plugin:
    every: dict[str, Any] = dict.fromkeys(("create", "read", "update", "delete"), unused)
    return Plugin(name="thing", options=ThingOptions, **{**every, **operations})


def call(
    operation: Operation,
    function: Callable[..., Any],
    state: State | None = None,
    *,
    clock: Clock | None = None,
    said: list[str] | None = None,
    patience: Patience = PATIENCE,
) -> State | None:
    """Invoke one operation of a plugin that has only that one."""
    time = clock or Clock()
    say = (said if said is not None else []).append
    plugin = thing(**{operation: function})
    return invoke(plugin, operation, OPTIONS, state, say=say, interrupted=time, patience=patience, clock=time)


def failing(error: BaseException) -> Callable[[Any], NoReturn]:
    def fail(options: Any) -> NoReturn:
        raise error

    return fail


class Flaky:
    """An operation that fails so many times before it works."""

    def __init__(self, times: int, error: Callable[[], Exception] = lambda: TransientError("busy")) -> None:
        self.times = times
        self.error = error
        self.calls = 0

    def __call__(self, options: Any) -> State:  # noqa: ARG002  # an operation takes them
        self.calls += 1
        if self.calls <= self.times:
            raise self.error()
        return MADE


@pytest.mark.parametrize("operation", ["create", "read", "update"])
def test_what_an_operation_describes_is_returned_as_a_copy(operation: Operation) -> None:
    described = {"outputs": {"id": 1}}
    result = call(operation, lambda options: described)
    described["outputs"]["id"] = 2
    assert result == {"outputs": {"id": 1}}


def test_nothing_is_there_after_a_delete_or_where_read_finds_none() -> None:
    assert call("delete", lambda options: True) is None
    assert call("read", lambda options: None) is None


def test_a_delete_that_leaves_the_resource_is_an_error_for_the_user() -> None:
    with pytest.raises(PluginError, match=r"^thing's delete says that the resource isn't gone; ") as raised:
        call("delete", lambda options: False)
    assert not isinstance(raised.value, PluginBug)


@pytest.mark.parametrize(
    ("operation", "returned", "message"),
    [
        ("create", None, "thing's create returned NoneType, no dict"),
        ("update", None, "thing's update returned NoneType, no dict"),
        ("read", False, "thing's read returned bool, no dict"),
        ("create", {"a": {1, 2}}, "thing's create returned a state in which a is of type set"),
        ("delete", None, "thing's delete returned NoneType, neither True nor False"),
        ("delete", 1, "thing's delete returned int, neither True nor False"),
        ("delete", {}, "thing's delete returned dict, neither True nor False"),
    ],
)
def test_a_wrong_result_is_a_bug_of_the_plugin(operation: Operation, returned: object, message: str) -> None:
    with pytest.raises(PluginError) as raised:
        call(operation, lambda options: returned)
    assert str(raised.value).startswith(message)
    assert str(raised.value).endswith("this is a bug of the plugin")


@pytest.mark.parametrize(
    "error",
    [PluginError("no such folder", "make it"), AlreadyExistsError("it is there"), DtmError("no"), PluginError("")],
)
def test_what_a_plugin_raises_for_its_user_is_passed_on_as_it_is(error: DtmError) -> None:
    with pytest.raises(DtmError) as raised:
        call("create", failing(error))
    assert raised.value is error


class Silent(Exception):  # noqa: N818
    def __str__(self) -> str:
        raise RuntimeError


class Forgot(PluginError):  # noqa: N818
    def __init__(self) -> None:
        pass


class Opaque(Exception):  # noqa: N818
    @property
    def __cause__(self) -> NoReturn:  # type: ignore[override]
        raise RuntimeError


class OutOfBand(BaseException):
    pass


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("no number: 'x'"), "thing's create raised ValueError: no number: 'x'"),
        (ValueError("first line\nsecond"), "thing's create raised ValueError: first line"),
        (KeyError("x"), "thing's create raised KeyError: 'x'"),
        (AssertionError(), "thing's create raised AssertionError"),
        (SystemExit(3), "thing's create raised SystemExit: 3"),
        (KeyboardInterrupt(), "thing's create raised KeyboardInterrupt"),
        (GeneratorExit(), "thing's create raised GeneratorExit"),
        (MemoryError(), "thing's create raised MemoryError"),
        (StopIteration(1), "thing's create raised StopIteration: 1"),
        (OutOfBand("x"), "thing's create raised OutOfBand: x"),
        (Silent(), "thing's create raised Silent"),
        (Forgot(), "thing's create raised Forgot"),
        (
            ExceptionGroup("two", [ValueError("a"), OSError("b")]),
            "thing's create raised ExceptionGroup: two (2 sub-exceptions)",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_anything_else_that_is_raised_is_a_bug_of_the_plugin(error: BaseException, message: str) -> None:
    with pytest.raises(PluginBug) as raised:
        call("create", failing(error))
    assert str(raised.value) == f"{message}; this is a bug of the plugin"
    assert type(error).__name__ in raised.value.trace


def test_a_bug_without_a_readable_traceback_is_still_one() -> None:
    with pytest.raises(PluginBug, match="raised Opaque: no cause") as raised:
        call("create", failing(Opaque("no cause")))
    assert raised.value.trace == ""


def test_the_traceback_begins_in_the_plugins_code_and_holds_its_causes() -> None:
    def create(options: Any) -> State:
        try:
            return {"size": options.name + 1}
        except TypeError as error:
            raise OSError("first\nsecond") from error

    with pytest.raises(PluginBug) as raised:
        call("create", create)
    trace = raised.value.trace
    assert "TypeError: " in trace
    assert trace.endswith("OSError: first\nsecond\n")
    assert "invoke.py" not in trace.replace(__file__, "")
    assert "in create" in trace


def test_endless_recursion_and_a_call_of_nothing_are_bugs_too() -> None:
    def create(options: Any) -> State:
        return create(options)

    with pytest.raises(PluginBug, match="raised RecursionError: maximum recursion depth exceeded") as raised:
        call("create", create)
    assert "in create" in raised.value.trace

    with pytest.raises(PluginBug, match="raised TypeError: "):
        call("read", lambda options: options())


def test_a_coroutine_is_no_state() -> None:
    async def create(options: Any) -> State:
        return MADE

    coroutine = create(None)
    with pytest.raises(PluginError, match="returned coroutine, no dict"):
        call("create", lambda options: coroutine)
    coroutine.close()


class Trap(dict[str, Any]):  # noqa: PLW1641  # nobody hashes it
    def __eq__(self, other: object) -> bool:
        raise OSError("a trap")


def test_a_result_that_raises_when_it_is_looked_at_is_a_bug_of_the_plugin() -> None:
    with pytest.raises(PluginBug, match="OSError: a trap"):
        call("create", lambda options: Trap())


def spoil(change: Callable[[Any], object]) -> Callable[[Any], State]:
    def operation(options: Any) -> State:
        change(options)
        return MADE

    return operation


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda options: options.labels.clear(), "labels"),
        (lambda options: options.part.sizes.append(3), "part"),
        (lambda options: options.tags[0].append("two"), "tags"),
        (lambda options: options.free["list"][0].update(deep=2), "free"),
        (lambda options: force_setattr(options, "name", "b"), "name"),
        (lambda options: force_setattr(options.part, "token", Secret("another")), "part"),
        (lambda options: (options.tags[0].append("two"), options.labels.update(x="z")), "labels, tags"),
    ],
)
def test_options_that_are_changed_fail_the_tool_by_name(change: Callable[[Any], object], named: str) -> None:
    with pytest.raises(PluginBug) as raised:
        call("create", spoil(change))
    assert str(raised.value) == f"thing's create changed its options: {named}; this is a bug of the plugin"
    assert options_.parse(ThingOptions, RAW) == OPTIONS


def test_options_that_are_made_no_json_fail_the_tool() -> None:
    with pytest.raises(PluginBug, match="thing's create changed its options; "):
        call("create", spoil(lambda options: options.free.update(self=object())))
    with pytest.raises(PluginBug, match="thing's create changed its options; "):
        call("create", spoil(lambda options: options.free.update(self=options.free)))


def test_options_are_not_made_again_for_the_copy() -> None:
    made: list[str] = []

    class Counting(ThingOptions):
        def __post_init__(self) -> None:
            made.append(self.name)

    options = options_.parse(Counting, RAW)
    plugin = Plugin(
        name="thing", options=Counting, create=lambda options: MADE, read=unused, update=unused, delete=unused
    )
    assert invoke(plugin, "create", options, None, say=made.append, interrupted=Clock()) == MADE
    assert made == ["a"]


def test_values_that_only_moved_are_no_change() -> None:
    def create(options: Any) -> State:
        options.free.update(list=options.free.pop("list"))
        options.labels.update({"z": "1"}, x=options.labels.pop("x"))
        del options.labels["z"]
        return MADE

    assert call("create", create) == MADE


def test_an_operation_is_handed_the_recorded_state_and_none_where_there_is_none() -> None:
    seen: list[State | None] = []

    def read(options: Any, state: State | None) -> State:
        seen.append(state)
        return MADE

    call("read", read, {"outputs": {"id": 7}})
    call("read", read, None)
    assert seen == [{"outputs": {"id": 7}}, None]


def test_the_recorded_state_stays_as_it_was_whatever_is_done_to_it() -> None:
    record = {"outputs": {"ids": [1]}, "size": 1, "gone": None}

    def update(options: Any, state: State) -> State:
        state["outputs"]["ids"].append(2)
        del state["gone"]
        state["new"] = None
        return state

    with pytest.raises(PluginBug, match=r"^thing's update changed the recorded state: outputs, gone, new; "):
        call("update", update, record)
    assert record == {"outputs": {"ids": [1]}, "size": 1, "gone": None}


def test_what_a_plugin_keeps_of_its_options_can_change_nothing_later() -> None:
    kept: list[Any] = []
    call("create", spoil(kept.append))
    kept[0].free["list"].append("later")
    assert RAW["free"] == OPTIONS.free == {"list": [{"deep": 1}], "none": None}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-9, 9) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_an_operation_sees_options_equal_to_those_given(free: Any) -> None:
    seen: list[Any] = []
    options = options_.parse(ThingOptions, {**RAW, "free": {"any": free}})
    plugin = thing(create=spoil(seen.append))
    invoke(plugin, "create", options, None, say=seen.append, interrupted=Clock())
    assert seen == [options]


def test_a_transient_error_is_answered_by_trying_again() -> None:
    flaky, clock, said = Flaky(3), Clock(), list[str]()
    assert call("create", flaky, clock=clock, said=said) == MADE
    assert flaky.calls == 4
    assert [line.partition(" in ")[0] for line in said] == ["busy; trying again"] * 3
    assert [line.partition(" in ")[2] for line in said] == [f"{wait:.0f} s" for wait in clock.waits]


def test_the_waits_grow_to_half_a_minute_and_differ_by_chance() -> None:
    clock, other = Clock(), Clock()
    patience = Patience(attempts=9, seconds=1000)
    call("create", Flaky(8), clock=clock, patience=patience)
    call("create", Flaky(8), clock=other, patience=patience)
    least = [1, 2, 4, 8, 16, 30, 30, 30]
    assert all(floor <= wait <= floor + 1 for floor, wait in zip(least, clock.waits, strict=True))
    assert clock.waits != other.waits


def test_a_service_that_says_when_is_heard() -> None:
    clock = Clock()
    call("create", Flaky(2, lambda: TransientError("busy", retry_after=7)), clock=clock)
    assert [int(wait) for wait in clock.waits] == [7, 7]


@pytest.mark.parametrize("asked", ["soon", -5, float("nan"), None, [1]])
def test_a_time_that_is_none_is_not_heard(asked: Any) -> None:
    clock = Clock()
    assert call("create", Flaky(1, lambda: TransientError("busy", retry_after=asked)), clock=clock) == MADE
    assert [int(wait) for wait in clock.waits] == [1]


def test_after_so_many_tries_it_fails_and_says_how_many() -> None:
    flaky = Flaky(99)
    with pytest.raises(TransientError) as raised:
        call("create", flaky, patience=Patience(attempts=3))
    assert flaky.calls == 3
    assert str(raised.value) == "busy; tried 3 times, run it again later"


def test_after_so_much_time_it_fails() -> None:
    flaky, clock = Flaky(99), Clock()
    with pytest.raises(TransientError, match=r"^busy; tried \d times, "):
        call("create", flaky, clock=clock, patience=Patience(attempts=1000, seconds=60))
    assert 20 < sum(clock.waits) <= 60
    assert flaky.calls == len(clock.waits) + 1


@pytest.mark.parametrize("asked", [121, 1e300, 10**400, float("inf")])
def test_a_wait_longer_than_there_is_time_for_is_not_begun(asked: float) -> None:
    clock, said = Clock(), list[str]()
    with pytest.raises(TransientError, match=r"^busy; tried 1 time, run it again later$"):
        call("create", Flaky(9, lambda: TransientError("busy", retry_after=asked)), clock=clock, said=said)
    assert (clock.waits, said) == ([], [])


def test_the_time_a_call_took_before_it_failed_is_not_counted() -> None:
    clock = Clock()

    def create(options: Any) -> State:
        if clock.now == 1000:
            clock.now += 500
            raise TransientError("busy")
        return MADE

    assert call("create", create, clock=clock) == MADE


def test_an_interrupt_ends_the_waiting() -> None:
    flaky, clock = Flaky(99), Clock(interrupted_at=1003)
    with pytest.raises(TransientError, match=r"^busy; tried 2 times"):
        call("create", flaky, clock=clock)
    assert flaky.calls == 2


def test_an_interrupt_from_another_thread_ends_a_long_wait() -> None:
    interrupted, said, raised = Event(), Event(), list[str]()

    def work() -> None:
        plugin = thing(create=Flaky(9, lambda: TransientError("busy", retry_after=100)))
        try:
            invoke(plugin, "create", OPTIONS, None, say=lambda line: said.set(), interrupted=interrupted)
        except TransientError as error:
            raised.append(str(error))

    thread = Thread(target=work)
    thread.start()
    assert said.wait(60)
    interrupted.set()
    thread.join(60)
    assert raised == ["busy; tried 1 time, run it again later"]


def test_the_latest_error_is_the_one_that_is_told() -> None:
    numbers, said = iter(range(1, 9)), list[str]()
    flaky = Flaky(9, lambda: TransientError(f"busy {next(numbers)}"))
    with pytest.raises(TransientError, match=r"^busy 4; tried 4 times"):
        call("create", flaky, said=said, patience=Patience(attempts=4))
    assert [line.split(";")[0] for line in said] == ["busy 1", "busy 2", "busy 3"]


def test_a_hint_of_the_plugins_own_is_kept() -> None:
    def error() -> TransientError:
        busy = TransientError("busy")
        busy.hint = "look at its log"
        return busy

    with pytest.raises(TransientError, match=r"^busy; look at its log$"):
        call("create", Flaky(9, error), patience=Patience(attempts=2))


def test_another_error_ends_the_tries() -> None:
    errors = [TransientError("busy"), PluginError("no such folder")]
    with pytest.raises(PluginError, match=r"^no such folder$"):
        call("create", Flaky(2, lambda: errors.pop(0)))
    errors = [TransientError("busy"), TransientError("busy"), PluginError("gone")]
    bugs = Flaky(2, lambda: errors.pop(0) if len(errors) > 2 else ValueError("x"))
    with pytest.raises(PluginBug, match="raised ValueError: x"):
        call("create", bugs)


def test_each_try_gets_options_as_they_were() -> None:
    seen: list[int] = []

    def create(options: Any) -> State:
        seen.append(len(options.labels))
        options.labels["new"] = "x"
        raise TransientError("busy")

    with pytest.raises(TransientError):
        call("create", create, patience=Patience(attempts=3))
    assert seen == [1, 1, 1]


SCRIPT = """
import logging, sys
{before}
from dtm_sdk import Identity, Options, Plugin, TransientError
from dtm_sdk.invoke import invoke

class O(Options):
    name: Identity[str]

left = [{failures}]
def create(options):
    left[0] -= 1
    if left[0] >= 0:
        raise TransientError("busy")
    return dict()

class Never:
    def wait(self, timeout):
        return False

logging.basicConfig(level=0, format="%(message)s", stream=sys.stdout)
plugin = Plugin(name="a", options=O, create=create, read=create, update=create, delete=create)
invoke(plugin, "create", O(name="a"), None, say=print, interrupted=Never())
print("stamina" in sys.modules)
"""


def script(**parts: object) -> list[str]:
    code = SCRIPT.format(**parts)
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.splitlines()


def test_stamina_is_imported_by_the_first_retry_only() -> None:
    assert script(before="", failures=0)[-1] == "False"
    assert script(before="", failures=1)[-1] == "True"


def test_a_retry_is_told_once() -> None:
    lines = script(before="", failures=2)[:-1]
    assert ["trying again" in line for line in lines] == [True, True]


def test_what_a_plugin_has_set_up_in_stamina_stays() -> None:
    before = "import stamina.instrumentation as s; s.set_on_retry_hooks([lambda details: print('hook')])"
    assert script(before=before, failures=1)[0] == "hook"
