"""What the commands have in common: groups that import a command when it is called, and the options that all take."""

import io
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, Final, Literal, TypeVar

import click
from click.core import ParameterSource
from msgspec import Struct

from dtm_sdk.cli import COMMANDS, usage
from dtm_sdk.cli.output import complain, describe, exit_code, trace

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

OTHER_NAMES: Final = {"install": "apply", "uninstall": "delete"}
"""What people type for a command of another name."""


class Lazy(click.Group):
    """A group whose commands are imported when they are called.

    Args:
        table: name -> the module whose `command` it is, and what it does.
    """

    def __init__(self, table: Mapping[str, tuple[str, str]], **attributes: Any) -> None:
        super().__init__(no_args_is_help=False, **attributes)
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """Every name, in the order of the table."""
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's
        """The command of that name, or None."""
        if cmd_name not in self.table:
            return None
        command: click.Command = import_module(self.table[cmd_name][0]).command
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """As click has it, but for an unknown name the nearest one is suggested."""
        name = args[0]
        if name not in self.table and not name.startswith("-") and not ctx.resilient_parsing:
            raise click.UsageError(f"there is no command {name!r}{self._nearest(ctx, name)}", ctx)
        return super().resolve_command(ctx, args)

    def _nearest(self, ctx: click.Context, name: str) -> str:
        from difflib import get_close_matches

        other = {key: value for key, value in OTHER_NAMES.items() if value in self.table}
        close = get_close_matches(name, [*self.table, *other], 1)
        return f", did you mean `{ctx.command_path} {other.get(close[0], close[0])}`?" if close else ""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's
        """The commands from the table, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self.table.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        """The names that begin so, without importing the commands."""
        from click.shell_completion import CompletionItem

        names = [name for name in self.table if name.startswith(incomplete)]
        found = [CompletionItem(name, help=self.table[name][1]) for name in names]
        return found + click.Command.shell_complete(self, ctx, incomplete)


class Root(Lazy):
    """The command `dtm` itself."""

    def get_help(self, ctx: click.Context) -> str:  # noqa: ARG002  # click's signature
        """The same text that is printed without click."""
        return usage()

    def make_parser(self, ctx: click.Context) -> Any:
        """As click has it, but `-y` is found at once; click makes an error of it first, which takes 3 ms."""
        parser = super().make_parser(ctx)
        parser._long_opt.update(parser._short_opt)  # noqa: SLF001  # nothing public leads there
        return parser

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what it raises ends here, as one line on stderr; a traceback follows with `-d`."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:  # noqa: BLE001  # the last place where whatever went wrong can be told in one line
            if ctx.meta.get(__name__, {}).get("debug"):
                trace()
            return max(complain(line, exit_code(error)) for line in describe(error))


class Chosen(Struct, frozen=True, kw_only=True):
    """The options that all commands take, wherever they stand; of one given twice the later wins.

    Attributes:
        config_file: a file or a folder.
        plugin_dir: a folder where plugins are looked for beside the installed ones.
        yes: don't ask.
        debug: show more.
        parallelism: how many operations may run at once.
        timeout: seconds that an operation may take; None for no limit.
        grace: seconds that operations may go on after an interrupt; None for no limit.
        lock_timeout: seconds to wait for another run that holds the state.
        no_adopt: take nothing over that exists and isn't recorded.
        output: what stdout gets.
    """

    config_file: str = "config.yaml"
    plugin_dir: str = ".devstream"
    yes: bool = False
    debug: bool = False
    parallelism: int = 10
    timeout: float | None = None
    grace: float | None = None
    lock_timeout: float = 0
    no_adopt: bool = False
    output: Literal["text", "json"] = "text"


def chosen() -> Chosen:
    """What the command line that runs now has chosen."""
    return Chosen(**click.get_current_context().meta.get(__name__, {}))


UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600}
LONGEST: Final = 1e9
"""Seconds, some 30 years: Python can wait for 290."""


def duration(text: str) -> float:
    """The seconds of `90`, `1.5`, `90s`, `5m` or `1h`."""
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([smh]?)", text)
    if match is None:
        raise click.BadParameter(f"{text!r} is no duration, which is e.g. 90, 90s or 5m")
    return min(float(match[1]) * UNITS[match[2]], LONGEST)


def limit(text: str) -> float:
    """The seconds of a duration that isn't 0."""
    seconds = duration(text)
    if not seconds:
        raise click.BadParameter("nothing can be done in no time")
    return seconds


def _choose(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:
    if parameter.name and ctx.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE:
        ctx.meta.setdefault(__name__, {})[parameter.name] = value


SHARED: Final[dict[str, tuple[tuple[str, ...], dict[str, Any]]]] = {
    "config_file": (
        ("-f", "--config-file"),
        {"metavar": "PATH", "help": "The config: a file or a folder. [config.yaml]"},
    ),
    "plugin_dir": (("-p", "--plugin-dir"), {"metavar": "PATH", "help": "A folder with more plugins. [.devstream]"}),
    "yes": (("-y", "--yes"), {"is_flag": True, "help": "Don't ask before something is changed."}),
    "debug": (("-d", "--debug"), {"is_flag": True, "help": "Show more of what happens, and tracebacks of bugs."}),
    "parallelism": (
        ("--parallelism",),
        {"type": click.IntRange(min=1), "metavar": "N", "help": "How many operations may run at once. [10]"},
    ),
    "timeout": (
        ("--timeout",),
        {"type": limit, "metavar": "DURATION", "help": "Give an operation up after e.g. 90, 90s or 5m."},
    ),
    "grace": (
        ("--grace",),
        {
            "type": duration,
            "metavar": "DURATION",
            "help": "Give up what runs so long after an interrupt; the next run looks at it.",
        },
    ),
    "lock_timeout": (
        ("--lock-timeout",),
        {
            "type": duration,
            "metavar": "DURATION",
            "help": "Wait so long for another run that holds the state. [0]",
        },
    ),
    "no_adopt": (("--no-adopt",), {"is_flag": True, "help": "Take nothing over that exists and isn't recorded."}),
    "output": (
        ("--output",),
        {"type": click.Choice(["text", "json"]), "help": "json: one document on stdout, the log on stderr. [text]"},
    ),
}


TIMES: Final = ("timeout", "grace", "lock_timeout")
"""The options of `Chosen` that mean something to the commands that change resources."""


def shared(*shown: str) -> Callable[[Decorated], Decorated]:
    """Let a command take the options of `Chosen`; its help shows those that mean something to it."""

    def decorate(function: Decorated) -> Decorated:
        for name, (flags, attributes) in reversed(SHARED.items()):
            hidden = name not in shown
            option = click.option(name, *flags, **attributes, callback=_choose, expose_value=False, hidden=hidden)
            function = option(function)
        return function

    return decorate


@click.command(cls=Root, table=COMMANDS)
@shared(*SHARED)
def root() -> None:
    """Take the options that stand before the command."""


def start(arguments: Sequence[str], group: click.Group = root) -> int:
    """Run a command line; returns the exit code."""
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr.reconfigure(errors="replace")  # a terminal may know few characters
    try:
        code: int | None = group.main(list(arguments), prog_name="dtm", standalone_mode=False)
    except click.UsageError as error:
        text, place = error.format_message().rstrip("."), error.ctx.command_path if error.ctx else "dtm"
        return complain(text if text.endswith("?") else f"{text}; `{place} --help` shows how it is used", 2)
    except click.Abort:
        return complain("interrupted", 130)
    return code or 0
