"""A service in Python on a real socket, and what befalls requests."""

import json
import socket
from collections.abc import Iterable, Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPException, IncompleteRead
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtm_sdk.testing import Fault, HttpWorld
from dtm_sdk.testing.forked import forked

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


class Store:
    """A service that keeps what is put: `PUT /KEY`, `GET /KEY`."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        key = environ["PATH_INFO"].removeprefix("/")
        if environ["REQUEST_METHOD"] == "PUT":
            self.state[key] = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        start_response("200 OK" if key in self.state else "404 Not Found", [("Content-Type", "application/json")])
        return [json.dumps({"value": self.state.get(key)}).encode()]


def ask(world: HttpWorld, method: str, key: str, value: Any = None) -> tuple[int, Any]:
    """What a plain client hears: the status, and the value if the body has one."""
    parts = urlsplit(world.url)
    with closing(HTTPConnection(parts.hostname or "", parts.port, timeout=0.5)) as client:
        client.request(method, f"/{key}", json.dumps(value) if method == "PUT" else None)
        answer = client.getresponse()
        return answer.status, json.loads(answer.read()).get("value")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[HttpWorld]:
    store = Store()
    found = HttpWorld(store, store.state, url_option="server.url", volatile=["times.*"])
    with found.opened(tmp_path):
        yield found


def by_name(faults: Iterable[Fault], part: str) -> Fault:
    return next(fault for fault in faults if part in fault.name)


@settings(deadline=None, max_examples=50)
@given(one=st.dictionaries(st.text(), JSON), other=st.dictionaries(st.text(), JSON))
def test_a_tree_that_is_restored_is_what_is_seen_and_shares_nothing(one: dict[str, Any], other: dict[str, Any]) -> None:
    state: dict[str, Any] = {}
    world = HttpWorld(Store(), state)
    for tree in (one, other, one):
        world.restore(tree)
        assert world.snapshot() == tree == state
    state["new"] = 1
    world.snapshot()["newer"] = 2
    assert "new" not in one
    assert "newer" not in state


def test_the_service_answers_and_its_requests_are_kept(world: HttpWorld) -> None:
    assert ask(world, "PUT", "a", 1) == (200, 1)
    assert ask(world, "GET", "a") == (200, 1)
    assert ask(world, "GET", "b") == (404, None)
    assert [(each.method, each.path, each.mutating) for each in world.requests] == [
        ("PUT", "/a", True),
        ("GET", "/a", False),
        ("GET", "/b", False),
    ]
    assert world.mutations() == 1
    assert world.snapshot() == {"a": 1}


def test_options_get_the_address_and_stay_as_they_were(world: HttpWorld) -> None:
    given_options: dict[str, Any] = {"name": "x", "server": {"port": 1}}
    assert world.bind(given_options) == {"name": "x", "server": {"port": 1, "url": world.url}}
    assert given_options == {"name": "x", "server": {"port": 1}}
    assert world.bind({}) == {"server": {"url": world.url}}


def test_there_is_no_address_outside() -> None:
    with pytest.raises(RuntimeError, match="isn't open"):
        _ = HttpWorld(Store(), {}).url


@pytest.mark.parametrize(
    ("part", "raised", "done"),
    [
        ("refused", OSError, False),
        ("reset", OSError, False),
        ("no answer", TimeoutError, False),
        ("cut", IncompleteRead, True),
        ("no JSON", json.JSONDecodeError, True),
    ],
)
def test_a_fault_is_what_its_name_says(world: HttpWorld, part: str, raised: type[Exception], done: bool) -> None:  # noqa: FBT001
    with by_name(world.faults(), part).strike() as count:
        with pytest.raises((raised, HTTPException) if raised is OSError else raised):
            ask(world, "PUT", "a", 1)
        assert count() == 1
    assert ("a" in world.snapshot()) is done
    assert ask(world, "PUT", "b", 2) == (200, 2)


@pytest.mark.parametrize("status", [401, 403, 429, 500, 502, 503])
def test_a_status_is_answered_and_nothing_is_done(world: HttpWorld, status: int) -> None:
    with by_name(world.faults(), str(status)).strike() as count:
        assert ask(world, "PUT", "a", 1) == (status, None)
        assert ask(world, "GET", "a") == (status, None)
        assert count() == 2
    assert world.snapshot() == {}


@pytest.mark.parametrize("status", [403, 409, 423, 500])
def test_what_changes_things_is_refused_and_what_is_asked_is_answered(world: HttpWorld, status: int) -> None:
    ask(world, "PUT", "a", 1)
    with by_name(world.refusals(), str(status)).strike() as count:
        assert ask(world, "PUT", "a", 2) == (status, None)
        assert ask(world, "GET", "a") == (200, 1)
        assert count() == 1
    assert ask(world, "PUT", "a", 2) == (200, 2)


def test_a_lost_answer_is_of_work_that_was_done(world: HttpWorld) -> None:
    with world.lost_answers() as count:
        with pytest.raises((OSError, HTTPException)):
            ask(world, "PUT", "a", 1)
        assert ask(world, "GET", "a") == (200, 1)
        assert count() == 1


def test_which_requests_change_things_may_be_said(tmp_path: Path) -> None:
    store = Store()
    world = HttpWorld(store, store.state, mutating=lambda method, path: path.startswith("/do"))
    with world.opened(tmp_path):
        ask(world, "PUT", "a", 1)
        ask(world, "GET", "do-it")
        assert world.mutations() == 1


PUT = b"PUT /late HTTP/1.1\r\nContent-Length: 1\r\n\r\n7"


class SlowStore(Store):
    """Comes to a change when it is let; the world looks what each is before it takes it to the service."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.let = Event(), Event()
        self.world = HttpWorld(self, self.state, mutating=self.is_change)

    def is_change(self, method: str, path: str) -> bool:  # noqa: ARG002
        if method == "PUT":
            self.asked.set()
            self.let.wait(20)
        return method == "PUT"


def connected(world: HttpWorld) -> socket.socket:
    parts = urlsplit(world.url)
    return socket.create_connection((parts.hostname or "", parts.port or 0), timeout=20)


@pytest.mark.parametrize("client", ["died", "keeps its connection"])
def test_what_a_client_has_asked_is_done_when_the_world_has_settled(tmp_path: Path, client: str) -> None:
    store, found = SlowStore(), list[dict[str, Any]]()

    def settle() -> None:
        store.world.settle()
        found.append(dict(store.state))

    with store.world.opened(tmp_path), connected(store.world) as connection:
        connection.sendall(PUT)
        assert store.asked.wait(20)
        if client == "died":
            connection.close()
        settled = Thread(target=settle)
        settled.start()
        ask(store.world, "GET", "late")  # comes after what the thread asks, and is answered
        assert found == []
        store.let.set()
        settled.join(20)
        assert found == [{"late": 7}]


def test_what_was_asked_before_does_not_come_into_a_world_that_is_put_back(tmp_path: Path) -> None:
    store = SlowStore()
    with store.world.opened(tmp_path):
        with connected(store.world) as connection:
            connection.sendall(PUT)
            assert store.asked.wait(20)
        put_back = Thread(target=store.world.restore, args=({"old": 1},))
        put_back.start()
        store.let.set()
        put_back.join(20)
        store.world.settle()
        assert store.state == {"old": 1}


def test_a_client_that_keeps_its_connection_holds_nobody_up(world: HttpWorld) -> None:
    with connected(world) as connection, connected(world):
        connection.sendall(PUT)
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
        settled = [Thread(target=world.settle), Thread(target=forked, args=(world.settle,))]
        for each in settled:
            each.start()
        for each in settled:
            each.join(20)
        assert not any(each.is_alive() for each in settled)
        connection.sendall(b"GET /late HTTP/1.1\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 200")


def test_requests_may_come_before_the_answers(world: HttpWorld) -> None:
    with connected(world) as connection:
        connection.sendall(PUT + PUT.replace(b"PUT", b"GET") + b"GET /none HTTP/1.0\r\n\r\n")
        said = b"".join(iter(lambda: connection.recv(1000), b""))
    assert said.count(b"HTTP/1.1 200") == 2
    assert said.count(b"HTTP/1.1 404") == 1


def test_a_world_that_ends_takes_the_connections_along(tmp_path: Path) -> None:
    store = Store()
    world = HttpWorld(store, store.state)
    with world.opened(tmp_path):
        connection = connected(world)
        connection.sendall(PUT)
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
    with connection:
        assert connection.recv(100) == b""


def test_requests_are_counted_from_when_that_is_asked_for(world: HttpWorld) -> None:
    ask(world, "PUT", "a", 1)
    with world.counting() as counted:
        ask(world, "GET", "a")
        ask(world, "GET", "b")
    assert counted() == 2
