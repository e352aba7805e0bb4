"""Texts that no one else writes, and how they are found again in whatever form: independent of the runner's mask."""

import base64
import html
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Final
from urllib.parse import quote, quote_plus

import yaml
from msgspec import Struct

SHORTEST: Final = 6
"""Characters of a form that are worth looking for: fewer stand anywhere by chance."""
KINDS: Final = ("{}\"%/ ü'\\", "{}\"%/ '\\", "{}%+/=", "{}-_.", "{}")
"""What follows a canary's letters, the richest first: the next one is tried where a plugin or its world refuses one."""
LETTERS: Final = "CaNaRy"


class Leak(Struct, frozen=True):
    """A canary was found.

    Attributes:
        option: path of the secret.
        form: how it was written, e.g. "base64".
        where: in what.
    """

    option: str
    form: str
    where: str


def canary(number: int, kind: int) -> str:
    """A text to be found again; of so many kinds."""
    return KINDS[kind].format(f"{LETTERS}{number}x{(number + 7) * 7919:x}Q")


@cache
def forms(text: str) -> Mapping[str, str]:
    """The ways in which a text may be written, in lower case: form -> the name of how."""
    found: dict[str, str] = {}
    for name, form in _forms(text):
        folded = form.lower()
        if len(folded) >= SHORTEST:
            found.setdefault(folded, name)
    return found


def _forms(text: str) -> Iterator[tuple[str, str]]:
    data = text.encode("utf-8", "surrogatepass")
    yield "as it is", text
    for ascii_only in (True, False):
        inside = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        yield from (("as JSON", inside), ("as JSON", inside.replace("/", "\\/")))
        yield "as JSON in JSON", json.dumps(inside, ensure_ascii=ascii_only)[1:-1]
    for style in (None, '"', "'"):
        dumped = yaml.safe_dump(text, default_style=style, width=10**6, allow_unicode=style is None)
        yield "as YAML", dumped.removesuffix("...\n").strip().strip("\"'")
    yield from (("as repr", repr(text)[1:-1]), ("as bytes", repr(data)[2:-1]), ("as HTML", html.escape(text)))
    yield from (("as ASCII", ascii(text)[1:-1]), ("in a shell", text.replace("'", "'\"'\"'")))
    for safe in ("", "/"):
        yield from (("as URL", quote(text, safe=safe)), ("as URL", quote_plus(text, safe=safe)))
    yield "as URL, twice", quote(quote(text, safe=""), safe="")
    yield from (("in hex", data.hex()), ("in hex", data.hex(":")), ("in hex", data.hex(" ")))
    for name, encode in (("in base64", base64.b64encode), ("in base64", base64.urlsafe_b64encode)):
        for core in _cores(data, encode):
            yield name, core
            yield from ((f"{name}, twice", twice) for twice in _cores(core.encode(), encode))


def _cores(data: bytes, encode: Callable[[bytes], bytes]) -> Iterator[str]:
    """The characters of base64 that only these bytes give, wherever they begin in what was encoded."""
    for shift in range(3):
        first = -(-shift * 8 // 6)  # the first that has no bit of what comes before
        last = (shift + len(data)) * 8 // 6
        core = encode(b"\0" * shift + data)[first:last].decode()
        if len(core) > SHORTEST + 2:
            yield core


def found_in(text: str | bytes, secrets: Mapping[str, str], where: str) -> Iterator[Leak]:
    """The secrets that stand in a text.

    Args:
        text: what is looked through.
        secrets: path of the option -> its text.
        where: what the text is.
    """
    folded = (text if isinstance(text, str) else text.decode("utf-8", "replace")).lower()
    for option, secret in secrets.items():
        for form, name in forms(secret).items():
            if form in folded:
                yield Leak(option, name, where)
                break


def hidden_in(text: str, secrets: Iterable[str]) -> str:
    """A text with every form of the secrets replaced, to be shown."""
    for secret in secrets:
        for form in sorted(forms(secret), key=len, reverse=True):
            at = text.lower().find(form)
            while at >= 0:
                text = f"{text[:at]}***{text[at + len(form) :]}"
                at = text.lower().find(form, at + 3)
    return text
