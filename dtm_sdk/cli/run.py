"""One way to run the commands that need the runner, and to end them with an exit code."""

import gc
import sys
from collections.abc import Callable
from contextlib import nullcontext
from typing import Final

from msgspec import Struct, field

from dtm_sdk.changes import Plan
from dtm_sdk.cli.command import Chosen, chosen
from dtm_sdk.cli.console import Console, is_terminal
from dtm_sdk.cli.output import answer, aside, complain, describe, exit_code, trace
from dtm_sdk.events import Command, Done, Event, Failed, Kept, Outcome, Planned, Skipped, Tell
from dtm_sdk.options import Json
from dtm_sdk.report_json import error_value, json_text, outcome_value, plan_value
from dtm_sdk.runner import Ask, Result, Settings

PENDING: Final = 3
"""The exit code where changes are pending and that was asked for."""
INTERRUPTED: Final = 130
"""The exit code after a Ctrl-C: 128 and the number of SIGINT, as shells have it."""


def run(
    command: Command, act: Callable[[Settings, Tell, Ask], Result], *, force: bool = False, pending: int = 0
) -> int:
    """Run a command, shown as its options say; returns the exit code.

    Args:
        command: its name.
        act: what it is in the runner.
        force: of `delete`.
        pending: the exit code where the plan has changes and nothing failed; for commands that change nothing.
    """
    gc.freeze()  # `__main__` has left it off while modules were imported: nothing of that is garbage
    gc.enable()
    options = chosen()
    details = command in ("plan", "verify") or not options.yes
    as_json = options.output == "json"
    console = Console(options, sys.stderr if as_json else sys.stdout, details=details)
    settings = settings_of(options, console, force=force, detail=details or as_json)
    document = _Document(command)

    def tell(event: Event) -> None:
        document.take(event)
        console.tell(event)

    with aside() if as_json else nullcontext():
        try:
            result = act(settings, tell, console.ask)
            document.declined, document.interrupted = result.declined, result.interrupted
            code = _code(result, pending)
        except KeyboardInterrupt:
            code, document.interrupted = INTERRUPTED, True
            console.end([f"{command.capitalize()} interrupted."])
        except Exception as error:  # noqa: BLE001  # the last place where whatever went wrong can be told in one line
            code, document.error = exit_code(error), error
            *problems, last = describe(error)
            console.end([*problems, f"{command.capitalize()} failed => {last}"])
            if options.debug:
                trace()
    if as_json:
        code = answer(json_text(document.value(code))) or code
    return written(console, code)


def settings_of(options: Chosen, console: Console, *, force: bool = False, detail: bool = False) -> Settings:
    """What the command line says, as the runner takes it."""
    return Settings(
        config=options.config_file,
        plugin_dir=options.plugin_dir,
        parallelism=options.parallelism,
        adopt=not options.no_adopt,
        force=force,
        detail=detail,
        debug=options.debug,
        ask_secret=console.ask_secret if is_terminal(sys.stdin) else None,
        timeout=options.timeout,
        grace=options.grace,
        lock_timeout=options.lock_timeout,
    )


def written(console: Console, code: int) -> int:
    """The exit code, which is 1 where nothing else is wrong but that the log can't be written; that is told."""
    if console.problem and not isinstance(console.problem, BrokenPipeError):
        return complain(f"the log can't be written: {console.problem.strerror}", code or 1)
    return code


def _code(result: Result, pending: int) -> int:
    if result.interrupted:
        return INTERRUPTED
    if result.declined:
        return 0
    if result.failed:
        return 1
    return pending if result.plan.changes else 0


class _Document(Struct):
    """What `--output json` prints: one object.

    `command`: its name. `plan`: see `report_json.plan_value`; null where none was made. `outcomes`: a list in the order
    they came, see `report_json.outcome_value`. `declined`: the question was answered with no. `interrupted`: a signal
    ended it. `error`: see `report_json.error_value`; null where nothing ended it early. `exit_code`: the process's.
    """

    command: Command
    plan: Plan | None = None
    outcomes: list[Outcome] = field(default_factory=list)
    declined: bool = False
    interrupted: bool = False
    error: Exception | None = None

    def take(self, event: Event) -> None:
        """Keep what belongs into the document."""
        if isinstance(event, Planned):
            self.plan = event.plan
        elif isinstance(event, Done | Failed | Skipped | Kept):
            self.outcomes.append(event)

    def value(self, code: int) -> dict[str, Json]:
        """The document."""
        return {
            "command": self.command,
            "plan": plan_value(self.plan) if self.plan else None,
            "outcomes": [outcome_value(event) for event in self.outcomes],
            "declined": self.declined,
            "interrupted": self.interrupted,
            "error": error_value(self.error) if self.error else None,
            "exit_code": code,
        }
