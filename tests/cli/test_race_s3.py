"""Many applies at once of a state in a bucket: one works, and each of the others says which.

What they have made is asked of a service whose create is not idempotent. In one race the one that works can't end
before all others have; in the next it may, and another may begin at the moment when it lets go.
`DTM_THOROUGH=1 pytest tests/cli/test_race_s3.py --log-level=INFO -o log_cli=true` races 16, a hundred times on each
server, and tells of it.
"""

import json
import logging
import os
import re
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

import msgspec
import pytest

from dtm_sdk.backends.s3 import open_s3
from dtm_sdk.options import Json
from tests import tickets
from tests.backends import servers
from tests.backends.servers import BUCKET, ENVIRONMENT, REGION
from tests.children import environment, said, tell
from tests.racers import Ended

RACERS, ROUNDS = (16, 100) if "DTM_THOROUGH" in os.environ else (6, 3)
NAMES = ("a", "b", "c")
log = logging.getLogger(__name__)


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(params=["seaweed", "moto"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with getattr(servers, request.param)(tmp_path_factory.mktemp("server")) as endpoint:
        yield endpoint


class Place:
    """Applies of three tickets, with a state of its own for each round."""

    def __init__(self, folder: Path, service: tickets.Service, endpoint: str) -> None:
        self._folder, self._service = folder, service
        self._options = {"bucket": BUCKET, "region": REGION, "endpoint": endpoint}
        tickets.install(folder / "plugins")

    @contextmanager
    def started(self) -> Iterator[subprocess.Popen[str]]:
        """What forks the racers."""
        options = self._prepared()
        command = [sys.executable, "-m", "tests.racers", json.dumps(options), "-p", "plugins", "-y", "apply"]
        env = {**environment(), "NO_COLOR": "", tickets.PORT: f"{self._service.port}"}
        with subprocess.Popen(
            command, cwd=self._folder, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as forking:
            try:
                yield forking
            finally:
                forking.kill()

    def _prepared(self) -> dict[str, Json]:
        """Write a config whose state isn't there yet; returns the options of the backend."""
        options: dict[str, Json] = {**self._options, "key": f"{uuid.uuid4()}/devstream.state"}
        tools = [{"name": name, "plugin": "ticket", "options": {"name": name}} for name in NAMES]
        config = {"config": {"state": {"backend": "s3", "options": options}}, "tools": tools}
        (self._folder / "config.yaml").write_text(json.dumps(config))
        return options

    def race(self, forking: subprocess.Popen[str], *, one: bool) -> int:
        """Race once; how many got the state, one after the other: only `one`, or whoever can."""
        self._service.tickets.clear()
        options = self._prepared()
        opening = Timer(60, self._service.gate.set)  # should two work at once, both would wait for ever
        opening.start()
        if one:
            self._service.gate.clear()
        tell(forking, f"{RACERS}")
        ended = [msgspec.json.decode(said(forking), type=Ended) for _ in range(RACERS - 1)]
        self._service.gate.set()
        ended.append(msgspec.json.decode(said(forking), type=Ended))
        opening.cancel()
        worked = {each.pid for each in ended if each.code == 0}
        assert {each.pid for each in ended[-1:]} == worked if one else worked, ended
        for each in ended:
            if each.pid not in worked:
                found = re.search(r" is held by `dtm apply`, process (\d+) on ", each.said)
                assert (each.code, found and int(found[1]) in worked) == (1, True), each.said
        assert sum(each.said.count(" Create done.") for each in ended) == len(NAMES)
        self._hold_once(options)
        return len(worked)

    def _hold_once(self, options: dict[str, Json]) -> None:
        """Each ticket was made once, and is recorded."""
        made = {number: ticket["name"] for number, ticket in self._service.tickets.items()}
        assert sorted(made.values()) == sorted(NAMES)
        loaded = open_s3(options).load()
        recorded = {record.resource["outputs"]["number"]: record.name for record in loaded.state.records.values()}
        assert (recorded, loaded.open) == (made, ())


def test_of_many_applies_one_works_and_the_others_say_which(server: str, tmp_path: Path) -> None:
    with tickets.serving() as service:
        place = Place(tmp_path, service, server)
        with place.started() as forking:
            worked = Counter(place.race(forking, one=number % 2 == 0) for number in range(ROUNDS))
    log.info("%d races of %d; of how many racers worked, how often: %s", ROUNDS, RACERS, dict(worked))
