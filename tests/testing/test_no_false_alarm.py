"""What right plugins do, and a check must let pass."""

import logging
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from contextlib import nullcontext, suppress
from copy import deepcopy
from functools import wraps
from http.client import HTTPConnection, HTTPResponse, RemoteDisconnected
from pathlib import Path
from threading import Event
from typing import Annotated, Any, ClassVar
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from msgspec.structs import replace

from dtm_sdk import Identity, Meta, State
from dtm_sdk.testing import HttpWorld, ProcessWorld, Tree
from tests.zoo import zoo
from tests.zoo.right import note, row, widget
from tests.zoo.right.widget_service import WidgetService
from tests.zoo.wrong.f1 import world_with_mv
from tests.zoo.zoo import but, findings


def test_a_command_that_read_does_not_start_may_fail() -> None:
    """A plugin may write by a command, and read by itself."""
    found = list(findings(zoo.Kept("note", note.plugin, world_with_mv), ["R4"]))
    assert [(each.check, each.message) for each in found if each.verdict != "passed"] == []


def world_that_takes_its_time() -> HttpWorld:
    """A service that comes to a change late: what is asked after it, on another connection, is answered before it."""

    def is_change(method: str, path: str) -> bool:
        if method != "GET":
            Event().wait(0.02)
        return method != "GET"

    service = WidgetService()
    state = service.state
    return HttpWorld(service, state, url_option="url", volatile=["widgets.*.created"], mutating=is_change)


def test_a_service_may_be_at_work_still_when_its_client_has_given_up() -> None:
    """F1 sees to it at the same place, and takes longer."""
    found = list(findings(zoo.Kept("widget", widget.plugin, world_that_takes_its_time), ["F4"], trusting=True))
    assert [(each.check, each.message) for each in found if each.verdict != "passed"] == []


class Kept:
    """A connection of `http.client` that is kept for the next request; one that is stale is made anew, once."""

    here: ClassVar[dict[tuple[str, int], HTTPConnection]] = {}

    def __init__(self, host: str, port: int, timeout: float) -> None:
        self.place, self.timeout = (host, port), timeout

    def request(self, *asked: Any) -> None:
        self.asked = asked

    def getresponse(self) -> HTTPResponse:
        if kept := self.here.get(self.place):
            with suppress(RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                kept.request(*self.asked)
                return kept.getresponse()
        self.here[self.place] = HTTPConnection(*self.place, timeout=self.timeout)
        self.here[self.place].request(*self.asked)
        return self.here[self.place].getresponse()

    def close(self) -> None:
        """It is kept."""


def test_a_connection_may_be_kept_which_the_run_that_dies_does_not_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(widget, "HTTPConnection", Kept)
    found = list(findings(zoo.Kept("widget", widget.plugin, widget.world), ["F2"], trusting=True))
    assert [(each.check, each.message) for each in found if each.verdict != "passed"] == []


class CountingService(WidgetService):
    """Counts how often a widget was written, as a service with revisions does."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        before = deepcopy(self.state["widgets"])
        answer = list(super().__call__(environ, start_response))
        for id_, each in self.state["widgets"].items():
            if each != before.get(id_):
                each["revision"] = before.get(id_, {}).get("revision", 0) + 1
        return answer


def world_that_counts() -> HttpWorld:
    service = CountingService()
    volatile = ["widgets.*.created", "widgets.*.revision"]
    return HttpWorld(service, service.state, url_option="url", volatile=volatile)


def test_a_world_may_count_revisions() -> None:
    found = list(findings(zoo.Kept("widget", widget.plugin, world_that_counts), ["C5", "C6", "U1"], trusting=True))
    assert [(each.check, each.message) for each in found if each.verdict != "passed"] == []


def create_and_tell(options: row.RowOptions) -> State:
    """As a library may, keep the error in a cycle and in the log: with it the cursor stays, which keeps a lock."""
    try:
        return row.create(options)
    except BaseException as error:  # a Ctrl-C, as F4 raises it, is held no less
        error.args = (*error.args, [error])
        logging.getLogger("library").exception("it failed")
        raise


def test_what_holds_an_error_holds_no_lock_of_the_next_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row, "closing", nullcontext)  # it is closed when nobody holds it any more
    plugin = but(row.plugin, create=create_and_tell)
    found = list(findings(zoo.Kept("row", plugin, row.world), ["F4"], trusting=True))
    assert [(each.check, each.message) for each in found if each.verdict != "passed"] == []


def create_by_a_temporary_file(options: note.NoteOptions) -> State:
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"text")
    return note.create(options)


def test_a_plugin_may_make_temporary_files_where_they_belong() -> None:
    plugin = but(note.plugin, create=create_by_a_temporary_file)
    found = list(findings(zoo.Kept("note", plugin, note.world), ["C7", "E1"], trusting=True))
    assert [(each.check, each.message) for each in found if each.verdict != "passed"] == []


class PartOptions(note.NoteOptions):
    """A note in a drawer, which may be left out."""

    drawer: Annotated[Identity[str], Meta(description="Where it lies.")] = "top"


def in_its_drawer(operation: Callable[[note.NoteOptions], Any]) -> Callable[[PartOptions], Any]:
    @wraps(operation)
    def call(options: PartOptions) -> Any:
        return operation(replace(options, path=f"{options.drawer}-{options.path}"))

    call.__annotations__["options"] = PartOptions
    return call


def test_a_part_of_the_identity_may_be_left_out_of_the_examples() -> None:
    calls = {name: in_its_drawer(getattr(note, name)) for name in ("create", "read", "update", "delete")}
    plugin = but(note.plugin, options=PartOptions, examples=note.EXAMPLES[:2], **calls)
    found = list(findings(zoo.Kept("note", plugin, note.world), ["P1"], trusting=True))
    assert [(each.check, each.message) for each in found if each.verdict not in {"passed", "skipped"}] == []


def make_by_a_command_beside_a_file(options: note.NoteOptions) -> State:
    subprocess.run(["true"], check=True)
    return note.create(options)


class HereWorld(ProcessWorld):
    """The working directory, as somebody sees it who takes it for a server."""

    def snapshot(self) -> Tree:
        return {str(path): {"text": path.read_text()} for path in Path().iterdir()}

    def restore(self, tree: Tree) -> None:
        for path in Path().iterdir():
            path.unlink()
        for name, each in tree.items():
            Path(name).write_text(each["text"])


def test_one_that_starts_children_has_no_fake_directory_whatever_it_writes_beside() -> None:
    plugin = but(note.plugin, create=make_by_a_command_beside_a_file)
    (found,) = findings(zoo.Kept("note", plugin, HereWorld), ["E1"], trusting=True)
    assert (found.verdict, found.message) == ("unsupported", "it starts children: true")
