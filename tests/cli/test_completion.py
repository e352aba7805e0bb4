"""Tests of `dtm completion`: the script, and what it gets when it asks."""

import shutil
import subprocess

import pytest

from tests.workplace import Workplace


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_names_the_command_and_its_variable(workplace: Workplace, shell: str) -> None:
    done = workplace.run("completion", shell)
    assert done.returncode == 0
    assert "_DTM_COMPLETE=" in done.stdout
    assert "dtm" in done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_can_read_the_script(workplace: Workplace, shell: str) -> None:
    if not shutil.which(shell):
        pytest.skip(f"{shell} isn't installed")
    script = workplace.run("completion", shell).stdout
    done = subprocess.run([shell, "-n"], input=script, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("dtm de", {"delete", "destroy", "develop"}),
        ("dtm show ", {"config", "status"}),
        ("dtm list p", {"plugins"}),
        ("dtm delete --f", {"--force"}),
        ("dtm apply --output ", {"text", "json"}),
    ],
)
def test_words_are_completed(workplace: Workplace, words: str, expected: set[str]) -> None:
    count = len(words.split()) - (not words.endswith(" "))
    variables = {"_DTM_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(count)}
    done = workplace.run(env=variables)
    assert {line.partition(",")[2] for line in done.stdout.splitlines()} == expected
