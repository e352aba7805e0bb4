"""Sequences done with a real plugin, and the script that a failure of rule M1 prints."""

import os
import tempfile
from pathlib import Path

import pytest

from dtm_sdk import State
from dtm_sdk.testing.checks.model import test_m1_sequences_of_drift as drift
from dtm_sdk.testing.model import Step
from dtm_sdk.testing.replay import replayed, smaller
from dtm_sdk.testing.verdicts import Violation
from tests.testing.repository import RIGHT, ROOT, Repository
from tests.testing.subjects import subject_of
from tests.zoo.right import note
from tests.zoo.wrong.m1 import WRONG
from tests.zoo.zoo import Wrong, but

DRIFTED = [Step("want"), Step("apply"), Step("tamper"), Step("apply"), Step("tamper"), Step("apply")]
WRITTEN: dict[str, note.NoteOptions] = {}


def update_what_was_not_written_yet(options: note.NoteOptions) -> State:
    """Write the file, unless this is what was written at the last update: saves a look at the disk."""
    if WRITTEN.get(options.path) == options:
        mode = note.MODES[options.access]
        return note.state(options.path, options.text, options.header.title, list(options.header.lines), mode)
    made = note.save(options)
    WRITTEN[options.path] = options
    return made


FORGETFUL = but(note.plugin, update=update_what_was_not_written_yet)


def size(steps: list[Step]) -> tuple[int, int]:
    """How much there is to read of a sequence: of a number, whether it is one."""
    return len(steps), sum(bool(number) for step in steps for number in (step.a, step.b, step.c))


def test_smaller_sequences_are_simpler_and_each_is_another_one() -> None:
    steps = [Step("want", 1, 2, 3), Step("apply"), Step("crash", 0, 5, 0)]
    found = list(smaller(steps))
    assert len(found) == 3 + 4
    assert all(size(each) < size(steps) for each in found)
    assert list(smaller([Step("apply")])) == [[]]


@pytest.mark.parametrize(
    "steps",
    [
        DRIFTED,
        [Step("want"), Step("apply"), Step("drop"), Step("lose"), Step("want", 1, 0, 1), Step("apply")],
        [Step("want"), Step("crash", 0, 9), Step("change"), Step("fault", 1, 4), Step("rename", 0, 2)],
        [Step("want"), Step("want", 1, 1), Step("apply"), Step("remove"), Step("drop", 1), Step("apply")],
        [Step("tamper"), Step("remove"), Step("rename"), Step("change"), Step("drop"), Step("lose")],
        [],
    ],
    ids=[
        "drift",
        "a state that is kept, for a tool has left",
        "mishaps",
        "a removal",
        "nothing to do it to",
        "nothing",
    ],
)
def test_a_right_plugin_does_as_the_model_says(steps: list[Step], tmp_path: Path) -> None:
    assert replayed(note.plugin, note.world(), tmp_path / "sequence", steps) is None


def create_and_leave_a_temporary_file(options: note.NoteOptions) -> State:
    with tempfile.NamedTemporaryFile(delete=False):
        return note.create(options)


def test_a_temporary_file_is_none_of_the_world(tmp_path: Path) -> None:
    plugin = but(note.plugin, create=create_and_leave_a_temporary_file)
    assert replayed(plugin, note.world(), tmp_path / "sequence", DRIFTED) is None


def test_a_sequence_that_fails_says_what_was_done(tmp_path: Path) -> None:
    violation = replayed(FORGETFUL, note.world(), tmp_path / "sequence", DRIFTED)
    assert violation is not None
    first, *steps = violation.message.splitlines()
    assert first == "the world is another one than the config makes"
    assert [line.strip() for line in steps[1:3]] == [
        "apply  -> Create tool-0",
        "# behind the plugin's back: the resource of tool-0 is tampered",
    ]
    assert violation.difference


def test_no_sequence_remembers_another(tmp_path: Path) -> None:
    verdicts = [
        replayed(FORGETFUL, note.world(), tmp_path / "sequence", steps) for steps in (DRIFTED, DRIFTED[:4], DRIFTED)
    ]
    assert [verdict is None for verdict in verdicts] == [False, True, False]


def test_a_plugin_that_ends_its_process_is_told(tmp_path: Path) -> None:
    violation = replayed(but(note.plugin, create=lambda options: os._exit(3)), note.world(), tmp_path / "s", DRIFTED)
    assert violation is not None
    assert violation.message == "a sequence could not be done to its end: its process exited with 3"


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.name)
def test_the_printed_script_fails_with_the_wrong_plugin_and_passes_with_the_right_one(
    wrong: Wrong, tmp_path: Path
) -> None:
    """As a person does it: the script becomes a file in the repository of the plugin."""
    with subject_of(wrong.plugin, tmp_path / "check", wrong.world()) as subject:
        (subject.scratch / "run").mkdir()
        with pytest.raises(Violation) as raised:
            drift(subject)
    name, home = wrong.plugin.name, f"tests.zoo.right.{wrong.plugin.name}"
    sources = {
        "1 failed": f"from tests.zoo.wrong.m1 import WRONG\n\nplugin = WRONG[{WRONG.index(wrong)}].plugin\n",
        "1 passed": f"from {home} import plugin\n",
    }
    for outcome, source in sources.items():
        folder = tmp_path / outcome
        folder.mkdir()
        repository = Repository(folder, **{name: RIGHT})
        repository.configure(f'pythonpath = ["{ROOT}"]')
        repository.write(f"src/dtm_{name}.py", source)
        repository.write(
            "conftest.py", f"import pytest\nfrom {home} import world\n\ndtm_world = pytest.fixture(lambda: world())\n"
        )
        repository.write("test_replay.py", "\n".join([*raised.value.script, ""]))
        ran = repository.pytest("-q", "test_replay.py")
        assert outcome in ran.stdout, ran.stdout + ran.stderr
