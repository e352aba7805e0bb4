"""Tests of `dtm show config`."""

import pytest
import yaml

from tests.workplace import Workplace


def test_it_prints_the_config_and_nothing_that_a_plugin_prints(workplace: Workplace) -> None:
    done = workplace.run("show", "config", "--plugin", "probe")
    assert done.returncode == 0
    assert yaml.safe_load(done.stdout)["tools"][0]["plugin"] == "probe"
    assert "the probe is imported" in done.stderr


@pytest.mark.parametrize("name", ["localfile", "probe"])
def test_the_config_works_as_it_is(workplace: Workplace, name: str) -> None:
    workplace.config(workplace.run("show", "config", "--plugin", name).stdout)
    done = workplace.run("apply", "-y", env={"PROBE_TOKEN": "not-a-secret"})
    assert done.returncode == 0
    assert len(workplace.files()) == 1


def test_it_is_printed_though_the_terminal_knows_ascii_alone(workplace: Workplace) -> None:
    done = workplace.run("show", "config", "--plugin", "probe", env={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert '    name: "?"\n' in done.stdout


def test_a_plugin_that_cannot_be_imported_is_one_line_and_exit_code_1(workplace: Workplace) -> None:
    (workplace.folder / ".devstream" / "dtm_probe.py").write_text("import not_there\n")
    done = workplace.run("show", "config", "--plugin", "probe")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: plugin 'probe' of dtm_probe 0.1.0: dtm_probe:plugin can't be imported: ")
    assert done.stderr.count("\n") == 1


def test_an_unknown_plugin_gets_the_nearest(workplace: Workplace) -> None:
    done = workplace.run("show", "config", "--plugin", "prob")
    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean 'probe'?" in done.stderr
