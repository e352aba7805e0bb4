import json
import os
import re
import signal
import socket
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import Popen
from threading import Thread

import pytest

from dtm_sdk.backends import Fit, Keyed, Leaving, as_it_is, open_backend
from dtm_sdk.backends.s3 import S3Backend, S3Options, open_s3
from dtm_sdk.bucket import TRIES
from dtm_sdk.errors import LockedError, StateError
from dtm_sdk.object_state import BACKUPS
from dtm_sdk.state import Begin, Drop, End, Put, State
from dtm_sdk.state_text import dump, load
from tests.backends import servers
from tests.backends.servers import ACCESS_KEY, BUCKET, ENVIRONMENT, READER, REGION, SECRET_KEY, Fault, Proxy, proxied
from tests.backends.suite import HOLD, A, B, BackendSuite, C, commit, die, racing
from tests.children import python, said, started, tell
from tests.records import record

ANCESTOR = b"a_p:\n  name: a\n  plugin: p\n  options:\n    content: hello\n  resource:\n    content: hello\n"
DURATION = 2.0
"""Seconds of a lease that a test waits for."""


@pytest.fixture(scope="module", autouse=True)
def credentials() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.moto(tmp_path_factory.mktemp("moto")) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.seaweed(tmp_path_factory.mktemp("seaweed")) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def rclone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.rclone(tmp_path_factory.mktemp("rclone")) as endpoint:
        yield endpoint


@pytest.fixture(scope="module", params=["moto", "seaweed"])
def server(request: pytest.FixtureRequest) -> str:
    endpoint = request.getfixturevalue(request.param)
    assert isinstance(endpoint, str)
    return endpoint


def code(endpoint: str, key: str = "a", duration: float = 60.0) -> str:
    """Python statements that set `backend`, in another process."""
    return (
        "from dtm_sdk.backends.s3 import S3Backend, S3Options\n"
        f"options = S3Options(bucket={BUCKET!r}, region={REGION!r}, key={key!r}, endpoint={endpoint!r})\n"
        f"backend = S3Backend(options, {duration})\n"
    )


class S3Place:
    """A key of its own in a bucket."""

    def __init__(self, folder: Path, endpoint: str, duration: float = 60.0) -> None:
        self.folder = folder
        self.key = f"{uuid.uuid4()}/devstream.state"
        self.code = code(endpoint, self.key, duration)
        self.endpoint = endpoint
        self.duration = duration
        self.client = servers.client(endpoint)

    def backend(self, endpoint: str = "", *, fit: Fit = as_it_is) -> S3Backend:
        options = S3Options(bucket=BUCKET, region=REGION, key=self.key, endpoint=endpoint or self.endpoint)
        return S3Backend(options, self.duration, fit)

    def read(self, name: str = "") -> bytes:
        """An object that belongs to the state; the state itself by default."""
        key = f"{self.key}.d/{name}" if name else self.key
        data = self.client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        assert isinstance(data, bytes)
        return data

    def write(self, data: bytes, name: str = "") -> None:
        self.client.put_object(Bucket=BUCKET, Key=f"{self.key}.d/{name}" if name else self.key, Body=data)

    def remove(self, name: str = "") -> None:
        self.client.delete_object(Bucket=BUCKET, Key=f"{self.key}.d/{name}" if name else self.key)

    def names(self) -> list[str]:
        """What belongs to the state."""
        listed = self.client.list_objects_v2(Bucket=BUCKET, Prefix=f"{self.key}.d/").get("Contents", [])
        return [each["Key"].removeprefix(f"{self.key}.d/") for each in listed]

    def meddle(self) -> None:
        self.write(self.read().replace(b"hello", b"HELLO"))


@pytest.fixture
def place(server: str, tmp_path: Path) -> Iterator[S3Place]:
    place = S3Place(tmp_path, server)
    yield place
    place.client.close()


class TestS3Backend(BackendSuite):
    @pytest.fixture
    def place(self, server: str, tmp_path: Path) -> Iterator[S3Place]:
        place = S3Place(tmp_path, server)
        yield place
        place.client.close()

    def test_a_run_that_was_killed_holds_nothing_and_loses_nothing(self, place: S3Place) -> None:  # type: ignore[override]  # see below
        # A lease holds on for a while.
        place = S3Place(place.folder, place.endpoint, DURATION)
        with started(place.code + HOLD, place.folder, "apply") as child:
            said(child)
            child.kill()
            child.wait()
        with place.backend().lock("apply", wait=30) as session:
            assert session.loaded.state.records == {"a.p": A}
            assert session.loaded.open == (Begin(1, "create", B),)


@pytest.fixture
def short(server: str, tmp_path: Path) -> Iterator[S3Place]:
    """A place whose leases don't last long."""
    place = S3Place(tmp_path, server, DURATION)
    yield place
    place.client.close()


@pytest.fixture
def proxy(server: str) -> Iterator[Proxy]:
    with proxied(server) as proxy:
        yield proxy


# Where it is

WHOLE = {"bucket": "b", "region": "r", "key": "team/devstream.state"}


def test_it_is_told_without_more_than_one_needs_to_find_it() -> None:
    assert open_s3(WHOLE).describe() == "s3://b/team/devstream.state"
    at = {"endpoint": "http://127.0.0.1:1"}
    assert open_s3(WHOLE | at).describe() == "s3://b/team/devstream.state at http://127.0.0.1:1"
    assert open_backend("s3", WHOLE).describe() == "s3://b/team/devstream.state"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "bucket: is required and missing; region: is required and missing; key: is required and missing; the s3 "),
        (WHOLE | {"Key": "a"}, "config.state.options: Key: is unknown, did you mean key?"),
        (WHOLE | {"bucket": 1}, "config.state.options: bucket: expected str, got int"),
        (WHOLE | {"bucket": ""}, "config.state.options: bucket is empty; name it"),
        (WHOLE | {"region": ""}, "config.state.options: region is empty; name it"),
        (WHOLE | {"key": ""}, "'' is no key for the state; write a path without a leading slash"),
        (WHOLE | {"key": "/a"}, "'/a' is no key for the state"),
        (WHOLE | {"key": "a/"}, "'a/' is no key for the state"),
        (WHOLE | {"key": "a/../b"}, "'a/../b' is no key for the state"),
        (WHOLE | {"key": "a\0"}, r"'a\x00' is no key for the state"),
        (WHOLE | {"key": "é" * 500}, "is no key for the state"),
        (
            WHOLE | {"endpoint": "s3.example.com"},
            "endpoint is no URL, or has credentials in it; write it like https://",
        ),
        (WHOLE | {"endpoint": "http://me:secret@a"}, "endpoint is no URL, or has credentials in it; write it like"),
    ],
)
def test_options_that_name_no_object_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(StateError, match=re.escape(message)) as caught:
        open_s3(options)
    assert "secret" not in str(caught.value)


# What can't be used

LOAD = """
from dtm_sdk.errors import StateError
for act in (backend.load, lambda: backend.lock("apply").__enter__()):
    try:
        act()
        print("done")
    except StateError as error:
        print(error)
"""


def refusals(code: str, folder: Path) -> list[str]:
    """What a child is told that reads a state, and then locks it."""
    child = python(code + LOAD, folder)
    assert child.stderr == ""
    assert SECRET_KEY not in child.stdout
    assert ACCESS_KEY not in child.stdout
    return child.stdout.splitlines()


def test_boto3_is_asked_for_by_name(tmp_path: Path) -> None:
    without = "import sys\nsys.modules['boto3'] = None\n" + code("http://127.0.0.1:1")
    told = "config.state.backend: the backend s3 needs boto3, which isn't installed; run `pip install 'dtm-sdk[s3]'`"
    assert refusals(without, tmp_path) == [told] * 2


def test_boto3_is_loaded_when_the_state_is_read_and_not_before(tmp_path: Path) -> None:
    code = "import sys\nfrom dtm_sdk.backends import open_backend\n"
    code += f"open_backend('s3', {WHOLE!r})\nprint('boto3' in sys.modules, 'botocore' in sys.modules)"
    assert python(code, tmp_path).stdout == "False False\n"


def test_a_server_that_isnt_there_is_told(tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        told = refusals(code(endpoint), tmp_path)
    assert len(told) == 2
    assert all("the server can't be reached (Could not connect to the endpoint URL: " in line for line in told)
    assert all(line.endswith("; correct region or endpoint, or mend the network") for line in told)


def test_missing_credentials_are_told(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    told = refusals(code(server), tmp_path)
    assert len(told) == 2
    hint = "there are no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
    assert all(line.endswith(hint) for line in told)


def test_a_missing_profile_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    told = "config.state: S3 can't be used: The config profile (nobody) could not be found; correct config.state.opt"
    assert [line.startswith(told) for line in refusals(code("http://127.0.0.1:1"), tmp_path)] == [True] * 2


def test_an_endpoint_that_is_no_url_is_told(tmp_path: Path) -> None:
    told = "config.state: S3 can't be used: Invalid endpoint: http://a b; correct config.state.options, or the profile"
    assert refusals(code("http://a b"), tmp_path) == [told] * 2


def test_wrong_credentials_are_told(seaweed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = seaweed  # moto takes any credentials
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x" * 40)
    told = refusals(code(server), tmp_path)
    assert [line.rpartition("; ")[2] for line in told] == ["correct AWS_SECRET_ACCESS_KEY, or the profile"] * 2
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOTHER")
    told = refusals(code(server), tmp_path)
    assert [line.rpartition("; ")[2] for line in told] == ["correct AWS_ACCESS_KEY_ID, or the profile"] * 2


def test_credentials_that_may_only_read_are_told(seaweed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", READER)
    loaded, locked = refusals(code(seaweed), tmp_path)
    assert loaded == "done"
    assert "these credentials may not do that, or there is no such bucket; allow it s3:GetObject, s3:Put" in locked


def test_a_program_that_gives_no_credentials_is_told_without_what_it_says(
    moto: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    config = tmp_path / "config"
    config.write_text(f"[default]\ncredential_process = sh -c 'echo {SECRET_KEY} >&2; exit 1'\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", f"{config}")
    hint = "S3 can't be used: the credentials can't be had; see to the program that the profile takes them from"
    assert [line.partition(": ")[2] for line in refusals(code(moto), tmp_path)] == [hint] * 2


def test_a_missing_bucket_is_told(server: str, tmp_path: Path) -> None:
    told = refusals(code(server).replace(BUCKET, "nowhere"), tmp_path)
    assert len(told) == 2
    assert "there is no such bucket" in told[0]
    # SeaweedFS answers a write there as if it weren't allowed.
    assert "there is no such bucket" in told[1]


def test_a_server_that_writes_whatever_the_condition_is_refused(rclone: str, tmp_path: Path) -> None:
    place = S3Place(tmp_path, rclone)
    for _ in range(2):
        with (
            pytest.raises(StateError, match=r"writes whether or not a condition .* use a server that honours"),
            place.backend().lock("apply"),
        ):
            pass
        assert place.names() == []
    # Something that looks like a lock is no proof.
    place.write(b"{}", "lock")
    with pytest.raises(StateError, match="writes whether or not"), place.backend().lock("apply"):
        pass
    place.client.close()


@pytest.mark.parametrize("header", ["If-Match", "If-None-Match"])
@pytest.mark.parametrize("there", [False, True], ids=["at first", "later"])
def test_a_server_that_honours_one_condition_only_is_refused(
    moto: str, tmp_path: Path, header: str, *, there: bool
) -> None:
    place = S3Place(tmp_path, moto)
    if there:
        commit(place, A)
    with proxied(moto) as proxy:
        proxy.deaf = header
        with pytest.raises(StateError, match="writes whether or not"), place.backend(proxy.endpoint).lock("apply"):
            pass
    assert "lock" not in place.names()
    place.client.close()


# What is written, and what isn't


def test_a_load_writes_nothing(place: S3Place, proxy: Proxy) -> None:
    place.backend(proxy.endpoint).load()
    commit(place, A)
    place.backend(proxy.endpoint).load()
    place.backend(proxy.endpoint).history()
    assert {each.split()[0] for each in proxy.requests} == {"GET"}


def test_a_run_that_changes_nothing_writes_nothing_but_its_lock(place: S3Place, proxy: Proxy) -> None:
    commit(place, A)
    die(place, [Put(B)])
    with place.backend(proxy.endpoint).lock("apply"):
        pass
    # That the lock isn't new proves one condition; the other is proved by the third.
    writes = [each.split()[1:] for each in proxy.requests if each.startswith("PUT")]
    assert writes == [[f"/{BUCKET}/{place.key}.d/lock", status] for status in ("412", "200", "412", "200")]


def test_an_append_is_one_write_and_a_commit_three(place: S3Place, proxy: Proxy) -> None:
    commit(place, *[record(f"r{number}", "x" * 1000) for number in range(100)])
    with place.backend(proxy.endpoint).lock("apply") as session:
        del proxy.requests[:]
        session.append([Begin(1, "create", A), Begin(2, "create", B)])
        session.append([End(1, A), End(2, B), Put(C)])
        assert proxy.written() == [f"{place.key}.d/journal/1/{number:06}" for number in (1, 2)]
        assert len(proxy.requests) == 2
        del proxy.requests[:]
        session.commit(State({"a.p": A}))
        assert proxy.written() == [place.key, f"{place.key}.d/snapshot.json", f"{place.key}.d/backups/2.yaml"]
    assert len(place.read("lock")) == 2
    assert [name for name in place.names() if name.startswith("journal/")] == []


def test_the_object_has_the_bytes_of_a_state_file(place: S3Place) -> None:
    committed = commit(place, A, B)
    assert place.read() == dump(committed)


def test_ten_copies_are_kept(place: S3Place) -> None:
    for _ in range(BACKUPS + 3):
        commit(place, A)
    assert [version.serial for version in place.backend().history()] == list(range(4, BACKUPS + 4))
    assert place.backend().version(5).serial == 5


# The lease

THOROUGH = "DTM_THOROUGH" in os.environ
"""Whether the race is run a hundred times and every byte is damaged: `DTM_THOROUGH=1 pytest tests/backends`."""
EXPIRED = b'{"holder":{"pid":1,"host":"h","user":"u","command":"apply","started":"s","id":"i"},"duration":0}'


def test_of_many_in_a_race_one_works_and_the_others_say_who(place: S3Place) -> None:
    with racing(place) as race:
        for there in [None, b"{}", EXPIRED] * (34 if THOROUGH else 1):
            place.remove("lock")
            if there is not None:
                place.write(there, "lock")
            race()


ACTS = """
import sys
from dtm_sdk.errors import StateError
from dtm_sdk.state import Begin, Drop, End, Put, Record, State
a, b, c = (Record(name, "p", (), {"content": "hello"}, {"content": "hello"}) for name in "abc")
with backend.lock("apply") as session:
    print("held", flush=True)
    for line in sys.stdin:
        try:
            exec(line)
            print("done", flush=True)
        except StateError as error:
            print(error, flush=True)
print("ended", flush=True)
"""
"""A run that does what it is told, one line at a time."""


def does(child: Popen[str], act: str) -> str:
    tell(child, act)
    return said(child)


@pytest.mark.parametrize("act", ["session.append([Put(c)])", "session.commit(State({}))"])
def test_a_paused_writer_that_another_run_replaced_is_refused(short: S3Place, act: str) -> None:
    commit(short, A)
    with started(short.code + ACTS, short.folder) as child:
        assert said(child) == "held"
        assert does(child, "session.append([Put(b)])") == "done"
        child.send_signal(signal.SIGSTOP)
        with short.backend().lock("apply", wait=30) as session:
            assert session.loaded.state.records == {"a.p": A, "b.p": B}
            child.send_signal(signal.SIGCONT)
            told = does(child, act)
            assert "this run no longer holds the lock, another run took it over because it was not renewed" in told
            assert does(child, act).startswith("nothing more is written to the state of this run: ")
            session.append([Drop("a.p")])
        child.communicate(timeout=30)
    assert short.backend().load().state.records == {"b.p": B}
    assert json.loads(short.read("lock")) == {}


@pytest.mark.parametrize("fault", ["dropped", "lost"])
def test_a_holder_that_comes_late_goes_on_if_nobody_took_its_lock(moto: str, tmp_path: Path, fault: str) -> None:
    place = S3Place(tmp_path, moto, DURATION)

    def failures() -> int:
        return sum(each.endswith(fault) for each in between.requests)

    with proxied(moto) as between, place.backend(between.endpoint).lock("apply") as session:
        # A whole renewal fails: all tries to write it, and all to read what has become of it.
        between.fault = lambda request: fault if request.endswith("/lock") and failures() < 2 * TRIES else ""
        while failures() < 2 * TRIES:
            assert place.backend().load().state.records == {}
        session.append([Put(A)])
    assert place.backend().load().state.records == {"a.p": A}
    assert json.loads(place.read("lock")) == {}
    place.client.close()


def held_from(first: str) -> Fault:
    """Holds that request and all after it; a renewal of the lease may come before."""
    seen: list[str] = []

    def fault(request: str) -> str:
        if request == first:
            seen.append(request)
        return "held" if seen else ""

    return fault


@pytest.mark.parametrize("act", ["append", "commit"])
def test_a_write_on_its_way_when_another_run_took_over_changes_nothing(short: S3Place, proxy: Proxy, act: str) -> None:
    commit(short, A)
    troubles: list[StateError] = []

    def late() -> None:
        with short.backend(proxy.endpoint).lock("apply") as session:
            proxy.fault = held_from(f"PUT /{BUCKET}/{short.key}" + ".d/journal/1/000001" * (act == "append"))
            try:
                session.append([Put(C)]) if act == "append" else session.commit(State({}))
            except StateError as error:
                troubles.append(error)

    thread = Thread(target=late)
    thread.start()
    assert proxy.holding.wait(30)
    with short.backend().lock("apply", wait=30) as session:
        session.append([Put(B)])
        proxy.let_go.set()
        thread.join()
        assert short.backend().load().state.records == {"a.p": A, "b.p": B}
        session.append([Drop("a.p")])
    assert short.backend().load().state.records == {"b.p": B}
    assert len(troubles) == 1


def test_a_commit_that_arrives_while_another_run_takes_over_is_taken_in(short: S3Place, server: str) -> None:
    commit(short, A)
    troubles: list[StateError] = []

    def late(endpoint: str, hold: Callable[[], None]) -> None:
        try:
            with short.backend(endpoint).lock("apply") as session:
                hold()
                session.commit(State({"b.p": B}))
        except StateError as error:
            troubles.append(error)

    with proxied(server) as slow, proxied(server) as other:

        def hold() -> None:
            slow.fault = held_from(f"PUT /{BUCKET}/{short.key}")

        thread = Thread(target=late, args=(slow.endpoint, hold))
        thread.start()
        assert slow.holding.wait(30)
        other.fault = lambda request: "held" if request == f"PUT /{BUCKET}/{short.key}" else ""
        taker = Thread(target=lambda: taken.append(taking.lock("apply", wait=30).__enter__().loaded.state))
        taken: list[State] = []
        taking = short.backend(other.endpoint)
        taker.start()
        # The one who takes over has read the state, and is about to write it.
        assert other.holding.wait(30)
        slow.let_go.set()
        thread.join()
        other.fault = lambda request: ""
        other.let_go.set()
        taker.join()
    assert [(state.records, state.serial) for state in taken] == [({"b.p": B}, 3)]
    assert len(troubles) == 1


def test_a_run_that_lives_keeps_its_lease(short: S3Place, proxy: Proxy) -> None:
    with short.backend(proxy.endpoint).lock("apply") as session:
        taken = len(proxy.written())
        with pytest.raises(LockedError), short.backend().lock("apply", wait=2 * DURATION):
            pass
        assert len(proxy.written()) > taken + 2
        session.append([Put(A)])


def test_one_who_waits_gets_the_lock_when_it_is_free(place: S3Place) -> None:
    with started(place.code + HOLD, place.folder, "apply") as child:
        said(child)
        with started(place.code + "with backend.lock('apply', 60):\n    print('held')\n", place.folder) as other:
            tell(child)
            assert said(other) == "held"


def test_unlock_ends_the_lock_of_a_run_that_lives(short: S3Place) -> None:
    commit(short, A)
    with started(short.code + ACTS, short.folder) as child:
        assert said(child) == "held"
        holder = short.backend().holder()
        assert holder is not None
        assert (holder.pid, holder.command) == (child.pid, "apply")
        with pytest.raises(StateError, match=f"its lock is {holder.id}, not other; run `dtm state unlock {holder.id}`"):
            short.backend().unlock("other")
        short.backend().unlock(holder.id)
        with pytest.raises(LockedError, match=r"it was unlocked, and is free in \d s"), short.backend().lock("apply"):
            pass
        with short.backend().lock("apply", wait=30) as session:
            assert "no longer holds the lock" in does(child, "session.append([Put(c)])")
            session.append([Put(B)])
        child.communicate(timeout=30)
    assert short.backend().load().state.records == {"a.p": A, "b.p": B}
    assert short.backend().holder() is None


def test_what_isnt_locked_cant_be_unlocked(place: S3Place) -> None:
    assert place.backend().holder() is None
    with pytest.raises(StateError, match="isn't locked; there is nothing to unlock"):
        place.backend().unlock("any")
    commit(place, A)
    with pytest.raises(StateError, match="isn't locked"):
        place.backend().unlock("any")
    place.write(EXPIRED, "lock")
    assert place.backend().holder() is None
    with pytest.raises(StateError, match="isn't locked"):
        place.backend().unlock("i")


def test_a_damaged_lock_is_held_by_another_run(place: S3Place) -> None:
    place.write(b"{", "lock")
    with pytest.raises(LockedError, match="is held by another run; wait until it has ended"), place.backend().lock("a"):
        pass


def start_nothing(thread: Thread) -> None:
    """Do as Python 3.12 does while it ends."""
    raise RuntimeError("can't create new thread at interpreter shutdown")


@pytest.mark.parametrize("start", [Thread.start, start_nothing])
def test_a_run_that_leaves_at_once_lets_its_lock_run_out_soon(
    place: S3Place, start: Callable[[Thread], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with place.backend().lock("apply") as session:
        session.append([Put(A)])
        assert isinstance(session, Leaving)
        with monkeypatch.context() as patched:
            patched.setattr(Thread, "start", start)
            session.leave()
        with pytest.raises(LockedError, match="wait until it has ended"), place.backend().lock("apply"):
            pass
        with place.backend().lock("apply", wait=30) as other:
            assert other.loaded.state.records == {"a.p": A}
            with pytest.raises(StateError, match="this run has left"):
                session.append([Put(B)])
            other.append([Put(C)])
    assert place.backend().load().state.records == {"a.p": A, "c.p": C}


# A network that fails


@pytest.mark.parametrize(
    "name", ["lock", "key", "journal/0/000001", "journal/0/000002", "", "snapshot.json", "backups/1.yaml"]
)
def test_an_answer_that_was_lost_is_no_failure_and_makes_nothing_twice(place: S3Place, proxy: Proxy, name: str) -> None:
    proxy.fail_once("lost", f"{place.key}.d/{name}" if name else place.key)
    with place.backend(proxy.endpoint).lock("apply") as session:
        session.append([Begin(1, "create", A)])
        session.append([End(1, A), Begin(2, "create", B)])
        assert place.names()[:2] == ["journal/0/000001", "journal/0/000002"]
        found = place.backend().load()
        assert (found.state.records, found.open) == ({"a.p": A}, (Begin(2, "create", B),))
        assert session.commit(State({"a.p": A})).serial == 1
        session.append([Put(C)])
    assert sum(each.endswith("lost") for each in proxy.requests) == 1
    assert place.backend().load().state.records == {"a.p": A, "c.p": C}
    with place.backend().lock("apply"):
        pass


@pytest.mark.parametrize("fault", ["lost", "cut", "dropped"])
def test_what_wasnt_answered_in_full_is_asked_for_again(place: S3Place, proxy: Proxy, fault: str) -> None:
    commit(place, A)
    proxy.fail_once(fault, place.key, "GET")
    assert place.backend(proxy.endpoint).load().state.records == {"a.p": A}
    assert sum(each.endswith(fault) for each in proxy.requests) == 1


def test_a_write_in_conflict_with_another_is_tried_again(place: S3Place, proxy: Proxy) -> None:
    with place.backend(proxy.endpoint).lock("apply") as session:
        proxy.fail_once("conflict", "journal/0/000001")
        session.append([Put(A)])
        proxy.fail_once("conflict", place.key)
        assert session.commit(State({"a.p": A})).serial == 1
    assert sum(each.endswith("conflict") for each in proxy.requests) == 2


def test_a_server_that_goes_away_stops_the_run_and_what_it_took_stays(short: S3Place, server: str) -> None:
    with proxied(server) as proxy, short.backend(proxy.endpoint).lock("apply") as session:
        session.append([Begin(1, "create", A)])
        proxy.fault = lambda request: "lost"
        with pytest.raises(StateError, match=r"can't write s3://.*: the server can't be reached"):
            session.append([End(1, A)])
        with pytest.raises(StateError, match="nothing more is written to the state of this run: can't write s3://"):
            session.commit(State({"a.p": A}))
    # The end was written though its answer never came.
    with short.backend().lock("apply", wait=30) as other:
        assert (other.loaded.state.records, other.loaded.open) == ({"a.p": A}, ())


def test_a_write_whose_fate_isnt_known_is_made_void_by_the_next_run(place: S3Place, proxy: Proxy) -> None:
    commit(place, A)
    with place.backend(proxy.endpoint).lock("apply") as session:
        session.append([Put(B)])
        proxy.fault = lambda request: "dropped" if request == f"PUT /{BUCKET}/{place.key}" else ""
        with pytest.raises(StateError, match="the server can't be reached"):
            session.commit(State({"b.p": B}))
    assert json.loads(place.read("lock")) == {"unsettled": True}
    with place.backend().lock("apply") as session:
        # Were it to arrive now, it would find another state than it asks for.
        assert (session.loaded.state.records, session.loaded.state.serial) == ({"a.p": A, "b.p": B}, 2)
        assert dump(session.loaded.state) == place.read()
    assert json.loads(place.read("lock")) == {}


# What was there before, and what a person decides


def test_a_state_of_the_ancestor_is_taken_over_and_kept_as_a_copy(place: S3Place) -> None:
    place.write(ANCESTOR)
    assert place.backend().load().state == State({"a.p": A})
    die(place, [Put(B)])
    assert place.read() == ANCESTOR
    assert commit(place, A, B).serial == 1
    kept = load(place.read("backups/0.yaml"))
    assert (kept.records, kept.serial) == ({"a.p": A}, 0)
    assert place.backend().restore(0).records == {"a.p": A}


def test_an_edit_is_refused_with_the_difference_and_can_be_accepted(place: S3Place) -> None:
    before = commit(place, A)
    die(place, [Put(C), Begin(1, "create", B)])
    journal = place.read("journal/1/000001")
    place.meddle()
    with pytest.raises(StateError, match=r"\(a\.p\.options\.content: 'hello' -> 'HELLO', a\.p\.resource"):
        place.backend().load()
    edited = {"a.p": record("a", "HELLO"), "c.p": C}
    assert place.backend().accept() == State(edited, before.serial + 1, before.lineage)
    assert place.backend().load().state.records == edited
    assert place.backend().load().open == (Begin(1, "create", B),)
    assert journal.split(b"\n")[1] in place.read("journal.replaced")


def test_a_state_that_is_gone_can_be_accepted_and_restored(place: S3Place) -> None:
    first = commit(place, A)
    commit(place, A, B)
    place.remove()
    with pytest.raises(StateError, match="is gone, but writing 2 of the state was made; run `dtm state restore 2`"):
        place.backend().load()
    assert place.backend().accept() == State({}, 3, first.lineage)
    assert place.backend().restore(1) == State({"a.p": A}, 4, first.lineage)
    with pytest.raises(StateError, match=r"there is no copy of writing 7 of the state in s3://.*; `dtm state history`"):
        place.backend().restore(7)


def test_what_a_check_refuses_is_left_as_it_is(place: S3Place) -> None:
    commit(place, A)

    def check(before: object, after: State) -> None:
        raise StateError("no")

    with pytest.raises(StateError, match="no"):
        place.backend().accept(check=check)
    assert place.backend().load().state.serial == 1


def test_a_key_can_be_taken_over_and_a_damaged_one_is_refused(place: S3Place) -> None:
    with place.backend().lock("state migrate") as session:
        assert isinstance(session, Keyed)
        session.take_key(b"k" * 32)
        assert session.loaded.key == b"k" * 32
    assert place.backend().load().key == b"k" * 32
    place.write(b"short", "key")
    with pytest.raises(StateError, match=r"\.d/key has 5 bytes instead of 32: it is damaged; put back a copy"):
        place.backend().load()


# Damage


def damaged(data: bytes) -> Iterator[bytes]:
    """Some prefixes, and some with one bit flipped; all of them where there is time."""
    for index in range(0, len(data), 1 if THOROUGH else len(data) // 12):
        yield data[:index]
        for bit in range(8) if THOROUGH else [index % 8]:
            yield data[:index] + bytes([data[index] ^ 1 << bit]) + data[index + 1 :]


@pytest.mark.parametrize("name", ["", "snapshot.json", "journal/1/000001", "journal/1/000002"])
def test_what_is_damaged_is_refused_or_makes_no_difference(place: S3Place, name: str) -> None:
    commit(place, A)
    die(place, [Put(B)], [Put(C)])
    whole = place.backend().load()

    def outcome(place: S3Place) -> str:
        try:
            return "whole" if place.backend().load() == whole else "different"
        except StateError as error:
            return "refused" if "`dtm state " in error.hint else error.hint

    data = place.read(name)
    for each in damaged(data):
        place.write(each, name)
        assert outcome(place) in {"whole", "refused"}, each
    place.write(data, name)
    assert place.backend().load() == whole


def test_an_object_of_the_journal_that_is_gone_is_missed(place: S3Place) -> None:
    die(place, [Put(A)], [Put(B)], [Put(C)])
    place.remove("journal/0/000002")
    with pytest.raises(StateError, match=r"journal/0:3: this line of the journal is damaged; run `dtm state accept`"):
        place.backend().load()


def test_a_long_journal_is_read_and_removed(place: S3Place) -> None:
    many = 40
    die(place, *[[Put(record(f"r{number}"))] for number in range(many)])
    assert list(place.backend().load().state.records) == [f"r{number}.p" for number in range(many)]
    commit(place, A)
    assert sorted(place.names()) == ["backups/1.yaml", "key", "lock", "snapshot.json"]


def test_two_who_continue_the_same_state_cant_both_append(place: S3Place) -> None:
    with place.backend().lock("apply") as session:
        session.append([Put(A)])
        # Another holder whose lock was removed by hand, so that both believe to have it.
        place.remove("lock")
        with place.backend().lock("apply") as other:
            other.append([Put(B)])
            with pytest.raises(StateError, match="another run has written object 2 of the journal of this run"):
                session.append([Put(B)])
    assert place.backend().load().state.records == {"a.p": A, "b.p": B}
