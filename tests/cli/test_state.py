"""Tests of `dtm state`, and of what makes it needed: runs that are killed, that hang, that are interrupted."""

import json
import re
import signal
from typing import Any

import pytest

from dtm_sdk.cli.command import duration
from tests.gated import Gate, install, said_until, started, under_way
from tests.workplace import Workplace

MANUAL = "tools:\n- {name: m, plugin: manual, options: {content: one}}\n"
SLOW = "tools:\n- {name: a, plugin: slow, options: {name: a}}\n"
TWO = f"{SLOW}- {{name: b, plugin: slow, dependsOn: [a.slow], options: {{name: b}}}}\n"
FILES = """\
tools:
- {name: a, plugin: localfile, options: {filename: a.txt, content: one}}
- {name: b, plugin: localfile, options: {filename: b.txt}}
"""


@pytest.fixture
def place(workplace: Workplace) -> Workplace:
    """A workplace with the two plugins."""
    install(workplace)
    return workplace


def listed(place: Workplace) -> list[dict[str, Any]]:
    """What `dtm state list` says."""
    value: list[dict[str, Any]] = json.loads(place.run("state", "list", "--output", "json").stdout)
    return value


def kill_in_create(place: Workplace) -> None:
    """An apply of the manual plugin, killed when the resource is made and not yet recorded."""
    place.config(MANUAL)
    with under_way(place, "manual") as (process, _):
        process.kill()
        assert process.wait(30) == -signal.SIGKILL


def manuals(place: Workplace) -> set[str]:
    """The resources of the manual plugin."""
    return {path.name for path in place.folder.glob("*.manual")}


def test_after_a_crash_in_a_create_that_nothing_can_find_apply_stops_there_and_says_what_to_do(
    place: Workplace,
) -> None:
    kill_in_create(place)
    place.config(f"{MANUAL}- {{name: f, plugin: localfile, options: {{filename: f.txt}}}}\n")
    for _ in range(2):
        done = place.run("apply", "-y")
        assert done.returncode == 1
        assert (
            "Tool m (manual) was being created when a run died, and its plugin can't find what it made" in done.stdout
        )
        assert "`dtm state adopt m.manual` or `dtm state forget m.manual`" in done.stdout
    assert manuals(place) == {"1.manual"}
    assert (place.folder / "f.txt").exists()
    assert listed(place)[1] == {
        "key": "m.manual",
        "name": "m",
        "plugin": "manual",
        "recorded": False,
        "adopted": False,
        "begun": ["create"],
    }
    table = place.run("state", "list").stdout.splitlines()
    assert [line.split(maxsplit=2) for line in table] == [
        ["KEY", "PLUGIN", "NOTES"],
        ["f.localfile", "localfile"],
        ["m.manual", "manual", "not recorded, create has begun and not ended"],
    ]
    shown = place.run("state", "show", "m.manual").stdout
    assert shown.startswith('# not recorded, create has begun and not ended\nm_manual:\n  name: "m"\n')


@pytest.mark.parametrize("command", ["destroy", "delete", "apply"])
def test_a_crash_in_a_create_that_nothing_can_find_stops_its_delete_too(place: Workplace, command: str) -> None:
    needs = "- {name: f, plugin: localfile, options: {filename: f.txt}}\n"
    place.config(f"{MANUAL.replace('manual,', 'manual, dependsOn: [f.localfile],')}{needs}")
    with under_way(place, "manual") as (process, _):
        process.kill()
        process.wait(30)
    if command == "apply":
        place.config("tools: []\n")
    for _ in range(2):
        done = place.run(command, "-y")
        assert done.returncode == 1
        assert "Tool m (manual) was being created when a run died" in done.stdout
        assert "skipped: m.manual failed" in done.stdout
    assert manuals(place) == {"1.manual"}
    assert (place.folder / "f.txt").exists()
    place.run("state", "forget", "m.manual", "-y")
    assert place.run(command, "-y").returncode == 0
    assert not (place.folder / "f.txt").exists()


@pytest.mark.parametrize("in_config", [True, False])
def test_what_a_crash_left_is_adopted_once_it_is_described(
    place: Workplace,
    in_config: bool,  # noqa: FBT001
) -> None:
    kill_in_create(place)
    if not in_config:
        place.config("tools: []\n")
    assert "give --resource FILE" in place.run("state", "adopt", "m.manual", "-y").stderr
    wrong = place.folder / "wrong.yaml"
    wrong.write_text("outputs: {number: 7}\n")
    done = place.run("state", "adopt", "m.manual", "-y", "--resource", "wrong.yaml")
    assert (done.returncode, "finds no such resource" in done.stderr) == (1, True)
    done = place.run("state", "adopt", "m.manual", "-y", "--resource", "-", stdin='{"nothing": 1}')
    assert (done.returncode, "can't be read: manual's read raised KeyError" in done.stderr) == (1, True)
    assert [each["begun"] for each in listed(place)] == [["create"]]

    done = place.run("state", "adopt", "m.manual", "-y", "--resource", "-", stdin='{\n\t"outputs": {"number": 1}}')
    assert (done.returncode, done.stderr) == (0, "")
    assert "will be recorded as it is, as adopted, and the create that has begun is closed." in done.stdout
    (found,) = listed(place)
    assert (found["recorded"], found["adopted"], found["begun"]) == (True, True, [])
    assert json.loads(place.run("state", "show", "m.manual", "--output", "json").stdout)[0]["resource"] == {
        "content": "one",
        "outputs": {"number": 1},
    }
    place.config(MANUAL)
    assert place.run("verify").returncode == 0
    assert place.run("destroy", "-y").returncode == 0
    assert manuals(place) == set()


def test_what_a_crash_left_is_forgotten_and_made_anew(place: Workplace) -> None:
    kill_in_create(place)
    done = place.run("state", "forget", "m.manual", stdin="n\n")
    assert "nothing looks for what its create may have made" in done.stdout
    assert len(listed(place)) == 1
    assert place.run("state", "forget", "m.manual", stdin="y\n").returncode == 0
    assert listed(place) == []
    assert place.run("apply", "-y").returncode == 0
    assert manuals(place) == {"1.manual", "2.manual"}


def test_an_operation_that_hangs_is_given_up_by_name_and_looked_at_by_the_next_run(place: Workplace) -> None:
    place.config(f"{TWO}- {{name: c, plugin: slow, options: {{name: c}}}}\n")
    gate = Gate(place.folder, "a")
    done = place.run("apply", "-y", "--timeout", "1")
    assert done.returncode == 1
    said = r"Plugin a\(slow\) Create failed: no answer after \d+ s; the next run looks at what came of it"
    assert re.search(said, done.stdout)
    assert "Tool b (slow) skipped: a.slow failed" in done.stdout
    assert "Plugin c(slow) Create done." in done.stdout
    assert [(each["key"], each["begun"]) for each in listed(place)] == [("a.slow", ["create"]), ("c.slow", [])]
    gate.remove()
    assert place.run("apply", "-y").returncode == 0
    assert [each["begun"] for each in listed(place)] == [[], [], []]
    assert place.run("verify").returncode == 0


def test_a_read_that_hangs_is_given_up_by_name_and_the_rest_goes_on(place: Workplace) -> None:
    place.config(f"{TWO}- {{name: c, plugin: slow, options: {{name: c}}}}\n")
    Gate(place.folder, "read-a")
    done = place.run("apply", "-y", "--timeout", "0.5s")
    assert done.returncode == 1
    assert re.search(r"Tool a \(slow\) can't be read: no answer after \d+ s", done.stdout)
    assert "Tool b (slow) isn't touched: it depends on a.slow" in done.stdout
    assert [each["key"] for each in listed(place)] == ["c.slow"]
    assert place.run("verify", "--timeout", "0.5s").returncode == 1


def test_an_interrupt_while_a_read_hangs_ends_the_run_and_names_it(place: Workplace) -> None:
    place.config(SLOW)
    with under_way(place, "read-a") as (process, _):
        process.send_signal(signal.SIGINT)
        said_until(process, "Interrupted while reading a.slow.")
        assert process.wait(30) == 130
    assert listed(place) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_interrupt_lets_what_runs_finish_and_be_recorded(place: Workplace, number: signal.Signals) -> None:
    place.config(TWO)
    with under_way(place, "a") as (process, gate):
        process.send_signal(number)
        said_until(process, "Interrupted: waiting for a.slow")
        gate.open()
        said = said_until(process, "Apply interrupted => 1 done, 1 not done.")
        assert process.wait(30) == 130
    assert "Plugin a(slow) Create done." in said
    assert [(each["key"], each["begun"]) for each in listed(place)] == [("a.slow", [])]
    assert not (place.folder / "b.slow").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_second_interrupt_leaves_at_once_and_the_next_run_converges(
    place: Workplace, number: signal.Signals
) -> None:
    place.config(TWO)
    with under_way(place, "a") as (process, _):
        process.send_signal(signal.SIGINT)
        said_until(process, "Interrupted: waiting for a.slow")
        process.send_signal(number)
        assert process.wait(30) == 130
    assert [(each["key"], each["recorded"], each["begun"]) for each in listed(place)] == [("a.slow", False, ["create"])]
    assert place.run("apply", "-y").returncode == 0
    assert place.run("verify").returncode == 0


def test_after_the_grace_it_leaves_without_a_second_interrupt(place: Workplace) -> None:
    place.config(SLOW)
    with under_way(place, "a", "--grace", "0.1s") as (process, _):
        process.send_signal(signal.SIGTERM)
        said = said_until(process, "Apply interrupted => 0 done, 1 not done.")
        assert process.wait(30) == 130
    assert "Plugin a(slow) Create failed: no answer after" in said
    assert [each["begun"] for each in listed(place)] == [["create"]]


def test_a_run_waits_for_the_lock_as_long_as_it_is_told(place: Workplace) -> None:
    place.config(SLOW)
    with under_way(place, "a") as (process, gate):
        held = place.run("apply", "-y")
        assert held.returncode == 1
        assert f"is held by `dtm apply`, process {process.pid} on " in held.stdout
        with started(place, "destroy", "-y", "--lock-timeout", "1m") as waiting:
            said_until(waiting, f"process {process.pid} on ")
            gate.open()
            assert process.wait(30) == 0
            assert "All plugins destroyed successfully." in waiting.communicate(timeout=60)[0]
    assert listed(place) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_the_waiting_for_the_lock(place: Workplace, number: signal.Signals) -> None:
    place.config(SLOW)
    with (
        under_way(place, "a"),
        # An exception that a signal raises inside of coverage leaves a lock of coverage's held.
        started(place, "apply", "-y", "--lock-timeout", "5m", measured=False) as waiting,
    ):
        said_until(waiting, "; waiting for it, up to 300 s.")
        waiting.send_signal(number)
        assert "Apply interrupted." in waiting.communicate(timeout=60)[0]
        assert waiting.returncode == 130


def test_unlock_says_who_holds_a_local_state_and_that_the_dead_hold_none(place: Workplace) -> None:
    place.config(SLOW)
    with under_way(place, "a") as (process, _):
        done = place.run("state", "unlock", "x")
        assert done.returncode == 1
        assert f"process {process.pid} on " in done.stderr
        assert "that process is alive: wait until it has ended, or end it" in done.stderr
        process.kill()
        process.wait(30)
    done = place.run("state", "unlock", "x")
    assert done.returncode == 0
    assert "Nothing holds devstream.state: such a lock ends with its process." in done.stdout


def test_a_resource_is_adopted_as_it_is_and_the_next_apply_sees_what_differs(place: Workplace) -> None:
    place.config(FILES)
    path = place.folder / "a.txt"
    path.write_text("theirs")
    done = place.run("state", "adopt", "a.localfile")
    assert done.returncode == 0
    assert (
        "Tool a (localfile) will be recorded as it is, as adopted; the next apply updates what differs." in done.stdout
    )
    assert '    content: "theirs" -> "one"' in done.stdout
    assert "give -y" in done.stdout
    assert listed(place) == []
    done = place.run("state", "adopt", "a.localfile", "-y")
    assert (done.returncode, done.stdout.endswith("a.localfile is recorded.\n")) == (0, True)
    assert path.read_text() == "theirs"
    assert [(each["key"], each["adopted"]) for each in listed(place)] == [("a.localfile", True)]
    assert place.run("state", "list").stdout.splitlines()[1].split() == ["a.localfile", "localfile", "adopted"]
    assert '    content: "theirs" -> "one"' in place.run("plan").stdout
    assert place.run("apply", "-y").returncode == 0
    assert (path.read_text(), place.run("verify").returncode) == ("one", 0)
    assert listed(place)[0]["adopted"]


@pytest.mark.parametrize(
    ("key", "code", "said"),
    [
        ("a.localfile", 1, "Tool a (localfile) is recorded already; `dtm apply` brings it to the config"),
        ("b.localfile", 1, "Tool b (localfile): its plugin finds no such resource; if it was never made"),
        ("b.localfil", 2, "the config has no tool b.localfil; did you mean b.localfile?"),
        ("c.localfile", 1, "Tool c (localfile) names the resource that is recorded as a.localfile's"),
        ("d.localfile", 1, "Tool d (localfile) can't be read: "),
    ],
)
def test_what_cannot_be_adopted_is_refused_with_the_reason(place: Workplace, key: str, code: int, said: str) -> None:
    place.config(FILES)
    place.run("apply", "-y")
    place.run("state", "forget", "b.localfile", "-y")
    (place.folder / "b.txt").unlink()
    (place.folder / "d.txt").mkdir()
    more = "".join(
        f"- {{name: {name}, plugin: localfile, options: {{filename: {file}.txt}}}}\n"
        for name, file in [("b", "b"), ("c", "a"), ("d", "d")]
    )
    place.config(f"tools:\n- {{name: z, plugin: localfile, options: {{filename: z.txt}}}}\n{more}")
    if key == "a.localfile":
        place.config(FILES)
    before = (place.folder / "devstream.state").read_bytes()
    done = place.run("state", "adopt", key, "-y")
    assert done.returncode == code
    assert done.stderr.startswith(f"Error: {said}")
    assert (place.folder / "devstream.state").read_bytes() == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1]", "stdin holds no object"),
        ("a: b: c", "stdin:1:5: "),
        ("a: 1\n---\nb: 2\n", "stdin holds no object"),
        ("", "stdin holds no object"),
    ],
)
def test_a_resource_that_is_no_object_is_refused(place: Workplace, text: str, said: str) -> None:
    place.config(MANUAL)
    done = place.run("state", "adopt", "m.manual", "-y", "--resource", "-", stdin=text)
    assert (done.returncode, done.stderr.startswith(f"Error: {said}")) == (2, True), done.stderr
    done = place.run("state", "adopt", "m.manual", "-y", "--resource", "missing.json")
    assert done.stderr.startswith("Error: missing.json can't be read: No such file")


def test_show_prints_records_with_secrets_as_fingerprints(place: Workplace) -> None:
    place.config("tools:\n- {name: m, plugin: manual, options: {token: hunter2-hunter2}}\n")
    place.run("apply", "-y")
    done = place.run("state", "show", "m.manual")
    assert done.returncode == 0
    assert 'token: "secret-hmac-sha256-' in done.stdout
    assert "hunter2" not in done.stdout
    assert done.stdout.startswith('m_manual:\n  name: "m"\n  plugin: "manual"\n  dependsOn: []\n  options:\n')
    assert place.run("state", "show").returncode == 2
    done = place.run("state", "show", "m.manua")
    assert (done.returncode, done.stderr) == (
        2,
        "Error: nothing is recorded of m.manua; did you mean m.manual?\n",
    )


def test_forgetting_leaves_the_resource_and_works_with_a_config_whose_tools_are_wrong(place: Workplace) -> None:
    place.config(FILES)
    place.run("apply", "-y")
    place.config("tools:\n- {name: a, plugin: not-there, options: {}}\n")
    assert "There is no answer, which means no; give -y" in place.run("state", "forget", "a.localfile").stdout
    assert len(listed(place)) == 2
    done = place.run("state", "forget", "a.localfile", "b.localfile", "a.localfile", "-y")
    assert (done.returncode, done.stdout.count("will be forgotten, its resource stays.")) == (0, 2)
    assert done.stdout.endswith("Forgotten: a.localfile, b.localfile.\n")
    assert place.run("state", "list").stdout == "Nothing is recorded.\n"
    assert place.files() == {"a.txt", "b.txt"}


def test_an_edited_state_is_accepted_once_its_differences_are_agreed_to(place: Workplace) -> None:
    place.config(FILES)
    place.run("apply", "-y")
    assert "There is nothing to accept." in place.run("state", "accept", "-y").stdout
    path = place.folder / "devstream.state"
    before = path.read_text()
    path.write_text(before.replace("content: one", "content: other").replace("b_localfile", "c_localfile", 1))
    path.write_text(path.read_text().replace("name: b\n", "name: c\n"))
    assert "`dtm state accept`" in place.run("plan").stdout
    edited = path.read_bytes()
    done = place.run("state", "accept", stdin="n\n")
    assert (done.returncode, path.read_bytes()) == (0, edited)
    assert "Tool a (localfile) will be recorded differently." in done.stdout
    assert '    options.content: "one" -> "other"' in done.stdout
    assert "Tool b (localfile) will be forgotten, its resource stays." in done.stdout
    assert "Tool c (localfile) will be recorded." in done.stdout
    assert place.run("state", "accept", stdin="y\n").returncode == 0
    assert [each["key"] for each in listed(place)] == ["a.localfile", "c.localfile"]
    assert place.run("apply", "-y").returncode == 0


def test_history_lists_the_writings_and_restore_goes_back_to_one(place: Workplace) -> None:
    assert place.run("state", "history").returncode == 2
    place.config(FILES)
    assert place.run("state", "history").stdout == "The state was never written.\n"
    place.run("apply", "-y")
    place.run("state", "forget", "b.localfile", "-y")
    versions = json.loads(place.run("state", "history", "--output", "json").stdout)
    assert [(each["serial"], each["records"], each["error"]) for each in versions] == [(1, 2, ""), (2, 1, "")]
    assert versions[0]["written"][10] == "T"
    table = place.run("state", "history").stdout.splitlines()
    assert (table[0].split(), table[1].split()[::3]) == (["SERIAL", "WRITTEN", "RECORDS"], ["1", "2"])

    done = place.run("state", "restore", "1")
    assert "Tool b (localfile) will be recorded." in done.stdout
    assert len(listed(place)) == 1
    assert place.run("state", "restore", "1", "-y").returncode == 0
    assert len(listed(place)) == 2
    assert place.run("verify").returncode == 0
    done = place.run("state", "restore", "9", "-y")
    assert (done.returncode, "there is no copy of writing 9" in done.stderr) == (1, True)

    copy = place.folder / ".devstream.state.d" / "backups" / "1.yaml"
    copy.write_text("damaged")
    assert json.loads(place.run("state", "history", "--output", "json").stdout)[0]["records"] is None
    assert place.run("state", "restore", "1", "-y").returncode == 1


def test_a_state_that_is_gone_is_restored_as_the_message_says(place: Workplace) -> None:
    place.config(FILES)
    place.run("apply", "-y")
    (place.folder / "devstream.state").unlink()
    assert "`dtm state restore 1`" in place.run("apply", "-y").stdout
    done = place.run("state", "restore", "1", "-y")
    assert (done.returncode, "The records stay the same." in done.stdout) == (0, True)
    assert place.run("verify").returncode == 0


TO = "config: {state: {backend: local, options: {stateFile: moved/other.state}}}\n"


def test_migrating_copies_the_records_and_what_makes_secrets_the_same(place: Workplace) -> None:
    secret = "tools:\n- {name: m, plugin: manual, options: {token: hunter2-hunter2}}\n"
    place.config(secret)
    place.run("apply", "-y")
    (place.folder / "moved").mkdir()
    (place.folder / "to.yaml").write_text(TO)
    before = (place.folder / "devstream.state").read_bytes()
    done = place.run("state", "migrate", "--to", "to.yaml")
    assert "Tool m (manual) will be recorded in moved/other.state." in done.stdout
    assert not (place.folder / "moved" / "other.state").exists()
    done = place.run("state", "migrate", "--to", "to.yaml", "-y")
    assert (done.returncode, "the one that was copied stays as it is" in done.stdout) == (0, True)
    assert (place.folder / "devstream.state").read_bytes() == before
    place.config(secret + TO)
    assert place.run("verify").returncode == 0
    done = place.run("state", "migrate", "--to", "to.yaml", "-y")
    assert (done.returncode, "moved/other.state already" in done.stderr) == (2, True)
    place.config(secret)
    done = place.run("state", "migrate", "--to", "to.yaml", "-y")
    assert (done.returncode, "moved/other.state has records of 1 tool(s) already" in done.stderr) == (1, True)


def test_what_a_crash_left_migrates_too(place: Workplace) -> None:
    kill_in_create(place)
    (place.folder / "moved").mkdir()
    (place.folder / "to.yaml").write_text(TO)
    assert place.run("state", "migrate", "--to", "to.yaml", "-y").returncode == 0
    place.config(MANUAL + TO)
    assert [each["begun"] for each in listed(place)] == [["create"]]
    assert place.run("apply", "-y").returncode == 1
    assert manuals(place) == {"1.manual"}


ANCESTOR = """\
a_localfile:
  name: a
  plugin: localfile
  dependsOn: []
  options: {filename: a.txt, content: one}
  resourceStatus: {filename: a.txt, content: one}
m_manual:
  name: m
  plugin: manual
  dependsOn: []
  options: {token: hunter2-hunter2}
  resourceStatus: {content: "", note: of hunter2-hunter2, outputs: {number: 1}}
x_gone:
  name: x
  plugin: gone
  dependsOn: []
  options: {}
  resourceStatus: {}
"""


def test_a_state_file_of_the_ancestor_is_taken_over_without_its_secrets(place: Workplace) -> None:
    place.config("tools: []\n")
    (place.folder / "old.state").write_text(ANCESTOR)
    done = place.run("state", "migrate", "--from-file", "old.state", "-y")
    assert (done.returncode, done.stderr) == (0, "")
    assert (
        "Tool x (gone) will be recorded in devstream.state as it is: which of its options are secret can't"
        in done.stdout
    )
    assert [each["key"] for each in listed(place)] == ["a.localfile", "m.manual", "x.gone"]
    for path in [place.folder / "devstream.state", *(place.folder / ".devstream.state.d").rglob("*")]:
        assert path.is_dir() or b"hunter2" not in path.read_bytes()
    shown = place.run("state", "show", "m.manual").stdout
    assert shown.count("secret-hmac-sha256-") == 2
    done = place.run("state", "migrate", "--from-file", "old.state", "-y")
    assert (done.returncode, "has records of 3 tool(s) already" in done.stderr) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "give either --to or --from-file"),
        (["--to", "a", "--from-file", "b"], "give either --to or --from-file"),
        (["--from-file", "missing"], "missing can't be read: No such file"),
        (["--to", "missing"], "missing"),
        (["--to", "config.yaml"], "the state is in devstream.state already"),
    ],
)
def test_a_migration_from_or_to_nowhere_is_wrong_usage(place: Workplace, arguments: list[str], said: str) -> None:
    place.config("tools: []\n")
    done = place.run("state", "migrate", "-y", *arguments)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90.0), ("1.5", 1.5), ("0", 0.0), ("30s", 30.0), ("5m", 300.0), ("1h", 3600.0)]
)
def test_a_duration_is_seconds_or_has_a_unit(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "-1", "5x", "m", "1 m", "inf", "1e3", "٣"])
def test_what_is_no_duration_is_wrong_usage(workplace: Workplace, text: str) -> None:
    done = workplace.run("apply", "--grace", text)
    assert (done.returncode, "is no duration, which is e.g. 90, 90s or 5m" in done.stderr) == (2, True)
