"""`dtm develop validate-plugin`."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
import msgspec

from dtm_sdk.cli.command import shared
from dtm_sdk.cli.console import is_terminal
from dtm_sdk.cli.develop import ROOT, own_plugins
from dtm_sdk.cli.output import answer, aside
from dtm_sdk.errors import DtmError


@click.command()
@shared()
@ROOT
def command(root: Path) -> int:
    """Check a plugin against every rule of the contract: its level, and a line for each check that doesn't pass.

    It is what `pytest --dtm-conformance` does, in short; that says more of each failure.
    """
    passed, lines = verdict(root)
    answer("\n".join(lines))
    return 0 if passed else 1


def verdict(root: Path) -> tuple[bool, list[str]]:
    """Whether the plugins of a project keep the contract, and what there is to say of each, as lines.

    Raises:
        UsageError: there is no plugin.
        DtmError: pytest isn't installed, or the suite couldn't be run, for one since a plugin can't be imported.
    """
    with aside():  # a plugin may print when it is imported
        own_plugins(root)
    if find_spec("pytest") is None:
        raise DtmError(
            "the conformance suite is run by pytest, which isn't installed", "pip install 'dtm-sdk[testing]'"
        )
    if is_terminal(sys.stderr):
        click.echo("The conformance suite runs; it takes a minute or so.", err=True)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pytest", "--dtm-conformance", f"--dtm-report={folder}", "-q", "--no-header"]
        only = ["-m", "dtm_conformance", "-p", "no:cacheprovider"]
        done = subprocess.run([*command, *only], check=False, cwd=root, capture_output=True, text=True)  # noqa: S603
        reports = [msgspec.json.decode(path.read_bytes()) for path in sorted(Path(folder).glob("*.json"))]
    if not reports:
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        what = f"the suite can't be run in {root}: {said[-1] if said else 'pytest says nothing'}"
        raise DtmError(what, "`pytest --dtm-conformance` shows more")
    return done.returncode == 0, [line for report in reports for line in _lines(report)]


def _lines(report: dict[str, Any]) -> Iterator[str]:
    name, checks = report["plugin"]["name"], [check for rule in report["rules"] for check in rule["checks"]]
    verdicts = [check["verdict"] for check in checks]
    counts = ", ".join(f"{verdicts.count(each)} {each}" for each in dict.fromkeys(verdicts))
    yield f"{name}: level {report['level']}; {counts}" if report["level"] else f"{name}: no level reached; {counts}"
    for check in checks:
        if check["verdict"] == "failed":
            first, *more = check["message"].splitlines() or [""]
            yield f"  {check['name']}: {first}"
            yield from (f"    {line}" for line in more)
