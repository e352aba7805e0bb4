import base64
import json
import shlex
import urllib.parse
from collections.abc import Callable

import pytest
import yaml

from dtm_sdk.testing.canary import KINDS, canary, found_in, hidden_in

SECRETS = [canary(0, kind) for kind in range(len(KINDS))]


def in_base64(before: str) -> Callable[[str], str]:
    return lambda text: base64.b64encode(f"{before}{text}:x".encode()).decode()


WAYS: dict[str, Callable[[str], str]] = {
    "plain": lambda text: f"token={text};",
    "upper": str.upper,
    "json": lambda text: json.dumps({"a": [text]}),
    "json in json": lambda text: json.dumps(json.dumps({"a": text})),
    "json unescaped": lambda text: json.dumps(text, ensure_ascii=False),
    "yaml": lambda text: yaml.safe_dump({"a": {"b": text}}),
    "yaml quoted": lambda text: yaml.safe_dump([text], default_style="'", width=1000),
    "url": lambda text: f"https://x/?t={urllib.parse.quote(text)}",
    "url, no slash": lambda text: urllib.parse.quote(text, safe=""),
    "form": lambda text: urllib.parse.urlencode({"t": text}),
    "repr": lambda text: repr({"t": text}),
    "bytes": lambda text: repr(text.encode()),
    "hex": lambda text: text.encode().hex().upper(),
    "shell": lambda text: shlex.join(["curl", text]),
    "percent, lower case": lambda text: urllib.parse.quote(text).lower(),
    **{f"base64 after {before!r}": in_base64(before) for before in ("", "a", "ab", "user:")},
    "base64, url-safe": lambda text: base64.urlsafe_b64encode(f"?>{text}".encode()).decode(),
    "base64, twice": lambda text: base64.b64encode(base64.b64encode(f"u:{text}".encode())).decode(),
}


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("way", WAYS)
def test_a_secret_is_found_in_each_form(way: str, secret: str) -> None:
    found = list(found_in(f"before {WAYS[way](secret)} after", {"key": secret}, "a log"))
    assert [(leak.option, leak.where) for leak in found] == [("key", "a log")]


@pytest.mark.parametrize("secret", SECRETS)
def test_what_is_no_secret_is_not_found(secret: str) -> None:
    others = [canary(1, kind) for kind in range(len(KINDS))]
    text = "\n".join(way(other) for way in WAYS.values() for other in [*others, secret[:-2], "CaNaRy"])
    assert list(found_in(text, {"key": secret}, "a log")) == []


def test_each_of_several_is_named_once() -> None:
    secrets = {"a.key": canary(0, 0), "b": canary(1, 0)}
    text = f"{secrets['a.key']} {secrets['b']} {secrets['b'].encode().hex()}"
    assert [leak.option for leak in found_in(text.encode(), secrets, "x")] == ["a.key", "b"]


def test_a_text_to_be_shown_holds_no_form_of_a_secret() -> None:
    secret = canary(3, 0)
    text = " ".join(way(secret) for way in WAYS.values())
    assert list(found_in(hidden_in(text, [secret]), {"key": secret}, "x")) == []
