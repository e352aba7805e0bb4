"""A plugin of the suite's own, which keeps whatever values it is given: what references are tried with."""

from typing import Annotated, Any

from msgspec import Meta

from dtm_sdk.options import Identity, Options
from dtm_sdk.plugin import Plugin, State


class KeeperOptions(Options):
    """Options of the keeper."""

    name: Annotated[Identity[str], Meta(description="What it is called.")]
    values: Annotated[dict[str, Any], Meta(description="What it keeps.")]


def keeper() -> Plugin:
    """The plugin: its resource exists as long as the run lasts, in memory."""
    kept: dict[str, State] = {}

    def keep(options: KeeperOptions) -> State:
        kept[options.name] = {"outputs": {"values": options.values}}
        return kept[options.name]

    def read(options: KeeperOptions) -> State | None:
        return kept.get(options.name)

    def delete(options: KeeperOptions) -> bool:
        kept.pop(options.name, None)
        return True

    return Plugin(name="dtm.keeper", options=KeeperOptions, create=keep, read=read, update=keep, delete=delete)
