"""What a failure says first is what is wrong, and all of it."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from dtm_sdk import State
from dtm_sdk.plugin import Plugin
from dtm_sdk.testing.verdicts import Finding
from tests.zoo.right import note, widget
from tests.zoo.zoo import Kept, but, findings, wrong


def found(plugin: Plugin, world: Callable[[], Any], rule: str) -> dict[str, Finding]:
    return {each.check: each for each in findings(Kept(plugin.name, plugin, world), [rule])}


@pytest.mark.parametrize(
    ("id_", "said"),
    [
        ("d2-note-matches-by-the-beginning", "Delete removed more than its resource: a.note-b, a.note2"),
        (
            "d2-section-takes-all-up-to-the-last-end",
            "Delete removed more than its resource: a part of hosts.conf.content",
        ),
        ("d2-widget-spoils-the-one-beside", "Delete changed more than its resource: widgets.w1003.size"),
        ("d2-note-leaves-its-lock", ".a.note.lock is left over"),
    ],
)
def test_delete_that_takes_too_much_is_told_from_one_that_leaves_something(id_: str, said: str) -> None:
    (kept,) = (each for each in wrong() if each.id == id_)
    message = next(findings(kept, ["D2"])).message
    assert message == f"after Create and Delete: {said}"


def test_every_text_that_is_valid_and_can_not_be_done_is_told_at_once() -> None:
    plugin = but(note.plugin, validate=lambda options: [])
    lines = found(plugin, note.world, "V6")["test_v6_what_is_accepted_can_be_done"].message.splitlines()
    assert [line.partition(": ")[0] for line in lines] == [
        "path is 'a\\x00b'",
        "path is 'half \\ud800'",
        "text is 'half \\ud800'",
        "header.title is 'half \\ud800'",
    ]


def read_with_the_time(options: widget.WidgetOptions, state: State | None) -> State | None:
    """Describe the widget, and say when that was asked."""
    said = widget.read(options, state)
    return said and {**said, "asked": time.monotonic_ns()}


def test_a_read_that_says_another_thing_with_the_record_is_no_matter_of_the_record() -> None:
    checks = found(but(widget.plugin, read=read_with_the_time), widget.world, "C2")
    assert checks["test_c2_read_after_create"].verdict == "failed"
    without = checks["test_c2_read_without_the_record"]
    assert without.verdict == "passed"
    assert without.notes
