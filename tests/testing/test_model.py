"""The pure model: a test for each row of the table of actions, and the sequences that it is held against."""

from random import Random

import pytest

from dtm_sdk.testing.model import THEMES, Model, Step, Theme, Wanted, script, sequences

A, B, CHANGED = Wanted(0, 0), Wanted(1, 0), Wanted(0, 1)


def after(*wanted: Wanted) -> Model:
    """A model whose tools 0, 1 ... were applied."""
    model = Model(config=dict(enumerate(wanted)))
    model.apply()
    return model


def outcome(model: Model) -> tuple[list[str], dict[int, Wanted], dict[int, int]]:
    """What an apply does, records and makes."""
    return model.apply(), model.records, model.world


def test_what_is_nowhere_is_created() -> None:
    assert outcome(Model(config={0: A})) == (["Create 0"], {0: A}, {0: 0})


def test_what_is_there_and_not_recorded_is_adopted() -> None:
    model = after(A)
    model.lose()
    assert outcome(model) == (["Adopt 0"], {0: A}, {0: 0})


def test_what_somebody_else_has_made_is_adopted_and_brought_to_the_options() -> None:
    assert outcome(Model(config={0: A}, world={0: 1})) == (["Adopt 0"], {0: A}, {0: 0})


def test_another_identity_replaces() -> None:
    model = after(A)
    model.config[0] = B
    assert outcome(model) == (["Create 0", "Delete 0"], {0: B}, {1: 0})


def test_what_replaces_is_created_even_where_something_is_there() -> None:
    model = after(A)
    model.config[0], model.world[1] = B, 7
    assert outcome(model) == (["Create 0", "Delete 0"], {0: B}, {1: 0})


def test_a_state_that_says_more_than_the_config_is_not_covered() -> None:
    model = after(A, B)
    assert model.is_covered()
    model.config[0] = CHANGED
    assert model.is_covered()
    model.config[0] = Wanted(5, 0)
    assert not model.is_covered()
    del model.config[0]
    assert not model.is_covered()


def test_what_has_gone_is_created() -> None:
    model = after(A)
    model.world.clear()
    assert outcome(model) == (["Create 0"], {0: A}, {0: 0})


def test_other_options_update() -> None:
    model = after(A)
    model.config[0] = CHANGED
    assert outcome(model) == (["Update 0"], {0: CHANGED}, {0: 1})


def test_drift_is_updated() -> None:
    model = after(A)
    model.world[0] = -1
    assert outcome(model) == (["Update 0"], {0: A}, {0: 0})


def test_drift_to_what_is_wanted_now_is_updated() -> None:
    model = after(A)
    model.config[0], model.world[0] = CHANGED, 1
    assert outcome(model) == (["Update 0"], {0: CHANGED}, {0: 1})


def test_what_is_as_it_should_be_is_left() -> None:
    assert outcome(after(A, B)) == ([], {0: A, 1: B}, {0: 0, 1: 0})


def test_what_has_left_the_config_is_deleted() -> None:
    model = after(A, B)
    del model.config[0]
    assert outcome(model) == (["Delete 0"], {1: B}, {1: 0})


def test_what_has_left_the_config_and_gone_is_deleted_all_the_same() -> None:
    model = after(A)
    model.config.clear()
    model.world.clear()
    assert outcome(model) == (["Delete 0"], {}, {})


def test_a_renamed_tool_takes_the_record() -> None:
    model = after(A)
    assert model.rename(0, 2)
    assert outcome(model) == (["Move 2"], {2: A}, {0: 0})


def test_a_renamed_tool_with_other_options_is_updated() -> None:
    model = after(A)
    model.rename(0, 2)
    model.config[2] = CHANGED
    assert outcome(model) == (["Update 2"], {2: CHANGED}, {0: 1})


def test_a_renamed_tool_with_another_identity_is_another_one() -> None:
    model = after(A)
    model.rename(0, 2)
    model.config[2] = B
    assert outcome(model) == (["Create 2", "Delete 0"], {2: B}, {1: 0})


def test_where_nothing_names_a_resource_a_renamed_tool_is_another_one() -> None:
    model = Model(config={0: A}, named=False)
    model.apply()
    model.rename(0, 2)
    assert outcome(model) == (["Create 2", "Delete 0"], {2: A}, {0: 0})


def test_two_that_swap_identities_are_both_replaced() -> None:
    model = after(A, B)
    model.config = {0: B, 1: A}
    assert outcome(model) == (["Create 0", "Create 1", "Delete 0", "Delete 1"], {0: B, 1: A}, {0: 0, 1: 0})


def test_no_two_tools_have_one_identity_or_one_name() -> None:
    model = Model(config={0: A, 1: B})
    assert not model.want(1, CHANGED)
    assert not model.rename(0, 1)
    assert not model.rename(2, 3)
    assert model.config == {0: A, 1: B}
    assert model.want(0, CHANGED)
    assert model.config == {0: CHANGED, 1: B}


def test_destroy_takes_what_is_recorded_only() -> None:
    model = after(A)
    model.world[1] = 0
    model.destroy()
    assert (model.records, model.world, model.config) == ({}, {1: 0}, {0: A})


def test_after_an_apply_nothing_is_uncertain() -> None:
    model = Model(config={0: A}, uncertain=True)
    model.apply()
    assert not model.uncertain


@pytest.mark.parametrize("theme", THEMES)
def test_a_seed_repeats_the_sequences_and_each_starts_with_something(theme: Theme) -> None:
    one, same, other = (list(sequences(Random(seed), theme, 50)) for seed in (1, 1, 2))  # noqa: S311  # samples
    assert one == same != other
    assert all([step.kind for step in steps[:2]] == ["want", "apply"] for steps in one)
    assert {step.kind for steps in one for step in steps} == {*THEMES[theme], "apply", "want", "change"}


def test_a_script_holds_the_sequence(tmp_path: object) -> None:
    steps = [Step("want", 1, 2, 3), Step("apply")]
    given: list[object] = []
    names: dict[str, object] = {}
    exec("\n".join(script(steps)), names)  # noqa: S102  # it is what a person runs
    names["replay"] = lambda *arguments: given.extend(arguments)
    names["test_replay"]("plugin", "world", tmp_path)  # type: ignore[operator]
    assert given == ["plugin", "world", tmp_path, steps]
