"""The suite as pytest sees it: a collector for each plugin, and in it a test for each check."""

from collections.abc import Callable, Generator, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

import dtm_sdk.testing.checks
from dtm_sdk.errors import DtmError, UsageError
from dtm_sdk.plugin import Plugin
from dtm_sdk.testing.allowances import Allowance, allowances
from dtm_sdk.testing.discover import Found, discover
from dtm_sdk.testing.judge import Target, judge
from dtm_sdk.testing.rules import LEVELS, Check, checks, rules
from dtm_sdk.testing.source import Source
from dtm_sdk.testing.telling import failure, reason, summary
from dtm_sdk.testing.todos import todos
from dtm_sdk.testing.worlds.world import World

ROOT = "conformance"
THOROUGH = 60
"""How many times longer a check may take that tries all where else some are tried."""


class Suite:
    """The conformance suite in one run of pytest.

    Args:
        config: of the run.
        wanted: node ids to run, if only some are; what they start with is enough.
    """

    def __init__(self, config: pytest.Config, wanted: Sequence[str]) -> None:
        self.config = config
        self.wanted = list(wanted)
        self.reported: dict[str, dict[str, Any]] = {}
        self.collected: dict[str, int] = {}
        try:
            self.found = discover(config.rootpath, config.getoption("--dtm-plugin"))
            self.allowed, self.problems = self._allowances()
        except UsageError as error:
            raise pytest.UsageError(str(error)) from None

    def _allowances(self) -> tuple[list[Allowance], list[str]]:
        pyproject = self.config.rootpath / "pyproject.toml"
        known = frozenset(rule.id for rule in rules())
        return allowances(pyproject, known, datetime.now(UTC).date()) if pyproject.is_file() else ([], [])

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Add our root to what the session collects."""
        report = yield
        if isinstance(collector, pytest.Session) and report.outcome == "passed":
            report.result = [*report.result, _Root.from_parent(collector, name=ROOT, nodeid=ROOT, suite=self)]
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Keep what the pasted ids name.

        Raises:
            UsageError: one names nothing.
        """
        if not self.wanted:
            return
        ours = [item for item in items if isinstance(item, ConformanceItem)]
        strange = [each for each in self.wanted if not any(_is(item.nodeid, each) for item in ours)]
        if strange:
            raise pytest.UsageError(f"no check has the id {strange[0]!r}; --collect-only lists them")
        left_out = [item for item in ours if not any(_is(item.nodeid, each) for each in self.wanted)]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a check found."""
        finding = getattr(report, "dtm_finding", None)
        if finding:
            self.reported[report.nodeid] = finding

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the report; a run without any check is a failure."""
        if self._is_worker() or self.config.getoption("collectonly"):
            return
        folder = self.config.getoption("--dtm-report")
        if folder:
            from dtm_sdk.testing.report import write

            write(self.config.rootpath / folder, self.found, list(self.reported.values()), self.config)
        if not self.reported and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _is_worker(self) -> bool:
        return hasattr(self.config, "workerinput")

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """The matrix of rules, and the level that each plugin reached."""
        if self.config.getoption("collectonly"):
            return
        terminalreporter.section("dtm conformance")
        for line, markup in summary(list(self.reported.values()), self.config.getoption("--dtm-seed")):
            terminalreporter.write_line(line, **markup)


def _is(nodeid: str, wanted: str) -> bool:
    return nodeid == wanted or nodeid.startswith((f"{wanted}::", f"{wanted}["))


class _Root(pytest.Collector):
    """What holds the plugins."""

    def __init__(self, *, suite: Suite, **given: Any) -> None:
        super().__init__(**given)
        self.suite = suite

    def collect(self) -> Iterable[pytest.Collector]:
        """A collector for each plugin."""
        for found in self.suite.found:
            nodeid = f"{ROOT}/{found.entry.name}"
            path = self.config.rootpath / ROOT / found.entry.name
            yield _PluginNode.from_parent(
                self, name=found.entry.name, nodeid=nodeid, path=path, found=found, suite=self.suite
            )


class _PluginNode(pytest.Module):
    """One plugin: its checks. That it can't be imported is an error of this collector alone."""

    def __init__(self, *, found: Found, suite: Suite, **given: Any) -> None:
        super().__init__(**given)
        self.found = found
        self.suite = suite
        self.dtm_plugin: Plugin | None = None

    def _getobj(self) -> Any:
        return dtm_sdk.testing.checks

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        """A test for each check of the levels that are asked for; one that fails where the plugin can't be loaded.

        An error of the collection would end the whole run: the other plugins are to be checked all the same.
        """
        try:
            self.dtm_plugin = self.found.load()
        except DtmError as error:
            yield ConformanceItem.from_parent(self, name="test_the_plugin_loads", callobj=_wrong([str(error)]))
            return
        target = self._target(self.dtm_plugin)
        levels = LEVELS[: LEVELS.index(self.config.getoption("--dtm-level")) + 1]
        if self.suite.problems:
            yield ConformanceItem.from_parent(self, name="test_exceptions", callobj=_wrong(self.suite.problems))
        for check in checks():
            if check.group.level in levels:
                yield ConformanceItem.from_parent(
                    self, name=check.name, callobj=_runner(check, target), check=check, target=target
                )

    def _target(self, plugin: Plugin) -> Target:
        config, root = self.config, self.found.repository
        allowed = {each.id: each for each in self.suite.allowed if each.plugin in ("", plugin.name)}
        return Target(
            plugin,
            _no_world,
            Source(self.found.entry.name, root, todos(root) if root else ()),
            allowed,
            config.getoption("--dtm-seed"),
            config.getoption("--dtm-timeout") * (THOROUGH if config.getoption("--dtm-thorough") else 1),
            here=config.getoption("usepdb"),
            thorough=config.getoption("--dtm-thorough"),
        )


def _no_world() -> World:
    raise RuntimeError("no world")


class ConformanceItem(pytest.Function):
    """One check of one plugin, as a test."""

    def __init__(self, *, check: Check | None = None, target: Target | None = None, **given: Any) -> None:
        super().__init__(**given)
        self.dtm_target = target
        self.add_marker(pytest.mark.dtm_conformance)
        if check:
            self.add_marker(pytest.mark.dtm_rule(check.rule))
            self.add_marker(pytest.mark.dtm_level(check.group.level))


def _runner(check: Check, target: Target) -> Callable[..., None]:
    def run(request: pytest.FixtureRequest, dtm_world: World) -> None:
        if not isinstance(dtm_world, World):
            what = f"the fixture dtm_world gives {type(dtm_world).__name__}, no dtm_sdk.testing.World"
            pytest.fail(what, pytrace=False)
        target.world = lambda: dtm_world
        finding = judge(check, target)
        item: Any = request.node
        item.dtm_finding = finding
        item.dtm_source = target.plugin.name
        if finding.verdict == "failed":
            pytest.fail(failure(finding, item.nodeid), pytrace=False)
        if finding.verdict == "excepted":
            pytest.xfail(finding.message)
        if finding.verdict != "passed":
            pytest.skip(reason(finding))

    return run


def _wrong(problems: Sequence[str]) -> Callable[[], None]:
    def run() -> None:
        pytest.fail("\n".join(problems), pytrace=False)

    return run
