"""What a run records while it goes on, and what it does when that no longer works."""

import os
from collections.abc import Sequence
from typing import Final

import msgspec

from dtm_sdk.backends import Session
from dtm_sdk.errors import StateError
from dtm_sdk.events import Notice, Tell
from dtm_sdk.files import saved
from dtm_sdk.state import Begin, End, Entry, Ledger, State
from dtm_sdk.workers import Stop

COMPACT: Final = 10_000
"""Entries after which the journal is folded into the state in mid-run; twice the records of the last writing where
that is more."""


class Recorder:
    """Makes entries durable and folds them in.

    Once the journal can't be written, the run stops: nothing new starts, what runs ends, and what it did is told, and
    saved in a file where there is room for one. The intents of it are in the journal, so the next run looks for it.

    A journal that grows is folded into the state now and then: so a run that follows a death replays no more than that
    takes, and, since a state is written once for twice as many entries, the work still grows with them.
    """

    def __init__(self, session: Session, ledger: Ledger, tell: Tell, stop: Stop) -> None:
        self._session = session
        self._ledger = ledger
        self._tell = tell
        self._stop = stop
        self._written = 0
        self._most = max(COMPACT, 2 * len(ledger.records))
        self._error: StateError | None = None
        self._lost: list[bytes] = []

    @property
    def works(self) -> bool:
        """Whether all that was appended is durable."""
        return self._error is None

    def append(self, entries: Sequence[Entry]) -> None:
        """Make entries durable, then fold them in; where they can't be made durable, tell them and stop."""
        if not entries:
            return
        if self._error is None:
            try:
                self._session.append(entries)
                self._written += len(entries)
            except StateError as error:
                self._fail(error)
        if self._error is not None:
            self._tell_lost(entries)
        for entry in entries:
            self._ledger.fold(entry)
        if self._error is None and self._written >= self._most:
            try:
                self.commit()
            except StateError as error:
                self._fail(error)

    def _fail(self, error: StateError) -> None:
        self._error = error
        self._stop.because = "the state can't be written"
        self._stop.set()
        self._tell(Notice("error", f"{error}"))

    def _tell_lost(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if isinstance(entry, End) and not entry.error:
                key, record = self._ledger.open[entry.id].record.key, entry.record
                self._lost.append(msgspec.json.encode({"key": key, "record": record}))
                text = msgspec.json.encode(record).decode() if record else "deleted"
                self._tell(Notice("error", f"not recorded: {key}: {text}"))
            elif not isinstance(entry, End | Begin):
                self._lost.append(msgspec.json.encode(entry))
                self._tell(Notice("error", f"not recorded: {self._lost[-1].decode()}"))

    def _save_lost(self) -> None:
        """Put what was not recorded into a file, one line of JSON each; one folder may be full and another not."""
        name = f"dtm-not-recorded-{os.urandom(4).hex()}.json"
        folders = (os.curdir, os.environ.get("TMPDIR") or "/tmp", os.path.expanduser("~"))  # noqa: PTH111, S108  # the name is random, and no link is followed
        path = saved(name, b"".join(line + b"\n" for line in self._lost), folders)
        if path:
            self._tell(Notice("error", f"what was not recorded is in {path}"))

    def commit(self) -> None:
        """Write the whole state, where anything was recorded.

        Raises:
            StateError: it, or an entry before, could not be written.
        """
        if self._error is not None:
            if self._lost:
                self._save_lost()
            raise self._error
        if self._written:
            self._session.commit(State(self._ledger.records), tuple(self._ledger.open.values()))
            self._written, self._most = 0, max(COMPACT, 2 * len(self._ledger.records))
