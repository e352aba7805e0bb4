"""The public names of dtm-sdk: all that the author of a plugin imports.

A name is loaded from its module when it is first used (PEP 562), so that `import dtm_sdk` costs next to nothing.
This module, `__main__` and `_platform` keep to syntax that older Pythons read: there they say what they lack.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from msgspec import Meta

    from dtm_sdk.errors import AlreadyExistsError, DtmError, OptionsError, PluginError, TransientError
    from dtm_sdk.options import Identity, Options, Secret, Tuning
    from dtm_sdk.plugin import Plugin, State

__version__ = "0.1.0"

__all__ = [
    "AlreadyExistsError",
    "DtmError",
    "Identity",
    "Meta",
    "Options",
    "OptionsError",
    "Plugin",
    "PluginError",
    "Secret",
    "State",
    "TransientError",
    "Tuning",
    "__version__",
]

_HOMES = {
    "AlreadyExistsError": "dtm_sdk.errors",
    "DtmError": "dtm_sdk.errors",
    "Identity": "dtm_sdk.options",
    "Meta": "msgspec",
    "Options": "dtm_sdk.options",
    "OptionsError": "dtm_sdk.errors",
    "Plugin": "dtm_sdk.plugin",
    "PluginError": "dtm_sdk.errors",
    "Secret": "dtm_sdk.options",
    "State": "dtm_sdk.plugin",
    "TransientError": "dtm_sdk.errors",
    "Tuning": "dtm_sdk.options",
}

if not TYPE_CHECKING:  # a type checker that sees it takes every name for a public one

    def __getattr__(name: str) -> object:
        """The public name, loaded; later uses find it here without this function."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(_HOMES[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    """Names to offer, those not loaded yet included."""
    return sorted({*globals(), *__all__})
