"""Create: the rules C1 to C7."""

import msgspec

from dtm_sdk.testing.rules import check
from dtm_sdk.testing.subject import Subject, plain


@check("C1", rests_on=("A6",), calls=("create",))
def test_c1_state_is_json(subject: Subject) -> None:
    """Create returns a State that survives a JSON round trip unchanged.

    Why: the state is written to a file and read back by the next run. What comes back changed (a tuple, a date, NaN)
    looks like a drift for ever.

    Wrong:
        return {"filename": options.filename, "changed": datetime.now()}

    Mend: return null, booleans, integers, finite floats, strings, lists and dicts with string keys, nothing else.
    """
    for raw in subject.examples:
        subject.fresh()
        made = subject.must("create", raw)
        if not isinstance(made, dict):
            subject.fail(f"create returned {type(made).__name__}, no dict")
        try:
            back = plain(made)
        except (TypeError, ValueError, RecursionError, msgspec.MsgspecError) as error:
            subject.fail(f"create returned what is no JSON: {error}")
        subject.same_states(made, back, "the state that create returned comes back changed from JSON")


@check("C2", rests_on=("C1",), calls=("create", "read"))
def test_c2_read_after_create(subject: Subject) -> None:
    """Read, right after Create, returns the same.

    Why: the runner compares what Read says with what Create returned. Where they differ, each apply sees a drift, and
    updates for ever.

    Wrong:
        def create(options):
            path.write_text(options.content)
            return {"content": options.content}

        def read(options):
            return {"content": path.read_text().strip()}

    Mend: let one helper describe the resource, and return what it says from Create and Read alike. If the service
    answers late, wait in Create until Read would agree.
    """
    for raw in subject.examples:
        subject.fresh()
        made = subject.create(raw)
        found = subject.read(raw, made)
        subject.same_states(made, found, "Read says another thing than Create returned")
