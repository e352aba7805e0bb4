"""A budget of time: a check has a time limit, and must have said by then what it found."""

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from dtm_sdk.testing.subject import Subject

T = TypeVar("T")


def within(seconds: float, every: Iterable[T], subject: Subject) -> Iterator[T]:
    """Some things in order, until their time is up; the first at least, and all where all are asked for."""
    start = time.monotonic()
    for each in every:
        yield each
        if not subject.thorough and time.monotonic() - start > seconds:
            return
