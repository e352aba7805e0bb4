"""What can't be asked of a plugin is unsupported, not passed, and that is looked at."""

import sqlite3
import subprocess
from contextlib import closing

import pytest

from dtm_sdk import Plugin, PluginError, State
from tests.zoo.right import note, widget
from tests.zoo.zoo import Kept, but, findings


def create_by_a_command(options: note.NoteOptions) -> State:
    subprocess.run(["true"], check=True)
    return note.create(options)


def read_beside_a_base(options: note.NoteOptions) -> State | None:
    with closing(sqlite3.connect(":memory:")) as base:
        base.execute("select 1")
    return note.read(options)


@pytest.mark.parametrize(
    ("plugin", "reason"),
    [
        (but(note.plugin, create=create_by_a_command), "it starts children: true"),
        (but(note.plugin, read=read_beside_a_base), "it does I/O in C libraries: sqlite3.connect"),
    ],
    ids=["children", "sqlite"],
)
def test_what_python_does_not_see_has_no_fake_directory(plugin: Plugin, reason: str) -> None:
    (found,) = findings(Kept("note", plugin, note.world), ["E1"])
    assert found.verdict == "unsupported", found
    assert found.message.startswith(reason)


def test_a_service_has_no_fake_directory() -> None:
    (found,) = findings(Kept("widget", widget.plugin, widget.world), ["E1"])
    assert (found.verdict, found.message) == ("unsupported", "its world is no directory (http), and it writes no file")


def test_without_a_secret_there_is_none_to_look_for() -> None:
    found = list(findings(Kept("note", note.plugin, note.world), ["S1"]))
    assert {(each.verdict, each.message) for each in found} == {("unsupported", "no option is a Secret")}


def by_record(options: widget.WidgetOptions, state: State | None) -> State | None:
    found = widget.ask(options, "GET", f"/widgets/{state['outputs']['id']}") if state else None
    return widget.described(found) if found else None


def post(options: widget.WidgetOptions) -> State:
    return widget.described(widget.ask(options, "POST", "/widgets", widget.sent(options)))


def put(options: widget.WidgetOptions, state: State | None) -> State:
    if not state or not widget.ask(options, "PUT", f"/widgets/{state['outputs']['id']}", widget.sent(options)):
        raise PluginError(f"the widget {options.name} isn't known", "create it")
    return by_record(options, state) or post(options)


def remove(options: widget.WidgetOptions, state: State | None) -> bool:
    if state:
        widget.ask(options, "DELETE", f"/widgets/{state['outputs']['id']}")
    return True


def test_what_can_not_be_found_without_its_record_is_not_adopted_and_all_else_holds() -> None:
    manual = but(widget.plugin, recovery="manual", create=post, read=by_record, update=put, delete=remove)
    found = {
        each.check: each for each in findings(Kept("manual", manual, widget.world), ["L1", "L2", "L3", "L4", "L5"])
    }
    verdicts = {name: each.verdict for name, each in found.items()}
    assert verdicts.pop("test_l5_state_lost") == "unsupported", found
    assert set(verdicts.values()) == {"passed"}, found
