"""An unknown key is let through."""

from collections.abc import Mapping
from typing import Any

from dtm_sdk import Options, Plugin
from tests.zoo.right import note, widget
from tests.zoo.zoo import Wrong, made_as


class Extensible(Plugin):
    """A plugin that passes over extensions and comments, as compose files have them."""

    def parse(self, raw: Mapping[str, Any]) -> Options:
        """Typed options."""
        return super().parse({name: value for name, value in raw.items() if not name.startswith(("x-", "_"))})


class Relaxed(Plugin):
    """A plugin for which `Path` is `path`."""

    def parse(self, raw: Mapping[str, Any]) -> Options:
        """Typed options."""
        return super().parse({name.strip().lower(): value for name, value in raw.items()})


class Tolerant(Plugin):
    """A plugin that takes the config of a later version."""

    def parse(self, raw: Mapping[str, Any]) -> Options:
        """Typed options."""
        known = self.options.__struct_encode_fields__
        return super().parse({name: value for name, value in raw.items() if name in known})


WRONG = [
    Wrong(rule="V3", name="extensions", plugin=made_as(Extensible, note.plugin), world=note.world),
    Wrong(rule="V3", name="any-case", plugin=made_as(Relaxed, note.plugin), world=note.world),
    Wrong(rule="V3", name="for-a-later-version", plugin=made_as(Tolerant, widget.plugin), world=widget.world),
]
