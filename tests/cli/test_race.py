"""Many applies at once: one works, and each of the others says which."""

import os
import subprocess
import sys
from contextlib import ExitStack

import pytest

from tests.children import environment
from tests.cli.test_state import SLOW, listed
from tests.gated import Gate, install
from tests.workplace import Workplace

ROUNDS = 100 if "DTM_THOROUGH" in os.environ else 1
"""How often: a hundred times by `DTM_THOROUGH=1 pytest tests/cli/test_race.py`."""
RACERS = 16


@pytest.fixture
def place(workplace: Workplace) -> Workplace:
    """A workplace with a plugin that stops in the middle of its create."""
    install(workplace)
    return workplace


def test_of_many_applies_one_works_and_the_others_say_which(place: Workplace) -> None:
    place.config(SLOW)
    for _ in range(ROUNDS):
        gate = Gate(place.folder, "a")
        with ExitStack() as stack:
            racers = [
                stack.enter_context(
                    subprocess.Popen(
                        [sys.executable, "-m", "dtm_sdk", "apply", "-y"],
                        cwd=place.folder,
                        env={**environment(), "NO_COLOR": ""},
                        stdout=subprocess.PIPE,
                        encoding="utf-8",
                    )
                )
                for _ in range(RACERS)
            ]
            gate.wait()
            # The one that works waits at the gate; the others end by themselves, whoever it is.
            ended: dict[int, str] = {}
            while len(ended) < RACERS - 1:
                pid, status = os.wait()
                racer = next(each for each in racers if each.pid == pid)
                racer.returncode = os.waitstatus_to_exitcode(status)
                ended[pid] = racer.communicate()[0]
                assert racer.returncode == 1, ended[pid]
            (working,) = (racer for racer in racers if racer.pid not in ended)
            assert all(f"is held by `dtm apply`, process {working.pid} on " in said for said in ended.values())
            gate.remove()
            gate.open()
            assert "Create done." in working.communicate(timeout=60)[0]
            assert working.returncode == 0
        assert [each["begun"] for each in listed(place)] == [[]]
        assert place.run("destroy", "-y").returncode == 0
