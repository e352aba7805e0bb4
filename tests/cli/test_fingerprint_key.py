"""The key of the fingerprints: beside the state or from the environment; where it is lost, nothing is updated."""

import json
from collections.abc import Mapping

import pytest

from tests.workplace import Workplace

GIVEN = {"DTM_FINGERPRINT_KEY": "0123456789abcdef" * 4}
OTHER = {"DTM_FINGERPRINT_KEY": "fedcba9876543210" * 4}
WARNING = "another key made the fingerprints of the secrets of 2 tools"


@pytest.fixture
def place(workplace: Workplace) -> Workplace:
    """A workplace with two tools that have a secret, one of them refers to the other, and one that has none."""
    first = {"name": "x", "token": "the-token-of-x"}
    second = {"name": "y", "token": "the-token-of-y", "says": "${{ x.probe.outputs.id }}"}
    options = {"x": first, "y": second, "z": {"name": "z"}}
    tools = [{"name": name, "plugin": "probe", "options": each} for name, each in options.items()]
    workplace.config(json.dumps({"tools": tools}))
    return workplace


def run(place: Workplace, command: str, env: Mapping[str, str] | None = None, code: int = 0) -> str:
    done = place.run("-y", command, env=env)
    assert done.returncode == code, done.stdout
    return done.stdout


def state(place: Workplace) -> str:
    return (place.folder / "devstream.state").read_text()


def test_a_lost_key_means_new_fingerprints_and_a_warning_and_no_update(place: Workplace) -> None:
    run(place, "apply")
    before = state(place)
    (place.folder / ".devstream.state.d" / "key").unlink()
    assert WARNING in run(place, "verify")
    told = run(place, "apply")
    assert WARNING in told
    assert "No changes done" in told
    after = state(place)
    assert before.count("secret-hmac-sha256-") == after.count("secret-hmac-sha256-") == 4
    assert not {word for word in before.split() if "hmac" in word} & {word for word in after.split() if "hmac" in word}
    assert WARNING not in run(place, "verify")


def test_a_change_of_another_option_is_still_seen_then(place: Workplace) -> None:
    run(place, "apply")
    (place.folder / ".devstream.state.d" / "key").unlink()
    config = place.folder / "config.yaml"
    config.write_text(
        config.read_text().replace('"token": "the-token-of-x"', '"token": "the-token-of-x", "says": "new"')
    )
    assert "Tool x (probe) config drifted from the state" in run(place, "verify", code=3)


def test_the_environment_may_give_the_key_which_is_then_nowhere_beside_the_state(place: Workplace) -> None:
    run(place, "apply", GIVEN)
    assert not (place.folder / ".devstream.state.d" / "key").exists()
    assert WARNING not in run(place, "verify", GIVEN)
    assert WARNING in run(place, "verify", OTHER)
    run(place, "apply", OTHER)
    assert WARNING not in run(place, "verify", OTHER)
    config = place.folder / "config.yaml"
    config.write_text(config.read_text().replace("the-token-of-x", "another-token"))
    assert "Tool x (probe) config drifted from the state" in run(place, "verify", OTHER, code=3)


@pytest.mark.parametrize("wrong", ["short", "00" * 31, "00" * 33])
def test_what_is_no_key_is_refused(place: Workplace, wrong: str) -> None:
    told = run(place, "apply", {"DTM_FINGERPRINT_KEY": wrong}, code=1)
    assert "the variable DTM_FINGERPRINT_KEY holds no 64 hex digits; `openssl rand -hex 32` makes a key" in told
    assert wrong not in told
    assert not (place.folder / "x.probe").exists()
