"""What is wanted, as values: tools with their options. `config` reads them. Pure."""

from collections.abc import Mapping

from msgspec import Struct, field

from dtm_sdk.options import Json, Options


class Tool(Struct, frozen=True):
    """One tool of a config.

    Attributes:
        name: its name.
        plugin: the name of its plugin.
        depends_on: keys `name.plugin` that its `dependsOn` lists.
        options: plain options, variables replaced, references in place; where there are none, escapes undone.
        needs: every key that it depends on: `depends_on` and the tools that its references name.
        typed: its options as its plugin takes them; None while they hold references.
        sources: path of an option, as `a.b[0]` -> name of the environment variable that its whole value came from.
    """

    name: str
    plugin: str
    depends_on: tuple[str, ...]
    options: dict[str, Json]
    needs: tuple[str, ...]
    typed: Options | None = None
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """`name.plugin`, as `dependsOn` and references write it."""
        return f"{self.name}.{self.plugin}"


class Config(Struct, frozen=True):
    """What is wanted.

    Attributes:
        tools: key -> tool, in the order they are written.
        backend: the name of the state's backend; "local" by default.
        backend_options: its options.
    """

    tools: Mapping[str, Tool]
    backend: str
    backend_options: Mapping[str, Json]
