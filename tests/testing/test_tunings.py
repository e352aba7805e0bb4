"""Other values of a Tuning option, where they can be judged."""

from enum import Enum
from pathlib import Path
from typing import Any, Literal

import pytest

from dtm_sdk import Identity, Options, PluginError, Tuning
from dtm_sdk.plugin import State
from dtm_sdk.testing.influence import Leaf, Scene, leaves
from dtm_sdk.testing.subject import Subject
from dtm_sdk.testing.tunings import Varied, varied
from tests.testing.subjects import idle, subject_of
from tests.zoo.right import note, widget


class Speed(Enum):
    SLOW = "slow"
    FAST = "fast"


class Tuned(Options):
    name: Identity[str]
    wait: Tuning[bool] = False
    tries: Tuning[int] = 3
    timeout: Tuning[float] = 2.0
    speed: Tuning[Speed] = Speed.SLOW
    mode: Tuning[Literal["a", "b"]] = "a"
    address: Tuning[str] = "here"


def tuning(subject: Subject, name: str) -> Leaf:
    """One of its options."""
    return next(leaf for leaf in leaves(subject.plugin.options) if leaf.name == name)


def there(options: Tuned) -> State:
    """It exists, always."""
    return {}


@pytest.mark.parametrize(
    ("name", "value"), [("wait", True), ("tries", 4), ("timeout", 3.0), ("speed", "fast"), ("mode", "b")]
)
def test_another_value_is_made_up_from_the_type(tmp_path: Path, name: str, value: Any) -> None:
    with subject_of(idle(Tuned, read=there, examples=[{"name": "a"}]), tmp_path) as subject:
        found = varied(Scene(subject), tuning(subject, name))
        assert isinstance(found, Varied)
        assert found.other.raw == {"name": "a", name: value}


def test_a_text_is_taken_from_another_example_only(tmp_path: Path) -> None:
    one, other = {"name": "a"}, {"name": "a", "address": "there"}
    with subject_of(idle(Tuned, read=there, examples=[one]), tmp_path / "one") as subject:
        assert "none can be made up" in varied(Scene(subject), tuning(subject, "address"))
    with subject_of(idle(Tuned, read=there, examples=[one, other]), tmp_path / "two") as subject:
        found = varied(Scene(subject), tuning(subject, "address"))
        assert isinstance(found, Varied)
        assert found.other.raw == other


def test_what_the_world_sets_is_not_judged(tmp_path: Path) -> None:
    examples = [{**example, "url": f"https://{index}.example"} for index, example in enumerate(widget.EXAMPLES)]
    plugin = idle(widget.WidgetOptions, examples=examples)
    with subject_of(plugin, tmp_path, widget.world()) as subject:
        subject.examples = examples
        assert varied(Scene(subject), tuning(subject, "url")) == "the world sets it"


def test_a_value_with_which_nothing_is_reached_is_not_judged(tmp_path: Path) -> None:
    def read(options: Tuned) -> State | None:
        if options.tries != 3:
            raise PluginError("no such port", "look")
        return None if options.wait else {}

    with subject_of(idle(Tuned, read=read, examples=[{"name": "a"}]), tmp_path) as subject:
        for name in ("tries", "wait"):
            assert "can the resource be reached" in varied(Scene(subject), tuning(subject, name))


def test_both_are_made_in_fresh_worlds_and_the_first_is_read_as_the_second(tmp_path: Path) -> None:
    with subject_of(note.plugin, tmp_path) as subject:
        found = varied(Scene(subject), tuning(subject, "wait"))
        assert isinstance(found, Varied)
        assert found.read == found.base.state == found.other.state
        assert found.base.tree == found.other.tree
