"""Options like others but for one change: of the identity, of another option, or of a Tuning one."""

from collections.abc import Iterator
from typing import Any

from dtm_sdk.plugin import State
from dtm_sdk.testing.identities import elsewhere
from dtm_sdk.testing.influence import is_valid
from dtm_sdk.testing.subject import Raw, Subject


def changes_of(subject: Subject) -> Iterator[tuple[Raw, Raw]]:
    """Options before and after a change: of the identity, and of each other option by what another example has."""
    raw = subject.an_example()
    moved = elsewhere(subject, raw)
    if moved:
        yield raw, moved
    shape = subject.plugin.shape
    identity = {path[0] for path in shape.identity}
    tuning = {path[0] for path in shape.tuning}
    seen: list[Raw] = []
    for example in subject.examples[1:]:
        for key in example.keys() - identity - tuning:
            changed = {**raw, key: example[key]}
            if changed not in (raw, *seen) and is_valid(subject, changed):
                seen.append(changed)
                yield raw, changed


def tuned_otherwise(subject: Subject, raw: Raw) -> Raw | None:
    """The options with a Tuning option as another example has it; None where the examples have none."""
    shape = subject.plugin.shape
    for key in dict.fromkeys(path[0] for path in shape.tuning):
        for example in subject.examples:
            tuned = {**raw, key: example[key]} if key in example else raw
            if tuned != raw and is_valid(subject, tuned):
                full, other = subject.full(raw), subject.full(tuned)
                if full != other and shape.comparable(full) == shape.comparable(other):
                    return tuned
    return None


def leaves_of(value: State, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The path and value of each leaf of an object; lists are leaves."""
    for key, item in value.items():
        if isinstance(item, dict) and item:
            yield from leaves_of(item, (*above, key))
        else:
            yield (*above, key), item
