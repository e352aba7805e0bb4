"""A required option may be left out, or its lack is told without its name."""

from collections.abc import Mapping
from typing import Any

from dtm_sdk import Options, OptionsError, Plugin
from tests.zoo.right import note, widget
from tests.zoo.zoo import Wrong, made_as


class Anonymous(Plugin):
    """A plugin that tries without a token of one's own."""

    def parse(self, raw: Mapping[str, Any]) -> Options:
        """Typed options, with a token in any case."""
        return super().parse({"token": "anonymous", **raw})


class Remembering(Plugin):
    """A plugin that takes what is missing from the last options that it saw."""

    seen: dict[str, Any] = {}

    def parse(self, raw: Mapping[str, Any]) -> Options:
        """Typed options, completed."""
        last: dict[str, Any] = {name: self.seen[name] for name in ("path", "text") if name in self.seen}
        options = super().parse({**last, **raw})
        self.seen.update(raw)
        return options


class Counting(Plugin):
    """A plugin that looks first whether there is enough."""

    def parse(self, raw: Mapping[str, Any]) -> Options:
        """Typed options."""
        if not {"path", "text"} <= raw.keys():
            raise OptionsError([("", "the options are incomplete")])
        return super().parse(raw)


WRONG = [
    Wrong(rule="V1", name="token-made-up", plugin=made_as(Anonymous, widget.plugin), world=widget.world),
    Wrong(rule="V1", name="takes-it-from-the-last-tool", plugin=made_as(Remembering, note.plugin), world=note.world),
    Wrong(rule="V1", name="says-incomplete", plugin=made_as(Counting, note.plugin), world=note.world),
]
