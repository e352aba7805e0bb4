"""What hangs is named, given up when it was to be, and never waited for; an interrupt ends every command."""

import ctypes
import re
import signal
import sys
from pathlib import Path

import pytest

from tests.gated import (
    Gate,
    hold_that_a_program_has_the_state_until_it_ends,
    hold_that_nobody_gets_the_state_while_a_plugin_may_act,
    install,
    said_until,
    under_way,
)
from tests.workplace import Workplace

ONE = "tools:\n- {name: a, plugin: slow, options: {name: a}}\n"
TWO = f"{ONE}- {{name: b, plugin: slow, dependsOn: [a.slow], options: {{name: b}}}}\n"
BESIDE = f"{ONE}- {{name: c, plugin: slow, options: {{name: c}}}}\n"

SIGNALS = [signal.SIGINT, signal.SIGTERM]


@pytest.fixture
def place(workplace: Workplace) -> Workplace:
    """A workplace with plugins that hang: in threads that Python would wait for."""
    install(workplace)
    return workplace


@pytest.mark.parametrize("command", ["plan", "verify", "apply -y", "state adopt a.slow -y"])
@pytest.mark.parametrize("number", SIGNALS)
def test_an_interrupt_while_a_read_hangs_ends_the_command_and_names_it(
    place: Workplace, command: str, number: signal.Signals
) -> None:
    place.config(ONE)
    with under_way(place, "read-a", command=command.split()) as (process, _):
        process.send_signal(number)
        said_until(process, "Interrupted while reading a.slow.")
        assert process.wait(30) == 130


@pytest.mark.skipif(sys.platform != "linux", reason="a signal is sent to one thread by a call of Linux")
@pytest.mark.parametrize(("where", "says"), [("read-a", "reading a.slow."), ("a", "waiting for a.slow ")])
def test_a_signal_that_does_not_wake_the_main_thread_is_seen_all_the_same(
    place: Workplace, where: str, says: str
) -> None:
    place.config(ONE)
    with under_way(place, where) as (process, gate):
        threads = {int(path.name) for path in Path(f"/proc/{process.pid}/task").iterdir()}
        thread = (threads - {process.pid}).pop()
        assert ctypes.CDLL(None, use_errno=True).tgkill(process.pid, thread, signal.SIGTERM) == 0
        assert says in said_until(process, "Interrupted")
        gate.open()
        assert process.wait(30) == 130


@pytest.mark.parametrize("command", ["plan", "verify", "apply -y", "state adopt a.slow -y"])
def test_a_read_that_hangs_is_given_up_after_the_time_it_has(place: Workplace, command: str) -> None:
    place.config(ONE)
    Gate(place.folder, "read-a")
    done = place.run(*command.split(), "--timeout", "0.2s")
    assert done.returncode == 1
    assert re.search(r"Tool a \(slow\) can't be read: no answer after \d+ s", done.stdout + done.stderr)


def test_a_read_that_had_to_wait_for_an_apply_is_given_up_too(place: Workplace) -> None:
    place.config(TWO)
    Gate(place.folder, "read-b")
    done = place.run("apply", "-y", "--timeout", "1s")
    assert done.returncode == 1
    assert "Plugin a(slow) Create done." in done.stdout
    assert re.search(r"Tool b \(slow\) can't be read: no answer after \d+ s\n", done.stdout)
    assert place.run("state", "list").stdout.splitlines()[1:] == ["a.slow  slow"]


@pytest.mark.parametrize("number", SIGNALS)
def test_what_was_given_up_is_not_waited_for_when_the_question_is_interrupted(
    place: Workplace, number: signal.Signals
) -> None:
    place.config(BESIDE)
    Gate(place.folder, "read-a")
    with place.start("apply", "--timeout", "0.2s") as process:
        assert process.stdout is not None
        said = ""
        while not said.endswith("Continue? [y/n] "):
            char = process.stdout.read(1)
            assert char, said
            said += char
        process.send_signal(number)
        assert process.wait(30) == 130


def test_status_tells_of_what_hangs_and_of_all_the_rest(place: Workplace) -> None:
    place.config(BESIDE)
    assert place.run("apply", "-y").returncode == 0
    Gate(place.folder, "read-a")
    done = place.run("show", "status", "--timeout", "0.2s")
    assert done.returncode == 1
    hangs, fine = done.stdout.splitlines()
    assert re.fullmatch(r"a \(slow\): unreadable: no answer after \d+ s", hangs)
    assert fine == "c (slow): in sync"


@pytest.mark.parametrize("number", SIGNALS)
def test_an_interrupt_ends_the_status_whatever_hangs(place: Workplace, number: signal.Signals) -> None:
    place.config(ONE)
    assert place.run("apply", "-y").returncode == 0
    with under_way(place, "read-a", command=["show", "status"]) as (process, _):
        process.send_signal(number)
        assert process.wait(30) == 130


@pytest.mark.parametrize("command", ["delete", "destroy"])
def test_a_delete_ends_before_the_first_interrupt_does_and_is_left_by_the_second(
    place: Workplace, command: str
) -> None:
    place.config(BESIDE)
    assert place.run("apply", "-y").returncode == 0
    with under_way(place, "delete-a", command=[command, "-y"]) as (process, gate):
        process.send_signal(signal.SIGTERM)
        assert "delete a.slow" in said_until(process, "Interrupted: waiting for ")
        gate.open()
        said_until(process, "interrupted => ")
        assert process.wait(30) == 130
    assert not (place.folder / "a.slow").exists()
    place.config(ONE)
    assert place.run("apply", "-y").returncode == 0
    with under_way(place, "delete-a", command=[command, "-y"]) as (process, _):
        process.send_signal(signal.SIGINT)
        assert "delete a.slow" in said_until(process, "Interrupted: waiting for ")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    assert (place.folder / "a.slow").exists()
    assert "delete has begun and not ended" in place.run("state", "list").stdout
    assert place.run(command, "-y").returncode == 0
    assert not (place.folder / "a.slow").exists()


def test_the_state_is_held_until_a_process_whose_plugin_hangs_is_gone(place: Workplace) -> None:
    place.config(ONE)
    hold_that_nobody_gets_the_state_while_a_plugin_may_act(place)
    assert place.run("apply", "-y").returncode == 0
    assert place.run("verify").returncode == 0


def test_a_program_whose_plugin_hangs_holds_the_state_until_it_ends(place: Workplace) -> None:
    place.config(ONE)
    hold_that_a_program_has_the_state_until_it_ends(place, "a", says="1")
    assert place.run("apply", "-y").returncode == 0
    assert place.run("verify").returncode == 0


def test_a_bug_while_an_operation_runs_begins_no_other_and_holds_the_state(place: Workplace) -> None:
    place.config(BESIDE)
    hold_that_a_program_has_the_state_until_it_ends(place, "a", "bug", says="a bug")
    assert not (place.folder / "c.slow").exists()
    assert place.run("apply", "-y").returncode == 0
    assert place.run("verify").returncode == 0
