"""Events, plans and states -> lines of text, values for JSON. Pure: what it makes is printed elsewhere.

The sentences are those of the tool that this one descends from; scripts and people look for them.
"""

import re
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct, field

from dtm_sdk.changes import Change, Plan
from dtm_sdk.decide import Action, Difference
from dtm_sdk.events import (
    Began,
    Command,
    Done,
    Event,
    Executing,
    Failed,
    Finished,
    Kept,
    Level,
    Notice,
    Outcome,
    Planned,
    Said,
    Skipped,
    Started,
)
from dtm_sdk.options import Json
from dtm_sdk.secret_text import is_fingerprint

SYMBOLS: Final[dict[Level, str]] = {
    "debug": "λ",
    "info": "\N{INFORMATION SOURCE}",
    "success": "✔",
    "warning": "⚠",
    "error": "✖",
}
NOTHING: Final[dict[Command, str]] = {
    "apply": "No changes done since last apply. There is nothing to do.",
    "plan": "No changes done since last apply. There is nothing to do.",
    "verify": "No changes done since last apply. There is nothing to do.",
    "delete": "Nothing needs to be deleted. There is nothing to do.",
    "destroy": "No tools have been deployed now. There is nothing to do.",
}
PAST: Final[dict[Command, str]] = {"apply": "applied", "delete": "deleted", "destroy": "destroyed"}
COUNTED: Final = {
    Action.CREATE: "to create",
    Action.ADOPT: "to adopt",
    Action.UPDATE: "to update",
    Action.REPLACE: "to replace",
    Action.DELETE: "to delete",
    Action.MOVE: "to move",
    Action.LATE: "known after apply",
}
SECRET: Final = "(secret)"  # noqa: S105  # stands for one
LONGEST: Final = 80
"""How many characters of a value a difference shows."""
DIFF_LINES: Final = 40
"""How many lines of a difference of texts are shown."""
DIFF_INPUT: Final = 1000
"""How many lines a text may have to be compared by line: the time of it grows with their square."""

_MASKED: Final = r"[\0-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
"""Control characters but the tab (Unicode's Cc), what ends a line or turns the direction of text, lone surrogates."""


class Line(NamedTuple):
    """One line of output.

    Attributes:
        level: how much it matters; None for a line that has no time and no level in front of it.
        text: without a line break, control characters masked.
    """

    level: Level | None
    text: str


def clean(text: str) -> str:
    r"""A text that stays on its line and can't steer a terminal: control characters become `\n`, `\x1b`, `\u202e`."""
    if text.isprintable():  # as most are; the pattern takes longer to compile than a run to say what it does
        return text
    return re.sub(_MASKED, lambda match: match[0].encode("unicode_escape").decode(), text)


def log_line(time: str, line: Line) -> str:
    """A line as it is printed.

    Args:
        time: `2022-03-29 11:25:17`, local time.
        line: what to print.
    """
    return f"{time} {SYMBOLS[line.level]} [{line.level.upper()}]  {line.text}" if line.level else line.text


def lines(event: Event) -> list[Line]:
    """What an event says by itself; the numbers, the order and the end of a run are `Narrator`'s."""
    return [Line(level, clean(text)) for level, text in _sentences(event)]


def _sentences(event: Event) -> Iterator[tuple[Level, str]]:
    match event:
        case Started():
            yield "info", f"{event.command.capitalize()} started."
            yield "info", f"Using dir <{event.plugin_dir}> to store plugins."
        case Planned():
            yield from (("info", message) for change in event.plan.changes for message in change.messages)
            yield from (("error", why) for why in event.plan.failures.values())
            if not event.plan.changes and not event.plan.failures:
                yield "info", NOTHING[event.command]
        case Executing():
            yield "info", "Start executing the plan."
            yield "info", f"Changes count: {event.total}."
        case Began():
            yield "info", f"Processing: {event.name} ({event.plugin}) -> {event.action} ..."
        case Said():
            yield from ((event.level, f"{event.key}: {text}") for text in event.text.splitlines())
        case Notice():
            yield event.level, event.text
        case Finished():
            pass
        case _:
            yield from _outcome(event)


def _outcome(event: Outcome) -> Iterator[tuple[Level, str]]:
    match event:
        case Done(action=Action.DELETE) | Done(record=None):
            yield "info", f"Prepare to delete '{event.name}_{event.plugin}' from States."
            yield "success", f"{_operation(event)} done."
        case Done():
            yield "success", f"{_operation(event)} done."
        case Failed(action=Action.LATE):
            yield "error", event.error
        case Failed():
            yield "error", f"{_operation(event)} failed: {event.error}"
        case Skipped(action=Action.LATE):
            yield "warning", f"Tool {event.name} ({event.plugin}) skipped: {event.because}"
        case Skipped():
            yield "warning", f"{_operation(event)} skipped: {event.because}"
        case Kept():
            yield "info", f"Tool {event.name} ({event.plugin}) is as it should be. There is nothing to do."
    if isinstance(event, Failed):
        yield from (("debug", f"{event.key}: {text}") for text in event.trace.splitlines())


def _operation(event: Done | Failed | Skipped) -> str:
    """How the ancestor names an operation: a Delete with a space and in lower case, the others without."""
    if event.action is Action.DELETE:
        return f"Plugin {event.name} ({event.plugin}) delete"
    return f"Plugin {event.name}({event.plugin}) {event.action}"


def separator(text: str) -> Line:
    """A line that parts one change from the next."""
    return Line("info", f"{'-' * 20} [  {text}  ] {'-' * 20}")


class _Run(Struct):
    """The lines of one change that aren't shown yet."""

    lines: list[Line] = field(default_factory=list)
    counted: bool = False
    shown: bool = False
    ended: bool = False


class Narrator:
    """Tells a run in order, though its changes are made at the same time.

    The lines of the oldest change that runs are shown as they come; those of the others are held until it has ended. So
    the lines of a change stay together, and the changes are numbered in the order they are shown.

    Args:
        details: show what changes, value by value, below the sentences of a plan.
    """

    def __init__(self, *, details: bool) -> None:
        self._details = details
        self._queue: deque[_Run] = deque()
        self._running: dict[str, _Run] = {}
        self._total = self._shown = 0
        self._plan: Plan | None = None
        self._executing = False

    def take(self, event: Event) -> list[Line]:
        """The lines that can be shown after this event."""
        match event:
            case Planned():
                self._plan = event.plan
                return plan_lines(event.command, event.plan) if self._details else lines(event)
            case Executing():
                self._executing, self._total = True, event.total
            case Began():
                run = self._running[event.key] = _Run(lines(event), counted=True)
                self._queue.append(run)
                return self._ready()
            case Said() if event.key in self._running:
                self._running[event.key].lines += lines(event)
                return self._ready()
            case Done() | Failed() | Skipped() | Kept():
                return self._end(event)
            case Finished():
                return self._finish(event)
        return lines(event)

    def _end(self, event: Outcome) -> list[Line]:
        run = self._running.pop(event.key, None)
        if run is None:
            run = _Run(counted=not isinstance(event, Skipped))
            self._queue.append(run)
        run.lines += lines(event)
        run.ended = True
        return self._ready()

    def _ready(self) -> list[Line]:
        ready: list[Line] = []
        while self._queue:
            run = self._queue[0]
            if run.counted and not run.shown:
                run.shown = True
                self._shown += 1
                ready.append(separator(f"Processing progress: {self._shown}/{max(self._shown, self._total)}."))
            ready += run.lines
            run.lines.clear()
            if not run.ended:
                break
            self._queue.popleft()
        return ready

    def rest(self) -> list[Line]:
        """The lines that are still held, when nothing follows any more."""
        for run in self._queue:
            run.ended = True
        return self._ready()

    def _finish(self, event: Finished) -> list[Line]:
        ending = self.rest()
        if self._executing:
            ending.append(separator("Processing done."))
        return ending + [Line(level, text) for level, text in self._verdict(event)]

    def _verdict(self, event: Finished) -> Iterator[tuple[Level, str]]:
        name = event.command.capitalize()
        if event.interrupted:
            yield "error", f"{name} interrupted => {event.changed} done, {event.failed} not done."
        elif event.failed and event.command in PAST:
            yield "error", f"some error(s) occurred during plugins {event.command} process."
            yield "error", f"{name} failed => {event.changed} done, {event.failed} failed or skipped."
        elif event.failed:
            yield "error", f"{name} failed => {event.failed} can't be planned."
        elif event.command == "verify":
            pending = self._plan is not None and self._plan.changes
            yield ("info", "Verify finished.") if pending else ("success", "Verify succeeded.")
        else:
            if self._executing:
                yield "success", f"All plugins {PAST[event.command]} successfully."
            yield "success", f"{name} finished."


def plan_lines(command: Command, plan: Plan) -> list[Line]:
    """A plan with what it changes, value by value, and how many changes of each kind there are."""
    if not plan.changes and not plan.failures:
        return lines(Planned(command, plan))
    found = [line for change in plan.changes for line in change_lines(change)]
    found += [Line("error", clean(why)) for why in plan.failures.values()]
    return [*found, Line("info", f"Plan: {counts(plan)}.")]


def change_lines(change: Change) -> list[Line]:
    """The sentences of a change, and below them what it changes."""
    sentences = [Line("info", clean(message)) for message in change.messages]
    return sentences + [Line(None, f"    {text}") for item in change.differences for text in difference_lines(item)]


def counts(plan: Plan) -> str:
    """How many changes of each kind, e.g. `1 to create, 2 to update`."""
    number = Counter(change.action for change in plan.changes)
    parts = [f"{number[action]} {words}" for action, words in COUNTED.items() if number[action]]
    return ", ".join(parts + ([f"{len(plan.failures)} failed"] if plan.failures else []))


def difference_lines(item: Difference) -> Iterator[str]:
    """A difference on one line, `content: "a" -> "b"`; of texts with several lines, a unified diff."""
    before, after = item.before, item.after
    texts = [value.split("\n") for value in (before, after) if isinstance(value, str)]
    if len(texts) == 2 and max(map(len, texts)) > 1 and max(map(len, texts)) <= DIFF_INPUT:
        yield f"{clean(item.path)}:"
        yield from (f"    {clean(text)}" for text in _diff(*texts))
    else:
        yield f"{clean(item.path)}: {' -> '.join(_values(before, after))}"


def _diff(before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    from difflib import unified_diff

    found = list(unified_diff(before, after, n=2, lineterm=""))[2:]
    yield from found[:DIFF_LINES]
    if len(found) > DIFF_LINES:
        yield f"... and {len(found) - DIFF_LINES} more lines"


def _values(before: Json, after: Json) -> tuple[str, str]:
    """Two values as JSON; of long ones the part where they begin to differ."""
    texts = [value_text(value) for value in (before, after)]
    start = next((at for at, pair in enumerate(zip(*texts, strict=False)) if pair[0] != pair[1]), 0)
    one, other = (_cut(text, start - LONGEST // 2) for text in texts)
    return one, other


def _cut(text: str, start: int) -> str:
    if len(text) <= LONGEST:
        return text
    start = max(0, min(start, len(text) - LONGEST))
    end = start + LONGEST
    return f"{'...' if start else ''}{text[start:end]}{'...' if end < len(text) else ''} ({len(text)} characters)"


def value_text(value: Json) -> str:
    """A value on one line, as JSON; `(none)` for Ellipsis, `(secret)` for a secret."""
    value = masked(value)
    if value is ... or value == SECRET:
        return "(none)" if value is ... else SECRET
    return clean(msgspec.json.encode(value).decode())


def masked(value: Json) -> Json:
    """A plain value with each fingerprint of a secret replaced by `(secret)`."""
    if isinstance(value, str):
        return SECRET if is_fingerprint(value) else value
    if isinstance(value, Mapping):
        return {key: masked(item) for key, item in value.items()}
    return [masked(item) for item in value] if isinstance(value, list) else value
