"""Events, plans and states -> values for JSON. Pure.

The keys are an interface: scripts read them. New ones may come, none goes away or changes its meaning.
"""

import msgspec

from dtm_sdk.changes import Change, Plan
from dtm_sdk.decide import Difference
from dtm_sdk.errors import ConfigError, DtmError
from dtm_sdk.events import Failed, Kept, Outcome, Skipped
from dtm_sdk.options import Json
from dtm_sdk.report import clean, masked


def plan_value(plan: Plan) -> dict[str, Json]:
    """A plan as a JSON object.

    `changes`: a list of objects with `key`, `name`, `plugin`, `action` ("Create", "Adopt", "Update", "Replace",
    "Delete", "Move", "(known after apply)"), `messages` and `differences`: objects with `path`, `before` and `after`,
    either left out where there is no value; secrets are "(secret)". `failures`: an object, key -> why nothing can be
    done for it.
    """
    return {
        "changes": [_change_value(change) for change in plan.changes],
        "failures": {key: clean(why) for key, why in plan.failures.items()},
    }


def _change_value(change: Change) -> dict[str, Json]:
    return {
        **_names(change),
        "action": str(change.action),
        "messages": [clean(message) for message in change.messages],
        "differences": [_difference_value(item) for item in change.differences],
    }


def _difference_value(item: Difference) -> dict[str, Json]:
    return {name: masked(value) for name, value in item._asdict().items() if value is not ...}


def outcome_value(event: Outcome) -> dict[str, Json]:
    """An outcome as a JSON object: `key`, `name`, `plugin`, `action`, `outcome` and `because`.

    `outcome` is "done", "failed", "skipped" or "kept", the last without `action`; `because` is there of "failed" and
    "skipped" alone.
    """
    value: dict[str, Json] = {**_names(event), "outcome": type(event).__name__.lower()}
    if not isinstance(event, Kept):
        value["action"] = str(event.action)
    if isinstance(event, Failed | Skipped):
        value["because"] = clean(event.error if isinstance(event, Failed) else event.because)
    return value


def _names(event: Change | Outcome) -> dict[str, Json]:
    return {"key": event.key, "name": event.name, "plugin": event.plugin}


def error_value(error: Exception) -> dict[str, Json]:
    """An error as a JSON object: `kind` (the name of its class), `message`, `hint`, and of a ConfigError `problems`.

    `problems` is a list of objects with `where` (`file:line:column`), `what` and `hint`.
    """
    value: dict[str, Json] = {"kind": type(error).__name__}
    if isinstance(error, ConfigError):
        problems = [{name: clean(text) for name, text in problem._asdict().items()} for problem in error.problems]
        return {**value, "message": "the config is wrong", "hint": "", "problems": problems}
    if isinstance(error, DtmError):
        return {**value, "message": clean(error.message), "hint": clean(error.hint)}
    return {**value, "message": clean(str(error)), "hint": ""}


def json_text(value: Json) -> str:
    """A plain value as JSON for people and programs to read, without a line break at the end."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
