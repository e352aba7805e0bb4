"""Secrets where text is written: what stands in their place, and how they are found however encoded. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Final

from msgspec import Struct

from dtm_sdk.options import SECRET_MIN, Json, Options, Secret

_FINGERPRINT: Final = re.compile(r"secret-hmac-sha256-[0-9a-f]{32}")


def fingerprint(key: bytes, text: str) -> str:
    """What stands for a secret where it would be written, e.g. `secret-hmac-sha256-2bd806c97f0e00af1a1fc3328fa763a9`.

    It is the HMAC-SHA-256 (RFC 2104) of the UTF-8 text, cut to its first 128 bits, in hex: who has the key sees that
    a secret has changed, who lacks it can't test guesses. All its characters stay as they are in JSON, YAML, URLs and
    file names. A fingerprint is its own fingerprint: recorded options can be parsed and written again.
    """
    import hmac

    if is_fingerprint(text):
        return text
    return f"secret-hmac-sha256-{hmac.digest(key, _bytes(text), 'sha256')[:16].hex()}"


def is_fingerprint(text: str) -> bool:
    """Whether a text is a fingerprint, of whatever key."""
    return _FINGERPRINT.fullmatch(text) is not None


def holds_fingerprint(text: str) -> bool:
    """Whether a fingerprint, of whatever key, stands in a text."""
    return _FINGERPRINT.search(text) is not None


def reveal_all(options: Options) -> list[str]:
    """The text of every secret in typed options, at any depth, in the order they are declared."""
    return [secret.reveal() for secret in _secrets(options)]


def _secrets(value: object) -> Iterator[Secret]:
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, Struct):
        for name in value.__struct_fields__:
            yield from _secrets(getattr(value, name))
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _secrets(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _secrets(item)


class Mask:
    """Replaces each secret that is in use by its fingerprint, in any text.

    A secret is found as it is; in base64, standard and URL-safe, wherever it starts in what was encoded, also twice
    over (as in a Kubernetes secret that holds a registry's login); in hex; and with any of its characters escaped as
    in URLs, JSON, YAML and Python's repr, up to three times over. If it has several lines, so is each line of at least
    6 characters. What a plugin makes of it otherwise (a hash, a compressed file, half of it) isn't found.

    Texts are looked through once, whatever the number of secrets: each has some 15 forms, and from 8 secrets on a
    pattern that lists them is slower than a look-up at each character.

    Args:
        key: of the fingerprints.
        texts: the secrets; see `add`.
    """

    __slots__ = ("_forms", "_key", "_known")

    def __init__(self, key: bytes, texts: Iterable[str] = ()) -> None:
        self._key = key
        self._known: set[str] = set()
        self._forms: dict[str, dict[str, str]] = {}  # its first 6 characters -> a form -> the fingerprint
        self.add(texts)

    def add(self, texts: Iterable[str]) -> None:
        """Find these secrets too, from now on, in all threads; texts of less than 6 characters are none."""
        for text in texts:
            if text not in self._known:
                self._known.add(text)
                hidden = fingerprint(self._key, text)
                for form in _forms(text):
                    alike = self._forms.setdefault(form[:SECRET_MIN], {})
                    alike[form] = min(hidden, alike.get(form, hidden))  # whatever the order they are added in

    def text(self, text: str) -> str:
        """The text with every secret replaced; where two overlap, the fingerprints of both stand one after the other.

        Fingerprints that stand in it already stay.
        """
        if not self._forms or len(text) < SECRET_MIN:
            return text
        hits = [hit for view, places in _views(text) for hit in self._hits(view, places)]
        if not hits:
            return text
        kept = [match.span() for match in _FINGERPRINT.finditer(text)]
        pieces, done = [], 0
        for start, end, hidden in sorted(hits, key=lambda hit: (hit[0], -hit[1])):
            if end > done and not any(first <= start and end <= last for first, last in kept):
                pieces += [text[done:start], hidden]
                done = end
        return "".join([*pieces, text[done:]])

    def _hits(self, view: str, places: Sequence[int]) -> Iterator[tuple[int, int, str]]:
        for start in range(len(view) - SECRET_MIN + 1):
            alike = self._forms.get(view[start : start + SECRET_MIN])
            if alike:
                form = max((form for form in list(alike) if view.startswith(form, start)), default="")
                if form:  # the longest: of two that start here, the longer starts with the shorter
                    yield places[start], places[start + len(form)], alike[form]

    def value(self, plain: Json) -> Json:
        """A plain value with every secret replaced, in keys too; what holds none is shared, not copied."""
        if not self._forms:
            return plain
        if isinstance(plain, str):
            return self.text(plain)
        if isinstance(plain, dict):
            masked = {self.text(key): self.value(item) for key, item in plain.items()}
            same = masked.keys() == plain.keys() and all(masked[key] is plain[key] for key in plain)
            return plain if same else masked
        if isinstance(plain, list):
            items = [self.value(item) for item in plain]
            return plain if all(new is old for new, old in zip(items, plain, strict=True)) else items
        return plain


def fingerprints(value: Json, path: tuple[object, ...] = ()) -> Iterator[tuple[tuple[object, ...], str]]:
    """Each text in a plain value that is a fingerprint, with its path: keys and indices."""
    if isinstance(value, str) and is_fingerprint(value):
        yield path, value
    elif isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from fingerprints(item, (*path, key))


def unmasked(value: Json, texts: Mapping[str, str]) -> Json:
    """A plain value, in keys too, with the text of a secret in place of its fingerprint: fingerprint -> text."""
    if isinstance(value, str):
        return _FINGERPRINT.sub(lambda match: texts.get(match[0], match[0]), value)
    if isinstance(value, dict):
        return {unmasked(key, texts): unmasked(item, texts) for key, item in value.items()}
    if isinstance(value, list):
        return [unmasked(item, texts) for item in value]
    return value


def starred(text: str, secrets: Iterable[str]) -> str:
    """The text with `***` in place of each secret, however encoded; for where there is no key yet."""
    return _FINGERPRINT.sub("***", Mask(b"", secrets).text(text))


def _bytes(text: str) -> bytes:
    """The text in UTF-8; half a surrogate pair, as from an environment that isn't UTF-8, is no error."""
    return text.encode("utf-8", "surrogatepass")


def _forms(text: str) -> set[str]:
    """Each way in which a secret, or a line of it, is written, apart from the escapes that `_views` undoes."""
    parts = {text, *(line.strip() for line in text.splitlines())}
    return {form for part in parts if len(part) >= SECRET_MIN for form in (*_as_text(part), *_as_bytes(part))}


def _as_text(text: str) -> Iterator[str]:
    yield text
    yield text.replace("'", "''")  # YAML in single quotes
    yield text.replace(" ", "+")  # a URL's query


def _as_bytes(text: str) -> Iterator[str]:
    from json import dumps

    for written in {text, dumps(text)[1:-1], dumps(text, ensure_ascii=False)[1:-1]}:
        data = _bytes(written)
        yield data.hex()
        yield data.hex().upper()
        for once in _base64(data):
            yield once
            yield from _base64(once.encode())


def _base64(data: bytes) -> list[str]:
    """What base64 (RFC 4648) makes of data after 0, 1 or 2 other bytes, without what those around have a part in.

    Whole, and in the lines of 76 and 64 characters of MIME and PEM.
    """
    from binascii import b2a_base64

    texts = []
    for before, first in enumerate((0, 2, 3)):
        text = b2a_base64(bytes(before) + data, newline=False).decode()[first : (before + len(data)) * 8 // 6]
        texts.append(text)
        for width in (76, 64):
            if len(text) > width:
                texts += [text[start : start + width] for start in range(0, len(text), width)]
    return [*texts, *(text.replace("+", "-").replace("/", "_") for text in texts if "+" in text or "/" in text)]


_BACKSLASH: Final = r"(?s)\\(?:u([0-9a-fA-F]{4})|U(00(?:0[0-9a-fA-F]|10)[0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|\n[ \t]*|(.))"
_PERCENT: Final = r"%([0-9a-fA-F]{2})"
_UTF_8: Final = "[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
_UTF_16: Final = "[\ud800-\udbff][\udc00-\udfff]"
_CONTROLS: Final = dict(zip("0abtnvfreN_LP", "\0\a\b\t\n\v\f\r\x1b\x85\xa0\u2028\u2029", strict=True))
_DEPTH: Final = 3
"""How many times over escapes are undone: JSON in JSON in a log line."""


def _views(text: str) -> Iterator[tuple[str, Sequence[int]]]:
    """The text as it is, and with the escapes in it undone; with where each character, and the end, is in the text.

    Backslashes are undone as in JSON, YAML 1.2 (section 5.7) and Python, percent signs as in URLs (RFC 3986, 2.1); what
    was escaped in parts, as the bytes of UTF-8 or the surrogates of UTF-16, is then put together.
    """
    views: list[tuple[str, Sequence[int], int]] = [(text, range(len(text) + 1), 0)]
    seen = {text}
    for view, places, depth in views:
        yield view, places
        for escape, deeper in _escapes():
            level = depth + deeper
            if level <= _DEPTH and escape.search(view):
                undone, kept = _undone(escape, view, places)
                if undone not in seen:
                    seen.add(undone)
                    views.append((undone, kept, level))


@cache
def _escapes() -> tuple[tuple[re.Pattern[str], int], ...]:
    """What is undone, and whether that counts as a level; compiled only where there are secrets to be found."""
    return tuple(
        (re.compile(each), level) for each, level in ((_BACKSLASH, 1), (_PERCENT, 1), (_UTF_8, 0), (_UTF_16, 0))
    )


def _undone(escape: re.Pattern[str], view: str, places: Sequence[int]) -> tuple[str, list[int]]:
    pieces: list[str] = []
    kept: list[int] = []
    end = 0
    for match in escape.finditer(view):
        char = _meant(match) if escape.groups else _joined(match[0])
        pieces += [view[end : match.start()], char]
        kept += places[end : match.start() + len(char)]
        end = match.end()
    return "".join([*pieces, view[end:]]), [*kept, *places[end:]]


def _meant(match: re.Match[str]) -> str:
    if match.lastindex is None:  # the line goes on
        return ""
    escaped: str = match[match.lastindex]
    return _CONTROLS.get(escaped, escaped) if match.lastindex == 4 else chr(int(escaped, 16))


def _joined(parts: str) -> str:
    if parts[0] > "\xff":
        return parts.encode("utf-16", "surrogatepass").decode("utf-16")
    char = parts.encode("latin-1").decode("utf-8", "replace")
    return char if len(char) == 1 else parts[0]
