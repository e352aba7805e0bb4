"""Findings and rules as text; pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Any, Final

from dtm_sdk.testing.rules import GROUPS, LEVELS, Rule, checks, rules
from dtm_sdk.testing.verdicts import LEFT, Finding

WIDTH: Final = 120
"""Where lines of a page are wrapped."""
MARKS: Final = {"passed": ".", "failed": "F", "skipped": "s", "unsupported": "u", "blocked": "b", "excepted": "x"}


def failure(finding: Finding, nodeid: str) -> str:
    """What a person needs to mend a plugin: what is wrong, what shows it, what to do, how to run it again."""
    held = next(check for check in checks() if check.name == finding.check)
    first, *more = finding.message.splitlines() or [""]
    lines = [f"{finding.rule}: {first}", *_indented(more), "", f"  the rule says: {held.text}"]
    if finding.steps:
        lines += ["", "  steps:", *_indented(finding.steps, 4)]
    if finding.difference:
        lines += ["", "  difference (- wanted or before, + found):", *_indented(finding.difference, 4)]
    if finding.trace:
        lines += ["", "  traceback:", *_indented(finding.trace.splitlines(), 4)]
    if finding.script:
        lines += ["", "  script (a file test_replay.py in the repository runs it):", *_indented(finding.script, 4)]
    lines += [f"  note: {note}" for note in finding.notes]
    if held.hint:
        lines += ["", f"  mend:  {held.hint}"]
    lines += [f"  again: pytest --dtm-conformance '{nodeid}'", f"  rule:  pytest --dtm-explain {finding.rule}"]
    return "\n".join(lines)


def _indented(lines: Sequence[str], by: int = 2) -> list[str]:
    return [f"{' ' * by}{line}" for line in lines]


def reason(finding: Finding) -> str:
    """Why a check didn't pass or fail, in a line."""
    first = finding.message.partition("\n")[0]
    return first if finding.verdict == "blocked" else f"{finding.verdict}: {first}"


def explain(wanted: str) -> str:
    """What a rule asks, as text; of `all`, every rule in a line each; of `markdown`, every rule as a page."""
    known = {each.id: each for each in rules()}
    if wanted == "markdown":
        return markdown()
    if wanted == "all":
        return "\n".join(f"{each.id:4}{each.text}" for each in rules())
    if wanted.upper() not in known:
        return f"there is no rule {wanted!r}; --dtm-explain all lists them"
    return page(known[wanted.upper()])


def markdown() -> str:
    """The documentation of every rule, as the page `docs/rules.md`."""
    lines = [
        "# The rules of the conformance suite",
        "",
        "Made from the checks by `pytest --dtm-explain markdown >docs/rules.md`; `pytest --dtm-explain C2` shows one.",
    ]
    for group in GROUPS:
        lines += ["", f"## {group.title}", "", f"Level {group.level}."]
        for each in rules():
            if each.id.startswith(group.letter):
                lines += ["", *_section(each)]
    return "\n".join(lines)


def _section(each: Rule) -> list[str]:
    lines = [f"### {each.id}", "", *wrap(each.text, WIDTH, break_on_hyphens=False)]
    if each.why:
        lines += ["", *wrap(f"**Why.** {' '.join(each.why.split())}", WIDTH, break_on_hyphens=False)]
    if each.wrong:
        lines += ["", "**Wrong:**", "", "```python", *each.wrong.splitlines(), "```"]
    if each.mend:
        lines += ["", *wrap(f"**Mend.** {' '.join(each.mend.split())}", WIDTH, break_on_hyphens=False)]
    return [*lines, "", "Checked by:", "", *(f"- `{check.name}`: {check.summary}" for check in each.checks)]


def page(each: Rule) -> str:
    """The documentation of a rule."""
    parts = [f"{each.id}  {each.text}"]
    if each.why:
        parts.append(f"Why: {each.why}")
    if each.wrong:
        parts.append(f"Wrong:\n\n{_code(each.wrong)}")
    if each.mend:
        parts.append(f"Mend: {each.mend}")
    parts.append("Checked by: " + ", ".join(check.name for check in each.checks))
    return "\n\n".join(parts)


def _code(text: str) -> str:
    return "\n".join(_indented(text.splitlines(), 4))


def reached(verdicts: Mapping[str, str]) -> tuple[str, str]:
    """The level that a plugin reached, or an empty string; and the first rule that keeps it from the next one.

    Args:
        verdicts: name of a check -> its verdict.
    """
    level = ""
    for each in LEVELS:
        mine = [check for check in checks() if check.group.level == each]
        for check in mine:
            verdict = verdicts.get(check.name, "not run")
            if verdict not in {"passed", "unsupported"}:
                return level, f"{check.rule} {verdict}"
        if mine:
            level = each
    return level, ""


def summary(findings: Sequence[Mapping[str, Any]], seed: int) -> Iterator[tuple[str, dict[str, bool]]]:
    """The lines of the summary in the terminal, each with how it is shown."""
    by_plugin: dict[str, list[Mapping[str, Any]]] = {}
    for finding in findings:
        by_plugin.setdefault(finding["plugin"], []).append(finding)
    if not by_plugin:
        yield "no check was run, which is a failure", {"red": True}
    for plugin in sorted(by_plugin):
        verdicts = {finding["check"]: finding["verdict"] for finding in by_plugin[plugin]}
        level, missing = reached(verdicts)
        text = f"level {level}" if level else "no level reached"
        yield (
            f"{plugin}: {text}{f' (next: {missing})' if missing else ''}; {_counts(verdicts)}; seed {seed}",
            {
                "bold": True,
                "green": bool(level),
                "red": not level,
            },
        )
        mine = by_plugin[plugin]
        yield from ((f"  {line}", {}) for line in (*_matrix(verdicts), *_tried(mine), *_blocked(mine), *_left(mine)))


def _counts(verdicts: Mapping[str, str]) -> str:
    values = list(verdicts.values())
    return ", ".join(f"{values.count(verdict)} {verdict}" for verdict in MARKS if verdict in values)


def _blocked(findings: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What keeps checks from saying anything: those that block most come first."""
    counts = Counter(finding.get("by", "") for finding in findings if finding["verdict"] == "blocked")
    if counts:
        told = ", ".join(f"by {by} ({count})" for by, count in counts.most_common())
        yield f"{counts.total()} blocked: {told}"


def _tried(findings: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What the checks of the third level have tried, and what they have left out."""
    for rule in (each for each in rules() if each.checks[0].group.level == "hardened"):
        notes = [note for finding in findings if finding["rule"] == rule.id for note in finding.get("notes", ())]
        told = "; ".join(dict.fromkeys(note for note in notes if not note.startswith(LEFT)))
        if told:
            yield f"{rule.id}: {told}"


def _left(findings: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What a plugin has left at work, even where the check passed."""
    notes = [note for finding in findings for note in finding.get("notes", ()) if note.startswith(LEFT)]
    counts = Counter(note.removeprefix(LEFT) for note in notes)
    if counts:
        told = ", ".join(f"{command} ({count})" for command, count in counts.most_common(3))
        yield f"{counts.total()} processes left behind and killed: {told}{', ...' if len(counts) > 3 else ''}"


def _matrix(verdicts: Mapping[str, str]) -> Iterator[str]:
    for group in GROUPS:
        mine = [each for each in rules() if each.id.startswith(group.letter)]
        cells = [
            f"{each.id} {''.join(MARKS.get(verdicts.get(test.name, ''), '-') for test in each.checks)}" for each in mine
        ]
        if any(test.name in verdicts for each in mine for test in each.checks):
            yield f"{group.title:12} {'  '.join(cells)}"
