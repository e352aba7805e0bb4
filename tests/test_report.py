"""Tests of `dtm_sdk.report`: the sentences of a run, their order, and what a plan shows."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtm_sdk.changes import Change, Plan
from dtm_sdk.decide import Action, Difference
from dtm_sdk.events import (
    Began,
    Command,
    Done,
    Event,
    Executing,
    Failed,
    Finished,
    Kept,
    Notice,
    Planned,
    Said,
    Skipped,
    Started,
)
from dtm_sdk.options import Json
from dtm_sdk.report import (
    DIFF_INPUT,
    DIFF_LINES,
    LONGEST,
    Line,
    Narrator,
    change_lines,
    clean,
    counts,
    difference_lines,
    lines,
    log_line,
    plan_lines,
)
from dtm_sdk.secret_text import fingerprint
from dtm_sdk.state import Record

RECORD = Record("a", "localfile", (), {}, {})


def began(name: str, action: Action = Action.CREATE) -> Began:
    return Began(f"{name}.localfile", name, "localfile", action)


def said(name: str, text: str) -> Said:
    return Said(f"{name}.localfile", "info", text)


def done(name: str, action: Action = Action.CREATE) -> Done:
    return Done(f"{name}.localfile", name, "localfile", action, None if action is Action.DELETE else RECORD)


def change(action: Action, *differences: Difference, name: str = "a") -> Change:
    message = f"Tool {name} (localfile) will be {action}d."
    return Change(f"{name}.localfile", name, "localfile", action, (message,), differences=differences)


def tell(events: list[Event]) -> list[str]:
    """What a narrator says of events, without levels and the lines that part changes."""
    narrator = Narrator(details=False)
    texts = [line.text for event in events for line in narrator.take(event)]
    return [re.sub(r"^-+ \[  (.*)  \] -+$", r"\1", text) for text in texts]


def test_a_line_has_time_sign_level_and_two_spaces() -> None:
    assert log_line("2022-03-29 11:25:17", Line("success", "Fine.")) == "2022-03-29 11:25:17 ✔ [SUCCESS]  Fine."
    assert log_line("2022-03-29 11:25:17", Line(None, "    x: 1")) == "    x: 1"


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            Failed("a.localfile", "a", "localfile", Action.CREATE, "no space left"),
            [("error", "Plugin a(localfile) Create failed: no space left")],
        ),
        (
            Failed("a.localfile", "a", "localfile", Action.DELETE, "busy", "Traceback\n  line"),
            [
                ("error", "Plugin a (localfile) delete failed: busy"),
                ("debug", "a.localfile: Traceback"),
                ("debug", "a.localfile:   line"),
            ],
        ),
        (
            Failed("a.localfile", "a", "localfile", Action.LATE, "Tool a (localfile) can't be read: gone"),
            [("error", "Tool a (localfile) can't be read: gone")],
        ),
        (
            Skipped("a.localfile", "a", "localfile", Action.UPDATE, "b.localfile failed"),
            [("warning", "Plugin a(localfile) Update skipped: b.localfile failed")],
        ),
        (
            Skipped("a.localfile", "a", "localfile", Action.LATE, "b.localfile failed"),
            [("warning", "Tool a (localfile) skipped: b.localfile failed")],
        ),
        (
            Kept("a.localfile", "a", "localfile"),
            [("info", "Tool a (localfile) is as it should be. There is nothing to do.")],
        ),
        (
            Said("a.localfile", "warning", "one\ntwo"),
            [("warning", "a.localfile: one"), ("warning", "a.localfile: two")],
        ),
        (Notice("warning", "new key"), [("warning", "new key")]),
        (Planned("delete", Plan()), [("info", "Nothing needs to be deleted. There is nothing to do.")]),
        (Planned("destroy", Plan()), [("info", "No tools have been deployed now. There is nothing to do.")]),
        (
            Planned("apply", Plan(failures={"a.localfile": "Tool a (localfile) can't be read: no"})),
            [("error", "Tool a (localfile) can't be read: no")],
        ),
    ],
)
def test_each_event_has_its_sentences(event: Event, expected: list[Line]) -> None:
    assert lines(event) == expected


def test_what_a_plugin_says_can_forge_no_line_and_steer_no_terminal() -> None:
    forged = "2022-03-29 11:25:17 ✔ [SUCCESS]  All plugins applied successfully."
    texts = [line.text for line in lines(Said("a.localfile", "info", f"x\n{forged}\r\x1b[2K\u202e"))]
    assert texts == ["a.localfile: x", f"a.localfile: {forged}", r"a.localfile: \x1b[2K\u202e"]
    failed = Failed("a.localfile", "a", "localfile", Action.CREATE, f"x\n{forged}")
    assert [line.text for line in lines(failed)] == [rf"Plugin a(localfile) Create failed: x\n{forged}"]


@given(st.text(st.characters()))
def test_a_clean_text_keeps_what_can_be_shown_and_nothing_else(text: str) -> None:
    shown = clean(text)
    assert len(f"{shown}.".splitlines()) == 1
    assert all(unicodedata.category(char) not in ("Cc", "Cs", "Zl", "Zp") or char == "\t" for char in shown)
    if text.isprintable():
        assert shown == text


def test_the_changes_of_a_run_are_numbered_and_kept_together() -> None:
    events: list[Event] = [
        Executing(3),
        began("a"),
        began("b"),
        said("b", "b1"),
        said("a", "a1"),
        done("b"),
        began("c"),
    ]
    events += [said("c", "c1"), said("a", "a2"), done("a"), said("c", "c2"), done("c"), Finished("apply", 3, 0)]
    assert tell(events) == [
        "Start executing the plan.",
        "Changes count: 3.",
        "Processing progress: 1/3.",
        "Processing: a (localfile) -> Create ...",
        "a.localfile: a1",
        "a.localfile: a2",
        "Plugin a(localfile) Create done.",
        "Processing progress: 2/3.",
        "Processing: b (localfile) -> Create ...",
        "b.localfile: b1",
        "Plugin b(localfile) Create done.",
        "Processing progress: 3/3.",
        "Processing: c (localfile) -> Create ...",
        "c.localfile: c1",
        "c.localfile: c2",
        "Plugin c(localfile) Create done.",
        "Processing done.",
        "All plugins applied successfully.",
        "Apply finished.",
    ]


def test_the_oldest_change_that_runs_is_shown_while_it_runs() -> None:
    narrator = Narrator(details=False)
    shown = [len(narrator.take(event)) for event in (began("a"), began("b"), said("b", "x"), said("a", "x"), done("a"))]
    assert shown == [2, 0, 0, 1, 4]  # the last one ends a, and shows what b has said so far


def test_a_replace_is_shown_as_two_changes_of_one_tool() -> None:
    events: list[Event] = [began("a", Action.DELETE), done("a", Action.DELETE), began("a"), done("a")]
    assert tell([Executing(2), *events])[2:] == [
        "Processing progress: 1/2.",
        "Processing: a (localfile) -> Delete ...",
        "Prepare to delete 'a_localfile' from States.",
        "Plugin a (localfile) delete done.",
        "Processing progress: 2/2.",
        "Processing: a (localfile) -> Create ...",
        "Plugin a(localfile) Create done.",
    ]


@given(st.lists(st.integers(1, 4), min_size=1, max_size=6), st.data())
def test_however_changes_overlap_each_is_told_whole_and_once(sizes: list[int], data: st.DataObject) -> None:
    left: dict[str, list[Event]] = {
        f"t{at}": [began(f"t{at}"), *(said(f"t{at}", str(line)) for line in range(size)), done(f"t{at}")]
        for at, size in enumerate(sizes)
    }
    whole = {name: [line.text for event in events for line in lines(event)] for name, events in left.items()}
    events: list[Event] = [Executing(len(left))]
    while left:
        name = data.draw(st.sampled_from(sorted(left)))
        events.append(left[name].pop(0))
        left = {key: value for key, value in left.items() if value}
    order = [event.name for event in events if isinstance(event, Began)]
    expected = [
        text for at, name in enumerate(order, 1) for text in (f"Processing progress: {at}/{len(order)}.", *whole[name])
    ]
    assert tell(events)[2:] == expected


def test_what_is_skipped_has_no_number_of_its_own() -> None:
    skipped = Skipped("b.localfile", "b", "localfile", Action.CREATE, "a.localfile failed")
    failed = Failed("a.localfile", "a", "localfile", Action.CREATE, "no")
    assert tell([Executing(2), began("a"), failed, skipped, Finished("apply", 0, 2)])[2:] == [
        "Processing progress: 1/2.",
        "Processing: a (localfile) -> Create ...",
        "Plugin a(localfile) Create failed: no",
        "Plugin b(localfile) Create skipped: a.localfile failed",
        "Processing done.",
        "some error(s) occurred during plugins apply process.",
        "Apply failed => 0 done, 2 failed or skipped.",
    ]


def test_a_change_that_moves_a_record_is_numbered_though_it_never_began() -> None:
    told = tell([Executing(1), done("a", Action.MOVE)])
    assert told[2:] == ["Processing progress: 1/1.", "Plugin a(localfile) Move done."]


def test_a_run_that_grows_never_counts_beyond_its_total() -> None:
    told = tell([Executing(1), began("a"), done("a"), began("b"), done("b")])
    assert [text for text in told if "progress" in text] == ["Processing progress: 1/1.", "Processing progress: 2/2."]


def test_what_is_held_at_the_end_is_shown() -> None:
    narrator = Narrator(details=False)
    for event in (began("a"), began("b"), said("b", "held")):
        narrator.take(event)
    assert "b.localfile: held" in [line.text for line in narrator.rest()]


@pytest.mark.parametrize(
    ("command", "plan", "finished", "expected"),
    [
        ("verify", Plan(), Finished("verify", 0, 0), ("success", "Verify succeeded.")),
        ("verify", Plan((change(Action.UPDATE),)), Finished("verify", 0, 0), ("info", "Verify finished.")),
        ("verify", Plan(), Finished("verify", 0, 1), ("error", "Verify failed => 1 can't be planned.")),
        ("plan", Plan((change(Action.UPDATE),)), Finished("plan", 0, 0), ("success", "Plan finished.")),
        (
            "apply",
            Plan(),
            Finished("apply", 2, 1, interrupted=True),
            ("error", "Apply interrupted => 2 done, 1 not done."),
        ),
        ("destroy", Plan(), Finished("destroy", 0, 0), ("success", "Destroy finished.")),
    ],
)
def test_a_run_ends_with_its_verdict(command: Command, plan: Plan, finished: Finished, expected: Line) -> None:
    narrator = Narrator(details=False)
    narrator.take(Started(command, ".devstream"))
    narrator.take(Planned(command, plan))
    assert narrator.take(finished)[-1] == expected


def difference(before: Json, after: Json) -> str:
    (text,) = difference_lines(Difference("options.x", before, after))
    return text


def test_a_difference_shows_both_values_as_json() -> None:
    assert difference("a", "b") == 'options.x: "a" -> "b"'
    assert difference(..., {"k": [1, None]}) == 'options.x: (none) -> {"k":[1,null]}'
    assert difference(None, ...) == "options.x: null -> (none)"
    assert difference("a\x1b[2Jb", 1) == r'options.x: "a\u001b[2Jb" -> 1'


def test_a_difference_shows_no_secret_not_even_its_fingerprint() -> None:
    one, other = fingerprint(b"k" * 32, "first-secret"), fingerprint(b"k" * 32, "second-secret")
    assert difference(one, other) == "options.x: (secret) -> (secret)"
    assert difference({"inner": [one]}, ...) == 'options.x: {"inner":["(secret)"]} -> (none)'


def test_long_values_are_shown_where_they_begin_to_differ() -> None:
    text = difference("x" * 500 + "one", "x" * 500 + "two")
    assert 'one"' in text
    assert 'two"' in text
    assert "(505 characters)" in text
    assert len(text) < 3 * LONGEST


def test_texts_of_several_lines_are_compared_by_line() -> None:
    before, after = "a\nb\nc\n", "a\nB\x1b\nc\n"
    assert list(difference_lines(Difference("content", before, after))) == [
        "content:",
        "    @@ -1,4 +1,4 @@",
        "     a",
        "    -b",
        r"    +B\x1b",
        "     c",
        "     ",
    ]


def test_a_line_end_that_changed_is_seen() -> None:
    assert r"    +a\r" in list(difference_lines(Difference("content", "a\nb", "a\r\nb")))
    assert "    +" in list(difference_lines(Difference("content", "a", "a\n")))


def test_very_long_texts_stay_short() -> None:
    found = list(difference_lines(Difference("content", "x\n" * 200, "y\n" * 200)))
    assert len(found) == DIFF_LINES + 2
    assert found[-1].endswith("more lines")
    assert len(list(difference_lines(Difference("content", "x\n" * DIFF_INPUT, "y\n" * DIFF_INPUT)))) == 1


def test_a_plan_shows_its_differences_below_its_sentences_and_counts() -> None:
    plan = Plan(
        (change(Action.UPDATE, Difference("content", "a", "b")), change(Action.LATE, name="b")),
        {"c.localfile": "Tool c (localfile) can't be read: no"},
    )
    assert plan_lines("plan", plan) == [
        ("info", "Tool a (localfile) will be Updated."),
        (None, '    content: "a" -> "b"'),
        ("info", "Tool b (localfile) will be (known after apply)d."),
        ("error", "Tool c (localfile) can't be read: no"),
        ("info", "Plan: 1 to update, 1 known after apply, 1 failed."),
    ]
    assert plan_lines("plan", Plan(plan.changes[:1]))[2:] == [("info", "Plan: 1 to update.")]
    assert plan_lines("plan", Plan()) == lines(Planned("plan", Plan()))


def test_every_action_is_counted() -> None:
    plan = Plan(tuple(change(action) for action in Action))
    assert counts(plan).count("1 ") == len(Action)


def test_a_forged_option_name_stays_on_its_line() -> None:
    found = change_lines(change(Action.UPDATE, Difference("a\nb", 1, 2)))
    assert found[-1] == (None, r"    a\nb: 1 -> 2")
