"""Tests of `dtm state`, and of runs that need it, with states in the buckets of real servers."""

import json
import os
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.backends import servers
from tests.backends.servers import BUCKET, ENVIRONMENT, REGION
from tests.canary import leaks
from tests.cli.test_state import ANCESTOR, FILES, SLOW, kill_in_create, listed, manuals
from tests.gated import (
    hold_that_a_program_has_the_state_until_it_ends,
    hold_that_nobody_gets_the_state_while_a_plugin_may_act,
    install,
    said_until,
    under_way,
)
from tests.workplace import Workplace

THOROUGH = "DTM_THOROUGH" in os.environ
"""Whether each server is asked, and from everywhere to everywhere: `DTM_THOROUGH=1 pytest` of this file."""
MOVES = [("s3", "s3"), ("local", "s3"), ("s3", "local")]
SECRET = "hunter2-hunter2"
MANUAL = f"tools:\n- {{name: m, plugin: manual, options: {{content: one, token: {SECRET}}}}}\n"


@pytest.fixture(scope="module", autouse=True)
def credentials() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="module", params=["seaweed", "moto"] if THOROUGH else ["seaweed"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with getattr(servers, request.param)(tmp_path_factory.mktemp("server")) as endpoint:
        yield endpoint


class Stored(Workplace):
    """A workplace whose states may be in a bucket, under keys of its own."""

    def __init__(self, folder: Path, endpoint: str) -> None:
        super().__init__(folder)
        self.endpoint = endpoint
        self.prefix = f"{uuid.uuid4()}"
        self.client = servers.client(endpoint)

    def state(self, backend: str, name: str = "devstream.state") -> str:
        """The part of a config that says where the state is."""
        s3 = {"bucket": BUCKET, "region": REGION, "key": f"{self.prefix}/{name}", "endpoint": self.endpoint}
        options = s3 if backend == "s3" else {"stateFile": name}
        return f"config: {json.dumps({'state': {'backend': backend, 'options': options}})}\n"

    def objects(self) -> dict[str, bytes]:
        """What is in the bucket, by its key."""
        listed = self.client.list_objects_v2(Bucket=BUCKET, Prefix=self.prefix).get("Contents", [])
        keys = [each["Key"] for each in listed]
        return {key: self.client.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys}

    def key(self, name: str = "") -> dict[str, str]:
        """What names an object that belongs to the state; the state itself by default."""
        return {"Bucket": BUCKET, "Key": f"{self.prefix}/devstream.state{f'.d/{name}' if name else ''}"}

    def lock(self) -> dict[str, Any]:
        """What the lock says."""
        found: dict[str, Any] = json.loads(self.client.get_object(**self.key("lock"))["Body"].read())
        return found


@pytest.fixture
def place(tmp_path: Path, server: str) -> Iterator[Stored]:
    """A workplace with the plugins that stop in the middle of an operation."""
    place = Stored(tmp_path, server)
    install(place)
    yield place
    place.client.close()


def shown_secrets(place: Stored) -> list[str]:
    """Where a secret shows: in the bucket, or in what lies beside a state file."""
    found = {
        **place.objects(),
        **{str(path): path.read_bytes() for path in place.folder.rglob("*.state*/*") if path.is_file()},
    }
    found |= {str(path): path.read_bytes() for path in place.folder.glob("*.state") if path.is_file()}
    return [f"{name}: {leak}" for name, data in found.items() for leak in leaks(data, {"token": SECRET})]


@pytest.mark.parametrize(("source", "target"), MOVES if THOROUGH else MOVES[:1])
def test_migrating_copies_the_records_and_what_makes_secrets_the_same(place: Stored, source: str, target: str) -> None:
    here, there = place.state(source), place.state(target, "other.state")
    place.config(MANUAL + here)
    assert place.run("apply", "-y").returncode == 0
    (place.folder / "to.yaml").write_text(there)
    done = place.run("state", "migrate", "--to", "to.yaml", stdin="y\n")
    assert (done.returncode, "Tool m (manual) will be recorded in " in done.stdout) == (0, True), done.stderr
    place.config(MANUAL + there)
    assert place.run("verify").returncode == 0
    (place.folder / "to.yaml").write_text(here)
    done = place.run("state", "migrate", "--to", "to.yaml", "-y")
    assert (done.returncode, "has records of 1 tool(s) already" in done.stderr) == (1, True)
    assert shown_secrets(place) == []


def test_what_a_crash_left_migrates_too(place: Stored) -> None:
    kill_in_create(place)
    there = place.state("s3")
    (place.folder / "to.yaml").write_text(there)
    assert place.run("state", "migrate", "--to", "to.yaml", "-y").returncode == 0
    place.config(MANUAL + there)
    assert [each["begun"] for each in listed(place)] == [["create"]]
    assert "was being created when a run died" in place.run("apply", "-y").stdout
    assert manuals(place) == {"1.manual"}


@pytest.mark.parametrize("lies", [True, False])
def test_a_state_of_the_ancestor_goes_there_without_its_secrets(place: Stored, *, lies: bool) -> None:
    old = place.folder / ("devstream.state" if lies else "old.state")
    old.write_text(ANCESTOR)
    there = place.state("s3")
    (place.folder / "to.yaml").write_text(there)
    place.config("tools: []\n" + ("" if lies else there))
    move = ["--to", "to.yaml"] if lies else ["--from-file", "old.state"]
    done = place.run("state", "migrate", *move, "-y")
    assert (done.returncode, done.stderr) == (0, "")
    old.unlink()
    place.config("tools: []\n" + there)
    assert [each["key"] for each in listed(place)] == ["a.localfile", "m.manual", "x.gone"]
    assert shown_secrets(place) == []


def test_a_state_of_the_ancestor_in_a_bucket_is_written_without_its_secrets(place: Stored) -> None:
    place.config("tools: []\n" + place.state("s3"))
    place.client.put_object(**place.key(), Body=ANCESTOR.encode())
    assert place.run("state", "forget", "x.gone", "-y").returncode == 0
    assert place.key("backups/0.yaml")["Key"] in place.objects()
    assert [each["key"] for each in listed(place)] == ["a.localfile", "m.manual"]
    assert shown_secrets(place) == []


def test_a_dead_holder_is_unlocked_by_its_id(place: Stored) -> None:
    place.config(SLOW + place.state("s3"))
    with under_way(place, "a") as (process, _):
        process.kill()
        process.wait(30)
    id_ = place.lock()["holder"]["id"]
    done = place.run("apply", "-y")
    assert (done.returncode, f"process {process.pid} on " in done.stdout) == (1, True)
    done = place.run("state", "unlock", "other", "-y")
    assert (done.returncode, f"with the id {id_}; give {id_} to end that" in done.stderr) == (2, True)
    done = place.run("state", "unlock", id_)
    assert f"`dtm apply`, process {process.pid} on " in done.stdout
    assert not place.lock().get("ended")
    assert place.run("state", "unlock", id_, "-y").returncode == 0
    assert place.lock()["ended"]
    done = place.run("apply", "-y")
    assert (done.returncode, "it was unlocked, and is free in " in done.stdout) == (1, True)
    # So that nobody has to wait half a minute: a lock that was taken for a shorter time.
    place.client.put_object(**place.key("lock"), Body=json.dumps({**place.lock(), "duration": 1.0}))
    assert place.run("apply", "-y", "--lock-timeout", "1m").returncode == 0
    assert [each["begun"] for each in listed(place)] == [[]]
    done = place.run("state", "unlock", id_, "-y")
    assert "There is nothing to do." in done.stdout


def test_the_second_interrupt_leaves_a_lock_that_is_soon_free(place: Stored) -> None:
    place.config(SLOW + place.state("s3"))
    with under_way(place, "a") as (process, _):
        process.send_signal(signal.SIGINT)
        said_until(process, "Interrupted: waiting for a.slow")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    lock = place.lock()
    assert (lock["duration"], lock["holder"]["pid"]) == (4, process.pid)
    assert place.run("apply", "-y", "--lock-timeout", "30s").returncode == 0
    assert [each["begun"] for each in listed(place)] == [[]]
    assert place.run("verify").returncode == 0


def test_the_state_is_held_until_a_process_whose_plugin_hangs_is_gone(place: Stored) -> None:
    place.config(SLOW + place.state("s3"))
    hold_that_nobody_gets_the_state_while_a_plugin_may_act(place)
    assert place.lock()["duration"] == 4
    assert place.run("apply", "-y", "--lock-timeout", "30s").returncode == 0
    assert [each["begun"] for each in listed(place)] == [[]]
    assert place.run("verify").returncode == 0


def test_a_program_whose_plugin_hangs_holds_the_state_until_it_ends(place: Stored) -> None:
    place.config(SLOW + place.state("s3"))
    hold_that_a_program_has_the_state_until_it_ends(place, "a", says="1")
    assert place.lock()["duration"] == 4
    assert place.run("apply", "-y", "--lock-timeout", "30s").returncode == 0
    assert place.run("verify").returncode == 0


def test_a_state_in_a_bucket_is_mended_as_one_in_a_file(place: Stored) -> None:
    place.config(FILES + place.state("s3"))
    assert place.run("apply", "-y").returncode == 0
    assert place.run("state", "forget", "b.localfile", "-y").returncode == 0
    assert [each["key"] for each in listed(place)] == ["a.localfile"]
    (place.folder / "b.txt").write_text("theirs")
    assert place.run("state", "adopt", "b.localfile", "-y").returncode == 0
    assert [(each["key"], each["adopted"]) for each in listed(place)] == [("a.localfile", False), ("b.localfile", True)]
    data = place.client.get_object(**place.key())["Body"].read()
    place.client.put_object(**place.key(), Body=data.replace(b"content: one", b"content: other"))
    assert "`dtm state accept`" in place.run("apply", "-y").stdout
    done = place.run("state", "accept", stdin="y\n")
    assert (done.returncode, 'options.content: "one" -> "other"' in done.stdout) == (0, True)
    versions = json.loads(place.run("state", "history", "--output", "json").stdout)
    assert [(each["serial"], each["records"]) for each in versions] == [(1, 2), (2, 1), (3, 2), (4, 2)]
    done = place.run("state", "restore", "2", "-y")
    assert (done.returncode, "Tool b (localfile) will be forgotten, its resource stays." in done.stdout) == (0, True)
    assert [each["key"] for each in listed(place)] == ["a.localfile"]
    assert place.run("apply", "-y").returncode == 0
    assert place.run("verify").returncode == 0
