"""The resources that generated sequences are about."""

from pathlib import Path
from typing import Any

from dtm_sdk.testing.model import Wanted
from dtm_sdk.testing.universe import Universe
from dtm_sdk.testing.worlds.world import at
from tests.testing.subjects import subject_of
from tests.zoo.right import note, section, ticket, widget
from tests.zoo.zoo import but


def test_files_of_their_own_are_separate(tmp_path: Path) -> None:
    with subject_of(note.plugin, tmp_path, note.world()) as subject:
        universe = Universe(subject)
        assert universe.separate
        assert [[each.raw["path"] for each in own] for own in universe.resources] == [
            ["a.note", "a.note"],
            ["a.note2", "a.note2"],
            ["aa.note", "aa.note"],
        ]
        assert universe.tree({0: 0, 2: 1}).keys() - subject.empty.keys() == {
            "<outputs.path of 0>",
            "<outputs.path of 2>",
        }
        assert universe.calls > 5
        assert subject.snapshot() == subject.empty


def test_sections_of_one_file_are_not_separate(tmp_path: Path) -> None:
    with subject_of(section.plugin, tmp_path, section.world()) as subject:
        assert not Universe(subject).separate


def test_a_resource_is_changed_in_the_ways_that_its_read_sees(tmp_path: Path) -> None:
    with subject_of(note.plugin, tmp_path, note.world()) as subject:
        universe = Universe(subject)
        state = subject.create(universe.at(Wanted(0, 0)).raw)
        changes = set()
        for number in range(4):
            tree = universe.tampered(subject.snapshot(), Wanted(0, 0), state, number)
            assert tree is not None
            changes |= set(subject.changes(subject.snapshot(), tree))
        assert changes == {("a.note", "content"), ("a.note", "mode")}
        assert universe.removed(subject.snapshot(), Wanted(0, 0), state) == subject.empty


def test_what_is_not_seen_by_read_is_no_change(tmp_path: Path) -> None:
    def read(options: note.NoteOptions) -> Any:
        found = note.describe(options.path)
        return found and {**found, "access": options.access.value}

    with subject_of(but(note.plugin, read=read), tmp_path, note.world()) as subject:
        universe = Universe(subject)
        assert {place for own in universe.resources for each in own for place, _ in each.tampers} == {
            (f"<outputs.path of {number}>", "content") for number in range(3)
        }


def test_resources_with_ids_of_the_server_are_found_by_their_states(tmp_path: Path) -> None:
    with subject_of(widget.plugin, tmp_path, widget.world()) as subject:
        universe = Universe(subject)
        assert universe.separate
        states = {number: subject.create(universe.at(Wanted(number, 0)).raw) for number in (1, 0)}
        assert universe.named(subject.snapshot(), states) == universe.tree({0: 0, 1: 0})
        removed = universe.removed(subject.snapshot(), Wanted(0, 0), states[0])
        assert universe.named(removed, states) == universe.tree({1: 0})


def test_where_nothing_names_a_resource_there_is_one(tmp_path: Path) -> None:
    with subject_of(ticket.plugin, tmp_path, ticket.world()) as subject:
        universe = Universe(subject)
        assert [[at(each.raw, ("urgency",)) for each in own] for own in universe.resources] == [[..., 5]]
        assert universe.find(5, 3) == Wanted(0, 1)
