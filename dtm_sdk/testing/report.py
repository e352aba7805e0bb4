"""The report of a plugin as a JSON document; its schema is `report.schema.json`, beside this module."""

import platform
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

import dtm_sdk
from dtm_sdk.testing.discover import Found
from dtm_sdk.testing.rules import rules
from dtm_sdk.testing.telling import reached


def write(folder: Path, found: Sequence[Found], findings: Sequence[Mapping[str, Any]], config: pytest.Config) -> None:
    """Write `NAME.json` for each plugin of which a check was run."""
    folder.mkdir(parents=True, exist_ok=True)
    for each in found:
        mine = [finding for finding in findings if finding["plugin"] == each.entry.name]
        if mine:
            value = document(each, mine, config.getoption("--dtm-seed"))
            (folder / f"{each.entry.name}.json").write_bytes(msgspec.json.format(msgspec.json.encode(value)))


def document(found: Found, findings: Sequence[Mapping[str, Any]], seed: int) -> dict[str, Any]:
    """The report of one plugin, as `report.schema.json` describes it."""
    verdicts = {finding["check"]: finding["verdict"] for finding in findings}
    level, missing = reached(verdicts)
    return {
        "format": 1,
        "plugin": {"name": found.entry.name, "distribution": found.entry.distribution, "version": found.entry.version},
        "kit": dtm_sdk.__version__,
        "python": platform.python_version(),
        "platform": sys.platform,
        "seed": seed,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "level": level or None,
        "missing": missing or None,
        "rules": [
            {
                "id": rule.id,
                "text": rule.text,
                "checks": [_check(finding) for finding in findings if finding["rule"] == rule.id],
            }
            for rule in rules()
        ],
    }


def _check(finding: Mapping[str, Any]) -> dict[str, Any]:
    node = f"conformance/{finding['plugin']}::{finding['check']}"
    return {
        "name": finding["check"],
        "verdict": finding["verdict"],
        "message": finding.get("message", ""),
        "steps": list(finding.get("steps", ())),
        "difference": list(finding.get("difference", ())),
        "trace": finding.get("trace", ""),
        "script": list(finding.get("script", ())),
        "notes": list(finding.get("notes", ())),
        "seconds": finding.get("seconds", 0.0),
        "again": f"pytest --dtm-conformance '{node}'",
    }
