"""The command line: arguments -> runner -> report -> exit code.

Exit codes: 0 done or in sync; 1 something failed; 2 wrong usage or config; 3 changes are pending (`verify`, and `plan
--exit-code`); 130 interrupted.

What is asked most, `--help` and `version`, is answered here, before even click is imported.
"""

import os
import sys
from collections.abc import Sequence

from dtm_sdk import __version__
from dtm_sdk.cli.output import answer, leave
from dtm_sdk.hanging import given_up

COMMANDS = {
    "apply": ("dtm_sdk.cli.apply", "Create, update and delete tools so that they are as configured."),
    "plan": ("dtm_sdk.cli.plan", "Show what apply would do; change nothing."),
    "verify": ("dtm_sdk.cli.verify", "Check that tools, state and config agree; else exit code 3."),
    "delete": ("dtm_sdk.cli.delete", "Delete the tools of the config."),
    "destroy": ("dtm_sdk.cli.destroy", "Delete every recorded tool, in the config or not."),
    "state": ("dtm_sdk.cli.state", "Look at what is recorded, mend it, move it."),
    "list": ("dtm_sdk.cli.list", "List plugins."),
    "show": ("dtm_sdk.cli.show", "Show a config for a plugin, or the status of the tools."),
    "develop": ("dtm_sdk.cli.develop", "Make, check and document a plugin of your own."),
    "completion": ("dtm_sdk.cli.completion", "Print a script that completes dtm's commands in a shell."),
    "version": ("dtm_sdk.cli.version", "Print the version."),
}
"""Name -> the module whose `command` it is, and what it does."""

USAGE = """\
Usage: dtm [OPTIONS] COMMAND [ARGUMENTS]

Bring tools to what a config says, and keep them there.

Commands:
{commands}
Options, before or after the command:
  -f, --config-file PATH  The config: a file or a folder of files. [config.yaml]
  -p, --plugin-dir PATH   A folder where plugins are looked for beside the
                          installed ones. [.devstream]
  -y, --yes               Don't ask before something is changed.
  -d, --debug             Show more of what happens, and tracebacks of bugs.
  --parallelism N         How many operations may run at once. [10]
  --timeout DURATION      Give an operation up after e.g. 90, 90s or 5m.
  --grace DURATION        Give running operations up so long after an interrupt.
  --lock-timeout DURATION Wait so long for another run that holds the state. [0]
  --no-adopt              Take nothing over that exists and isn't recorded.
  --output [text|json]    json: one document on stdout, the log on stderr.
  --help                  Show this text, or that of a command.

`dtm COMMAND --help` says more about a command."""


def main() -> None:
    """Run the command line of this process and end it with an exit code."""
    code = dispatch(sys.argv[1:])
    if given_up():
        leave(code)
    sys.exit(code)


def dispatch(arguments: Sequence[str]) -> int:
    """Run a command line; returns the exit code."""
    if "_DTM_COMPLETE" not in os.environ:  # else a shell asks for completions
        match arguments:
            case ["version" | "--version"]:
                return answer(__version__)
            case ["--help" | "-h" | "help"]:
                return answer(usage())
    from dtm_sdk.cli.command import start

    return start(arguments)


def usage() -> str:
    """What `dtm --help` prints."""
    return USAGE.format(commands="".join(f"  {name:12}{text}\n" for name, (_, text) in COMMANDS.items()))
