"""Options whose identity is another's, with something before or behind it."""

from contextlib import suppress
from copy import deepcopy

from dtm_sdk.errors import DtmError
from dtm_sdk.testing.subject import Raw, Subject


def nearby(subject: Subject, raw: Raw) -> list[Raw]:
    """Valid options like some others but for their identity, which has a suffix or a prefix; [] where none is valid."""
    found = []
    full = subject.full(raw)
    for path in subject.plugin.shape.identity:
        for form in ("{}2", "a{}", "{}-b"):
            copy = deepcopy(raw)
            inner, known = copy, full
            for key in path[:-1]:
                inner, known = inner.setdefault(key, {}), known[key]
            old = known[path[-1]]
            if isinstance(old, str):
                inner[path[-1]] = form.format(old)
            elif isinstance(old, int) and not isinstance(old, bool):
                inner[path[-1]] = old * 10 + 1
            try:
                subject.plugin.parse(copy)
            except DtmError:
                continue
            if copy != raw and copy not in found:
                found.append(copy)
    return found


def makeable(subject: Subject, raw: Raw) -> list[Raw]:
    """Those of them that can be made beside the resource of `raw`; the world is fresh then."""
    found = []
    for other in nearby(subject, raw):
        subject.fresh()
        subject.create(raw)
        with suppress(Exception):  # a part of the identity may name what has to be there before
            subject.call("create", other)
            found.append(other)
    subject.fresh()
    return found
