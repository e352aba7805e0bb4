"""Options generated from their types: what a config might say, extremes included."""

import re
import sys
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import msgspec
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from msgspec import Meta, Struct

from dtm_sdk.options import Options, Secret, peel
from dtm_sdk.shape import declared

AWKWARD = "ab .-_/\\'\"\n\r\t%&#?$é日\U0001f600"
LENGTHS = (60, 255, 256, 1000)
TEXT = st.one_of(
    st.text(max_size=20),
    st.text(AWKWARD, min_size=1, max_size=12),
    st.text(AWKWARD, min_size=8, max_size=40),
    st.text("a \r\n", min_size=2, max_size=8),
    st.sampled_from(LENGTHS).map("x".__mul__),
)
"""Unicode of any kind, what needs quoting somewhere, and what is long."""


def raws(options: type[Options], fixed: dict[str, Any]) -> SearchStrategy[dict[str, Any]]:
    """Plain options of a type.

    Args:
        options: the type.
        fixed: options of an example. What says how the world is reached is as it is there; so is, in every other one,
            what names the resource: a part of that may have to be there before. In every third one, each other option
            may be as it is there too: `validate` may refuse most of what a type takes.
    """

    def with_roles(*roles: str, samples: bool = False) -> SearchStrategy[dict[str, Any]]:
        kept = {name: value for name, value in fixed.items() if by_role.get(name) in roles}
        left_out = {name for name, role in by_role.items() if role == "tuning"}
        return _struct(options, kept, left_out, fixed if samples else {})

    by_role = {option.path: option.role for option in declared(options)}
    near = with_roles("tuning", "identity", samples=True)
    return st.one_of(with_roles("tuning"), with_roles("tuning", "identity"), near)


def _struct(
    kind: type[Struct], fixed: dict[str, Any], left_out: set[str], samples: dict[str, Any]
) -> SearchStrategy[dict[str, Any]]:
    required: dict[str, SearchStrategy[Any]] = {name: st.just(value) for name, value in fixed.items()}
    optional: dict[str, SearchStrategy[Any]] = {}
    for each in msgspec.structs.fields(kind):
        if each.encode_name not in required and each.encode_name not in left_out:
            generated = _of(each.type)
            if each.encode_name in samples:
                generated = st.one_of(st.just(samples[each.encode_name]), generated)
            (required if each.required else optional)[each.encode_name] = generated
    if kind.__struct_config__.tag_field:
        required[kind.__struct_config__.tag_field] = st.just(kind.__struct_config__.tag)
    return st.fixed_dictionaries(required, optional=optional)


def _of(kind: Any) -> SearchStrategy[Any]:
    bare, metas = peel(kind)
    origin, args = get_origin(bare), get_args(bare)
    if origin in (Union, UnionType):
        return st.one_of(*map(_of, args))
    if origin is Literal:
        return st.sampled_from(args)
    if origin in (list, dict):
        low, high = _limits(metas, "min_length", "max_length", 0, 4)
        if origin is list:
            return st.lists(_of(args[0]), min_size=low, max_size=max(low, high))
        return st.dictionaries(_of(args[0]), _of(args[1]), min_size=low, max_size=max(low, high))
    if origin is tuple:
        return st.lists(_of(args[0]), max_size=4) if args[1:] == (...,) else st.tuples(*map(_of, args)).map(list)
    return _scalar(bare, metas)


def _scalar(kind: Any, metas: list[Meta]) -> SearchStrategy[Any]:
    if kind is NoneType:
        return st.none()
    if kind is bool:
        return st.booleans()
    if kind is int:
        low, high = _limits(metas, "ge", "le", -(2**63), 2**63 - 1)
        above, below = _limits(metas, "gt", "lt", low - 1, high + 1)
        return st.integers(max(low, above + 1), min(high, below - 1))
    if kind is float:
        return _float(metas)
    if kind is Secret:
        return st.text("abcdefghij0123456789", min_size=6, max_size=40)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from([member.value for member in kind])
    if isinstance(kind, type) and issubclass(kind, Struct):
        return st.deferred(lambda: _struct(kind, {}, set(), {}))
    return _text(metas)


def _float(metas: list[Meta]) -> SearchStrategy[float]:
    limits = {"gt": -sys.float_info.max, "ge": -sys.float_info.max, "lt": sys.float_info.max, "le": sys.float_info.max}
    for name, limit in limits.items():
        said = [float(value) for meta in metas if (value := getattr(meta, name)) is not None]
        limits[name] = (max if name.startswith("g") else min)([limit, *said])
    every = st.floats(max(limits["gt"], limits["ge"]), min(limits["lt"], limits["le"]))
    refused = {limits[name] for name in ("gt", "lt") if any(getattr(meta, name) is not None for meta in metas)}
    return every.filter(lambda value: value not in refused)


def _text(metas: list[Meta]) -> SearchStrategy[str]:
    """Texts that the limits allow."""
    low, high = _limits(metas, "min_length", "max_length", 0, sys.maxsize)
    patterns = [re.compile(meta.pattern) for meta in metas if meta.pattern is not None]
    if patterns:
        every: SearchStrategy[str] = st.from_regex(patterns[0])
    elif (low, high) == (0, sys.maxsize):
        return TEXT
    else:
        every = st.one_of(TEXT, st.text(min_size=low, max_size=min(high, low + 20)))
    return every.filter(lambda text: low <= len(text) <= high and all(each.search(text) for each in patterns))


def _limits(metas: list[Meta], lowest: str, highest: str, low: int, high: int) -> tuple[int, int]:
    for meta in metas:
        low = max(low, getattr(meta, lowest) if getattr(meta, lowest) is not None else low)
        high = min(high, getattr(meta, highest) if getattr(meta, highest) is not None else high)
    return int(low), int(high)
