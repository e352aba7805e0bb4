"""Plugins that are right, and plugins that are wrong in one way each: what proves that the checks can fail.

A right one stands in `tests/zoo/right/NAME.py`, which has `plugin` and `world`. The wrong ones of a rule stand in
`tests/zoo/wrong/ID.py`, as a list `WRONG`; most are a right plugin in which one function is another one.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from msgspec import Struct

from dtm_sdk.plugin import Plugin
from dtm_sdk.testing.judge import Target, judge
from dtm_sdk.testing.rules import checks
from dtm_sdk.testing.source import Source
from dtm_sdk.testing.verdicts import Finding
from dtm_sdk.testing.worlds.world import World

HERE = Path(__file__).parent


class Unavailable(Exception):  # noqa: N818  # the machine lacks something: no error of ours
    """What a plugin of the zoo acts on can't be had here; the message says what is missing."""


class Kept(Struct, frozen=True):
    """A plugin of the zoo.

    Attributes:
        name: what it is called in the tests' ids.
        plugin: the plugin.
        world: makes its world.
        source: where it comes from, for the rules about its repository; made by the tests where it is None.
        ready: starts what its world needs, in this process, once; raises `Unavailable` where that can't be had.
    """

    name: str
    plugin: Plugin
    world: Callable[[], World]
    source: Source | None = None
    ready: Callable[[], object] | None = None


class Wrong(Struct, frozen=True, kw_only=True):
    """A plugin that is wrong in one way.

    Attributes:
        rule: the id of the rule that it breaks.
        name: the mistake, in a few words with hyphens.
        plugin: the plugin.
        world: makes its world.
        also: ids of other rules that the same mistake can't but break, each with a reason in a comment beside it.
        source: as of `Kept`.
        limit: seconds that a check of it may take.
        ready: as of `Kept`.
    """

    rule: str
    name: str
    plugin: Plugin
    world: Callable[[], World]
    also: tuple[str, ...] = ()
    source: Source | None = None
    limit: float = 20.0
    ready: Callable[[], object] | None = None

    @property
    def id(self) -> str:
        """What it is called in the tests' ids."""
        return f"{self.rule.lower()}-{self.plugin.name}-{self.name}"


def but(plugin: Plugin, **changes: Any) -> Plugin:
    """A plugin that differs from another in some of its parts."""
    return replace(plugin, **changes)


@cache
def right() -> tuple[Kept, ...]:
    """Every right plugin."""
    modules = [_module(path) for path in sorted((HERE / "right").glob("*.py"))]
    return tuple(
        Kept(each.plugin.name, each.plugin, each.world, ready=getattr(each, "ready", None))
        for each in modules
        if hasattr(each, "plugin")
    )


@cache
def wrong() -> tuple[Wrong, ...]:
    """Every wrong plugin, by its rule."""
    modules = [_module(path) for path in sorted((HERE / "wrong").glob("*.py"))]
    return tuple(each for module in modules for each in module.WRONG)


def _module(path: Path) -> Any:
    return import_module(f"tests.zoo.{path.parent.name}.{path.stem}")


def findings(kept: Kept | Wrong, rules: Collection[str] = (), repository: Path | None = None) -> Iterator[Finding]:
    """What the checks of some rules find, of all without any.

    Raises:
        Unavailable: what its world needs can't be had here.
    """
    if kept.ready:
        kept.ready()
    limit = kept.limit if isinstance(kept, Wrong) else 60.0
    source = kept.source or Source(kept.plugin.name, repository)
    target = Target(kept.plugin, kept.world, source, limit=limit)
    for check in checks():
        if not rules or check.rule in rules:
            yield judge(check, target)
