"""What the author of a plugin tests it with: the conformance suite, the worlds it looks at, and fixtures.

`pytest --dtm-conformance` runs every rule of the contract against the plugin of a repository. A plugin that acts on
something else than files says so in the root `conftest.py`, by a fixture that returns a world:

    from dtm_sdk.testing import HttpWorld

    @pytest.fixture
    def dtm_world():
        service = Service()
        return HttpWorld(service, service.state, url_option="url")

A name is loaded from its module when it is first used (PEP 562).
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dtm_sdk.testing.worlds.files import FileWorld
    from dtm_sdk.testing.worlds.http import HttpWorld
    from dtm_sdk.testing.worlds.process import ProcessWorld
    from dtm_sdk.testing.worlds.world import Fault, Tree, World

__all__ = ["Fault", "FileWorld", "HttpWorld", "ProcessWorld", "Tree", "World"]

_HOMES = {
    "Fault": "dtm_sdk.testing.worlds.world",
    "FileWorld": "dtm_sdk.testing.worlds.files",
    "HttpWorld": "dtm_sdk.testing.worlds.http",
    "ProcessWorld": "dtm_sdk.testing.worlds.process",
    "Tree": "dtm_sdk.testing.worlds.world",
    "World": "dtm_sdk.testing.worlds.world",
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
