"""Records for tests, plain and drawn at random."""

from typing import Any

from hypothesis import strategies as st

from dtm_sdk.state import Record, State

LINEAGE = "0123456789abcdef0123456789abcdef"


def record(name: str = "a", content: Any = "hello", /, **resource: Any) -> Record:
    """A record of a plugin `p`; its resource holds the content unless it is told what to hold."""
    return Record(name, "p", (), {"content": content}, resource or {"content": content})


def state(*records: Record, serial: int = 1, lineage: str = LINEAGE) -> State:
    """A state of records."""
    return State({each.key: each for each in records}, serial, lineage)


def exact(value: object) -> str:
    """A value as text in which 1, 1.0 and True differ, and so do 0.0 and -0.0."""
    return repr(value)


TRICKY = [
    *("", " ", " a", "a ", "a  b", "-", "- a", "?", "? a", ":", "a:", "a: b", "a :b", "#", "a #b", "a#b", "a\tb"),
    *("y", "N", "yes", "No", "ON", "off", "true", "False", "null", "Null", "~", "NaN", ".nan", ".inf", "-.INF", "None"),
    *("0", "1", "-1", "+1", "012", "0o14", "0x1f", "0b1", "1_000", "1.5", "1.", ".5", "1e3", "1e+16", "22:22", "1:2.5"),
    *("2001-01-01", "2001-12-14t21:59:43.10-05:00", "=", "<<", "!", "!!str a", "&a", "*a", "|", ">", "%a", "@a", "`a"),
    *("[", "]", "{}", "[]", "{a: b}", ",", "a, b", "'", "''", '"', '""', "\\", "\\n", "a\\", "---", "...", "--- a"),
    *("\n", "\r", "\r\n", "a\n", "\na", "a\nb", "a\n\nb", " \n ", "\t", "\0", "\x01", "\x1b", "\x7f", "\x80", "\x85"),
    *("\xa0", "\xad", "\u200b", "\u2028", "\u2029", "\u202e", "\ufeff", "\ufffd", "\ufffe", "\uffff", "\U0001f600"),
    *("café", "你好", "e\u0301", "/", "/a/b", "https://a.example/b?c=d", "a" * 128, "a" * 2000, '"' * 2000),
]
"""Texts that some reader of YAML takes for something else, or that take care to write."""

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(TRICKY)
integers = st.integers(-(2**63), 2**64 - 1)
floats = st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | integers | floats | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
)
objects = st.dictionaries(texts, values, max_size=3)
names = st.sampled_from(["a", "b-1", "c.d", "0", "1.5", "1e3", "yes", "on", "null"])
keys = st.builds("{}.{}".format, names, names)
drawn_records = st.builds(
    Record, names, names, st.lists(keys, max_size=2).map(tuple), objects, objects, st.just({}) | objects
)
states = st.builds(
    lambda found, serial: state(*found, serial=serial), st.lists(drawn_records, max_size=2), st.integers(0, 10**18 - 1)
)
