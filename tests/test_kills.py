"""A run that is killed anywhere leaves a state that loads, and the next apply converges: nothing lost, nothing twice.

The service that the plugin calls outlives the run, and makes another ticket at each create, so what was lost is an
orphan and what was made twice a duplicate, and both are seen by asking the service, without the plugin's help.

`DTM_THOROUGH=1 pytest tests/test_kills.py --log-level=INFO -o log_cli=true` kills at each call, and tells how often.
"""

import json
import logging
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple

import msgspec
import pytest

from dtm_sdk.backends import Loaded
from dtm_sdk.backends.local import LocalBackend
from dtm_sdk.errors import StateError
from dtm_sdk.state import Begin, Record
from tests import tickets
from tests.children import environment
from tests.killer import Ended, Moment, Run, can_kill

pytestmark = pytest.mark.skipif(not can_kill(), reason="the killer knows x86_64 Linux only")

THOROUGH: Final = "DTM_THOROUGH" in os.environ
log = logging.getLogger(__name__)


class Wanted(NamedTuple):
    """A tool of a config.

    Attributes:
        found: what its ticket is found by.
        text: what that says; `{l}` stands for the number of the ticket of l.
        needs: what it depends on.
    """

    found: str
    text: str
    needs: str = ""


Tools = dict[str, Wanted]


class Scenario(NamedTuple):
    """What is there, and what is wanted then.

    Attributes:
        before: applied, and then as `meddle` leaves it.
        after: what the run that is killed is to apply.
        later: what is wanted after the death, in every other case: so what that run may have made, and nobody wants any
            more, is known from the journal alone.
        meddle: changes the tickets behind the back of the runner.
        broken: code that breaks the run that is killed, or makes it do at once what takes thousands of tools.
    """

    before: Tools
    after: Tools
    later: Tools
    meddle: Callable[[tickets.Service], None] = lambda service: None
    broken: str = ""


TEN: Final = {name: Wanted(f"ticket-{name}", "one") for name in "abcdefghij"}
UPDATED: Final = {name: each._replace(text="two") for name, each in TEN.items()}
REPLACED: Final = {name: each._replace(found=f"other-{name}") for name, each in TEN.items()}
MIXED: Final = {
    "a": Wanted("ticket-a", "two"),
    "b": Wanted("ticket-b", "two"),
    "c": Wanted("other-c", "one"),
    "d": Wanted("other-d", "one"),
    "k": Wanted("ticket-g", "two"),
    "h": Wanted("ticket-i", "one"),
    "i": Wanted("ticket-h", "one"),
    "j": Wanted("ticket-j", "one"),
    "l": Wanted("ticket-l", "one"),
    "m": Wanted("ticket-m", "after {l}"),
    "n": Wanted("ticket-n", "one"),
}
"""From `TEN`: a and b are updated, c and d replaced, e and f deleted, g is renamed and updated, h and i change places,
j is made again since it was removed, l is made, m too once the number of l is known, n is there already and adopted."""


THEIRS: Final = "ticket-n"
"""The one that the runner did not make: nobody has to know of it before it is adopted."""


def half(tools: Tools) -> Tools:
    """Every other tool; of three of those one wants another ticket, one has another name, and one is as it was."""
    found: Tools = {}
    for index, (name, each) in enumerate(list(tools.items())[::2]):
        new = each._replace(found=f"later-{name}") if index % 3 == 0 else each
        found[f"{name}2" if index % 3 == 1 else name] = new
    return found


def meddle(service: tickets.Service) -> None:
    """Remove the ticket of j, and make one that nobody has recorded."""
    (number,) = (number for number, each in service.tickets.items() if each["name"] == "ticket-j")
    del service.tickets[number]
    service.answer("create", 0, THEIRS, "theirs")


SCENARIOS: Final = {
    "create": Scenario({}, TEN, half(TEN)),
    "update": Scenario(TEN, UPDATED, half(UPDATED)),
    "replace": Scenario(TEN, REPLACED, half(REPLACED)),
    "delete": Scenario(TEN, {}, TEN),
    "mixed": Scenario(TEN, MIXED, half(MIXED), meddle),
    "compaction": Scenario({}, TEN, half(TEN), broken="from dtm_sdk import recorder; recorder.COMPACT = 4"),
    "recovery": Scenario(TEN, MIXED, half(MIXED), meddle),
}
"""In `compaction` the journal is folded into the state every few entries; in `recovery` another run was killed
before."""


@dataclass
class Tally:
    """What a sweep found.

    Attributes:
        kills: how often a run was killed.
        second: how many of these were the second ones, of a run that recovered.
        violations: what was wrong.
    """

    kills: int = 0
    second: int = 0
    violations: list[str] = field(default_factory=list)


class Killer:
    """`dtm` in a folder, with the service; some runs are killed."""

    def __init__(self, folder: Path, service: tickets.Service, server: subprocess.Popen[str]) -> None:
        self.folder = folder
        self.place = folder / "place"
        self.service = service
        self._server = server

    def configure(self, tools: Tools) -> None:
        """Write the config."""
        entries: list[dict[str, Any]] = [
            {
                "name": name,
                "plugin": "ticket",
                "dependsOn": [f"{need}.ticket" for need in each.needs],
                "options": {
                    "name": each.found,
                    "text": re.sub(r"\{(\w)\}", r"${{ \1.ticket.outputs.number }}", each.text),
                },
            }
            for name, each in tools.items()
        ]
        (self.place / "config.yaml").write_text(json.dumps({"tools": entries}))

    def run(self, *arguments: str, **kill: Any) -> Ended:
        """Run `dtm`."""
        run = Run(folder=str(self.place), arguments=["-p", str(self.folder / "plugins"), *arguments], **kill)
        assert self._server.stdin
        assert self._server.stdout
        self._server.stdin.write(msgspec.json.encode(run).decode() + "\n")
        self._server.stdin.flush()
        ended = msgspec.json.decode(self._server.stdout.readline(), type=Ended)
        tickets.ask(self.service.port, "find")  # what it asked for is done
        return ended

    def apply(self, parallelism: int, **kill: Any) -> Ended:
        """Run an apply."""
        return self.run("apply", "-y", "--parallelism", str(parallelism), **kill)

    def loaded(self) -> Loaded:
        """The state."""
        return LocalBackend(str(self.place / "devstream.state")).load()

    def made(self) -> set[int]:
        """The numbers of the tickets that the runner made."""
        return {number for number, ticket in self.service.tickets.items() if ticket["name"] != THEIRS}

    def unknown(self) -> str:
        """What is wrong with what a death left: the state must load, and know of all there is."""
        try:
            loaded = self.loaded()
        except StateError as error:
            return f"the state doesn't load: {error}"
        known = {record.options["name"] for record in _known(loaded)}
        lost = {self.service.tickets[number]["name"] for number in self.made()} - known
        return f"nobody knows of {lost}" if lost else ""

    def unlike(self, wanted: Tools) -> str:
        """What isn't as it is wanted, of the tickets and of the records."""
        there = self.service.tickets
        numbers = {ticket["name"]: number for number, ticket in there.items()}

        def number(match: re.Match[str]) -> str:
            return str(numbers.get(wanted[match[1]].found))

        expected = Counter((each.found, re.sub(r"\{(\w)\}", number, each.text)) for each in wanted.values())
        found = Counter((ticket["name"], ticket["text"]) for ticket in there.values())
        if found != expected:
            return f"too many are {found - expected}, missing {expected - found}"
        loaded = self.loaded()
        recorded = {record.options["name"]: record.resource["outputs"]["number"] for record in _known(loaded)}
        if recorded != numbers or loaded.open:
            return f"recorded is {recorded}, open {loaded.open}; there is {numbers}"
        return ""


@pytest.fixture(scope="module")
def killer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killer]:
    with killing(tmp_path_factory.mktemp("kills")) as found:
        yield found


@pytest.fixture
def place(killer: Killer) -> Path:
    """The folder, without tools and tickets."""
    shutil.rmtree(killer.place, ignore_errors=True)
    killer.place.mkdir()
    killer.service.tickets = {}
    return killer.place


@contextmanager
def killing(folder: Path) -> Iterator[Killer]:
    """A killer, in a folder."""
    plugins = folder / "plugins"
    tickets.install(plugins)
    with tickets.serving() as service:
        command = [sys.executable, "-m", "tests.killer", "-p", str(plugins)]
        variables = {**environment(), tickets.PORT: str(service.port)}
        with subprocess.Popen(
            command, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as server:
            yield Killer(folder, service, server)
            assert server.stdin
            server.stdin.close()


class Sweep:
    """Kills the run of one scenario again and again, each time from the same start."""

    def __init__(
        self, killer: Killer, scenario: str, parallelism: int, *, broken: str = "", anew: bool = False
    ) -> None:
        self.tally = Tally()
        self._killer = killer
        self._name = f"{scenario}, {parallelism} at once"
        self._scenario = SCENARIOS[scenario]
        self._parallelism = parallelism
        self._how: dict[str, Any] = {"broken": f"{self._scenario.broken}\n{broken}", "anew": anew}
        self._random = Random(self._name)  # noqa: S311  # the same each time
        self._start = killer.folder / "start"
        self._make_start()
        self.calls = self._count()
        """How many calls a run makes that change something."""
        if scenario == "recovery":
            self._start_from_a_death()
            self.calls = self._count()

    def _make_start(self) -> None:
        killer, scenario = self._killer, self._scenario
        shutil.rmtree(killer.place, ignore_errors=True)
        killer.place.mkdir()
        killer.service.tickets = {}
        killer.configure(scenario.before)
        assert killer.apply(4).code == 0
        scenario.meddle(killer.service)
        killer.configure(scenario.after)
        self._keep_start()

    def _keep_start(self) -> None:
        shutil.rmtree(self._start, ignore_errors=True)
        self._killer.place.rename(self._start)
        self._tickets = dict(self._killer.service.tickets)

    def _start_from_a_death(self) -> None:
        """Let the start be what a death left in the middle of it: some is done, some begun, some made since then."""
        for number in range(self.calls // 2, self.calls, 3):
            assert self._killed(call=number, counted="changing").code == -9
            loaded = self._killer.loaded()
            recorded = {record.resource["outputs"]["number"] for record in loaded.state.records.values()}
            if len(loaded.open) > 1 and self._killer.made() - recorded:
                self._keep_start()
                return
        raise AssertionError(self.calls)

    def _count(self) -> int:
        ended = self._killed(call=1_000_000_000, counted="changing")
        assert ended.code == 0, ended.said
        return ended.calls

    def _killed(self, **kill: Any) -> Ended:
        """Go back to the start, and run."""
        shutil.rmtree(self._killer.place, ignore_errors=True)
        shutil.copytree(self._start, self._killer.place)
        self._killer.service.tickets = {number: dict(ticket) for number, ticket in self._tickets.items()}
        return self._apply(**kill)

    def _apply(self, **kill: Any) -> Ended:
        return self._killer.apply(self._parallelism, **self._how, **kill)

    def kill(self, **kill: Any) -> bool:
        """Kill one run, look at what it left, and let the next one converge. Whether it was killed."""
        ended = self._killed(**kill)
        if ended.code not in {0, -9}:
            self._wrong(kill, f"exit code {ended.code}: {ended.said}")
        if ended.code == 0:
            return False
        self.tally.kills += 1
        wanted = self._random.choice([self._scenario.after, self._scenario.later])
        self._killer.configure(wanted)
        kills = [kill]
        if self._left(kills) and self._random.random() < 0.5:
            again = self._second(kill)
            kills.append(again)
            if self._apply(**again).code == -9:
                self.tally.kills += 1
                self.tally.second += 1
                self._left(kills)
        self._converge(kills, wanted)
        return True

    def _second(self, kill: dict[str, Any]) -> dict[str, Any]:
        """When to kill the run that recovers."""
        if "seconds" in kill:
            return {"seconds": kill["seconds"] * self._random.random()}
        moment = self._random.choice(["before", "after"])
        return {"call": self._random.randint(1, self.calls), "counted": "changing", "moment": moment}

    def _left(self, kills: object) -> bool:
        """Look at what a death left: the state loads, and knows of all there is."""
        what = self._killer.unknown()
        if what:
            self._wrong(kills, what)
        return not what

    def _converge(self, kills: object, wanted: Tools) -> None:
        ended = self._apply()
        if ended.code:
            self._wrong(kills, f"the next apply fails: {ended.said}")
            return
        if what := self._killer.unlike(wanted):
            self._wrong(kills, what)

    def _wrong(self, kills: object, what: str) -> None:
        self.tally.violations.append(f"{self._name}, killed {kills}: {what}")

    def each(self, counted: str, moment: Moment) -> None:
        """Kill at each of the calls; how many there are differs from run to run where threads wait for each other."""
        survived = 0
        for number in count(1):
            survived = 0 if self.kill(call=number, counted=counted, moment=moment) else survived + 1
            if survived == 3:
                return

    def some(self, times: int) -> None:
        """Kill at some of the calls that change something, but for those of its start."""
        moments: list[Moment] = ["before", "middle", "after"]
        for number in self._random.sample(range(self.calls // 3, self.calls + 1), times):
            self.kill(call=number, counted="changing", moment=self._random.choice(moments))

    def report(self) -> Tally:
        """What was found; told too."""
        tally = self.tally
        text = "%s: %d kills, %d of them second ones; %d violations"
        log.info(text, self._name, tally.kills, tally.second, len(tally.violations))
        assert tally.kills
        return tally


def _known(loaded: Loaded) -> Iterable[Any]:
    return [*loaded.state.records.values(), *(intent.record for intent in loaded.open)]


@pytest.mark.parametrize("parallelism", [1, 4])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_run_killed_at_any_system_call_loses_nothing_and_makes_nothing_twice(
    killer: Killer, scenario: str, parallelism: int
) -> None:
    sweep = Sweep(killer, scenario, parallelism)
    if THOROUGH:
        sweep.each("each", "before")
        sweep.each("changing", "after")  # after another call all is as it was before it
        sweep.each("writing", "middle")
    else:
        sweep.some(4)
    assert sweep.report().violations == []


def drawn(random: Random) -> Tools:
    """A config: names and tickets come in any pairs, some refer to others, some only depend on them."""
    tickets_, tools = [f"ticket-{number}" for number in range(8)], Tools()
    for name, found in zip("abcdefgh", random.sample(tickets_, 8), strict=True):
        others = [*tools, *([""] * 8)]
        other, need = random.choice(others), random.choice(others)
        if random.random() < 0.6:
            tools[name] = Wanted(found, f"after {{{other}}}" if other else random.choice(["one", "two"]), need)
    return tools


@pytest.mark.parametrize("part", range(4))
def test_any_history_of_configs_and_kills_loses_nothing_and_makes_nothing_twice(
    killer: Killer, place: Path, part: int
) -> None:
    random = Random(part)  # noqa: S311  # the same each time
    kills = 0
    for history in range(100 if THOROUGH else 2):
        shutil.rmtree(place)
        place.mkdir()
        killer.service.tickets = {}
        steps: list[object] = []
        for _ in range(random.randint(2, 6)):
            wanted = drawn(random)
            kill = {
                "call": random.randint(15, 150),
                "counted": "changing",
                "moment": random.choice(["before", "after"]),
            }
            steps.append((wanted, kill))
            killer.configure(wanted)
            kills += killer.apply(random.choice([1, 4]), **kill).code == -9
            assert not killer.unknown(), f"history {history}: {steps}"
            if killer.service.tickets and random.random() < 0.2:
                del killer.service.tickets[random.choice(list(killer.service.tickets))]
        for _ in range(2):  # what waits for one that is known late and waits for it takes a second run, death or not
            ended = killer.apply(4)
            if ended.code == 0:
                break
        assert ended.code == 0, f"history {history}: {steps}: {ended.said}"
        assert not killer.unlike(wanted), f"history {history}: {steps}"
    log.info("part %d: %d kills in histories", part, kills)


@pytest.mark.parametrize("part", range(4))
def test_a_run_killed_at_a_random_time_loses_nothing_and_makes_nothing_twice(killer: Killer, part: int) -> None:
    random = Random(part)  # noqa: S311  # the same each time
    sweep = Sweep(killer, ["create", "mixed"][part % 2], [1, 4][part // 2])
    began = time.monotonic()
    assert not sweep.kill(seconds=60)
    longest = time.monotonic() - began
    while sweep.tally.kills - sweep.tally.second < (250 if THOROUGH else 4):
        sweep.kill(seconds=random.uniform(0, longest))
    assert sweep.report().violations == []


def test_the_real_command_started_anew_is_no_different(killer: Killer) -> None:
    sweep = Sweep(killer, "mixed", 4, anew=True)
    sweep.some(100 if THOROUGH else 4)
    assert sweep.report().violations == []


BROKEN: Final = {
    "no journal": "from dtm_sdk.backends import local; local._LocalSession.append = lambda self, entries: None",
    "no intents": """
from dtm_sdk import recorder
from dtm_sdk.backends import local
from dtm_sdk.state import Begin, End, Put, Drop
append = local._LocalSession.append
def only_outcomes(self, entries):
    known = self.__dict__.setdefault("known", {})
    known.update({entry.id: entry for entry in entries if isinstance(entry, Begin)})
    kept = []
    for entry in entries:
        if isinstance(entry, End):
            kept += [known[entry.id], entry]
        elif not isinstance(entry, Begin):
            kept.append(entry)
    append(self, kept)
local._LocalSession.append = only_outcomes
""",
    "nothing looks at the intents": "from dtm_sdk import runner; runner._marked = lambda ledger: dict(ledger.records)",
}
"""What takes the promise away."""


@pytest.mark.parametrize("broken", BROKEN)
def test_the_sweep_sees_what_is_lost_without(killer: Killer, broken: str) -> None:
    sweep = Sweep(killer, "recovery" if broken.startswith("nothing") else "create", 4, broken=BROKEN[broken])
    if THOROUGH:
        sweep.each("changing", "before")
    while not sweep.tally.violations:
        sweep.some(4)
    sweep.report()


def left_by_a_death(place: Path, record: Record, *operations: str) -> None:
    """Let a state hold what a run had begun on one tool when it died."""
    with LocalBackend(str(place / "devstream.state")).lock("apply") as session:
        session.append([Begin(number, operation, record) for number, operation in enumerate(operations, 1)])


def test_a_second_death_does_not_hide_what_the_first_may_have_made(killer: Killer, place: Path) -> None:
    killer.configure({"a": TEN["a"]})
    assert killer.apply(1).code == 0
    (first,) = killer.service.tickets
    killer.service.tickets = {first + 7: {"name": "ticket-a", "text": "one"}}  # it was removed, then made again
    (record,) = killer.loaded().state.records.values()
    left_by_a_death(place, record, "create", "update")
    assert killer.apply(1).code == 0
    assert list(killer.service.tickets) == [first + 7]


def test_what_may_have_been_made_is_given_up_before_another_tool_takes_it(killer: Killer, place: Path) -> None:
    """A death in the Create of e; then c, known late, wants what that was to make, and e, known later, another one."""
    record = Record("e", "ticket", (), {"name": "ticket-e", "text": "one"}, {}, {"state_version": 1})
    left_by_a_death(place, record, "create")
    wanted = {"b": TEN["b"], "c": Wanted("ticket-e", "after {b}"), "e": Wanted("other-e", "after {c}")}
    killer.configure(wanted)
    assert killer.apply(4).code == 0
    assert not killer.unlike(wanted)


@pytest.mark.parametrize("operation", ["create", "update"])
def test_what_had_begun_on_a_tool_that_is_renamed_goes_on_under_its_new_name(
    killer: Killer, place: Path, operation: str
) -> None:
    killer.configure({"a": TEN["a"]})
    assert killer.apply(1).code == 0
    (record,) = killer.loaded().state.records.values()
    if operation == "create":
        shutil.rmtree(place / ".devstream.state.d")
        (place / "devstream.state").unlink()
    left_by_a_death(place, record, operation)
    killer.configure({"b": TEN["a"]})
    for number in count(1):
        code = killer.apply(1, call=number, counted="writing").code
        records = killer.loaded().state.records
        assert all("intent" not in each.meta for each in records.values())
        if code == 0:
            break
    assert killer.apply(1).code == 0
    assert [each["name"] for each in killer.service.tickets.values()] == ["ticket-a"]
    assert list(killer.loaded().state.records) == ["b.ticket"]


LOST: Final = "was being created when a run died, and its plugin can't find what it made"


def test_what_no_plugin_can_find_again_is_never_made_twice(killer: Killer, place: Path) -> None:
    """Each of two such tools is there once, or the next apply stops at it until a person has looked."""
    names = ["x", "y"]
    entries = [{"name": name, "plugin": "manual", "options": {"name": name}} for name in names]
    stopped = survived = 0
    for number in count(1, 1 if THOROUGH else 5):
        shutil.rmtree(place)
        place.mkdir()
        killer.service.tickets = {}
        (place / "config.yaml").write_text(json.dumps({"tools": entries}))
        survived += killer.apply(2, call=number, counted="changing").code == 0
        there = dict(killer.service.tickets)
        ended = killer.apply(2)
        lost = [name for name in names if f"Tool {name} (manual) {LOST}" in ended.said]
        assert ended.code == bool(lost)
        stopped += bool(lost)
        for name in lost:
            assert f"`dtm state adopt {name}.manual` or `dtm state forget {name}.manual`" in ended.said
            numbers = [number for number, ticket in killer.service.tickets.items() if ticket["name"] == name]
            assert numbers == [number for number, ticket in there.items() if ticket["name"] == name]
            if numbers:
                resource = place / "resource.json"
                resource.write_text(json.dumps({"outputs": {"number": numbers[0]}}))
                done = killer.run("state", "adopt", f"{name}.manual", "-y", "--resource", resource.name)
            else:
                done = killer.run("state", "forget", f"{name}.manual", "-y")
            assert done.code == 0, done.said
        assert killer.apply(2).code == 0
        assert killer.run("verify").code == 0
        assert sorted(ticket["name"] for ticket in killer.service.tickets.values()) == names
        if survived == 3:
            break
    assert stopped
