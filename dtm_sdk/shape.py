"""What a type of options says of itself: each option with its role, the identity of a resource, the JSON Schema."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from itertools import chain
from typing import Any, Final, Literal, NamedTuple, get_args, get_origin

import msgspec
from msgspec import Struct
from msgspec.structs import FieldInfo

from dtm_sdk.options import SECRET_MIN, Json, Options, Secret, holds, members, nested, nested_types, peel, problems


class Option(NamedTuple):
    """One option as its author declared it.

    Attributes:
        path: dotted from the options; `[]` stands for each item of a list, `[0]` for the first of a tuple, `*` for each
            value of an object.
        type: its type without annotations.
        required: it has no default.
        default: the default as a plain value; None where there is none.
        description: from `Meta`, or an empty string.
        role: "identity", "tuning" or an empty string.
        secret: the type is, or holds, a `Secret`.
        declared: the type with its annotations, as msgspec converts to it.
    """

    path: str
    type: Any
    required: bool
    default: Any
    description: str
    role: str
    secret: bool
    declared: Any


def declared(options: type[Struct]) -> tuple[Option, ...]:
    """Every option of a type, nested ones after the one that holds them, in the order they are written.

    The tag of an object that may have several forms is an option of each. A type that holds itself is listed once.
    """
    return tuple(_declared(options, "", (options,)))


def _declared(options: type[Struct], prefix: str, above: tuple[type[Struct], ...]) -> Iterator[Option]:
    tag, value = options.__struct_config__.tag_field, options.__struct_config__.tag
    if tag:
        which = Literal[value]  # type: ignore[valid-type]  # it is known only here
        yield Option(
            path=f"{prefix}{tag}",
            type=which,
            required=True,
            default=None,
            description="Which form this has.",
            role="",
            secret=False,
            declared=which,
        )
    for field in msgspec.structs.fields(options):
        kind, metas = peel(field.type)
        path = f"{prefix}{field.encode_name}"
        yield Option(
            path=path,
            type=kind,
            required=field.required,
            default=_default(field),
            description=next((meta.description for meta in reversed(metas) if meta.description), ""),
            role=next(iter(_roles(field.type)), ""),
            secret=holds(kind, Secret),
            declared=field.type,
        )
        for suffix, inner in nested(kind):
            if inner not in above:
                yield from _declared(inner, f"{path}{suffix}.", (*above, inner))


def _roles(kind: Any) -> list[str]:
    return [meta.extra["dtm"] for meta in peel(kind)[1] if meta.extra and "dtm" in meta.extra]


def _default(field: FieldInfo) -> Json:
    if field.required:
        return None
    default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
    return _listed(msgspec.to_builtins(default, enc_hook=_refuse))


def _refuse(value: object) -> str:
    raise TypeError("a secret has no default" if isinstance(value, Secret) else f"{type(value).__name__} is no JSON")


def _stars(text: str) -> str:
    return "***"


class Shape:
    """What the runner asks of a type of options: which values name the resource, and which are never compared.

    Attributes:
        options: the type itself.
        identity: paths of the Identity options, in the order they are written.
        tuning: paths of the Tuning options.
        secret: whether any option is, or holds, a `Secret`.
    """

    __slots__ = ("_names", "identity", "options", "secret", "tuning")

    def __init__(self, options: type[Options]) -> None:
        self.options = options
        every = declared(options)
        self.identity = _paths(every, "identity")
        self.secret = any(option.secret for option in every)
        self.tuning = _paths(every, "tuning")
        names = {field.encode_name: field.name for field in msgspec.structs.fields(options)}
        self._names = tuple(names[path[0]] for path in self.identity if len(path) == 1)

    def identity_of(self, plain: Mapping[str, Json]) -> tuple[Json, ...] | None:
        """The values that name the resource of plain, full options; None where no option does."""
        return tuple(_get(plain, path) for path in self.identity) if self.identity else None

    def identity_in(self, options: Options, hide: Callable[[str], str] = _stars) -> tuple[Json, ...] | None:
        """The values that name the resource of typed options: the rest of them isn't made plain where they are text."""
        if len(self._names) == len(self.identity):
            values = tuple([getattr(options, name) for name in self._names])
            if {str}.issuperset(map(type, values)):
                return values or None
        return self.identity_of(full(options, hide))

    def comparable(self, plain: dict[str, Json]) -> dict[str, Json]:
        """Plain, full options without what is never compared."""
        for path in self.tuning:
            plain = _without(plain, path)
        return plain


def _paths(every: Sequence[Option], role: str) -> tuple[tuple[str, ...], ...]:
    """Each path once: the forms of one object may share an option."""
    return tuple(dict.fromkeys(tuple(option.path.split(".")) for option in every if option.role == role))


def _get(plain: Json, path: Sequence[str]) -> Json:
    for key in path:
        if not isinstance(plain, Mapping):
            return None
        plain = plain.get(key)
    return plain


def _without(plain: Json, path: Sequence[str]) -> Json:
    if not isinstance(plain, dict) or path[0] not in plain:
        return plain
    rest = {key: value for key, value in plain.items() if key != path[0]}
    return rest if len(path) == 1 else {**rest, path[0]: _without(plain[path[0]], path[1:])}


def full(options: Options, hide: Callable[[str], str] = _stars) -> dict[str, Json]:
    """Typed options as plain values, defaults included; the text of each secret goes through `hide`."""

    def encode(value: object) -> str:
        if isinstance(value, Secret):
            return hide(value.reveal())
        raise NotImplementedError(f"{type(value).__name__} is no type of an option")

    plain: dict[str, Json] = _listed(msgspec.to_builtins(options, enc_hook=encode))
    return plain


def _listed(value: Any) -> Json:
    """A copy with lists in place of tuples."""
    if isinstance(value, dict):
        return {key: _listed(item) for key, item in value.items()}
    return [_listed(item) for item in value] if isinstance(value, list | tuple) else value


_DEFINITIONS: Final = "#/$defs/"


def json_schema(options: type[Options], examples: Sequence[Mapping[str, Json]] = ()) -> dict[str, Json]:
    """The JSON Schema (draft 2020-12) of a type of options; it needs nothing outside of itself.

    Beside the standard keywords: `x-dtm-identity` and `x-dtm-tuning` for what CONTRACT section 1 calls so, and
    `writeOnly` for secrets. The examples are those of the plugin. It accepts what `parse` accepts, and `1.0` where an
    integer is wanted: to a schema that is one.
    """

    def hook(kind: type) -> dict[str, Json]:
        if kind is Secret:
            return {"type": "string", "writeOnly": True, "minLength": SECRET_MIN}
        raise NotImplementedError(f"{kind!r} is no type of an option")

    inner = tuple(nested_types(options))
    types = tuple(dict.fromkeys((options, *inner)))
    made, definitions = msgspec.json.schema_components(types, schema_hook=hook, ref_template=f"{_DEFINITIONS}{{name}}")
    names = [schema["$ref"].removeprefix(_DEFINITIONS) for schema in made]
    for name, kind in zip(names, types, strict=True):
        for field in msgspec.structs.fields(kind):
            if not field.required:
                definitions[name]["properties"][field.encode_name]["default"] = _default(field)
    root = {"$schema": "https://json-schema.org/draft/2020-12/schema", **definitions[names[0]]}
    if examples:
        root["examples"] = [dict(example) for example in examples]
    if options not in inner:
        del definitions[names[0]]
    return {**root, "$defs": definitions} if definitions else root


def flaw(options: type[Options]) -> tuple[str, str] | None:
    """The first thing that an author must mend in a type of options, and what to write instead; None where all is well.

    Raises:
        Exception: an annotation names what isn't there, or isn't Python.
    """
    for kind in dict.fromkeys((options, *nested_types(options))):
        if not issubclass(kind, Options):
            what = f"{kind.__name__}, nested in its options, is no subclass of dtm_sdk.Options"
            return what, f"write `class {kind.__name__}(Options)`, so that unknown keys are refused"
        for field in msgspec.structs.fields(kind):
            wrong = _field_flaw(field)
            if wrong:
                return f"{kind.__name__}.{field.name} {wrong[0]}", wrong[1]
    tag = options.__struct_config__.tag_field
    return ("its options have a tag", "leave out `tag`") if tag else _role_flaw(options)


def _field_flaw(field: FieldInfo) -> tuple[str, str] | None:
    if set(".[") & set(field.encode_name):
        return f"is written {field.encode_name!r}, which looks like a path", "rename it, without '.' and '['"
    for unfit in _unfit(field.type):
        return f"has a type that can't be used: {unfit}", _FIT
    wrong = "" if field.required else _default_flaw(field)
    if wrong:
        return f"has a default that can't be used: {wrong}", "leave it out, or write what a config could say"
    return None


_SCALARS: Final = (bool, int, float, str, Secret, Any)
_FIT: Final = "write bool, int, float, str, Secret, Literal, Enum, list[...], tuple[...], dict[str, ...] or Options"


def _unfit(kind: Any) -> Iterator[str]:
    """The types inside a type, itself included, that aren't JSON's; of sets, JSON has neither order nor equality."""
    forms = [member for member, _ in members(kind)]
    objects = [member for member in forms if _is_class(member, Struct)]
    if len(objects) == 1 and objects[0].__struct_config__.tag_field:
        yield f"{objects[0].__name__} with a tag, outside of a union"
    for member in forms:
        origin, args = get_origin(member), get_args(member)
        if origin in (list, tuple) and args:
            yield from chain.from_iterable(_unfit(each) for each in args if each is not ...)
        elif origin is dict and args and peel(args[0])[0] is str:
            yield from _unfit(args[1])
        elif origin is not Literal and member not in _SCALARS and not _is_class(member, Struct | Enum):
            yield member.__name__ if isinstance(member, type) else str(member)


def _is_class(kind: Any, of: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, of)


def _default_flaw(field: FieldInfo) -> str:
    try:
        wrong = problems(field.type, _default(field))
    except Exception as error:  # noqa: BLE001  # an author's default_factory may raise anything
        return str(error) or type(error).__name__
    return "; ".join(f"{path}: {message}" if path else message for path, message in wrong)


def _role_flaw(options: type[Options]) -> tuple[str, str] | None:
    """What is wrong with what is marked Identity and Tuning."""
    every = declared(options)
    marked = {option.path: _roles(option.declared) for option in every if option.role}
    for kind in (options, *nested_types(options)):
        if kind in nested_types(kind) and any(option.role for option in declared(kind)):
            what = f"{kind.__name__} holds itself, and has an Identity or Tuning option"
            return what, "mark what stands outside of it"
    for option in every:
        above = [roles for path, roles in marked.items() if option.path.startswith((f"{path}.", f"{path}["))]
        roles = {*marked.get(option.path, ()), *chain.from_iterable(above)}
        if len(roles) > 1:
            return f"the option {option.path} is both Identity and Tuning", "mark it, and what holds it, as one of them"
        if option.role and ("[" in option.path or ".*" in option.path):
            return (
                f"the option {option.path} is marked inside a list or dict",
                "mark the whole of that, or nothing in it",
            )
        if _marks_part(option.type):
            return f"the option {option.path} has a mark inside its type", "mark the whole, e.g. `Identity[str | None]`"
        if option.secret and "identity" in roles:
            return f"the option {option.path} is a Secret and an Identity", "name the resource by what may be shown"
    return None


def _marks_part(kind: Any) -> bool:
    return any(_roles(each) or _marks_part(peel(each)[0]) for each in get_args(kind))
