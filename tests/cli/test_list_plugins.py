"""Tests of `dtm list plugins`."""

import json
from pathlib import Path

from tests.workplace import Workplace


def test_it_prints_one_name_a_line(workplace: Workplace) -> None:
    done = workplace.run("list", "plugins")
    assert done.returncode == 0
    assert set(done.stdout.splitlines()) >= {"localfile", "probe"}
    assert done.stdout.splitlines() == sorted(done.stdout.splitlines())


def test_a_regular_expression_chooses(workplace: Workplace) -> None:
    assert workplace.run("list", "plugins", "-r", "^pro").stdout == "probe\n"
    assert workplace.run("list", "plugins", "--filter", "^(local|pro)").stdout == "localfile\nprobe\n"


def test_none_is_said_on_stderr_and_is_no_error(workplace: Workplace) -> None:
    done = workplace.run("list", "plugins", "-r", "^none$")
    assert (done.returncode, done.stdout) == (0, "")
    assert "There are none" in done.stderr


def test_json_says_where_each_is_from(workplace: Workplace) -> None:
    done = workplace.run("list", "plugins", "-r", "^probe$", "--output", "json")
    value = {"name": "probe", "value": "dtm_probe:plugin", "distribution": "dtm_probe", "version": "0.1.0"}
    assert json.loads(done.stdout) == [value]


def test_a_plugin_is_not_imported_to_be_listed(workplace: Workplace) -> None:
    (workplace.folder / ".devstream" / "dtm_probe.py").write_text("raise SystemExit(9)\n")
    assert "probe" in workplace.run("list", "plugins").stdout


def test_another_folder_may_be_given(workplace: Workplace) -> None:
    (workplace.folder / ".devstream").rename(workplace.folder / "elsewhere")
    assert "probe" not in workplace.run("list", "plugins").stdout
    assert "probe" in workplace.run("list", "plugins", "-p", "elsewhere").stdout
    assert "probe" in workplace.run("-p", str(Path(workplace.folder, "elsewhere")), "list", "plugins").stdout
