"""Tests of `dtm_sdk.report_json`: the values that scripts read."""

import json

from dtm_sdk.changes import Change, Plan
from dtm_sdk.decide import Action, Difference
from dtm_sdk.errors import ConfigError, Problem, StateError
from dtm_sdk.events import Done, Failed, Kept, Skipped
from dtm_sdk.report_json import error_value, json_text, outcome_value, plan_value
from dtm_sdk.secret_text import fingerprint

NAMES = {"key": "a.localfile", "name": "a", "plugin": "localfile"}


def test_a_plan_names_its_changes_their_differences_and_its_failures() -> None:
    secret = fingerprint(b"k" * 32, "a-secret")
    differences = (Difference("content", "a", "b"), Difference("new", ..., None), Difference("token", secret, ...))
    change = Change("a.localfile", "a", "localfile", Action.LATE, ("one\ntwo",), differences=differences)
    assert json.loads(json_text(plan_value(Plan((change,), {"b.localfile": "no"})))) == {
        "changes": [
            {
                **NAMES,
                "action": "(known after apply)",
                "messages": [r"one\ntwo"],
                "differences": [
                    {"path": "content", "before": "a", "after": "b"},
                    {"path": "new", "after": None},
                    {"path": "token", "before": "(secret)"},
                ],
            }
        ],
        "failures": {"b.localfile": "no"},
    }


def test_outcomes_say_what_came_of_each_operation() -> None:
    three = ("a.localfile", "a", "localfile")
    assert [
        outcome_value(Done(*three, Action.DELETE, None)),
        outcome_value(Failed(*three, Action.CREATE, "no\nspace", "Traceback")),
        outcome_value(Skipped(*three, Action.UPDATE, "declined")),
        outcome_value(Kept(*three)),
    ] == [
        {**NAMES, "outcome": "done", "action": "Delete"},
        {**NAMES, "outcome": "failed", "action": "Create", "because": r"no\nspace"},
        {**NAMES, "outcome": "skipped", "action": "Update", "because": "declined"},
        {**NAMES, "outcome": "kept"},
    ]


def test_errors_keep_their_kind_and_every_problem() -> None:
    problems = [Problem("c.yaml:1:2", "is wrong", "mend it"), Problem("c.yaml:3:4", "too\x00")]
    assert error_value(ConfigError(problems)) == {
        "kind": "ConfigError",
        "message": "the config is wrong",
        "hint": "",
        "problems": [
            {"where": "c.yaml:1:2", "what": "is wrong", "hint": "mend it"},
            {"where": "c.yaml:3:4", "what": r"too\x00", "hint": ""},
        ],
    }
    assert error_value(StateError("no", "try")) == {"kind": "StateError", "message": "no", "hint": "try"}
    assert error_value(KeyError("x")) == {"kind": "KeyError", "message": "'x'", "hint": ""}
