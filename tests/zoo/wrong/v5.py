"""Validation looks at the world, or changes what it was given."""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from dtm_sdk import Options, Plugin
from tests.zoo.right import note, widget
from tests.zoo.zoo import Wrong, but, made_as


def validate_on_disk(options: note.NoteOptions) -> list[str]:
    """What is wrong with the options; no folder has that name."""
    messages = note.validate(options)
    return messages or (["path is a folder"] if os.path.isdir(options.path) else [])


class Configured(note.NoteOptions):
    """Options that look for a file with defaults when they are made."""

    def __post_init__(self) -> None:
        """Find the defaults."""
        try:
            with open(".noterc", encoding="utf-8") as file:
                file.read()
        except OSError:
            pass


def validate_host(options: widget.WidgetOptions) -> list[str]:
    """What is wrong with the options; the host has an address."""
    host = urlsplit(options.url).hostname
    with suppress(OSError, UnicodeError):
        socket.getaddrinfo(host or "localhost", 80, flags=socket.AI_NUMERICHOST)
    return widget.validate(options)


class Completing(Plugin):
    """A plugin that completes the options where they are."""

    def parse(self, raw: Mapping[str, Any]) -> Options:
        """Typed options."""
        if isinstance(raw, dict):
            raw.setdefault("timeout", 5.0)
        return super().parse(raw)


WRONG = [
    Wrong(rule="V5", name="looks-for-a-folder", plugin=but(note.plugin, validate=validate_on_disk), world=note.world),
    Wrong(rule="V5", name="reads-defaults-when-made", plugin=but(note.plugin, options=Configured), world=note.world),
    Wrong(rule="V5", name="looks-up-the-host", plugin=but(widget.plugin, validate=validate_host), world=widget.world),
    Wrong(rule="V5", name="completes-its-input", plugin=made_as(Completing, widget.plugin), world=widget.world),
]
