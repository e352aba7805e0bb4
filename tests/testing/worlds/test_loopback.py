"""A user who goes out by a proxy: what a world serves on this machine is asked past it, as each check asks it."""

import os
import urllib.request
from pathlib import Path
from urllib.request import getproxies, proxy_bypass, urlopen

import pytest

from dtm_sdk.testing import HttpWorld
from dtm_sdk.testing.model import Step
from dtm_sdk.testing.replay import replayed
from dtm_sdk.testing.worlds.loopback import unproxied
from tests.testing.worlds.test_http import Store
from tests.zoo.right import member
from tests.zoo.zoo import Kept, findings

NOWHERE = "http://127.0.0.1:9"
"""Port 9 is discard's (RFC 863): nothing listens there."""


@pytest.fixture(autouse=True)
def proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", NOWHERE)
    monkeypatch.setattr(urllib.request, "_opener", None)  # it knows the proxies of the time when it was first needed


def test_the_service_of_a_world_is_asked_past_the_proxy(tmp_path: Path) -> None:
    store = Store()
    store.state["a"] = 1
    world = HttpWorld(store, store.state)
    with world.opened(tmp_path):
        with unproxied(), urlopen(f"{world.url}/a") as answer:  # noqa: S310  # a URL of our own
            assert answer.read() == b'{"value": 1}'
        with pytest.raises(OSError, match="refused"):
            urlopen(f"{world.url}/a")  # noqa: S310  # likewise


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "localhost:80", "::1"])
def test_no_name_of_this_machine_goes_by_the_proxy(host: str) -> None:
    assert not proxy_bypass(host)
    with unproxied():
        assert proxy_bypass(host)
        assert getproxies()["http"] == NOWHERE


@pytest.mark.parametrize("name", ["no_proxy", "NO_PROXY"])
def test_what_the_user_excepts_stays_excepted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "corp.example, .inside.example")
    before = dict(os.environ)
    with unproxied():
        assert os.environ["no_proxy"] == os.environ["NO_PROXY"]  # a client may read only the one or the other
        assert all(map(proxy_bypass, ["corp.example", "a.inside.example", "127.0.0.1"]))
        assert not proxy_bypass("example.org")
    assert dict(os.environ) == before


def test_nothing_by_a_proxy_stays_nothing_by_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with unproxied():
        assert proxy_bypass("example.org")


def test_what_looks_for_proxies_in_the_environment_finds_something_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else urllib on macOS asks the system, after a fork (its manual)."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    assert not getproxies()
    with unproxied():
        assert getproxies()


def test_a_check_of_a_plugin_that_asks_a_proxy_is_not_disturbed_by_one() -> None:
    (found,) = findings(Kept("member", member.plugin, member.world), {"C1"}, trusting=True)
    assert found.verdict == "passed", found.message


def test_nor_is_a_sequence_that_is_done_again(tmp_path: Path) -> None:
    assert replayed(member.plugin, member.world(), tmp_path / "again", [Step("want"), Step("apply")]) is None
