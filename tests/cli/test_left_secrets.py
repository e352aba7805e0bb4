"""Where a Delete finds the secrets of a tool that is recorded: the state has their fingerprints alone.

The plugin deletes nothing unless it is given what the resource was made with.
"""

import fcntl
import json
import os
import re
import subprocess
import sys
import termios
from collections.abc import Mapping

import pytest

from tests.workplace import Workplace

VAULT = r'''
"""Resources that only who has their secrets can delete; they are files with a hash of these."""

import json
from hashlib import sha256
from pathlib import Path

from dtm_sdk import Identity, Options, Plugin, PluginError, Secret, State


class Login(Options):
    user: str
    passwords: list[Secret]


class VaultOptions(Options):
    name: Identity[str]
    token: Secret
    login: Login | None = None


def path(options):
    return Path(f"{options.name}.txt")


def held(options):
    secrets = [options.token, *(options.login.passwords if options.login else [])]
    return sha256("\n".join(secret.reveal() for secret in secrets).encode()).hexdigest()


def write(options) -> State:
    path(options).write_text(held(options))
    return {"name": options.name}


def read(options) -> State | None:
    return {"name": options.name} if path(options).exists() else None


def delete(options) -> bool:
    if path(options).exists() and path(options).read_text() != held(options):
        raise PluginError("these are not its secrets")
    path(options).unlink(missing_ok=True)
    return True


plugin = Plugin(name="vault", options=VaultOptions, create=write, read=read, update=write, delete=delete)
'''
TOKEN, FIRST, SECOND = "the-token-of-it", "the-first-of-them", "the-second-of-them"
ENVIRONMENT = {"TOKEN": TOKEN, "FIRST": FIRST, "SECOND": SECOND}
FROM_ENVIRONMENT = {
    "name": "a",
    "token": "[[ env TOKEN ]]",
    "login": {"user": "me", "passwords": ["[[ first ]]", "[[ env SECOND ]]"]},
}
"""One of them by a variable of the config, which has it from the environment."""
WRITTEN = {"name": "a", "token": TOKEN, "login": {"user": "me", "passwords": [FIRST, SECOND]}}
OTHER = {"name": "b", "plugin": "vault", "options": {"name": "b", "token": "[[ env OTHER ]]"}}
ASKED = [f"Tool a (vault) needs its secret {path}: " for path in ("token", "login.passwords[0]", "login.passwords[1]")]


@pytest.fixture
def place(workplace: Workplace) -> Workplace:
    """A workplace with the plugin."""
    info = workplace.folder / ".devstream" / "dtm_vault-1.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_text("[dtm.plugins]\nvault = dtm_vault:plugin\n")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: dtm-vault\nVersion: 1\n")
    (workplace.folder / ".devstream" / "dtm_vault.py").write_text(VAULT)
    return workplace


def configure(place: Workplace, *tools: Mapping[str, object]) -> None:
    document = {"vars": {"first": "[[ env FIRST ]]"} if "[[ first ]]" in str(tools) else {}, "tools": tools}
    place.config(json.dumps(document))


def make(place: Workplace, options: Mapping[str, object]) -> None:
    """Make `a` with these options, and `b`; then `a` has left the config."""
    configure(place, {"name": "a", "plugin": "vault", "options": options}, OTHER)
    done = place.run("apply", "-y", env={**ENVIRONMENT, "OTHER": "the-other"})
    assert done.returncode == 0, done.stdout
    configure(place, OTHER)


def at_terminal(place: Workplace, *arguments: str, typed: list[str], env: Mapping[str, str]) -> tuple[int, str]:
    """Run the command at a terminal of its own where something is typed whenever it waits; exit code, what is seen."""
    ours, theirs = os.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "dtm_sdk", *arguments],
        cwd=place.folder,
        env={**place.environment, "TERM": "dumb", **env},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509  # no lock is taken in it
    ) as child:
        os.close(theirs)
        seen, left = "", list(typed)
        try:
            while data := os.read(ours, 4096):
                seen += data.decode("utf-8", "replace")
                if left and re.search(r"needs its secret \S+: $", seen):
                    os.write(ours, f"{left.pop(0)}\n".encode())
        except OSError:  # nobody has it open any more
            pass
        os.close(ours)
        return child.wait(60), seen.replace("\r\n", "\n")


def test_the_config_comes_before_what_is_recorded(place: Workplace) -> None:
    make(place, FROM_ENVIRONMENT)
    configure(place, {"name": "a", "plugin": "vault", "options": WRITTEN}, OTHER)
    done = place.run("delete", "-y", env={"TOKEN": "not-it-at-all", "OTHER": "the-other"})
    assert (done.returncode, place.files()) == (0, set()), done.stdout


@pytest.mark.parametrize("command", ["apply", "destroy"])
def test_what_has_left_the_config_gets_them_from_where_they_came_from(place: Workplace, command: str) -> None:
    make(place, FROM_ENVIRONMENT)
    code, seen = at_terminal(place, command, "-y", typed=["no"] * 3, env={**ENVIRONMENT, "OTHER": "the-other"})
    assert (code, "a.txt" in place.files()) == (0, False), seen
    assert "needs its secret" not in seen


@pytest.mark.parametrize("options", [FROM_ENVIRONMENT, WRITTEN])
def test_who_sits_at_a_terminal_is_asked_for_what_the_environment_hasnt(
    place: Workplace, options: dict[str, object]
) -> None:
    make(place, options)
    typed = [TOKEN, FIRST, SECOND]
    code, seen = at_terminal(place, "apply", "-y", typed=typed, env={"OTHER": "the-other"})
    assert (code, place.files()) == (0, {"b.txt"}), seen
    assert re.findall(r"Tool a \(vault\) needs its secret \S+: ", seen) == ASKED
    assert not any(secret in seen for secret in typed)


def test_only_what_is_missing_is_asked_for(place: Workplace) -> None:
    make(place, FROM_ENVIRONMENT)
    env = {"TOKEN": TOKEN, "SECOND": SECOND, "OTHER": "the-other"}
    code, seen = at_terminal(place, "apply", "-y", typed=[FIRST], env=env)
    assert (code, place.files()) == (0, {"b.txt"}), seen
    assert re.findall(r"Tool a \(vault\) needs its secret \S+: ", seen) == ASKED[1:2]


NOT_THERE = "Plugin a (vault) delete failed: Tool a (vault) needs its secret token; "


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        (FROM_ENVIRONMENT, "set the environment variable TOKEN"),
        (WRITTEN, "put the tool back into the config, or run in a terminal"),
    ],
)
def test_where_nobody_can_be_asked_it_is_said_which_one_is_missing_and_the_rest_goes_on(
    place: Workplace, options: dict[str, object], hint: str
) -> None:
    make(place, options)
    before = (place.folder / "a.txt").read_bytes()
    done = place.run("destroy", "-y", env={"OTHER": "the-other"})
    assert done.returncode == 1
    assert f"{NOT_THERE}{hint}\n" in done.stdout
    assert place.files() == {"a.txt"}
    assert (place.folder / "a.txt").read_bytes() == before
    assert [each["key"] for each in json.loads(place.run("state", "list", "--output", "json").stdout)] == ["a.vault"]
    configure(place, {"name": "a", "plugin": "vault", "options": WRITTEN})
    assert place.run("delete", "-y").returncode == 0
    assert place.files() == set()


@pytest.mark.parametrize("command", ["delete", "destroy"])
def test_a_secret_that_the_config_has_by_a_reference_is_given_back(place: Workplace, command: str) -> None:
    source = {"name": "p", "plugin": "probe", "options": {"name": "precious"}}
    configure(
        place, source, {"name": "a", "plugin": "vault", "options": {"name": "a", "token": "${{ p.probe.outputs.id }}"}}
    )
    assert place.run("apply", "-y").returncode == 0
    assert json.loads(place.run("show", "status", "-a", "--output", "json").stdout)
    done = place.run(command, "-y")
    assert (done.returncode, place.files()) == (0, set()), done.stdout


def test_one_that_is_too_short_is_told_with_where_it_comes_from(place: Workplace) -> None:
    make(place, FROM_ENVIRONMENT)
    done = place.run("destroy", "-y", env={"TOKEN": "abc", "OTHER": "the-other"})
    assert (
        f"{NOT_THERE}the environment variable TOKEN is too short: a secret has at least 6 characters\n" in done.stdout
    )
    code, seen = at_terminal(place, "apply", "-y", typed=["abc"], env={"OTHER": "the-other"})
    assert (code, place.files()) == (1, {"a.txt", "b.txt"}), seen
    assert f"{NOT_THERE}what was given is too short: a secret has at least 6 characters\n" in seen


def test_who_gives_no_answer_is_told_what_is_missing(place: Workplace) -> None:
    make(place, FROM_ENVIRONMENT)
    code, seen = at_terminal(place, "destroy", "-y", typed=[""], env={"OTHER": "the-other"})
    assert (code, place.files()) == (1, {"a.txt"}), seen
    assert f"{NOT_THERE}set the environment variable TOKEN\n" in seen
