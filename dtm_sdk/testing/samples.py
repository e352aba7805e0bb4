"""Values made from the types of options: wrong ones, other ones that are right, and strings that break things."""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any, Final, get_args, get_origin

import msgspec
from msgspec import Struct

from dtm_sdk.options import SECRET_MIN, Json, Secret, choices, items, members, peel, problems

Path = tuple[str | int, ...]
"""Where in plain options: keys, and indexes of lists."""

LONG: Final = "é" * 2100

HOSTILE: Final = (
    "",
    " ",
    "\0",
    "a\0b\0c\0d",
    "/",
    "..",
    "../../../etc",
    "/etc/dtm/../x",
    "~",
    "-rf",
    "line\nline",
    "line\r\nX-Header: x",
    "\x1b[31mred",
    "\ud800",
    "half \udfff character",
    "\ufeff\u202e\u0301e\u2028",
    "ünïcode 日本 🙂",
    "${HOME}%s%n{0.__class__}",
    "'; drop table x; --\"`$(id)",
    "NaN",
    "a" * 300,
    LONG,
)
"""Strings that a user may write, and that break what takes every string for a word."""

_BY_KIND: Final[Mapping[str, Sequence[Json]]] = {
    "null": (None,),
    "boolean": (True,),
    "integer": (7, 1),
    "number": (1.5,),
    "string": ("60", "true", "some text"),
    "array": ([], ["some text"]),
    "object": ({}, {"some": "text"}),
}
_DEEPEST: Final = 4
"""How far objects inside of one another are filled in: one may hold itself."""


class Spot(Struct, frozen=True):
    """A place in plain options where a value stands.

    Attributes:
        path: where.
        kind: the type that is declared for it.
        required: whether it may not be left out.
    """

    path: Path
    kind: Any
    required: bool

    @property
    def name(self) -> str:
        """The path as errors write it, e.g. `a.b[0]`."""
        steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)
        return steps.removeprefix(".")

    @property
    def pattern(self) -> Path:
        """The path with the same index for every item: what is of one type, in most cases."""
        return tuple(0 if isinstance(step, int) else step for step in self.path)

    @property
    def takes_text(self) -> bool:
        """Whether any string may stand there, as far as its type says."""
        return any(member in (str, Secret) for member, _ in members(self.kind))

    @property
    def is_secret(self) -> bool:
        """Whether what stands there must not be shown."""
        return any(member is Secret for member, _ in members(self.kind))


class Strictness(Struct, frozen=True):
    """An object in plain options that refuses keys.

    Attributes:
        path: where.
        known: the keys that it takes.
    """

    path: Path
    known: tuple[str, ...]


def spots(options: type[Struct], raw: Mapping[str, Json]) -> Iterator[Spot]:
    """Every place of plain options, what holds others before them; options left out aside."""
    yield from _in_object(options, raw, ())


def _in_object(kind: type[Struct], value: Mapping[str, Json], above: Path) -> Iterator[Spot]:
    for each in msgspec.structs.fields(kind):
        if each.encode_name in value:
            path = (*above, each.encode_name)
            yield Spot(path, each.type, each.required)
            yield from _inside(each.type, value[each.encode_name], path)


def _inside(kind: Any, value: Json, path: Path) -> Iterator[Spot]:
    form = object_form(kind, value)
    if form:
        yield from _in_object(form, value, path)
        return
    for member, _ in members(kind):
        held = [each for _, each in items(member)]
        if get_origin(member) is dict and isinstance(value, Mapping):
            for key, item in value.items():
                yield from _spot(held[0], item, (*path, key))
        elif get_origin(member) in (list, tuple) and isinstance(value, list):
            kinds = held * len(value) if len(held) == 1 else held
            for index, (each, item) in enumerate(zip(kinds, value, strict=False)):
                yield from _spot(each, item, (*path, index))


def _spot(kind: Any, value: Json, path: Path) -> Iterator[Spot]:
    yield Spot(path, kind, required=False)
    yield from _inside(kind, value, path)


def object_form(kind: Any, value: Json) -> type[Struct] | None:
    """Which of the option objects of a type a plain value is; None where it is none."""
    forms: list[type[Struct]] = [member for member, _ in members(kind) if _is_object(member)]
    if not forms or not isinstance(value, Mapping):
        return None
    if len(forms) == 1:
        return forms[0]
    tag = forms[0].__struct_config__.tag_field or ""
    return next((form for form in forms if form.__struct_config__.tag == value.get(tag)), None)


def objects(options: type[Struct], raw: Mapping[str, Json]) -> Iterator[Strictness]:
    """Every object of plain options whose keys are declared, the whole first."""
    every = [((), options), *((spot.path, object_form(spot.kind, at(raw, spot.path))) for spot in spots(options, raw))]
    for path, form in every:
        if form:
            yield Strictness(path, tuple(each.encode_name for each in msgspec.structs.fields(form)))


def _is_object(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Struct)


# --- plain options with something else in them --------------------------------------------------------------------


def at(raw: Json, path: Path) -> Json:
    """The value at a path."""
    for step in path:
        raw = raw[step]
    return raw


def put(raw: Mapping[str, Json], *changes: tuple[Path, Json]) -> dict[str, Json]:
    """A copy of plain options with other values at some paths."""
    copy = deepcopy(dict(raw))
    for path, value in changes:
        at(copy, path[:-1])[path[-1]] = deepcopy(value)
    return copy


def dropped(raw: Mapping[str, Json], path: Path) -> dict[str, Json]:
    """A copy of plain options without what is at a path."""
    copy = deepcopy(dict(raw))
    del at(copy, path[:-1])[path[-1]]
    return copy


def completed(options: type[Struct], raw: Mapping[str, Json]) -> dict[str, Json]:
    """Plain options in which nothing is left out, null or empty, as far as types can say what could be there."""
    whole: dict[str, Json] = _completed(options, raw, 0)
    return whole


def _completed(kind: Any, value: Json, depth: int) -> Json:
    form = kind if _is_object(kind) else object_form(kind, value)
    if form and isinstance(value, Mapping) and depth < _DEEPEST:
        own = {each.encode_name: each.type for each in msgspec.structs.fields(form)}
        filled = {name: _completed(own[name], value.get(name), depth + 1) for name in own}
        return {**value, **{name: item for name, item in filled.items() if item is not None or name in value}}
    if value or isinstance(value, bool | int | float):
        return _with_whole_items(kind, value, depth + 1)
    full = next((each for each in right(kind) if each), value)
    return _completed(kind, full, depth + 1) if full and depth < _DEEPEST else full


def _with_whole_items(kind: Any, value: Json, depth: int) -> Json:
    """A copy of a list, or of an object of any keys, with what it holds completed; of another value, a copy."""
    for member, _ in members(kind):
        held = [each for _, each in items(member)]
        if get_origin(member) is dict and isinstance(value, Mapping):
            return {key: _completed(held[0], item, depth) for key, item in value.items()}
        if get_origin(member) in (list, tuple) and isinstance(value, list):
            types = held * len(value) if len(held) == 1 else held
            return [_completed(each, item, depth) for each, item in zip(types, value, strict=False)]
    return deepcopy(value)


def variants(options: type[Struct], whole: Mapping[str, Json]) -> list[dict[str, Json]]:
    """Completed options with each of the other forms that an object in them may have."""
    found = []
    for spot in spots(options, whole):
        there = object_form(spot.kind, at(whole, spot.path))
        forms = [member for member, _ in members(spot.kind) if _is_object(member)]
        for form in (each for each in forms if there and each is not there):
            config = form.__struct_config__
            found.append(put(whole, (spot.path, _completed(form, {config.tag_field: config.tag}, 0))))
    return found


# --- values -----------------------------------------------------------------------------------------------------------


def wrong(kind: Any) -> list[Json]:
    """Values of each JSON type that a type does not take, and of what is no choice where there are choices."""
    taken = kinds(kind)
    found = [value for name, values in _BY_KIND.items() if name not in taken for value in values]
    chosen = [value for member, _ in members(kind) for value in choices(member)]
    free = {name for member, _ in members(kind) if not choices(member) for name in kinds(member)}
    if chosen and "string" in taken - free:
        found += [text for text in ("no-such-choice", "") if text not in chosen]
    if chosen and "integer" in taken - free:
        found.append(max(value for value in chosen if isinstance(value, int)) + 1)
    return found


def kinds(kind: Any) -> set[str]:
    """The JSON types of the values that a type takes."""
    bare = peel(kind)[0]
    forms = [member for member, _ in members(kind)]
    if forms == [bare]:
        return _kinds(bare)
    null = {"null"} if type(None) in get_args(bare) else set()
    return null.union(*(kinds(form) for form in forms))


def _kinds(kind: Any) -> set[str]:
    if choices(kind):
        return {name for value in choices(kind) for name in ({"null"} if value is None else _kinds(type(value)))}
    plain = {
        Secret: {"string"},
        str: {"string"},
        bool: {"boolean"},
        int: {"integer"},
        float: {"integer", "number"},
        Any: set(_BY_KIND),
    }
    base = get_origin(kind) or kind
    return plain.get(base) or ({"array"} if base in (list, tuple) else {"object"})


def right(kind: Any, depth: int = 0) -> list[Json]:
    """Some values that a type takes, its limits minded; none where they can't be met by chance (a pattern, say)."""
    found: list[Json] = []
    for value in _candidates(kind, depth):
        if not any(type(value) is type(each) and value == each for each in found) and not problems(kind, value):
            found.append(value)
    return found


def others(kind: Any, value: Json) -> list[Json]:
    """Values that a type takes and that differ from one that is there."""
    return [each for each in right(kind) if type(each) is not type(value) or each != value]


def _candidates(kind: Any, depth: int) -> Iterator[Json]:
    for member, metas in members(kind):
        yield from _of_member(member, metas, depth)
    if type(None) in get_args(peel(kind)[0]):
        yield None


def _of_member(kind: Any, metas: Sequence[msgspec.Meta], depth: int) -> Iterator[Json]:
    held = [each for _, each in items(kind)]
    least = max((meta.min_length for meta in metas if meta.min_length is not None), default=0)
    if choices(kind):
        yield from choices(kind)
    elif kind is bool:
        yield from (True, False)
    elif kind in (int, float):
        yield from (kind(number) for number in _numbers(metas))
    elif kind in (str, Secret):
        size = max(least, SECRET_MIN if kind is Secret else 0)
        yield from (f"{word}{word[-1] * (size - len(word))}" for word in ("sample", "another", "x", "y", "10"))
    elif _is_object(kind):
        yield from _objects(kind, depth)
    elif get_origin(kind) is tuple and len(held) > 1:
        sets = [right(item, depth + 1) for item in held]
        yield from ([each[min(turn, len(each) - 1)] for each in sets] for turn in (0, 1) if all(sets))
    elif get_origin(kind) in (list, tuple):
        inner = right(held[0], depth + 1)[:2]
        yield from ([item] * max(least, 1) for item in inner)
        yield from (inner, [])
    else:
        inner = right(held[0], depth + 1)[:2] if held else ["sample", 1]
        yield from ({f"key{number}": item for number in range(max(least, 1))} for item in inner)
        yield {}


def _numbers(metas: Sequence[msgspec.Meta]) -> Iterator[float]:
    step = next((meta.multiple_of for meta in metas if meta.multiple_of), 1)
    for meta in metas:
        yield from (limit + off for limit in (meta.ge, meta.gt) if limit is not None for off in (0, step))
        yield from (limit - off for limit in (meta.le, meta.lt) if limit is not None for off in (0, step))
    yield from (step, 2 * step, 10 * step, 0)


def _objects(kind: type[Struct], depth: int) -> Iterator[Json]:
    """One with what is required, another one with all of it."""
    if depth > _DEEPEST:
        return
    config, every = kind.__struct_config__, msgspec.structs.fields(kind)
    tag = {config.tag_field: config.tag} if config.tag_field else {}
    some = {each.encode_name: right(each.type, depth + 1) for each in every}
    needed = [each.encode_name for each in every if each.required and some[each.encode_name]]
    yield {**tag, **{name: some[name][0] for name in needed}}
    yield {**tag, **{name: values[-1 if len(values) < 3 else 1] for name, values in some.items() if values}}
