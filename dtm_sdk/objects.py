"""A store of objects that writes on a condition: what a state and its lock need of S3 and its like."""

from collections.abc import Iterable
from typing import Final, NamedTuple, Protocol

ABSENT: Final = "*"
"""The condition that there is no such object yet. Any other is an `etag`: that the object is still that one."""


class Stored(NamedTuple):
    """An object.

    Attributes:
        data: its bytes.
        etag: names this writing of it.
        age: seconds since it was written. The server's clock says both times, so no other clock needs to be right;
            it counts in whole seconds.
    """

    data: bytes
    etag: str
    age: float


class Listed(NamedTuple):
    """An object in a list.

    Attributes:
        name: its name.
        written: when, in seconds since 1970, by the server's clock.
        size: in bytes.
    """

    name: str
    written: float
    size: int


class Refused(Exception):  # noqa: N818  # no error: another writer was first
    """A write whose condition didn't hold; nothing was written.

    Attributes:
        found: what is there; None where there is nothing.
    """

    def __init__(self, found: Stored | None) -> None:
        super().__init__()
        self.found = found


class Store(Protocol):
    """Objects by their names. May be used from several threads.

    Every method raises StateError where the server can't be reached or doesn't do what it is asked.
    """

    @property
    def now(self) -> float:
        """The time of the server's last answer by its own clock, in seconds since 1970."""

    def get(self, name: str) -> Stored | None:
        """An object; None where there is none."""

    def put(self, name: str, data: bytes, condition: str | None = None) -> str:
        """Write an object, all of it or nothing.

        An answer that was lost is no failure: what is there is looked at. So two writers must never write the same
        bytes under a condition, unless it is the same to both who did.

        Args:
            name: its name.
            data: its bytes.
            condition: an etag, or `ABSENT`; None to write whatever is there.

        Returns:
            Its etag.

        Raises:
            Refused: the condition doesn't hold.
            StateError: it may have been written, or be written later, or not at all.
        """

    def delete(self, names: Iterable[str]) -> None:
        """Remove objects; those that aren't there are none the less gone."""

    def list(self, prefix: str) -> list[Listed]:
        """The objects whose names begin so."""
