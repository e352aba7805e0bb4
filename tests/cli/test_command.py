"""Tests of `dtm_sdk.cli.command`: names of commands, options before and after them, and what goes wrong with both."""

from importlib import import_module

import click
import pytest
from click.testing import CliRunner

from dtm_sdk.cli import COMMANDS, dispatch, usage
from dtm_sdk.cli.command import SHARED, Chosen, Lazy, Root, chosen, root, shared, start
from dtm_sdk.errors import ConfigError, PluginError, Problem, UsageError

CASES = [
    ([], [], Chosen()),
    (["-f", "a"], [], Chosen(config_file="a")),
    ([], ["--config-file", "a"], Chosen(config_file="a")),
    (["-f", "a"], ["-f", "b"], Chosen(config_file="b")),
    (["-y", "-d", "-p", "x"], ["--parallelism", "3"], Chosen(yes=True, debug=True, plugin_dir="x", parallelism=3)),
    (["--parallelism", "3"], ["--parallelism", "4", "--no-adopt"], Chosen(parallelism=4, no_adopt=True)),
    (["--output", "json"], [], Chosen(output="json")),
    (["--output", "json"], ["--output", "text"], Chosen(output="text")),
    (["--timeout", "5m", "--grace", "0"], ["--timeout", "30s"], Chosen(timeout=30, grace=0)),
    ([], ["--lock-timeout", "1.5"], Chosen(lock_timeout=1.5)),
    (["-yd"], ["-f=x"], Chosen(yes=True, debug=True, config_file="=x")),
]


@pytest.mark.parametrize(("before", "after", "expected"), CASES)
def test_options_count_before_and_after_the_command_and_the_later_wins(
    before: list[str], after: list[str], expected: Chosen
) -> None:
    @click.group()
    @shared(*SHARED)
    def group() -> None:
        pass

    @group.command()
    @shared()
    def inner() -> None:
        found.append(chosen())

    found: list[Chosen] = []
    result = CliRunner().invoke(group, [*before, "inner", *after])
    assert (result.exit_code, found) == (0, [expected])


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_it_does_and_takes_the_shared_options(name: str) -> None:
    command = root.get_command(click.Context(root), name)
    assert command is not None
    assert command.name == "command"
    assert f"  {name}" in usage()
    flags = {flag for parameter in command.params for flag in parameter.opts}
    assert flags >= {flag for flags, _ in SHARED.values() for flag in flags}
    assert command.help
    for module, _ in command.table.values() if isinstance(command, Lazy) else ():
        assert import_module(module).command.help


def test_the_help_of_a_group_names_its_commands(capfd: pytest.CaptureFixture[str]) -> None:
    for arguments in (["list", "--help"], ["show", "--help"]):
        assert dispatch(arguments) == 0
    said = capfd.readouterr().out
    assert "plugins  List the plugins that can be used." in said
    assert "status  Show what each recorded tool is like now." in said


def test_the_help_names_every_option() -> None:
    for flags, _ in SHARED.values():
        assert ", ".join(flags) in usage()


def test_the_help_fits_a_terminal() -> None:
    assert max(map(len, usage().splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["install"], "there is no command 'install', did you mean `dtm apply`?"),
        (["instal"], "there is no command 'instal', did you mean `dtm apply`?"),
        (["aply"], "there is no command 'aply', did you mean `dtm apply`?"),
        (["show", "statsu"], "there is no command 'statsu', did you mean `dtm show status`?"),
        (["zzzzz"], "there is no command 'zzzzz'; `dtm --help` shows how it is used"),
        (["a\nb\x1b"], r"there is no command 'a\nb\x1b'; `dtm --help` shows how it is used"),
        ([], "Missing command; `dtm --help` shows how it is used"),
        (["list"], "Missing command; `dtm list --help` shows how it is used"),
        (["apply", "--forse"], "--forse"),
        (["apply", "--parallelism", "0"], "Invalid value for '--parallelism': 0 is not in the range x>=1; `dtm apply"),
        (["apply", "--parallelism", "many"], "Invalid value for '--parallelism': 'many' is not a valid integer"),
        (["apply", "--timeout", "0s"], "Invalid value for '--timeout': nothing can be done in no time"),
        (["apply", "--output", "xml"], "Invalid value for '--output': 'xml' is not one of 'text', 'json'; `dtm apply"),
        (["apply", "extra"], "Got unexpected extra argument (extra); `dtm apply --help` shows"),
        (["-f"], "Option '-f' requires an argument; `dtm --help` shows"),
        (["completion", "tcsh"], "'tcsh' is not one of"),
        (["list", "plugins", "-r", "("], "'(' is no regular expression"),
        (["show", "config"], "Missing option '--plugin'"),
        (["show", "config", "--plugin", "none"], "plugin 'none' is neither installed nor in .devstream; "),
    ],
)
def test_wrong_usage_is_one_line_on_stderr_and_exit_code_2(
    arguments: list[str], said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert dispatch(arguments) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("Error: ")
    assert said in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (UsageError("no", "do"), 2, ["Error: no; do"]),
        (PluginError("no\x1b[2J\nforged"), 1, [r"Error: no\x1b[2J\nforged"]),
        (
            ConfigError([Problem("c:1:1", "a"), Problem("c:2:1", "b")]),
            2,
            ["Error: c:1:1: a", "Error: c:2:1: b", "Error: the config has 2 problems"],
        ),
        (ConfigError([Problem("c:1:1", "a")]), 2, ["Error: c:1:1: a"]),
        (
            KeyError("x"),
            1,
            ["Error: this is a bug of dtm, please report it with what `-d` shows: KeyError: 'x'"],
        ),
    ],
)
def test_what_a_command_raises_is_told_in_lines(
    error: Exception, code: int, said: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    @click.group(cls=Root, table={"version": ("dtm_sdk.cli.version", "")})
    @shared(*SHARED)
    def group() -> None:
        raise error

    assert start(["-d", "version"], group) == code
    assert start(["version"], group) == code
    lines = capfd.readouterr().err.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-len(said) :] == said
    assert sum(line.startswith("Traceback") for line in lines) == 1
