"""The objects of a bucket of S3, by a client of boto3, whose errors become one line each.

boto3 itself isn't imported here: whoever made the client says which errors it raises, and they are told apart by the
names of their classes.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Protocol

from dtm_sdk.errors import StateError
from dtm_sdk.objects import ABSENT, Listed, Refused, Stored

_AT_ONCE: Final = 1000
"""How many objects one request removes at most (S3 API, DeleteObjects)."""
TRIES: Final = 4
"""How often a request is sent that wasn't answered, or answered with a failure of the server; with growing pauses."""

_REFUSED: Final = ("PreconditionFailed", "ConditionalRequestConflict")
"""The codes of an answer to a write whose condition doesn't hold, or met another write (S3 API, PutObject)."""

_ALLOW: Final = "allow it s3:GetObject, s3:PutObject and s3:DeleteObject there, and s3:ListBucket of the bucket"
_HINTS: Final = {
    "NoSuchBucket": "make the bucket, or correct bucket, region or endpoint in config.state.options",
    "AccessDenied": _ALLOW,
    "403": _ALLOW,
    "AllAccessDisabled": _ALLOW,
    "InvalidAccessKeyId": "correct AWS_ACCESS_KEY_ID, or the profile",
    "SignatureDoesNotMatch": "correct AWS_SECRET_ACCESS_KEY, or the profile",
    "ExpiredToken": "get new credentials",
    "InvalidToken": "get new credentials",
    "RequestTimeTooSkewed": "set the clock of this machine",
    "PermanentRedirect": "correct region in config.state.options",
    "AuthorizationHeaderMalformed": "correct region in config.state.options",
    "NotImplemented": "use a server that honours conditional writes, such as AWS S3, or the backend local",
}
"""What to do about an answer of the server, by its code (S3 API, Error responses)."""
_MEANINGS: Final = {
    "NoSuchBucket": "there is no such bucket",
    "AccessDenied": "these credentials may not do that, or there is no such bucket",
    "403": "these credentials may not do that",
}


class Client(Protocol):
    """What is used of a client of boto3, which has no types. Each method takes and gives what its API call does."""

    def get_object(self, **arguments: Any) -> dict[str, Any]:
        """Read an object."""

    def put_object(self, **arguments: Any) -> dict[str, Any]:
        """Write an object."""

    def delete_objects(self, **arguments: Any) -> dict[str, Any]:
        """Remove objects."""

    def list_objects_v2(self, **arguments: Any) -> dict[str, Any]:
        """List objects."""

    def close(self) -> None:
        """Close its connections."""


class Bucket:
    """The objects of a bucket: a `Store`.

    Args:
        client: what asks the server.
        bucket: its name.
        errors: what the client raises.

    Attributes:
        now: the time of the server's last answer by its own clock, in seconds since 1970.
    """

    def __init__(self, client: Client, bucket: str, errors: tuple[type[Exception], ...]) -> None:
        self._client = client
        self._bucket = bucket
        self._errors = errors
        self.now = 0.0

    def get(self, name: str) -> Stored | None:
        """An object; None where there is none."""
        for left in reversed(range(TRIES)):
            try:
                return self._got(name)
            except StateError as error:
                if _code(error) == "NoSuchKey":
                    return None
                # The client itself asks again where there was no answer, but not where one broke off in the middle.
                if not (left and _kinds(error.__cause__) & {"IncompleteReadError", "ResponseStreamingError"}):
                    raise
        raise AssertionError

    def put(self, name: str, data: bytes, condition: str | None = None) -> str:
        """Write an object; see `Store.put`."""
        matching = {} if condition is None else {"IfNoneMatch": "*"} if condition == ABSENT else {"IfMatch": condition}
        for left in reversed(range(TRIES)):
            try:
                with self._told("write", name):
                    answer = self._client.put_object(Bucket=self._bucket, Key=name, Body=data, **matching)
                    return str(self._heard(answer)["ETag"])
            except StateError as error:
                code = _code(error)
                refused = code in _REFUSED or (code == "NoSuchKey" and condition is not None)
                if not refused and not _broken(error):
                    raise
                # An answer may have been lost, and what is refused may be what was sent again.
                found = self._there(name, error)
                if found is not None and found.data == data:
                    return found.etag
                if not refused:
                    raise
                if code != "ConditionalRequestConflict" or not left:
                    raise Refused(found) from None
        raise AssertionError

    def delete(self, names: Iterable[str]) -> None:
        """Remove objects."""
        keys = [{"Key": name} for name in names]
        for start in range(0, len(keys), _AT_ONCE):
            some = keys[start : start + _AT_ONCE]
            with self._told("remove", some[0]["Key"]):
                answer = self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": some, "Quiet": True})
            for error in self._heard(answer).get("Errors", []):
                what, hint = _answered(error)
                raise StateError(f"can't remove s3://{self._bucket}/{error.get('Key')}: {what}", hint)

    def list(self, prefix: str) -> list[Listed]:
        """The objects whose names begin so."""
        found: list[Listed] = []
        more: dict[str, str] = {}
        while True:
            with self._told("list", prefix):
                answer = self._client.list_objects_v2(Bucket=self._bucket, Prefix=prefix, **more)
            listed = self._heard(answer).get("Contents", [])
            found += [Listed(each["Key"], each["LastModified"].timestamp(), each["Size"]) for each in listed]
            if not answer.get("IsTruncated"):
                return found
            more = {"ContinuationToken": answer["NextContinuationToken"]}

    def _got(self, name: str) -> Stored:
        with self._told("read", name):
            answer = self._heard(self._client.get_object(Bucket=self._bucket, Key=name))
            data = answer["Body"].read()
        return Stored(data, answer["ETag"], self.now - answer["LastModified"].timestamp())

    def _there(self, name: str, trouble: StateError) -> Stored | None:
        """What is there after a write that failed."""
        try:
            return self.get(name)
        except StateError:
            raise trouble from trouble.__cause__

    def _heard(self, answer: dict[str, Any]) -> dict[str, Any]:
        """An answer; what time it is for the server is taken from it."""
        from email.utils import parsedate_to_datetime

        date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
        self.now = parsedate_to_datetime(date).timestamp() if date else time.time()
        return answer

    @contextmanager
    def _told(self, doing: str, name: str) -> Iterator[None]:
        """Turn an error of the client into a StateError: what can't be done where, why, and what to do about it."""
        try:
            yield
        except self._errors as error:
            what, hint = reason(error)
            raise StateError(f"can't {doing} s3://{self._bucket}/{name}: {what}", hint) from error


def reason(error: Exception) -> tuple[str, str]:
    """Why a request failed, or wasn't made, in one line without credentials; and what to do."""
    kinds = _kinds(error)
    if "ClientError" in kinds:
        return _answered(_answer(error).get("Error", {}))
    if kinds & {"HTTPClientError", "ConnectionError"}:
        return f"the server can't be reached ({_line(error)})", "correct region or endpoint, or mend the network"
    if kinds & {"NoCredentialsError", "PartialCredentialsError"}:
        return "there are no credentials", "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
    if "CredentialRetrievalError" in kinds:
        # Its text is what some program printed, which may be the credentials.
        return "the credentials can't be had", "see to the program that the profile takes them from"
    return _line(error), "correct config.state.options, or the profile"


def _answered(error: Mapping[str, Any]) -> tuple[str, str]:
    """The same of what the server answered."""
    code = str(error.get("Code"))
    said = " ".join(f"the server says {code}: {error.get('Message') or 'nothing else'}".split()).rstrip(".")
    return _MEANINGS.get(code, said), _HINTS.get(code, "")


def _line(error: Exception) -> str:
    """What an error says, in one line."""
    return " ".join(str(error).split())


def _kinds(error: BaseException | None) -> set[str]:
    return {each.__name__ for each in type(error).__mro__}


def _answer(error: BaseException | None) -> dict[str, Any]:
    """What the server answered; empty where it gave no answer."""
    return getattr(error, "response", None) or {}


def _code(error: StateError) -> str:
    return str(_answer(error.__cause__).get("Error", {}).get("Code", ""))


def _broken(error: StateError) -> bool:
    """Whether it isn't known what the server did: its answer was lost, or says that it failed."""
    status = _answer(error.__cause__).get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    lost = _kinds(error.__cause__) & {"HTTPClientError", "ConnectionError", "IncompleteReadError"}
    return bool(status >= 500 or lost)
