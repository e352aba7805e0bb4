"""What the operations share: the service is asked, and whatever is no answer is an error."""

import json
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from dtm_sdk import PluginError, TransientError

from dtm_board_note.options import BoardNoteOptions

BUSY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


def ask(options: BoardNoteOptions, method: str, path: str, body: object = None) -> dict[str, Any] | None:
    """The JSON object that the service answers, an empty one where it answers nothing; None where it says 404.

    Raises:
        TransientError: it asks to come back later.
        PluginError: it can't be asked, refuses, or answers what is no JSON object.
    """
    status, retry_after, data = _answer(options, method, path, body)
    if status == HTTPStatus.NOT_FOUND:
        return None
    if status in BUSY:
        raise TransientError(f"{options.url} says {status}", float(retry_after) if retry_after.isdecimal() else None)
    if status >= HTTPStatus.MULTIPLE_CHOICES:
        raise PluginError(f"{options.url} says {status} to {method} {path}", "look at its log")
    try:
        answer = json.loads(data or b"{}")
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        what = f"{options.url} answers {method} {path} with what is no JSON object"
        raise PluginError(what, "look whether it is the right service")
    return answer


def _answer(options: BoardNoteOptions, method: str, path: str, body: object) -> tuple[int, str, bytes]:
    """The status, the header Retry-After and the body."""
    headers = {"Content-Type": "application/json"}
    try:
        parts = urlsplit(options.url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=options.timeout)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, answer.headers.get("Retry-After", ""), answer.read()
        finally:
            connection.close()
    except (OSError, HTTPException, ValueError) as error:
        said = str(error) or type(error).__name__
        raise PluginError(f"{options.url} can't be asked: {said}", "look at `url`, and whether it runs") from error
