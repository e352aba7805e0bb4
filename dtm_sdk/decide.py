"""What to do about one tool: the decision table, and what it needs to know. Pure."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from dtm_sdk.errors import OptionsError
from dtm_sdk.options import Json, Options, parse
from dtm_sdk.plugin import Plugin
from dtm_sdk.references import Lookup, Reference, output, resolve
from dtm_sdk.secret_text import fingerprints, unmasked
from dtm_sdk.shape import full
from dtm_sdk.state import Record
from dtm_sdk.tools import Tool

Hide = Callable[[str], str]
"""Gives the fingerprint that stands for the text of a secret wherever it is recorded or compared."""


class Action(StrEnum):
    """What is done to a tool. MOVE changes its record only; LATE is decided once what it depends on is done."""

    CREATE = "Create"
    ADOPT = "Adopt"
    UPDATE = "Update"
    REPLACE = "Replace"
    DELETE = "Delete"
    MOVE = "Move"
    LATE = "(known after apply)"


class Seen(NamedTuple):
    """What Read said of a tool.

    Attributes:
        resource: the resource; None where it does not exist.
        error: why it can't be said, in one line; empty where it could.
    """

    resource: dict[str, Json] | None = None
    error: str = ""


class Decision(NamedTuple):
    """What the table says.

    Attributes:
        action: what to do; None for nothing.
        message: the table's sentence; empty where nothing is done.
        error: why nothing can be done; empty otherwise.
    """

    action: Action | None = None
    message: str = ""
    error: str = ""


class Desired:
    """A tool of the config with its references resolved. Immutable.

    Attributes:
        tool: as the config has it.
        plugin: what manages it.
        typed: its options as the plugin takes them, secrets in clear.
        options: its plain options as they are recorded: as written, secrets as fingerprints.
        full: the same with the defaults filled in; made when it is first asked for, most tools never need it.
        identity: the values that name its resource, in `full`; None where no option does.
    """

    __slots__ = ("_full", "_hide", "options", "plugin", "tool", "typed")

    def __init__(self, tool: Tool, plugin: Plugin, typed: Options, options: dict[str, Json], hide: Hide) -> None:
        self.tool = tool
        self.plugin = plugin
        self.typed = typed
        self._hide = hide
        self._full: dict[str, Json] | None = None
        self.options = _as_written(self.full, options) if plugin.shape.secret else options

    @property
    def full(self) -> dict[str, Json]:
        """The options with the defaults filled in."""
        if self._full is None:
            self._full = full(self.typed, self._hide)
        return self._full

    @property
    def key_mark(self) -> str:
        """What stands for the key of its fingerprints; empty where it has none."""
        return self._hide("") if self.plugin.shape.secret and any(fingerprints(self.options)) else ""

    @property
    def identity(self) -> tuple[Json, ...] | None:
        """The values that name the resource."""
        if self._full is None:
            return self.plugin.shape.identity_in(self.typed, self._hide)
        return self.plugin.shape.identity_of(self._full)


def desire(tool: Tool, plugin: Plugin, lookup: Lookup, hide: Hide) -> Desired:
    """A tool as it is wanted, its references replaced by what `lookup` says.

    Raises:
        UnresolvedError: a reference names what isn't there.
        OptionsError: the options aren't what the plugin takes.
        PluginError: the plugin's `validate` is wrong.
    """
    typed, plain = tool.typed, tool.options
    if typed is None:
        plain = resolve(plain, lookup)
        typed = plugin.parse(plain)
    return Desired(tool, plugin, typed, plain, hide)


def _as_written(everything: Json, plain: Json) -> Json:
    """The values of `everything` at the places that `plain` has."""
    if isinstance(plain, Mapping) and isinstance(everything, Mapping):
        return {key: _as_written(everything.get(key, value), value) for key, value in plain.items()}
    if isinstance(plain, list) and isinstance(everything, list) and len(plain) == len(everything):
        return [_as_written(item, value) for item, value in zip(everything, plain, strict=True)]
    return everything


def recorded_full(record: Record, plugin: Plugin) -> dict[str, Json]:
    """The recorded options with the defaults filled in; as they are where the plugin no longer takes them."""
    try:
        return full(parse(plugin.options, record.options), lambda text: text)
    except OptionsError:
        return record.options


def identity_of(record: Record, plugin: Plugin) -> tuple[Json, ...] | None:
    """The values that name a recorded resource; None where no option does."""
    return plugin.shape.identity_of(recorded_full(record, plugin))


def same(one: Json, other: Json) -> bool:
    """Whether two plain values are the same JSON: the order of keys aside, `true` is not `1`."""
    return bool(one == other) and encode(one) == encode(other)


encode = msgspec.json.Encoder(order="sorted").encode
"""The canonical JSON of a plain value."""


def decide(desired: Desired, record: Record | None, seen: Seen, *, adopt: bool = True) -> Decision:
    """What to do about a tool of the config, from its record and what Read says: the first row that matches.

    | state | identity | Read | action |
    |---|---|---|---|
    | yes | changed | any, error too | Replace (= Delete with the recorded options, then Create) |
    | any | | error | none; this tool and its dependents fail |
    | no, pending | | None | Create |
    | no | | exists | Adopt (= Update, then record); an error without `adopt` |
    | yes | same | None | Create |
    | pending | same | exists | Adopt: a run died while it created this |
    | yes | same | exists, options differ, Tuning aside | Update |
    | yes | same | differs from the recorded state, or a run died in an operation on it | Update |
    | yes | same | equal | none |

    Two rows of the contract's table need no Read and stand in `plan`: a record that moves to a renamed tool, and the
    Delete of what has left the config. A recorded state of another `state_version` can't be compared: options decide.

    Args:
        desired: the tool as it is wanted.
        record: its record; that of a create which a run died in is `pending`.
        seen: what Read says; not looked at where the identity has changed.
        adopt: whether what exists and isn't recorded may be taken over.
    """
    if record and not seen.error and seen.resource is not None and _in_sync(desired, record, seen.resource):
        return Decision()
    tool = desired.tool
    title = f"Tool {tool.name} ({tool.plugin})"
    if record and replaces(desired, record):
        return Decision(Action.REPLACE, f"{title} changed its identity, will be replaced.")
    if seen.error:
        return Decision(error=f"{title} can't be read: {seen.error}")
    if seen.resource is None and (record is None or pending(record)):
        return Decision(Action.CREATE, f"{title} found in config but doesn't exist in the state, will be created.")
    if record is None or (pending(record) and seen.resource is not None):
        if record is None and not adopt:
            return Decision(
                error=f"{title} isn't in the state but its resource exists; drop --no-adopt to take it over"
            )
        return Decision(Action.ADOPT, f"{title} isn't in the state but its resource exists, will be adopted.")
    if seen.resource is None:
        return Decision(Action.CREATE, f"{title} state found but it seems the tool isn't created, will be created.")
    if not same_options(desired, record):
        return Decision(Action.UPDATE, f"{title} config drifted from the state, will be updated.")
    drifted = comparable_state(record, desired.plugin) and not same(record.resource, seen.resource)
    if drifted or interrupted(record):
        return Decision(Action.UPDATE, f"{title} drifted from the state, will be updated.")
    return Decision()


def _in_sync(desired: Desired, record: Record, resource: dict[str, Json]) -> bool:
    """The last row, first: of many tools most are as they should be."""
    unchanged = same(record.options, desired.options) and same(record.resource, resource)
    return unchanged and not interrupted(record)


def interrupted(record: Record) -> bool:
    """Whether a run died, or gave up, in an operation on this: `meta` says in which, in memory only."""
    return "intent" in record.meta


def pending(record: Record) -> bool:
    """Whether a record is only the intent of a Create that a run died in."""
    return record.meta.get("intent") == "create"


def lasting(record: Record) -> Record:
    """A record as it is recorded, without what `meta` says in memory only."""
    return replace(record, meta={key: value for key, value in record.meta.items() if key != "intent"})


def rekeyed(record: Record, desired: Desired) -> Record:
    """A record whose secrets have the fingerprints that the wanted ones have, if another key made those it holds.

    What their text was can't be told, so they are taken for the same.
    """
    if not desired.key_mark or record.meta.get("key", desired.key_mark) == desired.key_mark:
        return record
    wanted = dict(fingerprints(desired.options))
    moved = {old: wanted[path] for path, old in fingerprints(record.options) if path in wanted}
    options, resource = (unmasked(each, moved) for each in (record.options, record.resource))
    return replace(record, options=options, resource=resource)


def output_in(records: Mapping[str, Record], reference: Reference) -> Json:
    """What a reference names in the recorded resource of its tool; records: key -> record.

    Raises:
        UnresolvedError: as `output`; there is none where nothing is recorded.
    """
    record = records.get(reference.key)
    return output(record.resource if record else {}, reference)


def known_state(record: Record | None) -> dict[str, Json] | None:
    """The last recorded state, as the operations of a plugin take it; not a copy."""
    return None if record is None or pending(record) else record.resource


def replaces(desired: Desired, record: Record) -> bool:
    """Whether the recorded resource has another identity than the wanted one."""
    if record.options == desired.options or desired.identity is None:
        return False
    return not same(list(desired.identity), list(identity_of(record, desired.plugin) or ()))


def same_options(desired: Desired, record: Record) -> bool:
    """Whether the recorded options are the wanted ones, Tuning aside; a default written out is the default."""
    if same(record.options, desired.options):
        return True
    shape = desired.plugin.shape
    return same(shape.comparable(recorded_full(record, desired.plugin)), shape.comparable(desired.full))


def comparable_state(record: Record, plugin: Plugin) -> bool:
    """Whether the recorded state has the shape that this version of the plugin returns."""
    return record.meta.get("state_version") == plugin.state_version


class Difference(NamedTuple):
    """One value that a change changes.

    Attributes:
        path: dotted, e.g. `content` or `outputs.id`.
        before: the value now; `...` (Ellipsis) where there is none.
        after: the value wanted; `...` where there will be none.
    """

    path: str
    before: Json
    after: Json


def differences(desired: Desired, record: Record | None, seen: Seen, action: Action) -> tuple[Difference, ...]:
    """What a change of a tool changes, value by value; secrets appear as their fingerprints."""
    shape = desired.plugin.shape
    if action is Action.CREATE:
        return tuple(compare({}, desired.full, ""))
    if action is Action.ADOPT:
        theirs = {key: value for key, value in (seen.resource or {}).items() if key in desired.full}
        return tuple(compare(theirs, {key: desired.full[key] for key in theirs}, ""))
    if record and (action is Action.REPLACE or not same_options(desired, record)):
        old = shape.comparable(recorded_full(record, desired.plugin))
        return tuple(compare(old, shape.comparable(desired.full), ""))
    return tuple(compare(seen.resource or {}, record.resource if record else {}, ""))


def compare(before: Json, after: Json, path: str = "") -> list[Difference]:
    """Where two plain values differ, value by value; `path` leads to them."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        found: list[Difference] = []
        for key in [*before, *(key for key in after if key not in before)]:
            below = f"{path}.{key}" if path else str(key)
            found += compare(before.get(key, ...), after.get(key, ...), below)
        return found
    if before is ... or after is ... or not same(before, after):
        return [Difference(path, before, after)]
    return []
