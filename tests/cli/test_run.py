"""Tests of `dtm_sdk.cli.run`: the commands that need the runner, with their lines, documents and exit codes."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.workplace import Workplace, run_without_reader

INFO = "\N{INFORMATION SOURCE} [INFO]"
ONE = "tools:\n- {name: a, plugin: localfile, options: {filename: a.txt, content: old}}\n"
TWO = f"{ONE}- {{name: b, plugin: localfile, options: {{filename: b.txt}}}}\n"


def texts(output: str) -> list[str]:
    """The lines of a log without their times."""
    return [line[20:] if line[:2] == "20" else line for line in output.splitlines()]


def document(workplace: Workplace, *arguments: str, stdin: str = "") -> dict[str, Any]:
    """The document that a command prints, which must be all that it prints."""
    done = workplace.run(*arguments, "--output", "json", stdin=stdin)
    value: dict[str, Any] = json.loads(done.stdout)
    assert value["exit_code"] == done.returncode
    return value


def test_plan_shows_each_change_value_by_value_and_changes_nothing(workplace: Workplace) -> None:
    workplace.config(ONE)
    done = workplace.run("plan")
    assert done.returncode == 0
    assert texts(done.stdout) == [
        f"{INFO}  Plan started.",
        f"{INFO}  Using dir <.devstream> to store plugins.",
        f"{INFO}  Tool a (localfile) found in config but doesn't exist in the state, will be created.",
        '    filename: (none) -> "a.txt"',
        '    content: (none) -> "old"',
        f"{INFO}  Plan: 1 to create.",
        "✔ [SUCCESS]  Plan finished.",
    ]
    assert workplace.files() == set()
    assert {path.name for path in workplace.folder.iterdir()} == {".devstream", "config.yaml"}


HEAVY = (
    "asyncio boto3 cookiecutter copier difflib hashlib importlib.metadata jinja2 json pytest rich stamina subprocess "
    "tempfile yaml"
)
"""What an apply with nothing to do can do without; `yaml` where the config is of the simplest form."""


def test_an_apply_with_nothing_to_do_imports_no_more_than_it_needs(workplace: Workplace) -> None:
    workplace.config("tools:\n- name: a\n  plugin: localfile\n  options:\n    filename: a.txt\n")
    assert workplace.run("apply", "-y").returncode == 0
    code = (
        "import sys; bare = set(sys.modules)\n"
        "from dtm_sdk.cli import dispatch; assert dispatch(['-y', 'apply']) == 0\n"
        f"print(sorted(set({HEAVY!r}.split()) & (set(sys.modules) - bare)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=workplace.folder,
        env=workplace.environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "[]\n")
    assert "There is nothing to do." in done.stdout


def test_exit_code_3_says_that_changes_are_pending(workplace: Workplace) -> None:
    workplace.config(ONE)
    assert workplace.run("plan", "--exit-code").returncode == 3
    assert workplace.run("verify").returncode == 3
    assert workplace.run("apply", "-y").returncode == 0
    assert workplace.run("plan", "--exit-code").returncode == 0
    done = workplace.run("verify")
    assert done.returncode == 0
    assert texts(done.stdout)[-1] == "✔ [SUCCESS]  Verify succeeded."


@pytest.mark.parametrize(
    ("stdin", "agreed"), [("y\n", True), ("YES\n", True), ("n\n", False), ("\n", False), ("", False), ("yep", False)]
)
def test_apply_asks_first_and_only_yes_is_yes(workplace: Workplace, stdin: str, agreed: bool) -> None:  # noqa: FBT001
    workplace.config(ONE)
    done = workplace.run("apply", stdin=stdin)
    assert done.returncode == 0
    assert "Continue? [y/n] \n" in done.stdout
    assert '    content: (none) -> "old"' in done.stdout
    assert workplace.files() == ({"a.txt"} if agreed else set())
    assert ("Nothing was changed." in done.stdout) is not agreed
    assert ("give -y" in done.stdout) is (stdin == "")


def test_an_answer_that_is_no_text_is_no(workplace: Workplace) -> None:
    workplace.config(ONE)
    done = workplace.run("apply", stdin="\xff\n", env={"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, workplace.files()) == (0, set())


def test_nothing_is_asked_where_there_is_nothing_to_do(workplace: Workplace) -> None:
    workplace.config(ONE)
    workplace.run("apply", "-y")
    done = workplace.run("apply")
    assert texts(done.stdout)[2:] == [
        f"{INFO}  No changes done since last apply. There is nothing to do.",
        "✔ [SUCCESS]  Apply finished.",
    ]


def test_an_update_shows_what_differs(workplace: Workplace) -> None:
    workplace.config(ONE)
    workplace.run("apply", "-y")
    workplace.config(ONE.replace("old", '"two\\nlines"'))
    assert texts(workplace.run("plan").stdout)[2:-2] == [
        f"{INFO}  Tool a (localfile) config drifted from the state, will be updated.",
        "    content:",
        "        @@ -1 +1,2 @@",
        "        -old",
        "        +two",
        "        +lines",
    ]


def test_a_failure_is_told_and_the_rest_goes_on(workplace: Workplace) -> None:
    failing = "- {name: c, plugin: probe, options: {name: c, fails: no space}}\n"
    dependent = "- {name: d, plugin: probe, dependsOn: [c.probe], options: {name: d}}\n"
    workplace.config(f"{ONE}{failing}{dependent}")
    done = workplace.run("apply", "-y", "--parallelism", "1")
    assert done.returncode == 1
    assert workplace.files() == {"a.txt"}
    said = texts(done.stdout)
    assert "✖ [ERROR]  Plugin c(probe) Create failed: no space" in said
    assert "✔ [SUCCESS]  Plugin a(localfile) Create done." in said
    assert "⚠ [WARNING]  Tool d (probe) skipped: c.probe failed" in said
    assert said[-3:] == [
        f"{INFO}  {'-' * 20} [  Processing done.  ] {'-' * 20}",
        "✖ [ERROR]  some error(s) occurred during plugins apply process.",
        "✖ [ERROR]  Apply failed => 1 done, 2 failed or skipped.",
    ]
    assert "Traceback" not in done.stdout + done.stderr


def test_a_bug_of_a_plugin_shows_its_traceback_in_the_debug_log_alone(workplace: Workplace) -> None:
    workplace.config("tools:\n- {name: c, plugin: probe, options: {name: c, fails: bug}}\n")
    assert "Traceback" not in workplace.run("apply", "-y").stdout
    done = workplace.run("apply", "-y", "-d")
    assert done.returncode == 1
    assert any(line.startswith("λ [DEBUG]  c.probe: Traceback") for line in texts(done.stdout))


@pytest.mark.parametrize("state", ["{backend: s4}", "{backend: local, options: {statefile: a}}", "{backend: s3}"])
def test_a_backend_that_can_not_be_is_a_wrong_config(workplace: Workplace, state: str) -> None:
    workplace.config(f"config: {{state: {state}}}\n{ONE}")
    done = workplace.run("apply", "-y")
    assert done.returncode == 2
    assert "config.state" in done.stdout + done.stderr


def test_so_does_a_bug_of_its_read(workplace: Workplace) -> None:
    workplace.config("tools:\n- {name: c, plugin: probe, options: {name: c, fails: bug in read}}\n")
    assert "Traceback" not in workplace.run("plan").stdout
    done = workplace.run("plan", "-d")
    assert done.returncode == 1
    assert any(line.startswith("λ [DEBUG]  c.probe: Traceback") for line in texts(done.stdout))


def test_what_a_plugin_says_is_its_tools_lines_and_can_forge_none(workplace: Workplace) -> None:
    forged = "✔ [SUCCESS]  Apply finished."
    workplace.config(f'tools:\n- {{name: c, plugin: probe, options: {{name: c, says: "x\\n{forged}ESC[2J"}}}}\n')
    done = workplace.run("apply", "-y")
    said = texts(done.stdout)
    assert any(line.endswith(f"c.probe: {forged}\\x1b[2J") for line in said)
    assert said.count(forged) == 1
    assert "\x1b" not in done.stdout
    assert "the probe is imported" not in done.stdout


def test_delete_and_destroy_take_away_what_is_recorded(workplace: Workplace) -> None:
    workplace.config(TWO)
    workplace.run("apply", "-y")
    workplace.config(ONE)
    assert workplace.run("delete", "-y").returncode == 0
    assert workplace.files() == {"b.txt"}
    done = workplace.run("delete", "-y")
    assert "Nothing needs to be deleted. There is nothing to do." in done.stdout
    assert workplace.run("destroy", stdin="y\n").returncode == 0
    assert workplace.files() == set()
    assert "No tools have been deployed now. There is nothing to do." in workplace.run("destroy", "-y").stdout


def test_force_deletes_what_is_not_recorded(workplace: Workplace) -> None:
    workplace.config(ONE)
    (workplace.folder / "a.txt").write_text("there before")
    workplace.run("delete", "-y")
    assert workplace.files() == {"a.txt"}
    assert workplace.run("delete", "-y", "--force").returncode == 0
    assert workplace.files() == set()


def test_no_adopt_leaves_what_exists_alone(workplace: Workplace) -> None:
    workplace.config(ONE)
    (workplace.folder / "a.txt").write_text("there before")
    done = workplace.run("--no-adopt", "apply", "-y")
    assert done.returncode == 1
    assert "drop --no-adopt" in done.stdout
    assert (workplace.folder / "a.txt").read_text() == "there before"


def test_json_is_one_document_and_the_log_goes_to_stderr(workplace: Workplace) -> None:
    workplace.config("tools:\n- {name: c, plugin: probe, options: {name: c, says: child}}\n")
    done = workplace.run("apply", "-y", "--output", "json")
    value = json.loads(done.stdout)
    assert "Apply finished." in done.stderr
    assert "said by a child" in done.stderr
    (change,) = value.pop("plan")["changes"]
    assert change["action"] == "Create"
    assert change["messages"] == ["Tool c (probe) found in config but doesn't exist in the state, will be created."]
    assert {"path": "says", "after": "child"} in change["differences"]
    assert value == {
        "command": "apply",
        "outcomes": [{"key": "c.probe", "name": "c", "plugin": "probe", "outcome": "done", "action": "Create"}],
        "declined": False,
        "interrupted": False,
        "error": None,
        "exit_code": 0,
    }


def test_json_tells_every_other_end_too(workplace: Workplace) -> None:
    workplace.config(ONE)
    assert document(workplace, "apply")["declined"]
    assert document(workplace, "verify")["exit_code"] == 3
    workplace.config("tools:\n- {name: c, plugin: probe, options: {name: c, fails: no}}\n")
    (outcome,) = document(workplace, "apply", "-y")["outcomes"]
    assert (outcome["outcome"], outcome["because"]) == ("failed", "no")
    workplace.config("tools: 1\n")
    wrong = document(workplace, "apply", "-y")
    assert (wrong["plan"], wrong["error"]["kind"], wrong["exit_code"]) == (None, "ConfigError", 2)
    assert wrong["error"]["problems"][0]["where"].startswith("config.yaml:1:")


def test_secrets_show_nowhere(workplace: Workplace) -> None:
    text = "tools:\n- {name: c, plugin: probe, options: {name: c, token: hunter2-hunter2, says: token}}\n"
    workplace.config(text)
    for arguments in (["plan"], ["plan", "--output", "json"], ["apply", "-yd"], ["show", "status", "-a"], ["destroy"]):
        done = workplace.run(*arguments)
        assert "hunter2" not in done.stdout + done.stderr
    assert "token: (none) -> (secret)" in workplace.run("plan").stdout or workplace.files() == {"c.probe"}


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (None, "config.yaml"),
        ("tools: [", "config.yaml:"),
        ("tools:\n- {name: a, plugin: localfil, options: {}}\n", "did you mean 'localfile'"),
    ],
)
def test_a_wrong_config_is_exit_code_2_and_a_line_that_says_where(
    workplace: Workplace, config: str | None, said: str
) -> None:
    if config is not None:
        workplace.config(config)
    done = workplace.run("apply", "-y")
    last = texts(done.stdout)[-1]
    assert done.returncode == 2
    assert last.startswith("✖ [ERROR]  Apply failed => ")
    assert said in last
    assert done.stderr == ""


def test_every_problem_of_a_config_has_its_line(workplace: Workplace) -> None:
    workplace.config("tools:\n- {name: a, plugin: localfile, options: {}}\n- {name: A, plugin: localfile}\n")
    done = workplace.run("apply", "-y")
    said = [line for line in texts(done.stdout) if "[ERROR]" in line]
    assert done.returncode == 2
    assert len(said) > 2
    assert all(line.startswith("✖ [ERROR]  config.yaml:") for line in said[:-1])
    assert said[-1] == f"✖ [ERROR]  Apply failed => the config has {len(said) - 1} problems"


def test_a_traceback_is_shown_where_it_was_asked_for(workplace: Workplace) -> None:
    workplace.config("tools:\n- {name: a, plugin: probe, options: {name: a}}\n")
    (workplace.folder / ".devstream" / "dtm_probe.py").write_text("import not_there\n")
    assert "Traceback" not in workplace.run("plan").stderr
    done = workplace.run("plan", "-d")
    assert "Traceback" in done.stderr
    assert done.stdout.count("No module named 'not_there'") == 1


def test_a_document_that_cannot_be_written_is_exit_code_1_with_the_work_done(workplace: Workplace) -> None:
    workplace.config(ONE)
    command = f"{sys.executable} -m dtm_sdk apply -y --output json >&-"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=workplace.folder,
        env=workplace.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.splitlines()[-1]) == (1, "Error: stdout is closed")
    assert workplace.files() == {"a.txt"}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="macOS has no /dev/full")
def test_a_log_that_cannot_be_written_stops_no_work_but_is_told(workplace: Workplace) -> None:
    workplace.config(TWO)
    command = f"{sys.executable} -m dtm_sdk apply -y"
    done = subprocess.run(
        ["bash", "-c", f"{command} >/dev/full"],
        cwd=workplace.folder,
        env=workplace.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "Error: the log can't be written: No space left on device\n")
    assert workplace.files() == {"a.txt", "b.txt"}


def test_a_reader_that_leaves_stops_no_work(workplace: Workplace) -> None:
    workplace.config(TWO)
    command = [sys.executable, "-m", "dtm_sdk", "apply", "-y"]
    done = run_without_reader(command, cwd=workplace.folder, env=workplace.environment)
    assert (done.returncode, done.stderr) == (0, b"")
    assert workplace.files() == {"a.txt", "b.txt"}


CHAIN = """\
tools:
- {name: a, plugin: probe, options: {name: NAME}}
- {name: b, plugin: probe, options: {name: "${{ a.probe.outputs.id }}"}}
"""


def test_a_replace_that_is_decided_late_is_asked_about_again(workplace: Workplace) -> None:
    workplace.config(CHAIN.replace("NAME", "one"))
    assert workplace.run("apply", "-y").returncode == 0
    workplace.config(CHAIN.replace("NAME", "two"))
    done = workplace.run("apply", stdin="y\nn\n")
    assert done.stdout.count("Continue? [y/n] ") == 2
    first, _, second = done.stdout.partition("Tool b (probe) changed its identity, will be replaced.")
    assert "Create done." in first
    assert '    name: "ONE" -> "TWO"' in second
    assert "Plugin b(probe) Replace skipped: declined" in second
    assert (done.returncode, workplace.files()) == (1, {"two.probe", "ONE.probe"})
    assert workplace.run("apply", "-y").returncode == 0
    assert workplace.files() == {"two.probe", "TWO.probe"}


def interrupt_at_question(workplace: Workplace, number: int) -> str:
    """Run apply, answer yes to all questions before that one, press Ctrl-C there; what was printed."""
    with workplace.start("apply") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        said = ""
        for answered in range(number):
            if answered:
                process.stdin.write("y\n")
                process.stdin.flush()
            while not said.endswith("Continue? [y/n] "):
                char = process.stdout.read(1)
                assert char, said
                said += char
            said += "\n"
        process.send_signal(signal.SIGINT)
        said += process.stdout.read()
        assert process.wait(30) == 130
        assert "Traceback" not in process.stderr.read()
    return said


def test_an_interrupt_at_the_question_ends_the_run_with_nothing_done(workplace: Workplace) -> None:
    workplace.config(ONE)
    assert interrupt_at_question(workplace, 1).endswith("✖ [ERROR]  Apply interrupted.\n")
    assert workplace.files() == set()


def test_an_interrupt_at_a_late_question_leaves_what_was_done_recorded(workplace: Workplace) -> None:
    workplace.config(CHAIN.replace("NAME", "one"))
    workplace.run("apply", "-y")
    workplace.config(CHAIN.replace("NAME", "two"))
    assert "Apply interrupted => " in interrupt_at_question(workplace, 2)
    assert workplace.files() == {"two.probe", "ONE.probe"}
    assert workplace.run("show", "status").stdout.splitlines() == ["a (probe): in sync", "b (probe): in sync"]


def test_the_plugin_folder_may_be_another_one(workplace: Workplace) -> None:
    workplace.config(ONE)
    Path(workplace.folder / ".devstream").rename(workplace.folder / "more")
    done = workplace.run("-p", "more", "apply", "-y")
    assert done.returncode == 0
    assert "Using dir <more> to store plugins." in done.stdout
