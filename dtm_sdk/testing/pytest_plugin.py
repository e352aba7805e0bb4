"""The pytest plugin: options, fixtures, and the conformance suite behind a flag.

Without the flag nothing of the suite is imported, and nothing of the run is changed. The fixtures `dtm_plugin`,
`dtm_world`, `dtm_examples` and `dtm_runner` are there for the author's own tests too.
"""

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from dtm_sdk.options import Json
    from dtm_sdk.plugin import Plugin
    from dtm_sdk.testing.runs import Runner
    from dtm_sdk.testing.worlds.world import World


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our options."""
    group = parser.getgroup("dtm", "conformance of dtm plugins")
    group.addoption(
        "--dtm-conformance",
        action="store_true",
        help="check the plugins of this repository, or the installed ones, against every rule of the contract",
    )
    group.addoption(
        "--dtm-plugin",
        action="append",
        default=[],
        metavar="NAME",
        help="check the plugin of that name; may be given more than once",
    )
    group.addoption(
        "--dtm-level",
        choices=("core", "full", "hardened"),
        default="hardened",
        help="check the rules up to that level (default: all)",
    )
    group.addoption("--dtm-report", metavar="DIR", help="write DIR/NAME.json for each plugin: its rules and verdicts")
    group.addoption(
        "--dtm-seed", type=int, default=0, metavar="N", help="of what is left to chance; the same seed, the same run"
    )
    group.addoption(
        "--dtm-timeout",
        type=float,
        default=60.0,
        metavar="S",
        help="seconds that one check may take (default: 60); 60 times that with --dtm-thorough",
    )
    group.addoption(
        "--dtm-thorough",
        action="store_true",
        help="try every fault and every death, where else some are tried, and 20 times as many generated sequences",
    )
    group.addoption("--dtm-explain", metavar="RULE", help="say what a rule asks and why, e.g. C2, or `all`, and end")


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Explain a rule, if that is asked for."""
    wanted = config.getoption("--dtm-explain")
    if not wanted:
        return None
    from dtm_sdk.testing.telling import explain

    print(explain(wanted))  # noqa: T201  # what was asked for
    return 0


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Register our markers, and the suite if it is asked for."""
    config.addinivalue_line("markers", "dtm_conformance: a check of the conformance suite of dtm plugins")
    config.addinivalue_line("markers", "dtm_level(name): the level that a check belongs to: core, full or hardened")
    config.addinivalue_line("markers", "dtm_rule(id): the rule that a check holds")
    pasted = [argument for argument in config.args if _is_ours(argument)]
    if not (pasted or config.getoption("--dtm-conformance")):
        return
    from dtm_sdk.testing.collection import Suite

    config.args[:] = [argument for argument in config.args if argument not in pasted]
    config.pluginmanager.register(Suite(config, [_plain_id(each) for each in pasted]), "dtm_conformance")


def _is_ours(argument: str) -> bool:
    return "::" in argument and _plain_id(argument).startswith("conformance/")


def _plain_id(argument: str) -> str:
    """An id as it is printed from the folder of the repository; from a subfolder it starts with `../`."""
    while argument.startswith(("../", "./")):
        argument = argument.partition("/")[2]
    return argument


@pytest.fixture
def dtm_plugin(request: pytest.FixtureRequest) -> "Plugin":
    """The plugin under test: of a check its own, else the one of the repository, or that `--dtm-plugin` names."""
    from dtm_sdk.errors import DtmError
    from dtm_sdk.testing.discover import discover

    for node in request.node.listchain():
        plugin: Plugin | None = getattr(node, "dtm_plugin", None)
        if plugin:
            return plugin
    try:
        found = discover(request.config.rootpath, request.config.getoption("--dtm-plugin"))
        if len(found) > 1:
            pytest.fail(f"there are several plugins, {', '.join(each.entry.name for each in found)}: give --dtm-plugin")
        return found[0].load()
    except DtmError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture
def dtm_world() -> "World":
    """The world that the plugin acts on: a folder. A plugin with another one overrides this in the root conftest.py."""
    from dtm_sdk.testing.worlds.files import FileWorld

    return FileWorld()


@pytest.fixture
def dtm_examples(
    dtm_plugin: "Plugin", dtm_world: "World", tmp_path_factory: pytest.TempPathFactory
) -> "Iterator[list[dict[str, Json]]]":
    """The plugin's examples, bound to its world, which is open and the working directory meanwhile."""
    from dtm_sdk.testing.worlds.loopback import unproxied

    with unproxied(), dtm_world.opened(tmp_path_factory.mktemp("dtm-world")):
        yield [dtm_world.bind(example) for example in dtm_plugin.examples]


@pytest.fixture
def dtm_runner(
    dtm_plugin: "Plugin", dtm_examples: "list[dict[str, Json]]", tmp_path_factory: pytest.TempPathFactory
) -> "Runner":
    """The commands of `dtm` on a config and a state of their own, in the open world of the plugin."""
    from dtm_sdk.testing.runs import Runner

    return Runner(tmp_path_factory.mktemp("dtm-runner"), [dtm_plugin])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, pytest.TestReport]:
    """Put what a check found into its report, which goes to the controller of xdist too."""
    report = yield
    finding = getattr(item, "dtm_finding", None)
    if finding is not None and report.when == "call":
        import msgspec

        report.dtm_finding = {**msgspec.to_builtins(finding), "plugin": getattr(item, "dtm_source", {})}
        report.user_properties.append(("dtm_rule", finding.rule))
        report.user_properties.append(("dtm_verdict", finding.verdict))
    return report  # type: ignore[no-any-return]  # it has one attribute more
