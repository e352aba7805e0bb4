"""Tests of `dtm_sdk.cli.console`: what a terminal gets."""

import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from threading import Timer

import pytest

from tests.workplace import Workplace

COLOR = re.compile(r"\x1b\[\d+m")


def terminal(
    workplace: Workplace,
    *arguments: str,
    keys: Sequence[tuple[str, str | signal.Signals]] = (),
    env: Mapping[str, str] | None = None,
    code: int = 0,
) -> str:
    """What the command prints on a terminal.

    Args:
        workplace: where it runs.
        arguments: its arguments.
        keys: what is typed, or sent, each time after a text was printed.
        env: variables of its environment.
        code: its exit code.
    """
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "dtm_sdk", *arguments],
        cwd=workplace.folder,
        env={**workplace.environment, "TERM": "xterm", **(env or {})},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        timer = Timer(60, process.kill)  # else what reads from it would wait for ever
        timer.start()
        left, printed = list(keys), b""
        while chunk := read(ours):
            printed += chunk
            if left and left[0][0] in printed.decode(errors="replace"):
                key = left.pop(0)[1]
                if isinstance(key, str):
                    os.write(ours, key.encode())
                else:
                    process.send_signal(key)
        os.close(ours)
        timer.cancel()
        assert process.wait(60) == code
        assert not left
    return printed.decode().replace("\r\n", "\n")


def read(terminal: int) -> bytes:
    """What was printed since the last time; empty once nobody prints any more."""
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""


def config(count: int) -> str:
    """A config with so many tools."""
    tools = (f"- {{name: t{at}, plugin: localfile, options: {{filename: t{at}.txt}}}}\n" for at in range(count))
    return f"tools:\n{''.join(tools)}"


def test_a_terminal_gets_colours(workplace: Workplace) -> None:
    workplace.config(config(1))
    printed = terminal(workplace, "apply", "-y")
    assert re.search(r"^[-\d]+ [:\d]+ \x1b\[32m✔ \[SUCCESS\]  \x1b\[0mApply finished\.$", printed, re.MULTILINE)


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_it_gets_none_where_they_are_not_wanted(workplace: Workplace, name: str, value: str) -> None:
    workplace.config(config(1))
    assert not COLOR.search(terminal(workplace, "apply", "-y", env={name: value}))


def test_what_is_no_terminal_gets_neither_colours_nor_a_bar(workplace: Workplace) -> None:
    workplace.config(config(30))
    assert "\x1b" not in workplace.run("apply", "-y").stdout


def test_the_question_is_answered_on_the_terminal(workplace: Workplace) -> None:
    workplace.config(config(1))
    printed = terminal(workplace, "apply", keys=[("[y/n]", "y\n")])
    assert "Continue? [y/n] " in printed
    assert workplace.files() == {"t0.txt"}
    assert "Nothing was changed." in terminal(workplace, "destroy", keys=[("[y/n]", "\n")])
    assert workplace.files() == {"t0.txt"}


def test_long_work_shows_a_bar_and_every_line(workplace: Workplace) -> None:
    workplace.config(config(30))
    printed = terminal(workplace, "apply", "-y")
    assert "━" in printed
    assert printed.count("Create done.") == 30
    assert len(workplace.files()) == 30


def test_without_rich_there_is_no_bar_and_all_else_is_the_same(workplace: Workplace) -> None:
    workplace.config(config(30))
    (workplace.folder / "rich.py").touch()  # found first: the working directory comes first where `-m` is used
    printed = terminal(workplace, "apply", "-y")
    assert "━" not in printed
    assert printed.count("Create done.") == 30


def test_a_secret_that_is_recorded_nowhere_is_asked_for_and_not_shown(workplace: Workplace) -> None:
    workplace.config("tools:\n- {name: c, plugin: probe, options: {name: c, token: hunter2-hunter2}}\n")
    assert workplace.run("apply", "-y").returncode == 0
    workplace.config("tools: []\n")
    printed = terminal(workplace, "apply", "-y", keys=[("needs its secret token", "hunter2-hunter2\n")])
    assert "Plugin c (probe) delete done." in printed
    assert "hunter2" not in printed
    assert workplace.files() == set()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_at_the_question_for_a_secret_ends_the_run(workplace: Workplace, number: signal.Signals) -> None:
    workplace.config("tools:\n- {name: c, plugin: probe, options: {name: c, token: hunter2-hunter2}}\n")
    assert workplace.run("apply", "-y").returncode == 0
    workplace.config("tools: []\n")
    printed = terminal(workplace, "apply", "-y", keys=[("needs its secret token", number)], code=130)
    assert "Apply interrupted" in printed
    assert workplace.files() == {"c.probe"}
