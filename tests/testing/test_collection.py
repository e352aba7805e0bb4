"""`pytest --dtm-conformance` as the author of a plugin meets it, each time the real command in a real repository."""

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import dtm_sdk
from tests.children import CHILDREN_ARE_LISTED
from tests.testing.repository import RIGHT, Repository, verdicts

WRONG = "path.read_text().strip() + '!'"
C2 = "conformance/note::test_c2_read_after_create"


@pytest.fixture
def note(tmp_path: Path) -> Repository:
    """A repository with one plugin, which breaks C2."""
    return Repository(tmp_path, note=WRONG)


def test_one_flag_checks_the_plugin_of_the_repository_and_its_ids_name_it(note: Repository) -> None:
    run = note.pytest("--dtm-conformance", "-v")
    found = verdicts(run.stdout)
    assert run.returncode == 1
    assert found[C2] == "FAILED"
    assert found["conformance/note::test_c1_state_is_json"] == "PASSED"
    assert {node.partition("::")[0] for node in found} == {"conformance/note"}
    blocked = re.search(r"^  (\d+) blocked: by C2 \((\d+)\)$", run.stdout, re.MULTILINE)
    assert blocked
    assert blocked[1] == blocked[2]
    assert int(blocked[1]) == len(re.findall(r"SKIPPED \(rule C2", run.stdout)) > 0


def test_a_failure_says_what_where_and_how_to_see_it_again(note: Repository) -> None:
    said = note.pytest("--dtm-conformance", "-k", "test_c2_read_after_create").stdout
    assert re.search(r"^FAILED \S+ - Failed: C2: Read says another thing than Create returned$", said, re.MULTILINE)
    assert "the rule says: Read, right after Create, returns the same." in said
    assert "create({'path': 'a.txt', 'text': 'one'})  -> {'path': 'a.txt', 'text': 'one'}" in said
    assert "- text: 'one'" in said
    assert "+ text: 'one!'" in said
    assert "mend:" in said
    assert "traceback" not in said.lower()
    again = re.search(r"again: pytest --dtm-conformance '([^']+)'", said)
    assert again
    assert "1 failed" in note.pytest("--dtm-conformance", again[1]).stdout
    assert "Why: the runner compares" in note.pytest("--dtm-explain", "C2").stdout


def test_without_the_flag_nothing_of_the_suite_is_imported_or_run(note: Repository) -> None:
    note.write(
        "tests/test_own.py",
        """
        import sys

        def test_own():
            loaded = [name for name in sys.modules if name.startswith("dtm_sdk.")]
            assert sorted(loaded) == ["dtm_sdk.testing", "dtm_sdk.testing.pytest_plugin"]
        """,
    )
    run = note.pytest()
    assert run.returncode == 0, run.stdout
    assert "1 passed" in run.stdout
    assert "conformance" not in run.stdout


def test_ordinary_tests_run_beside_the_suite(note: Repository) -> None:
    note.write("tests/test_own.py", "def test_own(): pass\n")
    said = note.pytest("--dtm-conformance", "-v", "-k", "test_own or test_c1_state_is_json").stdout
    assert "tests/test_own.py::test_own PASSED" in said
    assert "conformance/note::test_c1_state_is_json PASSED" in said


def test_a_pasted_id_runs_that_check_alone_without_the_flag_and_from_a_subfolder(note: Repository) -> None:
    (note.folder / "docs").mkdir()
    for arguments, below in [((C2,), "."), ((f"../{C2}",), "docs"), ((C2,), "docs")]:
        assert verdicts(note.pytest(*arguments, "-v", below=below).stdout) == {C2: "FAILED"}


def test_a_pasted_id_that_names_nothing_is_an_error(note: Repository) -> None:
    run = note.pytest("conformance/note::test_c99_nothing")
    assert run.returncode == 4
    assert "no check has the id 'conformance/note::test_c99_nothing'" in run.stdout + run.stderr


def test_pytests_own_ways_to_choose_work(note: Repository) -> None:
    collected = note.pytest("--dtm-conformance", "--collect-only", "-q").stdout
    assert C2 in collected
    assert "level" not in collected
    assert set(verdicts(note.pytest("--dtm-conformance", "-v", "-k", "note and c2_read_after").stdout)) == {C2}
    assert "no tests ran" not in note.pytest("--dtm-conformance", "-m", "dtm_conformance", "-k", "c1_state").stdout
    assert verdicts(note.pytest("--dtm-conformance", "-v", "-m", "not dtm_conformance").stdout) == {}
    stopped = note.pytest("--dtm-conformance", "-v", "-x", "-k", "test_c2_").stdout
    assert "stopping after 1 failures" in stopped


def test_the_last_failed_is_run_again(note: Repository) -> None:
    note.pyproject = note.pyproject.replace("-p no:cacheprovider", "")
    note.configure("")
    chosen = ("--dtm-conformance", "-v", "-k", "test_c1_state_is_json or test_c2_read_after_create")
    assert len(verdicts(note.pytest(*chosen).stdout)) == 2
    assert verdicts(note.pytest(*chosen, "--lf").stdout) == {C2: "FAILED"}


def test_workers_give_the_same_verdicts(tmp_path: Path) -> None:
    repository = Repository(tmp_path, note=WRONG)
    alone = verdicts(repository.pytest("--dtm-conformance", "-v", "--dtm-level", "core").stdout)
    spread = repository.pytest("--dtm-conformance", "-v", "-n", "2", "--dtm-level", "core").stdout
    found = {node: how for how, node in re.findall(r"(PASSED|FAILED|SKIPPED|XFAIL) (conformance/\S+)", spread)}
    assert found == alone
    assert "no level reached" in spread


def test_junit_has_a_real_failure(note: Repository) -> None:
    note.pytest("--dtm-conformance", "--junit-xml=out.xml", "-k", "test_c2_read_after_create")
    case = ET.parse(note.folder / "out.xml").getroot().find(".//testcase")  # noqa: S314  # our own file
    assert case is not None
    assert (case.get("classname"), case.get("name")) == ("conformance.note", "test_c2_read_after_create")
    failed = case.find("failure")
    assert failed is not None
    assert "Read says another thing than Create returned" in (failed.text or "")


def test_a_plugin_that_can_not_be_imported_fails_alone(tmp_path: Path) -> None:
    repository = Repository(tmp_path, note=RIGHT, broken=RIGHT)
    repository.write("src/dtm_broken.py", "import nothing_of_that_name\n")
    run = repository.pytest("--dtm-conformance", "-v", "-k", "test_c1_state_is_json or test_the_plugin_loads")
    found = verdicts(run.stdout)
    assert found == {
        "conformance/broken::test_the_plugin_loads": "FAILED",
        "conformance/note::test_c1_state_is_json": "PASSED",
    }
    assert "No module named 'nothing_of_that_name'" in run.stdout
    assert "Traceback" not in run.stdout
    assert run.returncode == 1


def test_one_of_several_plugins_can_be_chosen(tmp_path: Path) -> None:
    repository = Repository(tmp_path, note=RIGHT, other=RIGHT)
    chosen = verdicts(repository.pytest("--dtm-conformance", "--dtm-plugin", "other", "-v", "-k", "c1_state").stdout)
    assert list(chosen) == ["conformance/other::test_c1_state_is_json"]
    run = repository.pytest("--dtm-conformance", "--dtm-plugin", "othr")
    assert run.returncode == 4
    assert "did you mean 'other'?" in run.stdout + run.stderr


def test_the_plugin_of_the_repository_is_tested_whatever_else_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other").mkdir()
    other = Repository(tmp_path / "other", note=RIGHT)
    (tmp_path / "here").mkdir()
    here = Repository(tmp_path / "here", note='path.read_text() + "!"')
    monkeypatch.setenv("PYTHONPATH", str(other.folder / "src"))
    assert verdicts(here.pytest("--dtm-conformance", "-v", "-k", "test_c2_read_after_create").stdout)[C2] == "FAILED"


def test_the_summary_says_what_was_tried(tmp_path: Path) -> None:
    said = Repository(tmp_path, note=RIGHT).pytest("--dtm-conformance", "-k", "test_f1_faults_in_delete").stdout
    assert re.search(r"^  F1: delete: \d+ of \d+ faults fired", said, re.MULTILINE), said


def test_a_level_leaves_out_what_is_above_it(tmp_path: Path) -> None:
    repository = Repository(tmp_path, note=RIGHT)
    core = repository.pytest("--dtm-conformance", "--collect-only", "-q", "--dtm-level", "core").stdout
    full = repository.pytest("--dtm-conformance", "--collect-only", "-q", "--dtm-level", "full").stdout
    assert "test_c1_" in core
    assert "test_l1_" not in core
    assert "test_l1_" in full


def test_no_check_run_is_a_failure(tmp_path: Path) -> None:
    repository = Repository(tmp_path, note=RIGHT)
    repository.write("tests/test_own.py", "def test_own(): pass\n")
    run = repository.pytest("--dtm-conformance", "-k", "test_own")
    assert run.returncode == 1
    assert "no check was run, which is a failure" in run.stdout


def exception(id_: str, *, expires: str = "2999-01-01", reason: str = "the service trims") -> str:
    """The declaration of an exception."""
    return f"""
        [[tool.dtm.conformance.exceptions]]
        id = "{id_}"
        reason = "{reason}"
        expires = {expires}
        """


def test_an_exception_excuses_its_rule_and_forfeits_the_level(note: Repository) -> None:
    note.configure(exception("C2"))
    run = note.pytest("--dtm-conformance", "-v", "-rx", "-k", "test_c2_read_after_create")
    assert verdicts(run.stdout) == {C2: "XFAIL"}
    assert run.returncode == 0
    assert "excepted until 2999-01-01 (the service trims)" in run.stdout
    assert "no level reached" in run.stdout


def test_an_exception_for_a_rule_that_holds_fails(tmp_path: Path) -> None:
    repository = Repository(tmp_path, note=RIGHT)
    repository.configure(exception("C1"))
    run = repository.pytest("--dtm-conformance", "-k", "test_c1_state_is_json")
    assert run.returncode == 1
    assert "the rule holds, but an exception is declared for it (the service trims)" in run.stdout


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        (exception("C77"), "there is no rule 'C77'"),
        (exception("C2", expires="2020-01-01"), "it has expired on 2020-01-01"),
        (exception("C2", expires='"soon"'), "it has no day on which it expires"),
        (exception("C2", reason=" "), "it has no reason"),
    ],
)
def test_a_wrong_exception_fails_and_excuses_nothing(note: Repository, declared: str, said: str) -> None:
    note.configure(declared)
    run = note.pytest("--dtm-conformance", "-v", "-k", "test_c2_read_after_create or test_exceptions")
    assert verdicts(run.stdout) == {"conformance/note::test_exceptions": "FAILED", C2: "FAILED"}
    assert said in run.stdout


def test_the_author_s_world_is_used_and_open_for_his_own_tests(note: Repository) -> None:
    note.write(
        "conftest.py",
        """
        import pytest
        from dtm_sdk.testing import FileWorld

        @pytest.fixture
        def dtm_world():
            return FileWorld({"shared.txt": "here before"})
        """,
    )
    note.write(
        "tests/test_own.py",
        """
        import os
        from pathlib import Path

        def test_own(dtm_plugin, dtm_world, dtm_examples, dtm_runner):
            assert Path("shared.txt").read_text() == "here before"
            assert "localhost" in os.environ["no_proxy"]
            run = dtm_runner.apply([{"name": "a", "plugin": "note", "options": dtm_examples[0]}])
            assert run.done == ["Create a"], run.problems
            assert dtm_plugin.name == "note"
            assert dtm_world.snapshot()["a.txt"]["content"] == b"one"
        """,
    )
    run = note.pytest("-v")
    assert "1 passed" in run.stdout, run.stdout


def test_a_fixture_that_gives_no_world_is_named(note: Repository) -> None:
    note.write("conftest.py", "import pytest\n@pytest.fixture\ndef dtm_world():\n    return 'nowhere'\n")
    said = note.pytest("--dtm-conformance", "-k", "test_c2_read_after_create").stdout
    assert "the fixture dtm_world gives str, no dtm_sdk.testing.World" in said


def test_the_report_is_what_its_schema_says(note: Repository) -> None:
    from jsonschema import Draft202012Validator

    note.pytest("--dtm-conformance", "--dtm-report", "out", "--dtm-seed", "7", "--dtm-level", "core")
    report = json.loads((note.folder / "out" / "note.json").read_text())
    schema = json.loads((Path(dtm_sdk.__file__).parent / "testing" / "report.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    assert list(Draft202012Validator(schema).iter_errors(report)) == []
    assert report["plugin"] == {"name": "note", "distribution": "plugins-under-test", "version": "1.2"}
    assert report["seed"] == 7
    assert report["level"] is None
    (check,) = [each for rule in report["rules"] for each in rule["checks"] if each["name"] == C2.partition("::")[2]]
    assert check["verdict"] == "failed"
    assert check["difference"] == ["- text: 'one'", "+ text: 'one!'"]
    assert check["again"] == f"pytest --dtm-conformance '{C2}'"


BAD_MANNERS = {
    "hangs": ("__import__('threading').Event().wait()", "it did not end within 3 s"),
    "exits": ("__import__('os')._exit(0)", "it ended early, without a word"),
    "is-killed": ("__import__('os').kill(__import__('os').getpid(), 9)", "it was ended by SIGKILL"),
    "forks": ("[__import__('os').fork()]", "returned list"),
    "removes-its-folder": ("__import__('shutil').rmtree(Path.cwd())", "create"),
    "asks-to-exit": ("__import__('sys').exit(3)", "create raised SystemExit"),
}


@pytest.mark.parametrize(("does", "said"), BAD_MANNERS.values(), ids=BAD_MANNERS)
def test_a_plugin_without_manners_spoils_nothing_but_its_own_checks(tmp_path: Path, does: str, said: str) -> None:
    repository = Repository(tmp_path, note=RIGHT, rude=RIGHT)
    path = tmp_path / "src" / "dtm_rude.py"
    path.write_text(path.read_text().replace("def save(options):", f"def save(options):\n    return {does}\n", 1))
    chosen = ("--dtm-conformance", "-v", "--dtm-timeout", "3", "-k", "test_c1_state_is_json")
    run = repository.pytest(*chosen)
    assert verdicts(run.stdout) == {
        "conformance/note::test_c1_state_is_json": "PASSED",
        "conformance/rude::test_c1_state_is_json": "FAILED",
    }
    assert said in run.stdout
    assert run.returncode == 1


@CHILDREN_ARE_LISTED
def test_what_a_plugin_leaves_at_work_is_told_where_it_passes(tmp_path: Path) -> None:
    repository = Repository(tmp_path, note=RIGHT)
    path = tmp_path / "src" / "dtm_note.py"
    daemon = "__import__('subprocess').Popen(['sleep', '600'], start_new_session=True, env={})"
    path.write_text(path.read_text().replace("def save(options):", f"def save(options):\n    {daemon}\n", 1))
    run = repository.pytest("--dtm-conformance", "-k", "test_c1_state_is_json")
    assert run.returncode == 0, run.stdout
    assert "  2 processes left behind and killed: sleep 600 (2)\n" in run.stdout
