"""The state in a bucket of S3, or of a server that speaks its language: one object, and those that belong to it.

How they are laid out is in `object_state`, how a run holds them in `lease`. Here is what is S3's own.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from dtm_sdk import lease, state_text
from dtm_sdk.backends import Check, Fit, Holder, Loaded, Session, Version, as_it_is, fitted, unchecked
from dtm_sdk.bucket import TRIES, Bucket, Client, reason
from dtm_sdk.errors import BackendOptionsError, OptionsError, StateError
from dtm_sdk.evidence import Evidence, Verdict, accepted, first_writing, judge, latest, recorded
from dtm_sdk.fingerprint_key import KEY_SIZE
from dtm_sdk.lease import DURATION, Lease, leased
from dtm_sdk.object_state import (
    READERS,
    Found,
    ObjectSession,
    Place,
    copies,
    find,
    made_key,
    put_aside,
    read_key,
)
from dtm_sdk.options import Json, Options, parse
from dtm_sdk.state import State

_LONGEST: Final = 950
"""Bytes of a key: S3 takes 1,024, and what belongs to the state has longer ones."""


class S3Options(Options):
    """The options of this backend, as `config.state.options` has them.

    Attributes:
        bucket: its name; it must be there.
        region: where it is, e.g. "eu-central-1".
        key: of the object that is the state; those that belong to it have keys that begin with it.
        endpoint: the URL of another server than that of AWS.
    """

    bucket: str
    region: str
    key: str
    endpoint: str | None = None


def open_s3(options: Mapping[str, Json], fit: Fit = as_it_is) -> "S3Backend":
    """The backend that a config names; `fit`: see `open_backend`.

    Raises:
        StateError: an option is missing, unknown, or names nothing.
    """
    try:
        typed = parse(S3Options, options)
    except OptionsError as error:
        hint = "the s3 backend takes bucket, region and key, and endpoint for another server than AWS"
        raise BackendOptionsError(f"config.state.options: {error}", hint) from None
    return S3Backend(typed, fit=fit)


class S3Backend:
    """A state in a bucket.

    Args:
        options: where it is.
        duration: of the lease, in seconds.
        fit: see `open_backend`.

    Raises:
        StateError: an option names nothing.
    """

    def __init__(self, options: S3Options, duration: float = DURATION, fit: Fit = as_it_is) -> None:
        for name in ("bucket", "region"):
            if not getattr(options, name):
                raise BackendOptionsError(f"config.state.options: {name} is empty", "name it")
        parts = options.key.split("/")
        if {"", ".", ".."} & {*parts} or "\0" in options.key or len(options.key.encode()) > _LONGEST:
            what = f"config.state.options: {options.key[:80]!r} is no key for the state"
            raise BackendOptionsError(what, "write a path without a leading slash, such as team/devstream.state")
        if options.endpoint is not None and ("://" not in options.endpoint or "@" in options.endpoint):
            what = "config.state.options: endpoint is no URL, or has credentials in it"
            raise BackendOptionsError(what, "write it like https://s3.example.com, and set AWS_ACCESS_KEY_ID")
        self._options = options
        self._duration = duration
        self._fit = fit

    def describe(self) -> str:
        """`s3://bucket/key`, and at which server, unless it is that of AWS."""
        at = f" at {self._options.endpoint}" if self._options.endpoint else ""
        return f"s3://{self._options.bucket}/{self._options.key}{at}"

    def load(self) -> Loaded:
        """What is there now, without the lock; changes nothing, makes nothing.

        Raises:
            StateError: it can't be read or is not whole.
        """
        with self._place() as place:
            verdict, key = judge(find(place).evidence), read_key(place) or os.urandom(KEY_SIZE)
            return Loaded(fitted(verdict.state, self._fit, key), verdict.intents, key)

    @contextmanager
    def lock(self, command: str, wait: float = 0) -> Iterator[Session]:
        """Hold the state; waits up to `wait` seconds for another holder.

        Raises:
            LockedError: another run holds it; it says who.
            StateError: it can't be read, or can't be written.
        """
        with self._place() as place, self._leased(place, command, wait) as held:
            yield self._opened(place, held)

    def accept(self, wait: float = 0, check: Check = unchecked) -> State:
        """Take the object as it is, edited, older or gone, for the next writing; returns what is the state now.

        Raises:
            LockedError: another run holds it.
            StateError: it can't be read, or can't be written.
        """
        return self._taken_over("state accept", wait, accepted, check)

    def version(self, serial: int) -> State:
        """What the copy of an earlier writing holds.

        Raises:
            StateError: there is no such copy, or it can't be read.
        """
        with self._place() as place:
            copy = place.store.get(place.own(f"backups/{serial}.yaml"))
            key = read_key(place) or os.urandom(KEY_SIZE)
        where = f"{self.describe()}.d/backups"
        if copy is None:
            what = f"there is no copy of writing {serial} of the state in {where}"
            raise StateError(what, "`dtm state history` lists what there is")
        return fitted(state_text.load(copy.data, f"{where}/{serial}.yaml"), self._fit, key)

    def restore(self, serial: int, wait: float = 0, check: Check = unchecked) -> State:
        """Make the copy of an earlier writing the next one. What has begun and not ended stays so.

        Returns:
            What is the state now.

        Raises:
            LockedError: another run holds it.
            StateError: there is no such copy, or it can't be read; or the state can't be written.
        """
        return self._taken_over("state restore", wait, lambda found: latest(found, self.version(serial).records), check)

    def history(self) -> tuple[Version, ...]:
        """The copies of earlier writings, oldest first; that of the current one included.

        Raises:
            StateError: they can't be listed.
        """
        with self._place() as place:
            listed = place.store.list(place.own("backups/"))
        found = copies({each.name.removeprefix(place.own()): each for each in listed})
        return tuple(Version(serial, found[serial].written, found[serial].size) for serial in sorted(found))

    def holder(self) -> Holder | None:
        """Who holds the lock; None where nobody does.

        Raises:
            StateError: it can't be told.
        """
        with self._place() as place:
            found = lease.holder(place.store, place.own("lock"))
        return msgspec.convert(found, Holder) if found else None

    def unlock(self, id_: str) -> None:
        """End one holding of the lock; should its holder be alive, its next writing is refused.

        It is free after half the time of a lease at most: until then its holder may believe to have it.

        Raises:
            StateError: it isn't held, or the holding has another id.
        """
        with self._place() as place:
            lease.unlock(place.store, place.own("lock"), place.shown, id_)

    @contextmanager
    def _place(self) -> Iterator[Place]:
        """Where the state is, while a client is open."""
        client, errors = _connected(self._options)
        try:
            yield Place(Bucket(client, self._options.bucket, errors), self._options.key, self.describe())
        finally:
            client.close()

    def _leased(self, place: Place, command: str, wait: float) -> AbstractContextManager[Lease]:
        return leased(Lease(place.store, place.own("lock"), place.shown, command, self._duration), wait)

    def _taken_over(self, command: str, wait: float, decide: Callable[[Evidence], Verdict], check: Check) -> State:
        """Commit what was decided to be the state; the journal that was there is put aside, readable or not."""
        with self._place() as place, self._leased(place, command, wait) as held:
            found = find(place)
            key, verdict, before = made_key(place), decide(found.evidence), recorded(found.evidence)
            verdict = replace(verdict, state=fitted(verdict.state, self._fit, key, edited=True))
            check(None if before is None else fitted(State(before), self._fit, key).records, verdict.state)
            put_aside(place, found)
            return self._session(place, held, found, verdict).commit(verdict.state, verdict.intents)

    def _session(self, place: Place, held: Lease, found: Found, verdict: Verdict) -> "_S3Session":
        key = made_key(place)
        first = first_writing(found.evidence, verdict, lambda state: fitted(state, self._fit, key))
        return _S3Session(place, held, found, replace(verdict, state=fitted(verdict.state, self._fit, key)), key, first)

    def _opened(self, place: Place, held: Lease) -> "_S3Session":
        for _ in range(TRIES):
            found = find(place)
            session = self._session(place, held, found, judge(found.evidence))
            if not held.unsettled or session.settle():
                return session
        raise StateError(f"{place.shown} is changed by something else all the time", "end that, then run again")


class _S3Session(ObjectSession):
    """A state held by this process."""

    @property
    def loaded(self) -> Loaded:
        """What the bucket held when it was locked."""
        return Loaded(self.state, self.intents, self.key)

    def leave(self) -> None:
        """The process ends at once: let the lease run out soon."""
        self._lease.leave()


def _connected(options: S3Options) -> tuple[Client, tuple[type[Exception], ...]]:
    """A client, and the errors that it raises."""
    try:
        from boto3.exceptions import Boto3Error  # type: ignore[import-untyped]  # it has no types
        from botocore.config import Config  # type: ignore[import-untyped]  # nor has it
        from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]  # nor has it
    except ModuleNotFoundError:
        what = "config.state.backend: the backend s3 needs boto3, which isn't installed"
        raise StateError(what, "run `pip install 'dtm-sdk[s3]'`") from None
    config = Config(
        # A name of a bucket in the host takes a DNS that answers for each.
        s3={"addressing_style": "path" if options.endpoint else "auto"},
        # Not every server knows the newer checksums of bodies; what is written here has checksums of its own.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        retries={"mode": "standard", "total_max_attempts": TRIES},
        connect_timeout=5,
        read_timeout=20,
        max_pool_connections=READERS,
    )
    try:
        client: Client = _session().client(
            "s3", region_name=options.region, endpoint_url=options.endpoint, config=config
        )
    except (Boto3Error, BotoCoreError, ValueError) as error:
        what, hint = reason(error)
        raise StateError(f"config.state: S3 can't be used: {what}", hint) from None
    return client, (BotoCoreError, ClientError)


@cache
def _session() -> Any:
    """What makes clients: the first takes 0.2 s, because it reads what there is to S3, and each later one 0.01 s."""
    import boto3  # type: ignore[import-untyped]  # it has no types

    return boto3.session.Session()
