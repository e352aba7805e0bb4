"""Which tool and which record a resource belongs to, by its plugin and identity. Pure."""

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from dtm_sdk.decide import Desired, Hide, encode, identity_of
from dtm_sdk.errors import DtmError
from dtm_sdk.options import Json
from dtm_sdk.plugin import Plugin
from dtm_sdk.references import find
from dtm_sdk.state import Record
from dtm_sdk.tools import Tool


class Facts(Struct, frozen=True):
    """What is known before anything is read.

    Attributes:
        tools: key -> tool of the config.
        records: key -> record.
        find_plugin: gives the plugin of a name, or raises DtmError.
        hide: gives the fingerprint of a secret.
        adopt: whether what exists and isn't recorded may be taken over.
        detail: whether the plan shows what changes, value by value.
    """

    tools: Mapping[str, Tool]
    records: Mapping[str, Record]
    find_plugin: Callable[[str], Plugin]
    hide: Hide
    adopt: bool = True
    detail: bool = False


def moves(facts: Facts) -> dict[str, str]:
    """Old key -> new key of the records that go to a renamed tool: same plugin and identity, claimed by one only."""
    gone = [record for key, record in facts.records.items() if key not in facts.tools]
    new = [tool for key, tool in facts.tools.items() if key not in facts.records]
    if not gone or not new:
        return {}
    plugins = {tool.plugin for tool in new}
    free = by_identity([record for record in gone if record.plugin in plugins], facts.find_plugin)
    moved: dict[str, str] = {}
    for tool in new:
        held = free.get(_named(tool, facts), [])
        if len(held) == 1:
            moved[held[0]] = tool.key
    return moved


def claims(facts: Facts) -> dict[bytes, str]:
    """Identity -> the tool that names it, of the tools whose identity holds no reference."""
    return {name: key for key, tool in facts.tools.items() if (name := _named(tool, facts))}


def _named(tool: Tool, facts: Facts) -> bytes:
    """The identity of a tool; empty where it has none, or it isn't known yet."""
    plugin = facts.find_plugin(tool.plugin)
    if tool.typed is not None:
        identity = Desired(tool, plugin, tool.typed, tool.options, facts.hide).identity
    else:
        identity = plugin.shape.identity_of(tool.options)
        if identity and (None in identity or any(find(list(identity)))):
            return b""
    return identity_name(tool.plugin, identity) if identity else b""


def by_identity(records: Iterable[Record], find_plugin: Callable[[str], Plugin]) -> dict[bytes, list[str]]:
    """Identity -> keys of the records that hold it."""
    found: dict[bytes, list[str]] = {}
    for record in records:
        try:
            identity = identity_of(record, find_plugin(record.plugin))
        except DtmError:  # the plugin isn't installed: nothing can be said of what its records hold
            continue
        if identity is not None:
            found.setdefault(identity_name(record.plugin, identity), []).append(record.key)
    return found


def identity_name(plugin: str, identity: tuple[Json, ...]) -> bytes:
    """What stands for a resource of a plugin."""
    return encode([plugin, *identity])


def renamed(records: Mapping[str, Record], moved: Mapping[str, str]) -> dict[str, Record]:
    """The records under their new keys, dependencies renamed too."""
    if not moved:
        return dict(records)
    found: dict[str, Record] = {}
    for key, record in records.items():
        new = moved.get(key, key)
        needs = tuple(moved.get(need, need) for need in record.depends_on)
        found[new] = replace(record, name=new[: -len(record.plugin) - 1], depends_on=needs)
    return found
