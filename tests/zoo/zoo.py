"""Plugins that are right, and plugins that are wrong in one way each: what proves that the checks can fail.

A right one stands in `tests/zoo/right/NAME.py`, which has `plugin` and `world`. The wrong ones of a rule stand in
`tests/zoo/wrong/ID.py`, as a list `WRONG`; most are a right plugin in which one function is another one.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import fields, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from msgspec import Struct

from dtm_sdk.docs import page
from dtm_sdk.plugin import Plugin
from dtm_sdk.testing.judge import Target, judge
from dtm_sdk.testing.rules import checks
from dtm_sdk.testing.source import Source
from dtm_sdk.testing.todos import todos
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
        ready: starts what its world needs, in this process, once; raises `Unavailable` where that can't be had.
    """

    name: str
    plugin: Plugin
    world: Callable[[], World]
    ready: Callable[[], object] | None = None


class Wrong(Struct, frozen=True, kw_only=True):
    """A plugin that is wrong in one way.

    Attributes:
        rule: the id of the rule that it breaks.
        name: the mistake, in a few words with hyphens.
        plugin: the plugin.
        world: makes its world.
        also: ids of other rules that the same mistake can't but break, each with a reason in a comment beside it.
        entry: the name of its entry point, if that isn't the plugin's.
        files: what lies in its repository: path -> text, None for none; a docs page is made if it isn't one of them.
        limit: seconds that a check of it may take.
        ready: as of `Kept`.
    """

    rule: str
    name: str
    plugin: Plugin
    world: Callable[[], World]
    also: tuple[str, ...] = ()
    entry: str = ""
    files: Mapping[str, str | None] = {}
    limit: float = 120.0
    ready: Callable[[], object] | None = None

    @property
    def id(self) -> str:
        """What it is called in the tests' ids."""
        return f"{self.rule.lower()}-{self.plugin.name}-{self.name}"


def but(plugin: Plugin, **changes: Any) -> Plugin:
    """A plugin that differs from another in some of its parts."""
    return replace(plugin, **changes)


def made_as(kind: type[Plugin], plugin: Plugin, **changes: Any) -> Plugin:
    """A plugin of a class that its author derived from `Plugin`, with the parts of another one."""
    return kind(**{each.name: getattr(plugin, each.name) for each in fields(plugin) if each.init} | changes)


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


def findings(kept: Kept | Wrong, rules: Collection[str] = (), *, trusting: bool = False) -> Iterator[Finding]:
    """What the checks of some rules find, of all without any.

    Args:
        kept: the plugin.
        rules: the ids of the rules.
        trusting: take it for granted that all other rules hold, on which these may rest.

    Raises:
        Unavailable: what its world needs can't be had here.
    """
    if kept.ready:
        kept.ready()
    limit, entry, files = (kept.limit, kept.entry, kept.files) if isinstance(kept, Wrong) else (120.0, "", {})
    with TemporaryDirectory(prefix="dtm-zoo-") as folder:
        repository = Path(folder)
        for path, text in {f"docs/{kept.plugin.name}.md": page(kept.plugin), **files}.items():
            (repository / path).parent.mkdir(parents=True, exist_ok=True)
            if text is not None:
                (repository / path).write_text(text, encoding="utf-8")
        source = Source(entry or kept.plugin.name, repository, todos(repository))
        target = Target(kept.plugin, kept.world, source, limit=limit)
        for check in checks() if trusting else ():
            if check.rule not in rules:
                target.findings[check.name] = Finding(check.rule, check.name, "passed", "")
        for check in checks():
            if not rules or check.rule in rules:
                yield judge(check, target)
