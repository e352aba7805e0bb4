"""A lock that is an object in a store: held for a while, renewed as long as its holder lives.

The holder renews it every third of its duration. After half of it without a renewal it no longer relies on it: before
the next write, and before it takes a write for done, it renews the lease first. Another run takes it over when all of
the duration has passed. Between the two lies half the duration, and the others go by the server's clock alone, so the
clocks of the machines need not agree.

The one who takes over can't know whether a write of the one before is still on its way. `Lease.unsettled` says so: it
must make such a write void before it relies on what it has read.

Every write of the lock is conditional, so of many who try one succeeds; a server that doesn't look at conditions is
found out each time the lock is taken, and refused.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread
from typing import Final

import msgspec

from dtm_sdk.errors import StateError
from dtm_sdk.holder import locked_by, this_process
from dtm_sdk.objects import ABSENT, Refused, Store, Stored

DURATION: Final = 60.0
"""Seconds; renewed every 20."""
LEAVING: Final = 4.0
"""Seconds that are left of a lease when its holder is interrupted for the second time; it ends in half of that."""
_PAUSES: Final = (0.5, 8.0)
"""Seconds of the first and of the longest pause between two tries; each is varied by half."""
_TRIES: Final = 20
"""How often a write may be refused that nothing stood in the way of."""
_NOBODYS: Final = '"00000000000000000000000000000000"'
"""An etag that no object has."""
# Goes on while the machine is suspended. Elsewhere than on Linux the monotonic clock does so, or nothing does.
_CLOCK: Final[int] = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class _Note(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the lock object says.

    Attributes:
        holder: who holds it, with the fields of `backends.Holder`; None where nobody does.
        duration: of the lease, in seconds.
        count: of its writings: each has other bytes than the one before.
        ended: whether `unlock` has ended it; the holder may not know yet.
        unsettled: whether a write of the last holder may still be on its way.
    """

    holder: dict[str, object] | None = None
    duration: float = DURATION
    count: int = 0
    ended: bool = False
    unsettled: bool = False

    def left(self, age: float) -> float:
        """Seconds until another may take it, by its age; none where it is 0 or less."""
        if self.holder is None:
            return 0
        # An age is in whole seconds, and may be one too high.
        return (self.duration / 2 + 1 if self.ended else self.duration) - age


def _read(stored: Stored) -> _Note:
    try:
        return msgspec.json.decode(stored.data, type=_Note)
    except msgspec.MsgspecError:
        return _Note(holder={})


class Lease:
    """A lock that this process holds.

    Attributes:
        unsettled: whether writes may still be on their way: those of a holder before, or those of this one whose
            outcome isn't known.
    """

    def __init__(self, store: Store, name: str, what: str, command: str, duration: float = DURATION) -> None:
        self.unsettled = False
        self._store = store
        self._name = name
        self._what = what
        self._note = _Note(this_process(command), duration)
        self._mutex = Lock()
        self._stop = Event()
        self._etag = ""
        self._lost = ""
        self._renewed = 0.0
        self._answered = 0.0

    @property
    def id(self) -> str:
        """Names this holding."""
        return str((self._note.holder or {}).get("id"))

    def check(self) -> None:
        """See that no other run can hold the lock: renew it where that isn't sure.

        Called before a write, and once more before the write is taken for done.

        Raises:
            StateError: another run has, or has had, the lock; or it can't be told.
        """
        sure = self._note.duration / 2
        with self._mutex:
            # The server's clock is looked at too: that of a virtual machine stands still while the machine is paused.
            if (
                self._lost
                or time.clock_gettime(_CLOCK) - self._renewed >= sure
                or self._store.now - self._answered >= sure
            ):
                self._renew()

    def acquire(self, wait: float) -> None:
        """Take the lock, and see that the server looks at conditions.

        Raises:
            LockedError: another run holds it, and has not let go of it within `wait` seconds.
            StateError: the server can't be asked, or doesn't look at conditions.
        """
        started, pause, refusals, condition = time.monotonic(), _PAUSES[0], 0, ABSENT
        proved = False
        while True:
            sent = time.clock_gettime(_CLOCK)
            try:
                self._etag = self._store.put(self._name, msgspec.json.encode(self._note), condition)
                break
            except Refused as refused:
                found = refused.found
                proved = proved or condition == ABSENT
                refusals += 1
            while found is not None and (refusals > _TRIES or _read(found).left(found.age) > 0):
                left = started + wait - time.monotonic()
                if left <= 0:
                    raise locked_by(_read(found).holder or {}, self._what, _advice(found))
                time.sleep(min(left, pause * (0.5 + os.urandom(1)[0] / 255)))
                pause, refusals = min(2 * pause, _PAUSES[1]), 0
                found = self._store.get(self._name)
            condition = ABSENT if found is None else found.etag
            self.unsettled = found is not None and (_read(found).holder is not None or _read(found).unsettled)
        self._renewed, self._answered = sent, self._store.now
        try:
            self._prove([_NOBODYS] if proved else [ABSENT, _NOBODYS])
        except BaseException:
            self.release()
            raise

    def _prove(self, conditions: list[str]) -> None:
        """Write on conditions that don't hold: that must be refused."""
        for condition in conditions:
            with suppress(Refused):
                self._store.put(self._name, b"probe", condition)
                self._lost = (
                    f"{self._what}: the server writes whether or not a condition (If-None-Match, If-Match) holds"
                )
                with suppress(StateError):
                    self._store.delete([self._name])
                raise StateError(
                    f"{self._lost}, so that runs could overwrite each other's state",
                    "use a server that honours conditional writes, such as AWS S3, or the backend local",
                )

    def keep(self) -> Thread:
        """Renew it from now on, in a thread that ends with `release`, or with the process."""
        thread = Thread(target=self._keep, name="dtm-lease", daemon=True)
        thread.start()
        return thread

    def release(self) -> None:
        """Let go of the lock. Where that fails, its time runs out."""
        self._stop.set()
        with self._mutex, suppress(StateError):
            if not self._lost:
                self._write(_Note(unsettled=self.unsettled))

    def leave(self) -> None:
        """Let its time run out in a moment, for a process that ends now: what it does still goes on until then.

        The next holder sees to what may be on its way, as after a death. Another thread asks the server, since this
        one may be a signal handler that has interrupted whatever asks it now.
        """
        thread = Thread(target=self._leave, name="dtm-leave", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # Python 3.12 starts none while it ends (python/cpython, issue 113964)
            self._leave()
        else:
            thread.join(LEAVING / 2)

    def _leave(self) -> None:
        self._stop.set()
        with self._mutex, suppress(StateError):
            if not self._lost:
                count = self._note.count + 1
                self._write(msgspec.structs.replace(self._note, duration=LEAVING, count=count))
                self._lost = f"{self._what}: this run has left"

    def _keep(self) -> None:
        pause = self._note.duration / 3
        while not self._stop.wait(pause):
            with self._mutex:
                if self._lost or self._stop.is_set():
                    return
                try:
                    self._renew()
                    pause = self._note.duration / 3
                except StateError:
                    pause = self._note.duration / 12

    def _renew(self) -> None:
        if self._lost:
            raise StateError(self._lost, "run again")
        sent = time.clock_gettime(_CLOCK)
        self._note = msgspec.structs.replace(self._note, count=self._note.count + 1)
        self._write(self._note)
        self._renewed, self._answered = sent, self._store.now

    def _write(self, note: _Note) -> None:
        """Write the lock as its holder; a write of ours whose outcome wasn't known may have changed it."""
        data = msgspec.json.encode(note)
        try:
            self._etag = self._store.put(self._name, data, self._etag)
        except Refused as refused:
            found = refused.found
            there = _Note() if found is None else _read(found)
            if found is not None and there.holder == self._note.holder and not there.ended:
                with suppress(Refused):
                    self._etag = self._store.put(self._name, data, found.etag)
                    return
            self._lost = f"{self._what}: this run no longer holds the lock, {_fate(there)}"
            raise StateError(self._lost, "run again") from None


def _advice(found: Stored) -> str:
    note = _read(found)
    if note.ended:
        return f"it was unlocked, and is free in {note.left(found.age):.0f} s"
    return f"wait until it has ended, or end it; should it be dead, it is free in {note.left(found.age):.0f} s"


def _fate(note: _Note) -> str:
    if note.ended:
        return "`dtm state unlock` has ended it"
    return "another run took it over because it was not renewed in time"


@contextmanager
def leased(lease: Lease, wait: float) -> Iterator[Lease]:
    """Hold a lease for a while, renewed by a thread.

    Raises:
        LockedError: another run holds it.
        StateError: the server can't be asked, or doesn't look at conditions.
    """
    lease.acquire(wait)
    thread = lease.keep()
    try:
        yield lease
    finally:
        lease.release()
        thread.join()


def holder(store: Store, name: str) -> dict[str, object] | None:
    """Who holds a lock, with the fields of `backends.Holder`; None where nobody does, or has let its time run out."""
    found = store.get(name)
    note = _Note() if found is None else _read(found)
    return note.holder if found is not None and note.left(found.age) > 0 else None


def unlock(store: Store, name: str, what: str, id_: str) -> None:
    """End one holding of a lock. It is free a little later, when its holder can no longer believe to have it.

    Raises:
        StateError: it isn't held, or by another holding.
    """
    for _ in range(_TRIES):
        found = store.get(name)
        note = _Note() if found is None else _read(found)
        if found is None or note.holder is None or note.left(found.age) <= 0:
            raise StateError(f"{what} isn't locked", "there is nothing to unlock")
        if note.holder.get("id") != id_:
            raise StateError(
                f"{locked_by(note.holder, what).message}, and its lock is {note.holder.get('id')}, not {id_}",
                f"run `dtm state unlock {note.holder.get('id')}` if it is that one",
            )
        if note.ended:
            return
        with suppress(Refused):
            store.put(name, msgspec.json.encode(msgspec.structs.replace(note, ended=True)), found.etag)
            return
    raise StateError(f"{what}: its lock is renewed all the time", "try again")
