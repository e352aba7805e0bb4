"""The key of the fingerprints of secrets: from the environment, else it lives beside the state."""

import os
from typing import Final

from dtm_sdk.errors import StateError

KEY_SIZE: Final = 32
"""Bytes: as long as what HMAC-SHA-256 gives, more adds nothing (RFC 2104, section 3)."""
VARIABLE: Final = "DTM_FINGERPRINT_KEY"
"""The variable that gives the key, in hex: then it is nowhere beside the state."""


def given_key() -> bytes:
    """The key that the environment gives; empty where it gives none.

    Raises:
        StateError: it is no key.
    """
    text = os.environ.get(VARIABLE, "")
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b"?"
    if key and len(key) != KEY_SIZE:
        what = f"the variable {VARIABLE} holds no {2 * KEY_SIZE} hex digits"
        raise StateError(what, f"`openssl rand -hex {KEY_SIZE}` makes a key; without the variable it lies by the state")
    return key


def whole_key(data: bytes | None, where: str) -> bytes:
    """The key as it was kept; empty where there is none.

    Raises:
        StateError: it is damaged.
    """
    if data is not None and len(data) != KEY_SIZE:
        what = f"{where} has {len(data)} bytes instead of {KEY_SIZE}: it is damaged"
        raise StateError(what, "put back a copy, or remove it: secrets then get new fingerprints")
    return data or b""
