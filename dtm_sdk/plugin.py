"""What a plugin is: a name, a type of options, and four operations. It checks itself when it is made."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import Parameter, Signature, isasyncgenfunction, iscoroutinefunction, isgeneratorfunction, signature
from math import isfinite
from typing import Any, Final, Literal, TypeAlias

import msgspec

from dtm_sdk.errors import OptionsError, PluginError
from dtm_sdk.options import Json, Options, Unknown, parse, problems, secret_texts
from dtm_sdk.secret_text import reveal_all, starred
from dtm_sdk.shape import Shape, flaw, json_schema

State: TypeAlias = dict[str, Any]
"""The description of a resource: a JSON object. Its key `outputs` may be referenced by other tools."""

Operation: TypeAlias = Literal["create", "read", "update", "delete"]

OPERATIONS: Final[tuple[Operation, ...]] = ("create", "read", "update", "delete")
RECOVERIES: Final = ("identity", "lookup", "manual")
NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*")
"""A DNS-1123 subdomain: labels of at most 63 characters, dots between (RFC 1123, section 2.1)."""
NAME_MAX: Final = 253


def is_name(text: str) -> bool:
    """Whether a text may name a tool or a plugin."""
    return len(text) <= NAME_MAX and NAME.fullmatch(text) is not None


def accept(options: Any) -> list[str]:
    """The `validate` of a plugin whose types say everything."""
    return []


@dataclass(frozen=True, kw_only=True, eq=False)
class Plugin:
    """One kind of resource, and the four operations that manage it (CONTRACT, section 1).

    Attributes:
        name: a DNS-1123 label sequence, equal to the name of its entry point.
        options: the type of its options.
        create: makes the resource; returns what `read` would say.
        read: describes the resource; None when it does not exist; never changes anything.
        update: brings the resource to the options; returns what `read` would say.
        delete: True when the resource is gone.
        validate: messages about what types can't express; does no I/O.
        examples: option objects; two with the same identity make an update pair.
        volatile: dotted paths into the state that differ between two fresh resources.
        stable: dotted paths that survive an update.
        normalized: dotted paths that the server rewrites once.
        state_version: the shape of the state; a newer plugin raises it.
        recovery: how a resource is found when its record was lost: "identity", "lookup" or "manual".

    Raises:
        PluginError: the declaration is wrong; it names the plugin and says what to write instead.
    """

    name: str
    options: type[Options]
    create: Callable[..., State]
    read: Callable[..., State | None]
    update: Callable[..., State]
    delete: Callable[..., bool]
    validate: Callable[[Any], list[str]] = accept
    examples: Sequence[Mapping[str, Any]] = ()
    volatile: Sequence[str] = ()
    stable: Sequence[str] = ()
    normalized: Sequence[str] = ()
    state_version: int = 1
    recovery: Literal["identity", "lookup", "manual"] = "identity"
    shape: Shape = field(init=False, repr=False)
    _stateful: frozenset[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not is_name(self.name):
            raise PluginError(
                f"plugin {self.name!r}: a name is lower-case letters, digits, '-' and '.', each part of at most 63 of "
                "them, starting and ending with a letter or digit",
                "write e.g. name='my-plugin'",
            )
        if not (isinstance(self.options, type) and issubclass(self.options, Options)):
            raise self._wrong("options is no subclass of dtm_sdk.Options", "write `class MyOptions(Options): ...`")
        object.__setattr__(self, "shape", self._checked_shape())
        stateful = frozenset(name for name in OPERATIONS if self._takes_state(name))
        object.__setattr__(self, "_stateful", stateful)
        self._takes_state("validate")
        self._check_declarations()

    def _wrong(self, what: str, hint: str) -> PluginError:
        return PluginError(f"plugin {self.name}: {what}", hint)

    def _checked_shape(self) -> Shape:
        try:
            found = flaw(self.options)
            if not found:
                json_schema(self.options)
                return Shape(self.options)
        except Exception as error:
            what = f"the types of its options can't be used: {' '.join(str(error).split())}"
            raise self._wrong(what, "use JSON's types, and names defined at the top of the module") from error
        raise self._wrong(*found)

    def _check_declarations(self) -> None:
        if self.recovery not in RECOVERIES:
            raise self._wrong(f"recovery={self.recovery!r} is unknown", f"write one of {', '.join(RECOVERIES)}")
        if self.recovery != "manual" and not self.shape.identity:
            raise self._wrong(
                f"recovery={self.recovery!r} needs an Identity option",
                "write e.g. `name: Identity[str]`, or recovery='manual' if nothing names the resource",
            )
        if type(self.state_version) is not int or self.state_version < 1:
            raise self._wrong(f"state_version={self.state_version!r} is no positive integer", "write state_version=1")
        for name in ("volatile", "stable", "normalized"):
            paths = getattr(self, name)
            if not (isinstance(paths, list | tuple) and all(isinstance(path, str) for path in paths)):
                raise self._wrong(f"{name}={paths!r} is no list of paths", f"write e.g. {name}=['outputs.id']")
        if not isinstance(self.examples, list | tuple):
            raise self._wrong(
                f"examples is of type {type(self.examples).__name__}, no list", "write examples=[{...}, {...}]"
            )
        for index, example in enumerate(self.examples):
            if not isinstance(example, Mapping):
                what = f"examples[{index}] is of type {type(example).__name__}, no dict"
                raise self._wrong(what, "write options as a config would have them, e.g. {'name': 'a'}")

    def _takes_state(self, name: Operation | Literal["validate"]) -> bool:
        """Whether a function takes the recorded state beside the options; refused if it takes anything else."""
        function = getattr(self, name)
        most = 1 if name in ("create", "validate") else 2
        hint = f"write `def {name}(options)`" + (f" or `def {name}(options, state)`" if most == 2 else "")
        if not callable(function):
            raise self._wrong(f"{name} is of type {type(function).__name__}, no function", hint)
        if any(ask(each) for ask in _NOT_PLAIN for each in (function, getattr(function, "__call__", None))):  # noqa: B004
            raise self._wrong(f"{name} is async, or yields; it is called and must return", hint)
        try:
            parameters = list(signature(function).parameters.values())
        except (TypeError, ValueError):
            raise self._wrong(f"the parameters of {name} can't be seen", hint) from None
        if not _fits(parameters, most):
            bare = [item.replace(annotation=Parameter.empty) for item in parameters]
            raise self._wrong(f"{name} takes {Signature(bare)}", hint)
        return len(_positional(parameters)) == 2

    def parse(self, raw: Mapping[str, Json]) -> Options:
        """The typed options of plain ones, valid for this plugin.

        Raises:
            OptionsError: with every problem of a type; only if there is none, with all messages of `validate`.
            PluginError: `validate` itself is wrong.
        """
        options = self.convert(raw)
        messages = self._messages(options)
        if messages:
            raise OptionsError(self._masked([("", message) for message in messages], raw))
        return options

    def convert(self, raw: Mapping[str, Json]) -> Options:
        """The typed options of plain ones; `validate` isn't asked, as it need not be about what is recorded.

        Raises:
            OptionsError: with every problem of a type.
        """
        try:
            return parse(self.options, raw)
        except OptionsError as error:
            raise OptionsError(self._masked(error.problems, raw)) from None

    def problems(self, raw: Mapping[str, Json], unknown: Unknown) -> list[tuple[str, str]]:
        """What is wrong with plain options, as (path, message), where some of their values aren't known yet."""
        return self._masked(problems(self.options, raw, unknown), raw)

    def _masked(self, found: Iterable[tuple[str, str]], raw: Mapping[str, Json]) -> list[tuple[str, str]]:
        """Problems as an author may have worded them, without the secrets of the options."""
        if not self.shape.secret:
            return list(found)
        secrets = [*secret_texts(self.options, raw)]
        return [(path, starred(message, secrets)) for path, message in found]

    def _messages(self, options: Options) -> list[str]:
        try:
            messages = self.validate(options)
        except (Exception, SystemExit) as error:
            what = f"validate raised {type(error).__name__}: {error}"
            if self.shape.secret:  # a traceback would show what the error says
                raise self._wrong(starred(what, reveal_all(options)), "this is a bug of the plugin") from None
            raise self._wrong(what, "this is a bug of the plugin") from error
        if not isinstance(messages, list) or not all(isinstance(item, str) for item in messages):
            what = f"validate returned {type(messages).__name__}, no list of messages"
            raise self._wrong(what, "this is a bug of the plugin")
        return messages

    def call(self, operation: Operation, options: Options, state: State | None = None) -> Any:
        """What an operation returns, unchecked; the recorded state is handed to those that take it."""
        function = getattr(self, operation)
        return function(options, state) if self.takes_state(operation) else function(options)

    def takes_state(self, operation: Operation) -> bool:
        """Whether an operation takes the recorded state beside the options."""
        return operation in self._stateful


_NOT_PLAIN: Final = (iscoroutinefunction, isasyncgenfunction, isgeneratorfunction)


def _positional(parameters: Sequence[Parameter]) -> list[Parameter]:
    return [item for item in parameters if item.kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)]


def _fits(parameters: Sequence[Parameter], most: int) -> bool:
    """Whether they are `options`, or `options, state`; others have a default, as `functools.partial` leaves them."""
    positional = _positional(parameters)
    others = [item for item in parameters if item not in positional]
    free = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
    named = len(positional) < 2 or positional[1].name == "state"
    given = all(item.kind in free or (item.default is not Parameter.empty and item.name != "state") for item in others)
    return 1 <= len(positional) <= most and named and given


LEVELS: Final = 100
"""How many objects and lists a state may have inside one another."""
_LONG: Final = re.compile(rb"[0-9]{19}")
"""Stands in the JSON of every integer of more than 64 bits."""


def checked_state(value: object, said_by: str) -> State:
    """A copy of what an operation returned, in plain types.

    Raises:
        PluginError: it isn't a JSON object of at most 100 levels and with integers of 64 bits; the message says where.
    """
    if not isinstance(value, dict):
        raise PluginError(f"{said_by} returned {type(value).__name__}, no dict", "this is a bug of the plugin")
    try:
        text = msgspec.json.encode(value)
        copy: State = msgspec.json.decode(text)
        same = copy == value
    except (TypeError, ValueError, RecursionError, msgspec.MsgspecError):
        text, copy, same = b"", {}, False
    if same and text.count(b"{") + text.count(b"[") <= LEVELS and not _LONG.search(text):
        return copy
    found = _not_json(value, "", 1)
    if same and not found:
        return copy
    path, kind = found or ("", "something that is no JSON")
    where = f"{path.removeprefix('.')} is {kind}" if path else f"it is {kind}"
    allowed = "a state holds null, booleans, integers, finite numbers, strings, lists and objects with string keys"
    raise PluginError(f"{said_by} returned a state in which {where}", f"{allowed}: this is a bug of the plugin")


def _not_json(value: object, path: str, level: int) -> tuple[str, str] | None:
    """The first value that is no JSON, or too much: its path, and what it is."""
    if isinstance(value, dict | list) and level > LEVELS:
        return f"{path[:60]}...", "nested too deep"
    if isinstance(value, dict):
        for key, item in value.items():
            unfit = _not_text(key)
            found = (
                (f"{path}.{key!r}", f"under a key {unfit}") if unfit else _not_json(item, f"{path}.{key}", level + 1)
            )
            if found:
                return found
        return None
    if isinstance(value, list):
        found_items = (_not_json(item, f"{path}[{index}]", level + 1) for index, item in enumerate(value))
        return next((found for found in found_items if found), None)
    if isinstance(value, float) and not isfinite(value):
        return path, f"{value}"
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return path, "an integer of more than 64 bits"
    unfit = "" if value is None or isinstance(value, bool | int | float) else _not_text(value)
    return (path, unfit) if unfit else None


def _not_text(value: object) -> str:
    if not isinstance(value, str):
        return f"of type {type(value).__name__}"
    return "with a lone surrogate" if any("\ud800" <= char <= "\udfff" for char in value) else ""
