"""One check of one plugin, judged: in a process of its own, unless something it rests on says that it can't be."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from dtm_sdk.plugin import Plugin
from dtm_sdk.testing.allowances import Allowance
from dtm_sdk.testing.isolate import Returned, isolated
from dtm_sdk.testing.rules import Check, checks, rule
from dtm_sdk.testing.source import Source
from dtm_sdk.testing.subject import Subject, trace_of
from dtm_sdk.testing.todos import blocking
from dtm_sdk.testing.verdicts import LEFT, Ended, Finding, Violation
from dtm_sdk.testing.watch import Watch
from dtm_sdk.testing.worlds.loopback import unproxied
from dtm_sdk.testing.worlds.world import World

LIMIT: Final = 60.0
"""Seconds that a check may take, if nothing else is said."""


class Target(Struct):
    """A plugin to be judged, and what is known of it so far.

    Attributes:
        plugin: the plugin.
        world: makes the world of one check.
        source: where it comes from.
        allowances: rule id -> the exception that its author declared.
        seed: of whatever is left to chance.
        limit: seconds that a check may take.
        here: run the checks in this process, for a debugger.
        thorough: try all where else some are tried.
        findings: name of a check -> what it found, without allowances.
    """

    plugin: Plugin
    world: Callable[[], World]
    source: Source = field(default_factory=Source)
    allowances: Mapping[str, Allowance] = field(default_factory=dict)
    seed: int = 0
    limit: float = LIMIT
    here: bool = False
    thorough: bool = False
    findings: dict[str, Finding] = field(default_factory=dict)


def judge(check: Check, target: Target) -> Finding:
    """What a check finds, the exceptions that its author declared taken into account."""
    finding = _found(check, target)
    allowance = target.allowances.get(check.rule)
    if allowance is None:
        return finding
    if finding.verdict == "failed":
        return replace(finding, verdict="excepted", message=f"{allowance}: {finding.message}")
    every = [_found(each, target) for each in rule(check.rule).checks]
    if finding.verdict == "passed" and all(each.verdict == "passed" for each in every):
        message = f"the rule holds, but an exception is declared for it ({allowance.reason}): remove the exception"
        return replace(finding, verdict="failed", message=message)
    return finding


def _found(check: Check, target: Target) -> Finding:
    """What a check finds by itself; it is run once."""
    if check.name not in target.findings:
        target.findings[check.name] = _blocked(check, target) or _run(check, target)
    return target.findings[check.name]


def _blocked(check: Check, target: Target) -> Finding | None:
    calls = () if check.rule.startswith("A") else check.calls
    todo = blocking(target.source.todos, target.plugin, calls)
    if todo:
        place = f"TODO {todo.path}:{todo.line}"
        return Finding(check.rule, check.name, "blocked", f"blocked by {todo}", by=place)
    for id_ in check.rests_on:
        for each in _checks_of(id_):
            under = _found(each, target)
            if under.verdict == "blocked":
                return Finding(check.rule, check.name, "blocked", under.message, by=under.by)
            if under.verdict == "failed":
                what = f"rule {id_}, on which it rests, failed: {under.message}"
                return Finding(check.rule, check.name, "blocked", what, by=id_)
    return None


def _checks_of(id_: str) -> tuple[Check, ...]:
    """The checks of a rule; none of one that has none yet."""
    return tuple(each for each in checks() if each.rule == id_)


def _run(check: Check, target: Target) -> Finding:
    scratch = Path(os.path.realpath(tempfile.mkdtemp(prefix="dtm-")))
    try:
        if target.here:
            return _checked(check, target, scratch)
        return _told(
            check, isolated(lambda: msgspec.json.encode(_checked(check, target, scratch)), target.limit, scratch)
        )
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _told(check: Check, returned: Returned) -> Finding:
    left = tuple(f"{LEFT}{command}" for command in returned.left)
    if returned.data is None:
        what = f"the check could not be made: {returned.died}"
        return Finding(
            check.rule, check.name, "failed", what, trace=returned.trace, notes=left, seconds=returned.seconds
        )
    finding = msgspec.json.decode(returned.data, type=Finding)
    return replace(finding, notes=(*finding.notes, *left), seconds=returned.seconds)


def _checked(check: Check, target: Target, scratch: Path) -> Finding:
    """In the process of the check: open the world, run the body, say how it ended."""
    start, world = time.monotonic(), target.world()
    Watch.here().outside.clear()  # where checks share a process
    home, runs = scratch / "home", scratch / "run"
    home.mkdir()
    runs.mkdir()
    os.environ.update({"HOME": str(home), "TMPDIR": str(home)})
    tempfile.tempdir = None
    (scratch / "scene").mkdir()
    subject: Subject | None = None
    ended: Ended | None = None
    try:
        with unproxied(), world.opened(scratch / "scene"):
            subject = Subject(
                target.plugin, world, target.seed, source=target.source, scratch=scratch, thorough=target.thorough
            )
            with Watch.here().guarding(home, runs, *world.writable):
                check.body(subject)
    except Ended as error:
        ended = error
    except Exception as error:  # noqa: BLE001  # a bug of the suite, or of an author's world: it must not pass
        ended = Violation(
            f"the check itself failed: {type(error).__name__}: {error}", trace=trace_of(error, whole=True)
        )
    notes: Sequence[str] = subject.notes if subject else ()
    taken = time.monotonic() - start
    if ended is None:
        return Finding(check.rule, check.name, "passed", notes=tuple(notes), seconds=taken)
    return Finding(
        rule=check.rule,
        check=check.name,
        verdict=ended.verdict,
        message=ended.message,
        steps=tuple(subject.steps) if subject else (),
        difference=ended.difference,
        trace=ended.trace,
        script=ended.script,
        notes=tuple(notes),
        seconds=taken,
    )
