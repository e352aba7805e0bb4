"""Options like others but for one change."""

from pathlib import Path

from dtm_sdk.testing.changing import changes_of, leaves_of
from tests.testing.subjects import subject_of
from tests.zoo.right import note


def test_changes_are_of_the_identity_and_of_each_other_option_alone(tmp_path: Path) -> None:
    with subject_of(note.plugin, tmp_path) as subject:
        pairs = list(changes_of(subject))
    changed = [{key for key in {**old, **new} if old.get(key) != new.get(key)} for old, new in pairs]
    assert changed[0] == {"path"}
    assert {"text"} in changed
    assert {"access"} in changed
    assert {"header"} in changed
    assert all(len(keys) == 1 and "wait" not in keys for keys in changed)


def test_leaves_are_those_of_objects() -> None:
    assert dict(leaves_of({"a": {"b": 1, "c": {}}, "d": [{"e": 1}]})) == {
        ("a", "b"): 1,
        ("a", "c"): {},
        ("d",): [{"e": 1}],
    }
