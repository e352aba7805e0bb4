"""Which places of a world depend on which option, and two worlds in the same terms."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import pytest
from msgspec.structs import replace

from dtm_sdk import Identity, Meta, Options, Secret, Tuning
from dtm_sdk.plugin import State
from dtm_sdk.testing.influence import Scene, differing, exchanged, leaves, unsaid
from dtm_sdk.testing.subject import Subject
from tests.testing.subjects import idle, subject_of
from tests.zoo.right import note
from tests.zoo.zoo import but


@pytest.fixture
def subject(tmp_path: Path) -> Iterator[Subject]:
    """The note plugin in a folder of its own."""
    with subject_of(note.plugin, tmp_path) as made:
        yield made


class Inner(Options):
    text: str = ""
    key: Secret | None = None


class Outer(Options):
    name: Identity[str]
    inner: Inner = Inner()
    reach: Tuning[Inner] = Inner()
    several: list[Inner] = []  # noqa: RUF012  # a new list for each
    free: dict[str, Inner] = {}  # noqa: RUF012  # a new list for each


def test_a_leaf_holds_no_other_option_and_has_the_role_of_what_holds_it() -> None:
    assert [(leaf.name, leaf.role, leaf.secret) for leaf in leaves(Outer)] == [
        ("name", "identity", False),
        ("inner.text", "", False),
        ("inner.key", "", True),
        ("reach.text", "tuning", False),
        ("reach.key", "tuning", True),
        ("several", "", False),
        ("free", "", False),
    ]


def test_each_option_of_a_file_is_seen_where_it_is(subject: Subject) -> None:
    scene = Scene(subject)
    found = {leaf.name: scene.influence(leaf) for leaf in leaves(note.NoteOptions) if not leaf.role}
    assert {name: each and each.places for name, each in found.items()} == {
        "text": [("a.note", "content")],
        "access": [("a.note", "mode")],
        "header.title": [("a.note", "content")],
        "header.lines": [("a.note", "content")],
    }


def test_one_option_is_exchanged_and_the_others_stay(subject: Subject) -> None:
    one, other = subject.examples[:2]
    assert exchanged(subject, one, other, ("header", "title")) == {**one, "header": {"title": "Title"}}


class Sized(Options):
    name: Identity[str]
    box: dict[str, int] = {}  # noqa: RUF012  # a new list for each
    unit: Annotated[str, Meta(description="Of the size.")] = "m"


class Boxed(Options):
    name: Identity[str]
    box: Sized


def test_what_is_not_valid_alone_is_exchanged_with_what_holds_it(tmp_path: Path) -> None:
    def validate(options: Boxed) -> list[str]:
        return [] if (options.box.unit == "m") == ("long" in options.box.box) else ["a length is in m"]

    one = {"name": "a", "box": {"name": "x", "box": {"long": 1}}}
    other = {"name": "a", "box": {"name": "x", "box": {"heavy": 1}, "unit": "kg"}}
    plugin = idle(Boxed, examples=[one, other], validate=validate)
    with subject_of(plugin, tmp_path) as subject:
        assert list(differing(subject, ("box", "unit"))) == [(one, other), (other, one)]
        assert exchanged(subject, one, other, ("box", "unit")) == {"name": "a", "box": other["box"]}


def test_places_that_differ_by_themselves_do_not_depend_on_an_option(tmp_path: Path) -> None:
    made = iter(range(100))

    def create(options: note.NoteOptions) -> State:
        Path("serial.txt").write_text(str(next(made)), encoding="utf-8")
        return note.save(replace(options, text="always the same"))

    with subject_of(but(note.plugin, create=create), tmp_path) as subject:
        text = next(leaf for leaf in leaves(note.NoteOptions) if leaf.name == "text")
        found = Scene(subject).influence(text)
        assert found
        assert found.places == []


@pytest.mark.parametrize(
    ("state", "wanted"),
    [
        ({"text": "one", "outputs": {}}, []),
        ({"text": "two"}, ["text"]),
        ({"access": "all"}, []),
        ({"header": {"title": "Other", "lines": ["by the server"]}}, []),
        ({"header": {"title": "other"}}, ["header.title"]),
        ({"header": "Other"}, ["header"]),
    ],
    ids=["the-same", "another", "left-out", "left-out-inside", "another-inside", "of-another-form"],
)
def test_a_state_says_what_the_options_said(subject: Subject, state: State, wanted: list[str]) -> None:
    raw = {"path": "a.note", "text": "one", "header": {"title": "Other"}}
    assert [path for path, _, _ in unsaid(subject, raw, state)] == wanted
