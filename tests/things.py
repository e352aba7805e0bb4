"""A plugin for tests of what stands above the plugins: it acts on a dict, and can be told to fail."""

from collections.abc import Callable
from typing import Annotated, Any

from msgspec import Meta

from dtm_sdk.errors import PluginError
from dtm_sdk.options import Identity, Options, Secret, Tuning
from dtm_sdk.plugin import Plugin
from dtm_sdk.references import find
from dtm_sdk.tools import Tool


class ThingOptions(Options):
    """Options of a thing."""

    id: Annotated[Identity[str], Meta(description="Names it.")]
    size: int = 1
    note: str = ""
    token: Secret | None = None
    wait: Tuning[int] = 0


class ManualOptions(Options):
    """Options of a thing that nothing can find again."""

    size: int = 1


class World:
    """What the things are in, and what was done to them.

    Attributes:
        things: id -> resource.
        calls: each operation that changed something, as `create x`.
        broken: ids whose operations fail.
    """

    def __init__(self) -> None:
        self.things: dict[str, dict[str, Any]] = {}
        self.calls: list[str] = []
        self.broken: set[str] = set()
        self._plugins: dict[str, Plugin] = {}

    def plugin(self, name: str = "thing") -> Plugin:
        """A plugin that acts on this world; `create` of what is there is refused, so a second one is noticed."""
        if name not in self._plugins:
            self._plugins[name] = self._make(name)
        return self._plugins[name]

    def _make(self, name: str) -> Plugin:

        def resource(options: ThingOptions) -> dict[str, Any]:
            outputs = {"id": options.id, "url": f"{options.id}:{options.size}", "note": options.note}
            return {"id": options.id, "size": options.size, "note": options.note, "outputs": outputs}

        def change(operation: str, options: ThingOptions) -> None:
            self.calls.append(f"{operation} {options.id}")
            if options.id in self.broken:
                raise PluginError(f"{options.id} is broken")

        def create(options: ThingOptions) -> dict[str, Any]:
            change("create", options)
            if options.id in self.things:
                raise PluginError(f"{options.id} is there already")
            self.things[options.id] = resource(options)
            return resource(options)

        def read(options: ThingOptions) -> dict[str, Any] | None:
            return self.things.get(options.id)

        def update(options: ThingOptions) -> dict[str, Any]:
            change("update", options)
            self.things[options.id] = resource(options)
            return resource(options)

        def delete(options: ThingOptions) -> bool:
            change("delete", options)
            self.things.pop(options.id, None)
            return True

        return Plugin(
            name=name,
            options=ThingOptions,
            create=create,
            read=read,
            update=update,
            delete=delete,
            stable=["outputs.id"],
        )


def manual_plugin() -> Plugin:
    """A plugin with recovery="manual", for plans only."""

    def refuse(options: ManualOptions) -> Any:
        raise PluginError("not to be called")

    return Plugin(
        name="manual",
        options=ManualOptions,
        create=refuse,
        read=refuse,
        update=refuse,
        delete=refuse,
        recovery="manual",
    )


def tool(name: str, options: dict[str, Any], needs: list[str], plugin: Plugin) -> Tool:
    """A tool as `config.load` makes it."""
    references = [reference.key for reference in find(options)]
    every = tuple(dict.fromkeys([*needs, *references]))
    typed = None if references else plugin.parse(options)
    return Tool(name, plugin.name, tuple(needs), options, every, typed)


def finder(*plugins: Plugin) -> Callable[[str], Plugin]:
    """What gives a plugin by its name."""
    known = {plugin.name: plugin for plugin in plugins}

    def find_plugin(name: str) -> Plugin:
        if name not in known:
            raise PluginError(f"there is no plugin {name}")
        return known[name]

    return find_plugin
