"""Tests of `dtm show status` and of `dtm_sdk.status`, which finds it out."""

import json
import os
import signal

from tests.workplace import Workplace

CONFIG = """\
tools:
- {name: a, plugin: localfile, options: {filename: a.txt, content: old}}
- {name: b, plugin: localfile, options: {filename: b.txt}}
- {name: c, plugin: probe, options: {name: c, token: hunter2-hunter2}}
"""


def test_nothing_recorded_is_said(workplace: Workplace) -> None:
    workplace.config(CONFIG)
    done = workplace.run("show", "status")
    assert (done.returncode, done.stdout) == (0, "No tools have been deployed now.\n")
    assert json.loads(workplace.run("show", "status", "--output", "json").stdout) == []


def test_each_tool_is_in_sync_drifted_or_gone(workplace: Workplace) -> None:
    workplace.config(CONFIG)
    workplace.run("apply", "-y")
    assert workplace.run("show", "status").stdout.splitlines() == [
        "a (localfile): in sync",
        "b (localfile): in sync",
        "c (probe): in sync",
    ]
    (workplace.folder / "a.txt").write_text("new")
    (workplace.folder / "b.txt").unlink()
    before = (workplace.folder / "devstream.state").read_bytes()
    done = workplace.run("show", "status")
    assert done.stdout.splitlines() == [
        "a (localfile): drifted",
        '    content: "old" -> "new"',
        "b (localfile): gone",
        "c (probe): in sync",
    ]
    assert done.returncode == 0
    assert (workplace.folder / "devstream.state").read_bytes() == before


def test_all_shows_options_and_resource_without_secrets(workplace: Workplace) -> None:
    workplace.config(CONFIG)
    workplace.run("apply", "-y")
    done = workplace.run("show", "status", "-a")
    assert done.stdout.splitlines()[-7:] == [
        "    options:",
        '      name: "c"',
        '      token: "(secret)"',
        "    resource:",
        '      name: "c"',
        "      outputs:",
        '        id: "C"',
    ]


def test_json_holds_the_same(workplace: Workplace) -> None:
    workplace.config(CONFIG)
    workplace.run("apply", "-y")
    (workplace.folder / "a.txt").write_text("new")
    value = json.loads(workplace.run("show", "status", "-a", "--output", "json").stdout)
    assert value[0] == {
        "key": "a.localfile",
        "name": "a",
        "plugin": "localfile",
        "status": "drifted",
        "error": "",
        "options": {"filename": "a.txt", "content": "old"},
        "recorded": {"filename": "a.txt", "content": "old"},
        "resource": {"filename": "a.txt", "content": "new"},
    }
    assert value[2]["options"] == {"name": "c", "token": "(secret)"}
    assert "options" not in json.loads(workplace.run("show", "status", "--output", "json").stdout)[0]


def test_a_tool_that_cannot_be_read_is_told_and_is_exit_code_1(workplace: Workplace) -> None:
    workplace.config(CONFIG)
    workplace.run("apply", "-y")
    (workplace.folder / "c.probe").write_text("no json")
    done = workplace.run("show", "status")
    assert done.returncode == 1
    assert done.stdout.splitlines()[2].startswith("c (probe): unreadable: ")
    assert "Traceback" not in done.stdout + done.stderr


def test_a_tool_that_has_left_the_config_is_shown_too(workplace: Workplace) -> None:
    workplace.config(CONFIG)
    workplace.run("apply", "-y")
    workplace.config("tools: []\n")
    assert len(workplace.run("show", "status").stdout.splitlines()) == 3


def test_what_a_plugin_says_goes_to_stderr(workplace: Workplace) -> None:
    workplace.config("tools:\n- {name: c, plugin: probe, options: {name: c, says: read}}\n")
    workplace.run("apply", "-y")
    done = workplace.run("show", "status", "--output", "json")
    assert json.loads(done.stdout)[0]["status"] == "in sync"
    assert "c.probe: c is read" in done.stderr


def test_an_interrupt_ends_it_though_a_plugin_hangs(workplace: Workplace) -> None:
    workplace.config("tools:\n- {name: c, plugin: probe, options: {name: c, says: hang}}\n")
    workplace.run("apply", "-y")
    os.mkfifo(workplace.folder / "hang")
    with workplace.start("show", "status") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        while "c is read" not in (line := process.stderr.readline()):
            assert line
        process.send_signal(signal.SIGINT)
        named, said = filter(None, process.stderr.read().splitlines())
        assert named.endswith("Interrupted while reading c.probe.")
        assert said == "Error: interrupted"
        assert (process.wait(30), process.stdout.read()) == (130, "")
