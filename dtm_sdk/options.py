"""The options of a plugin: typed by their author, checked whole, every problem at once.

msgspec converts and validates and stops at the first problem, which is right for the many options that are fine; the
few that aren't are walked a second time, field by field, to report everything that is wrong with them.
"""

from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Self, TypeVar, Union, dataclass_transform, get_args, get_origin

import msgspec
from msgspec import Meta, Struct, StructMeta

from dtm_sdk.errors import OptionsError

T = TypeVar("T")

Identity = Annotated[T, Meta(extra_json_schema={"x-dtm-identity": True}, extra={"dtm": "identity"})]
"""`Identity[T]`: an option that names the resource. A change of it means another resource."""

Tuning = Annotated[T, Meta(extra_json_schema={"x-dtm-tuning": True}, extra={"dtm": "tuning"})]
"""`Tuning[T]`: how the resource is reached or waited for; recorded, never compared, plans no Update."""

SECRET_MIN = 6
"""The fewest characters of a secret: masking shorter ones would mask ordinary words (CONTRACT, section 1)."""


class Secret:
    """A string that must not leak: its repr and str hide it, `reveal()` gives it.

    Equal to another of the same text; immutable.
    """

    __slots__ = ("_text",)
    _text: str

    def __init__(self, text: str) -> None:
        object.__setattr__(self, "_text", text)

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a Secret can't be changed")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> str:
        raise TypeError("a Secret can't be pickled")


class _OptionsMeta(StructMeta):
    """Makes every subclass frozen, keyword-only and strict, and one JSON object, defaults included.

    msgspec inherits all of these but `kw_only`, and a subclass could undo each.
    """

    def __new__(mcls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **config: Any) -> Any:
        strict = {"frozen": True, "kw_only": True, "forbid_unknown_fields": True}
        whole = {"array_like": False, "omit_defaults": False}
        return super().__new__(mcls, name, bases, namespace, **{**config, **strict, **whole})


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(msgspec.field,))
class Options(Struct, metaclass=_OptionsMeta, frozen=True):
    """Base of the options of a plugin, and of the objects nested in them."""


Json = Any
"""A plain value: None, bool, int, finite float, str, list or dict with str keys."""

Unknown = Callable[[object], bool]
"""Says of a plain value that it isn't known yet (it holds a reference), so that its type can't be judged."""


def _decode(kind: type, value: object) -> object:
    if kind is not Secret:
        raise NotImplementedError
    if isinstance(value, Secret):
        return value
    if not isinstance(value, str):
        raise ValueError(f"expected str, got {_name(value)}")
    if len(value) < SECRET_MIN:
        raise ValueError(f"expected a secret of at least {SECRET_MIN} characters")
    return Secret(value)


def _name(value: object) -> str:
    return {NoneType: "null", dict: "object", list: "array"}.get(type(value), type(value).__name__)


def peel(kind: Any) -> tuple[Any, list[Meta]]:
    """A type without its annotations, and those of them that are `Meta`."""
    metas: list[Meta] = []
    while get_origin(kind) is Annotated:
        metas.extend(item for item in kind.__metadata__ if isinstance(item, Meta))
        kind = kind.__origin__
    return kind, metas


def members(kind: Any) -> Iterator[tuple[Any, list[Meta]]]:
    """The members of a union, None aside, each as `peel` gives it; of another type, itself."""
    bare, metas = peel(kind)
    if get_origin(bare) not in (Union, UnionType):
        yield bare, metas
        return
    for member in get_args(bare):
        if member is not NoneType:
            yield from ((inner, metas + own) for inner, own in members(member))


def items(kind: Any) -> list[tuple[str, Any]]:
    """The types inside a list, a tuple or an object of any keys, each with the path to it: `[]`, `[0]` or `.*`."""
    origin, args = get_origin(kind), get_args(kind)
    if origin is dict and args:
        return [(".*", args[1])]
    if origin is tuple and args[1:] != (...,):
        return [(f"[{index}]", each) for index, each in enumerate(args)]
    return [("[]", args[0])] if origin in (list, tuple) and args else []


def nested(kind: Any) -> Iterator[tuple[str, type[Struct]]]:
    """The option objects directly inside a type, each with the path that leads to it."""
    for member, _ in members(kind):
        if isinstance(member, type) and issubclass(member, Struct):
            yield "", member
        for suffix, item in items(member):
            yield from ((suffix + rest, inner) for rest, inner in nested(item))


def nested_types(options: type[Struct]) -> Iterator[type[Struct]]:
    """Every type of option object inside a type of options, at any depth, once; itself where it holds itself."""
    found: dict[type[Struct], None] = {}
    waiting = [options]
    for kind in waiting:
        for field in msgspec.structs.fields(kind):
            new = {inner: None for _, inner in nested(field.type) if inner not in found}
            yield from new
            found |= new
            waiting += new


def holds(kind: Any, wanted: type) -> bool:
    """Whether a type is, or holds, another one; what the option objects in it hold doesn't count."""
    kind = peel(kind)[0]
    return kind is wanted or any(holds(member, wanted) for member in get_args(kind))


def parse(options: type[T], raw: Mapping[str, Json]) -> T:
    """The typed options of `raw`, which is left as it was; content of any form (`Any`) is shared, not copied.

    Raises:
        OptionsError: something is missing, unknown or of a wrong type; it holds every such problem.
    """
    try:
        return msgspec.convert(raw, options, dec_hook=_decode)
    except (Exception, SystemExit):  # noqa: BLE001  # an author's __post_init__ may raise anything
        raise OptionsError(problems(options, raw) or [("", "can't be read")]) from None


def secret_texts(kind: Any, value: Json) -> Iterator[str]:
    """Each text in a plain value that stands where a type has a secret, whether or not the value is of the type."""
    for member, _ in members(kind):
        if member is Secret and isinstance(value, str):
            yield value
        elif isinstance(value, Mapping) and isinstance(member, type) and issubclass(member, Struct):
            for field in msgspec.structs.fields(member):
                yield from secret_texts(field.type, value.get(field.encode_name))
        elif isinstance(value, Mapping) and get_origin(member) is dict:
            for item in value.values():
                yield from secret_texts(get_args(member)[1], item)
        elif isinstance(value, list):
            for suffix, each in ((suffix, each) for suffix, each in items(member) if suffix.startswith("[")):
                for item in value if suffix == "[]" else value[int(suffix[1:-1]) :][:1]:
                    yield from secret_texts(each, item)


def problems(options: Any, raw: Json, unknown: Unknown = lambda value: False) -> list[tuple[str, str]]:
    """Everything that is wrong with `raw` as `options`, as (path, message); what is unknown is not judged."""
    try:
        return list(_problems(options, raw, "", unknown))
    except RecursionError:
        return [("", "nested too deep")]


def _problems(kind: Any, value: Json, path: str, unknown: Unknown) -> Iterator[tuple[str, str]]:
    found = False
    for problem in _inner_problems(kind, value, path, unknown):
        found = True
        yield problem
    if not found and not _any(value, unknown):
        yield from _refusal(kind, value, path)


def _inner_problems(kind: Any, value: Json, path: str, unknown: Unknown) -> Iterator[tuple[str, str]]:
    """The problems inside an object or a list; none where the value isn't of that form at all."""
    forms, prefix = list(members(kind)), f"{path}." if path else ""
    if isinstance(value, Mapping):
        objects = [member for member, _ in forms if isinstance(member, StructMeta)]
        if objects:
            yield from _object_problems(objects, value, prefix, unknown)
    for member, metas in forms:
        if isinstance(value, Mapping) and get_origin(member) is dict:
            yield from _length_problems(metas, value, path, "object")
            yield from _entry_problems(get_args(member), value, prefix, unknown)
        elif isinstance(value, list) and get_origin(member) in (list, tuple):
            yield from _length_problems(metas, value, path, "array")
            yield from _item_problems(items(member), value, path, unknown)


def _object_problems(
    objects: list[Any], raw: Mapping[str, Json], prefix: str, unknown: Unknown
) -> Iterator[tuple[str, str]]:
    """The problems of an object; where it may have several forms, its tag says which it has."""
    tag = objects[0].__struct_config__.tag_field
    if len(objects) == 1:
        yield from _field_problems(objects[0], raw, prefix, unknown)
    elif tag not in raw:
        yield f"{prefix}{tag}", f"is required and missing, expected one of {_tags(objects)}"
    elif not _any(raw[tag], unknown):
        chosen = [each for each in objects if each.__struct_config__.tag == raw[tag]]
        for each in chosen:
            yield from _field_problems(each, raw, prefix, unknown)
        if not chosen:
            yield f"{prefix}{tag}", f"expected one of {_tags(objects)}"


def _tags(objects: list[Any]) -> str:
    return ", ".join(str(each.__struct_config__.tag) for each in objects)


def _field_problems(options: Any, raw: Mapping[str, Json], prefix: str, unknown: Unknown) -> Iterator[tuple[str, str]]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(options)}
    for name, field in fields.items():
        if name in raw:
            yield from _problems(field.type, raw[name], prefix + name, unknown)
        elif field.required:
            yield prefix + name, "is required and missing"
    strange = [name for name in raw if name not in fields and name != options.__struct_config__.tag_field]
    for name in strange:
        near = _nearest(str(name), fields) if len(strange) < _MANY else ""
        yield f"{prefix}{name}", f"is unknown{near}"


_MANY = 100
"""So many unknown options aren't slips, and looking for what each may have meant would take long."""


def _nearest(name: str, known: Mapping[str, object]) -> str:
    import difflib

    close = difflib.get_close_matches(name, known, 1)
    return f", did you mean {close[0]}?" if close else ""


def _entry_problems(
    kinds: tuple[Any, ...], value: Mapping[str, Json], prefix: str, unknown: Unknown
) -> Iterator[tuple[str, str]]:
    for key, item in value.items():
        where = f"{prefix}{key}"
        yield from ((where, f"wrong key, {message}") for _, message in _refusal(kinds[0], key, ""))
        yield from _problems(kinds[1], item, where, unknown)


def _item_problems(
    kinds: list[tuple[str, Any]], value: list[Json], path: str, unknown: Unknown
) -> Iterator[tuple[str, str]]:
    """Those of a list, whose items are of one type, or of a tuple, whose items have a type each."""
    same = kinds[0][0] == "[]"
    if not same and len(value) != len(kinds):
        yield path, f"expected array of length {len(kinds)}, got {len(value)}"
    each = [kinds[0][1]] * len(value) if same else [kind for _, kind in kinds]
    for index, (kind, item) in enumerate(zip(each, value, strict=False)):
        yield from _problems(kind, item, f"{path}[{index}]", unknown)


def _length_problems(
    metas: list[Meta], value: Mapping[str, Json] | list[Json], path: str, form: str
) -> Iterator[tuple[str, str]]:
    for meta in metas:
        if meta.min_length is not None and len(value) < meta.min_length:
            yield path, f"expected {form} of length >= {meta.min_length}"
        if meta.max_length is not None and len(value) > meta.max_length:
            yield path, f"expected {form} of length <= {meta.max_length}"


def _any(value: Json, unknown: Unknown) -> bool:
    if isinstance(value, str):
        return unknown(value)
    if isinstance(value, Mapping):
        return any(_any(item, unknown) for item in value.values())
    return isinstance(value, list) and any(_any(item, unknown) for item in value)


def _refusal(kind: Any, value: Json, path: str) -> Iterator[tuple[str, str]]:
    """Why a value can't be of a type, by msgspec, or by the `__post_init__` of an author; nothing where it can."""
    try:
        msgspec.convert(value, kind, dec_hook=_decode)
    except msgspec.ValidationError as error:
        yield path, _line(error.__cause__) if error.__cause__ else _wording(str(error), kind)
    except RecursionError:
        yield path, "nested too deep"
    except (Exception, SystemExit) as error:  # noqa: BLE001  # an author's __post_init__ may raise anything
        yield path, f"checking it raised {type(error).__name__}: {_line(error)}; this is a bug of the plugin"


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or "can't be accepted"


def _wording(message: str, kind: Any) -> str:
    """What msgspec says as the end of the sentence that starts with the option's path."""
    message = message.replace("`", "")
    if message.startswith("Invalid enum value"):
        every = [str(choice) for member, _ in members(kind) for choice in choices(member)]
        message += f", expected one of {', '.join(every)}"
    return message[:1].lower() + message[1:]


def choices(kind: Any) -> tuple[Json, ...]:
    """The plain values of a Literal or an Enum; none of another type."""
    if get_origin(kind) is Literal:
        return get_args(kind)
    return tuple(member.value for member in kind) if isinstance(kind, type) and issubclass(kind, Enum) else ()
