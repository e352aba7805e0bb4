"""Tests of `dtm_sdk.reading`."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Barrier
from threading import Event as Flag
from typing import Any

from dtm_sdk.calls import Sources, calling
from dtm_sdk.decide import Seen, desire
from dtm_sdk.events import Event, Notice
from dtm_sdk.plan import Question
from dtm_sdk.plugin import Plugin
from dtm_sdk.reading import Reads
from dtm_sdk.running import Running
from dtm_sdk.workers import Stop
from tests.things import ThingOptions, finder, tool


class Patient:
    """A plugin whose Read of `slow` waits until it is let go; what has ended, and what was told, is kept."""

    def __init__(self) -> None:
        self.go = Flag()
        self.ended: list[str] = []
        self.events: list[Event] = []

        def read(options: ThingOptions) -> dict[str, Any]:
            if options.id == "slow":
                self.go.wait(30)
            self.ended.append(options.id)
            return {"id": options.id}

        def refuse(options: ThingOptions) -> Any:
            raise AssertionError

        self.plugin = Plugin(name="thing", options=ThingOptions, create=refuse, read=read, update=refuse, delete=refuse)

    @contextmanager
    def reads(self, limit: float | None, parallelism: int) -> Iterator[Reads]:
        stop, find = Stop(), finder(self.plugin)
        with calling(find, bytes(32), {}, Sources({}), stop, parallelism=parallelism, debug=False) as (workers, calls):
            yield Reads(calls, workers, Running(stop, limit, None), self.events.append)
            self.go.set()

    def question(self, name: str) -> Question:
        wanted = tool(name, {"id": name}, [], self.plugin)
        return Question(desire(wanted, self.plugin, lambda reference: None, lambda text: text), None)


def answers(reads: Reads) -> dict[str, Seen]:
    """All the answers."""
    found: dict[str, Seen] = {}
    while reads.asked:
        found.update(reads.answers())
    return found


def test_reads_that_wait_for_one_another_are_under_way_at_once() -> None:
    together = Barrier(5)

    def read(options: ThingOptions) -> dict[str, Any]:
        together.wait(30)
        return {"id": options.id}

    patient = Patient()
    patient.plugin = Plugin(
        name="thing", options=ThingOptions, create=read, read=read, update=read, delete=lambda options: True
    )
    with patient.reads(None, 5) as reads:
        for number in range(10):
            reads.begin(patient.question(f"thing-{number}"))
        found = answers(reads)
    assert {key: seen.error for key, seen in found.items()} == {f"thing-{number}.thing": "" for number in range(10)}


def test_every_read_is_answered() -> None:
    patient = Patient()
    patient.go.set()
    with patient.reads(None, 2) as reads:
        for name in ("a", "slow", "b"):
            reads.begin(patient.question(name))
        assert answers(reads) == {f"{name}.thing": Seen({"id": name}) for name in ("a", "slow", "b")}


def test_one_that_takes_too_long_is_given_up_and_those_that_wait_for_its_thread_are_not() -> None:
    patient = Patient()
    with patient.reads(0.2, 1) as reads:
        for name in ("slow", "a"):
            reads.begin(patient.question(name))
        found = answers(reads)
        assert found["slow.thing"].error.startswith("no answer after ")
        assert found["a.thing"] == Seen({"id": "a"})
        assert patient.ended == ["a"]
        patient.go.set()
        reads.begin(patient.question("b"))
        assert answers(reads) == {"b.thing": Seen({"id": "b"})}


def test_those_that_are_left_are_named() -> None:
    patient = Patient()
    with patient.reads(None, 2) as reads:
        reads.begin(patient.question("slow"))
        reads.leave()
        assert reads.asked == {}
    assert patient.events == [Notice("warning", "Interrupted while reading slow.thing.")]
