"""The state as YAML that people read, and the ancestor's state files. Pure.

A file is five comment lines and a block mapping `<name>_<plugin>` -> name, plugin, dependsOn, options, resource, meta.
The comments hold what is no record, because the ancestor's reader takes nothing but records in the mapping. The
checksum is of all bytes but its own line. An empty `meta` is left out: most are, and people read the file.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from importlib import import_module
from math import isfinite
from typing import TYPE_CHECKING, Final, NamedTuple

from dtm_sdk.document import DocumentError, Limits, parse
from dtm_sdk.errors import StateError
from dtm_sdk.options import Json
from dtm_sdk.plugin import is_name
from dtm_sdk.state import FORMAT, Record, State

if TYPE_CHECKING:
    import hashlib

LIMITS: Final = Limits(size=2**26, depth=128, events=2**24, expansion=2**26, control_characters=True)
"""Those of a state file: 64 MiB, about 150,000 tools.

What was written must be read again, so `dump` writes no more, and no file of that size reaches the other limits: 2**24
events would take 4 bytes each. dtm wrote it, not a stranger, so they only keep a wrong file from filling the memory.
128 levels are the 100 that a resource may have (`checked_state`) and the few around it.
"""

_TOP: Final = "# The state of dtm: what it made, and how. After an edit by hand, run `dtm state accept`."
# Patterns are compiled where they are used: most runs use none of these, and compiling takes a part of each start.
_HEAD: Final = (
    re.escape(_TOP).encode()
    + rb"\n# format: [0-9]{1,9}\n# serial: ([0-9]{1,18})\n# lineage: ((?:[0-9a-f]{32})?)\n# sha256: ([0-9a-f]{64})\n"
)
_OURS: Final = rb"(?m)^# (?:The state of dtm|format:|serial:|lineage:|sha256:)"
_FORMAT: Final = rb"(?m)^# format: ([0-9]{1,9})$"
_LONGEST_HEAD: Final = 512
"""Bytes; more than the five lines take."""

_FEW: Final = 2**17
"""Bytes from which on OpenSSL, which takes 2 to 7 ms to load, is the faster one, at 10 times the speed."""

_FIELDS: Final = {
    **{name: name for name in ("name", "plugin", "dependsOn", "options", "resource", "meta", "instanceID")},
    "dependson": "dependsOn",
    "instanceid": "instanceID",
    "resourceStatus": "resource",
}
"""How a record's keys are written, by any version of dtm and of its ancestor -> ours, and `instanceID`."""

_MEND: Final = "mend it there, or put back a copy from before"
_NEWER: Final = (
    "use that version, or a newer one; if none was used here, it is damaged: `dtm state history` lists what can be "
    "restored"
)
_ACCEPT: Final = "look at it, then run `dtm state accept` to take it as it is"


class Header(NamedTuple):
    """What the comments of a state file say.

    Attributes:
        serial: which writing it is.
        lineage: of which line of writings.
        whole: whether the checksum is that of the bytes.
    """

    serial: int
    lineage: str
    whole: bool


def digest(data: bytes) -> str:
    """The SHA-256 of all bytes of a state file, in hexadecimal: it names one writing."""
    return _sha256(data)


def dump(state: State) -> bytes:
    """The state as the bytes of its file.

    Raises:
        StateError: a record holds what is no JSON and couldn't be read again; it says which.
    """
    parts = []
    for record in state.records.values():
        try:
            parts.append(_record_text(record).encode())
        except (ValueError, RecursionError) as error:
            what = "something nested too deep" if isinstance(error, RecursionError) else str(error)
            raise StateError(f"the record of {record.key} holds {what}", "this is a bug of its plugin") from None
    head = f"{_TOP}\n# format: {FORMAT}\n# serial: {state.serial}\n# lineage: {state.lineage}\n".encode()
    body = b"".join(parts) or b"{}\n"
    del parts
    if len(head) + len(body) > LIMITS.size - 128:
        what = f"the state would have {len(body)} bytes, which is more than the {LIMITS.size} that can be read again"
        raise StateError(what, "split the config, each part with a stateFile of its own")
    return b"%b# sha256: %b\n%b" % (head, _sha256(head, body).encode(), body)


def _sha256(*parts: bytes) -> str:
    """The SHA-256 of some bytes, in hexadecimal.

    Of few it is taken by the module that `random` takes it from: hashlib loads OpenSSL, which takes longer than that.
    """
    total = _lean() if sum(map(len, parts)) < _FEW else None
    if total is None:
        from hashlib import sha256

        total = sha256()
    for part in parts:
        total.update(part)
    return total.hexdigest()


def _lean() -> "hashlib._Hash | None":
    """SHA-256 of the interpreter's own; None where it was built without."""
    for name in ("_sha2", "_sha256"):  # since Python 3.12, and before
        with suppress(ImportError):
            found: hashlib._Hash = import_module(name).sha256()
            return found
    return None


def _record_text(record: Record) -> str:
    name, plugin = record.name, record.plugin
    out = [f"{_text(f'{name}_{plugin}')}:\n  name: {_text(name)}\n  plugin: {_text(plugin)}\n"]
    fields = {"dependsOn": list(record.depends_on), "options": record.options, "resource": record.resource}
    _write_mapping(out, {**fields, "meta": record.meta} if record.meta else fields, "  ")
    return "".join(out)


def _write_mapping(out: list[str], mapping: Mapping[str, Json], indent: str) -> None:
    for key, value in mapping.items():
        head = _head(indent, key)
        kind = value.__class__
        if kind is str:
            out.append(f"{head} {_text(value)}\n")
        elif value and kind is dict:
            out.append(f"{head}\n")
            _write_mapping(out, value, indent + "  ")
        elif value and kind is list:
            out.append(f"{head}\n")
            _write_list(out, value, indent + "  ")
        else:
            out.append(f"{head} {_scalar(value)}\n")


def _write_list(out: list[str], items: Sequence[Json], indent: str) -> None:
    for item in items:
        kind = item.__class__
        if item and kind in {dict, list}:
            start = len(out)
            if kind is dict:
                _write_mapping(out, item, indent + "  ")
            else:
                _write_list(out, item, indent + "  ")
            # The first line of what is inside stands behind the dash.
            out[start] = f"{indent}- {out[start][len(indent) + 2 :]}"
        else:
            out.append(f"{indent}- {_scalar(item)}\n")


@lru_cache(4096)
def _head(indent: str, key: str) -> str:
    """A key and its colon, which a reader looks for in the first 1,024 characters only (YAML 1.2, section 7.4.2)."""
    name = _text(key)
    return f"{indent}{name}:" if len(name) <= 128 else f"{indent}? {name}\n{indent}:"


_PLAIN: Final = re.compile(r"[A-Za-z/][\w./@+=(),;-]*(?:[ :][\w./@+=(),;-]+)*", re.ASCII).fullmatch
_WORDS: Final = frozenset(
    ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "none", "nil", "nan", "inf", "infinity"]
)
"""Text that `_PLAIN` matches and that isn't one of these is text without quotes too, for every reader of YAML 1.1 or
1.2. Much other text would be as well: this is what people mostly write, and is easily seen to be right."""

_SPECIAL: Final = (
    '["\\\\\0-\x1f\x7f-\xa0\xad\u061c\u200b-\u200f\u2028-\u202f\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\uffff]'
)
"""What is escaped in quotes: what YAML 1.1 or 1.2 takes for no character or a line's end, and what can't be seen."""
_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


@lru_cache(512)  # the texts of one record mostly occur in it twice, in options and in resource
def _text(text: str) -> str:
    if _PLAIN(text) and (len(text) > 8 or text.lower() not in _WORDS):
        return text
    return f'"{re.sub(_SPECIAL, _escape, text)}"'


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    if "\ud800" <= char <= "\udfff":
        raise ValueError("text with a lone surrogate")
    return _ESCAPES.get(char) or f"\\u{ord(char):04x}"


def _scalar(value: Json) -> str:
    """A string, number, boolean, null, or an empty list or mapping."""
    if value.__class__ is int and -(2**63) <= value < 2**64:
        return repr(value)
    if value is None or value is True or value is False:
        return "null" if value is None else "true" if value else "false"
    if value.__class__ is str:
        return _text(value)
    if value.__class__ is float and isfinite(value):
        written = repr(value)
        # YAML 1.1 takes 1e+16 for text: its numbers with an exponent need a dot.
        return written if "." in written else written.replace("e", ".0e")
    if isinstance(value, dict | list) and not value:
        return "{}" if isinstance(value, dict) else "[]"
    raise ValueError(f"{value!r}" if isinstance(value, int | float) else f"something of type {type(value).__name__}")


def header(data: bytes, where: str) -> Header | None:
    """What the comments of a state file say; None where none is of ours: the ancestor wrote it, or another program.

    Comments that are damaged say nothing, and aren't whole.

    Raises:
        StateError: a newer version wrote it.
    """
    start = data[:_LONGEST_HEAD]
    written = re.search(_FORMAT, start)
    if written and int(written[1]) > FORMAT:
        what = f"{where}: a newer version of dtm wrote this state (format {int(written[1])}, this one knows {FORMAT})"
        raise StateError(what, _NEWER)
    found = re.match(_HEAD, start)
    if found:
        whole = _sha256(data[: found.start(3) - len(b"# sha256: ")], data[found.end() :]).encode() == found[3]
        return Header(int(found[1]), found[2].decode(), whole)
    return Header(0, "", whole=False) if re.search(_OURS, start) else None


def load(data: bytes, where: str = "devstream.state") -> State:
    """The state of the bytes of its file, ours or the ancestor's; serial 0 and no lineage where it is the ancestor's.

    Args:
        data: the whole file; no bytes are an empty state, as the ancestor writes it.
        where: its path, for messages.

    Raises:
        StateError: it is damaged, or was edited, or a newer version wrote it.
    """
    head = header(data, where)
    if head is None:
        return State(records(data, where))
    if not head.whole:
        raise StateError(f"{where}: the state was edited or damaged: its checksum doesn't match", _ACCEPT)
    return State(records(data, where), head.serial, head.lineage)


def records(data: bytes, where: str) -> dict[str, Record]:
    """The records of a state file, whatever its comments say.

    Raises:
        StateError: it isn't YAML, or no mapping of records; it says in which line.
    """
    if not data:
        return {}
    try:
        documents = parse(data, LIMITS)
    except DocumentError as error:
        what = f"{where}:{error.line}:{error.column}: the state can't be read: {error.message}"
        raise StateError(what, _MEND) from None
    if len(documents) != 1 or not isinstance(documents[0], dict):
        raise StateError(f"{where}:1: the state holds no mapping of records", _MEND)
    found: dict[str, Record] = {}
    for key, raw in documents[0].items():
        try:
            record = _record(key, raw)
        except ValueError as error:
            raise StateError(
                f"{where}:{_line_of(key, data)}: the record {key!r} can't be read: {error}", _MEND
            ) from None
        if record.key in found:
            raise StateError(f"{where}:{_line_of(key, data)}: {record.key} is recorded twice", _MEND)
        found[record.key] = record
    return found


def _record(key: str, raw: Json) -> Record:
    """A record, in our form or one of the ancestor's; in its later ones `name` is the plugin and `instanceID` the tool.

    Raises:
        ValueError: something is missing, unknown or of a wrong type.
    """
    if not isinstance(raw, dict):
        raise ValueError("it is no mapping")
    fields = {_FIELDS.get(name, ""): value for name, value in raw.items()}
    if "" in fields or len(fields) != len(raw):
        unknown = ", ".join(repr(name) for name in raw if name not in _FIELDS)
        raise ValueError(f"{unknown} is unknown" if unknown else "a key is there twice, written in two ways")
    turn = "instanceID" in fields
    if turn and "plugin" in fields:
        raise ValueError("it has both a plugin and an instanceID")
    name = _name(fields, "instanceID" if turn else "name")
    plugin = _name(fields, "name" if turn else "plugin")
    if key not in (f"{name}_{plugin}", f"{plugin}_{name}"):
        raise ValueError(f"it should be {name}_{plugin}, after the name and the plugin in it")
    options, keys = _object(fields, "options"), _keys(fields)
    if turn:
        keys = tuple(_turned(each) for each in keys)
        if options.get("instanceID") == name:
            del options["instanceID"]  # the ancestor put it there, not the user
    return Record(name, plugin, keys, options, _object(fields, "resource"), _object(fields, "meta"))


def _name(fields: Mapping[str, Json], field: str) -> str:
    value = fields.get(field)
    if field == "plugin" and isinstance(value, dict):
        value = value.get("kind")  # {kind, version}, in version 0.3.0 of the ancestor
    if not isinstance(value, str) or not is_name(value):
        raise ValueError(f"its {field} is missing, or isn't lower-case letters, digits, '-' and '.'")
    return value


def _object(fields: Mapping[str, Json], name: str) -> dict[str, Json]:
    value = fields.get(name)
    if value is not None and not isinstance(value, dict):
        raise ValueError(f"its {name} is no mapping")
    return dict(value or {})


def _keys(fields: Mapping[str, Json]) -> tuple[str, ...]:
    value = fields.get("dependsOn")
    if value is not None and not (isinstance(value, list) and all(isinstance(item, str) for item in value)):
        raise ValueError("its dependsOn is no list of names")
    return tuple(item for item in value or () if item.strip())


def _turned(key: str) -> str:
    """`name.plugin`, which the ancestor's later forms write as `plugin.instanceID`; none of its plugins has a dot."""
    plugin, _, name = key.partition(".")
    return f"{name}.{plugin}"


def _line_of(key: str, data: bytes) -> int:
    """The line, from 1, in which a record starts."""
    found = re.search(rb"^(?:\? )?[\"']?" + re.escape(key.encode()) + rb"[\"']?[ \t]*:", data, re.MULTILINE)
    return data.count(b"\n", 0, found.start()) + 1 if found else 1
