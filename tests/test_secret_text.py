"""Secrets are found however they are written, and what stands for them tells nothing but a change."""

import ast
import base64
import contextlib
import json
import shlex
import subprocess
import sys
from collections.abc import Callable
from threading import Thread
from typing import Annotated, Any, NamedTuple
from urllib.parse import quote, quote_plus, unquote, unquote_plus

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from dtm_sdk import options, shape
from dtm_sdk.options import Identity, Options, Secret
from dtm_sdk.secret_text import Mask, fingerprint, is_fingerprint, reveal_all

KEY = b"0123456789abcdef"
PLAIN = "s3cr3t-T0ken"
ODD = "p\"ä'\\ 😀\n/+&<%41\t#"
LINES = [f"{number:02}" * 32 for number in range(10, 20)]
CERTIFICATE = "\n".join(["-----BEGIN KEY-----", *LINES, "-----END KEY-----"])


class Door(Options):
    """Where a key fits."""

    key: Secret | None = None


class House(Options):
    """What has doors."""

    name: Identity[str]
    key: Annotated[Secret, Meta(description="Of the front door.")]
    doors: list[Door]
    named: dict[str, Door]
    spare: tuple[Secret, ...]
    free: dict[str, Any]


HOUSE = {
    "name": "a",
    "key": "front-door",
    "doors": [{}, {"key": "back-door"}],
    "named": {"left": {"key": "left-door"}},
    "spare": ["spare-1", "spare-2"],
    "free": {"key": "no secret"},
}


def test_a_fingerprint_tells_texts_and_keys_apart_and_nothing_else() -> None:
    token = fingerprint(KEY, PLAIN)
    assert is_fingerprint(token)
    assert token == fingerprint(KEY, PLAIN)
    assert len({token, fingerprint(KEY, ODD), fingerprint(b"another key", PLAIN), fingerprint(KEY, "\udcff12345")}) == 4
    assert len(token.removeprefix("secret-hmac-sha256-")) * 4 == 128


def test_a_fingerprint_is_the_hmac_of_the_text() -> None:
    command = ["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{KEY.hex()}"]
    said = subprocess.run(command, input=ODD.encode(), capture_output=True, check=True).stdout.decode()
    assert fingerprint(KEY, ODD).removeprefix("secret-hmac-sha256-") == said.split()[-1][:32]


@pytest.mark.parametrize("text", ["", PLAIN, "secret-hmac-sha256-12", "x{}", "{}0"])
def test_other_texts_are_no_fingerprints(text: str) -> None:
    assert not is_fingerprint(text.format(fingerprint(KEY, PLAIN)))


def test_recorded_options_are_parsed_and_recorded_again_as_they_are() -> None:
    recorded = shape.full(options.parse(House, HOUSE), lambda text: fingerprint(KEY, text))
    again = options.parse(House, recorded)
    assert "-door" not in str(recorded)
    assert shape.full(again, lambda text: fingerprint(KEY, text)) == recorded


def test_a_fingerprint_reads_the_same_in_every_encoding() -> None:
    token = fingerprint(KEY, PLAIN)
    written = [quote_plus(token), json.dumps(token)[1:-1], yaml.safe_dump(token).split("\n")[0], shlex.quote(token)]
    assert written == [token] * 4


def test_every_secret_in_options_is_revealed_at_any_depth() -> None:
    assert reveal_all(options.parse(House, HOUSE)) == ["front-door", "back-door", "left-door", "spare-1", "spare-2"]


class Way(NamedTuple):
    """A way of writing text, and the way back."""

    name: str
    write: Callable[[str], str]
    read: Callable[[str], str]


def go_json(text: str) -> str:
    """JSON as Go writes it: `&`, `<` and `>` escaped."""
    written = json.dumps(text, ensure_ascii=False)[1:-1]
    return written.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def upper_case_json(text: str) -> str:
    units = text.encode("utf-16-be").hex("-", 2).upper().split("-")
    return "".join(f"\\u{unit}" for unit in units)


def lower_case_url(text: str) -> str:
    return "".join(char if char.isalnum() and char.isascii() else quote(char, safe="").lower() for char in text)


def read_json(text: str) -> str:
    return str(json.loads(f'"{text}"'))


def write_yaml(width: int) -> Callable[[str], str]:
    return lambda text: yaml.safe_dump(text, default_style='"', width=width).strip()[1:-1]


def read_yaml(text: str) -> str:
    return str(yaml.safe_load(f'"{text}"'))


def read_python(text: str) -> str:
    return str(ast.literal_eval(f"'''{text}'''"))


WAYS = [
    Way("raw", str, str),
    Way("url", quote, unquote),
    Way("url, slash too", lambda text: quote(text, safe=""), unquote),
    Way("url as browsers do", lambda text: quote(text, safe="~()*!'"), unquote),
    Way("url, lower case", lower_case_url, unquote),
    Way("url, every byte", lambda text: "".join(f"%{byte:02X}" for byte in text.encode()), unquote),
    Way("form", quote_plus, unquote_plus),
    Way("json", lambda text: json.dumps(text)[1:-1], read_json),
    Way("json, unicode", lambda text: json.dumps(text, ensure_ascii=False)[1:-1], read_json),
    Way("json, upper case", upper_case_json, read_json),
    Way("json as Go", go_json, read_json),
    Way("json as PHP", lambda text: json.dumps(text)[1:-1].replace("/", "\\/"), read_json),
    Way("yaml", write_yaml(10**6), read_yaml),
    Way("yaml, folded", write_yaml(10), read_yaml),
    Way("repr", lambda text: repr(f"'\"{text}")[4:-1], read_python),
    Way("ascii", lambda text: ascii(f"'\"{text}")[4:-1], read_python),
    Way(
        "bytes",
        lambda text: repr(f"'\"{text}".encode())[5:-1],
        lambda text: read_python(text).encode("latin-1").decode(),
    ),
]


@pytest.mark.parametrize("secret", [PLAIN, ODD, "with some words in it", "ends in \\", "%41%42\\n\\u0041"])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_a_secret_is_replaced_and_what_stands_around_it_stays(way: Way, secret: str) -> None:
    before, after = 'user="é\n', '" and \\ more'
    masked = Mask(KEY, [secret]).text(way.write(before + secret + after))
    assert way.read(masked) == before + fingerprint(KEY, secret) + after


@pytest.mark.parametrize("secret", [PLAIN, ODD, "ab'cd'", "it's 'quoted'"])
def test_a_secret_in_single_quoted_yaml_is_replaced(secret: str) -> None:
    line = secret.replace("\n", " ")
    written = yaml.safe_dump({"password": line}, default_style="'", allow_unicode=True, width=10**6)
    assert yaml.safe_load(Mask(KEY, [line]).text(written)) == {"password": fingerprint(KEY, line)}


@given(
    secret=st.text(min_size=6, max_size=20),
    around=st.tuples(st.text(max_size=8), st.text(max_size=8)),
    ways=st.lists(st.sampled_from([way for way in WAYS if way.name != "yaml, folded"]), min_size=1, max_size=3),
)
def test_no_reader_of_masked_text_finds_the_secret(secret: str, around: tuple[str, str], ways: list[Way]) -> None:
    text = around[0] + secret + around[1]
    for way in ways:
        text = way.write(text)
    masked = Mask(KEY, [secret]).text(text)
    assert fingerprint(KEY, secret) in masked
    with contextlib.suppress(ValueError, SyntaxError, yaml.YAMLError):  # what can't be read tells nothing
        for way in reversed(ways):
            masked = way.read(masked)
        remains = masked.replace(fingerprint(KEY, secret), "\0" * 8)
        assert secret not in remains


ALPHABETS: dict[str, Callable[[bytes], bytes]] = {"standard": base64.b64encode, "url": base64.urlsafe_b64encode}


@pytest.mark.parametrize("secret", [PLAIN, ODD, "abcdef", "\xff\xfe\xfb\xef\xbe\xff"])
@pytest.mark.parametrize("before", [b"", b"a", b"ab", b"user:", b"{}[]"])
@pytest.mark.parametrize("after", [b"", b"!", b"\n\n", b"later"])
@pytest.mark.parametrize("alphabet", ALPHABETS)
@pytest.mark.parametrize("padded", [True, False])
def test_a_secret_in_base64_is_replaced_wherever_it_starts(
    secret: str, before: bytes, after: bytes, alphabet: str, *, padded: bool
) -> None:
    encode = ALPHABETS[alphabet]
    text = encode(before + secret.encode() + after).decode()
    masked = Mask(KEY, [secret]).text(f"auth {text if padded else text.rstrip('=')} end")
    start, stop = masked.split(fingerprint(KEY, secret))
    left = len(start.removeprefix("auth ")) + len(stop.removesuffix(" end").rstrip("="))
    assert left * 6 <= (len(before) + len(after)) * 8 + 10  # what stays shares its bits with what stands around


def test_a_secret_in_base64_in_base64_is_replaced() -> None:
    login = base64.b64encode(f"user:{PLAIN}".encode()).decode()
    text = base64.b64encode(json.dumps({"auths": {"r.example": {"auth": login}}}).encode()).decode()
    masked = Mask(KEY, [PLAIN]).text(text)
    assert fingerprint(KEY, PLAIN) in masked


@pytest.mark.parametrize("escape", [quote_plus, lambda text: json.dumps(json.dumps(text)).replace("/", "\\/")])
def test_base64_in_an_url_or_in_json_is_found(escape: Callable[[str], str]) -> None:
    secret = "?>?>?>~~~~"
    text = escape(base64.b64encode(secret.encode()).decode())
    assert fingerprint(KEY, secret) in Mask(KEY, [secret]).text(text)


@pytest.mark.parametrize("secret", [PLAIN, ODD])
def test_a_secret_that_is_escaped_in_json_before_it_is_encoded_is_found(secret: str) -> None:
    written = json.dumps({"password": secret}).encode()
    for text in (base64.b64encode(written).decode(), written.hex(), written.hex().upper()):
        assert fingerprint(KEY, secret) in Mask(KEY, [secret]).text(text)


@pytest.mark.parametrize("width", [64, 76])
def test_base64_in_lines_is_found_line_by_line(width: int) -> None:
    text = base64.b64encode(CERTIFICATE.encode()).decode()
    mask = Mask(KEY, [CERTIFICATE])
    lines = [mask.text(text[start : start + width]) for start in range(0, len(text), width)]
    assert set(lines[:-1]) == {fingerprint(KEY, CERTIFICATE)}


@pytest.mark.parametrize("secret", [PLAIN, ODD])
@pytest.mark.parametrize("write", [bytes.hex, lambda data: data.hex().upper()])
def test_a_secret_in_hex_is_replaced(secret: str, write: Callable[[bytes], str]) -> None:
    assert Mask(KEY, [secret]).text(f"0x{write(secret.encode())}h") == f"0x{fingerprint(KEY, secret)}h"


def test_each_line_of_a_secret_is_found_alone_and_short_ones_are_not() -> None:
    mask = Mask(KEY, [f"{CERTIFICATE}\r\nshort\r\n"])
    token = fingerprint(KEY, f"{CERTIFICATE}\r\nshort\r\n")
    assert [mask.text(f"  {line}\n") for line in CERTIFICATE.split("\n")] == [f"  {token}\n"] * 12
    assert mask.text("short cut") == "short cut"


def test_a_secret_with_a_newline_at_its_end_is_found_without_it() -> None:
    assert Mask(KEY, [f"{PLAIN}\n"]).text(f"<{PLAIN}>") == f"<{fingerprint(KEY, f'{PLAIN}{chr(10)}')}>"


def test_the_longest_of_secrets_that_start_alike_is_taken() -> None:
    mask = Mask(KEY, ["password", "password123", "word123"])
    token = fingerprint(KEY, "password123")
    assert mask.text("password123 password") == f"{token} {fingerprint(KEY, 'password')}"


def test_of_secrets_that_overlap_nothing_is_left() -> None:
    mask = Mask(KEY, ["abcdefgh", "efghijkl"])
    assert mask.text("-abcdefghijkl-") == f"-{fingerprint(KEY, 'abcdefgh')}{fingerprint(KEY, 'efghijkl')}-"


@given(st.lists(st.text(alphabet="abc", min_size=6, max_size=9), max_size=5), st.text(alphabet="abc", max_size=40))
def test_no_secret_is_left_however_they_overlap(secrets: list[str], text: str) -> None:
    masked = Mask(KEY, secrets).text(text)
    for secret in secrets:
        masked = masked.replace(fingerprint(KEY, secret), "|")
    assert not any(secret in masked for secret in secrets)
    assert masked.replace("|", "") in text or "|" in masked


def test_fingerprints_in_a_text_stay_even_if_a_secret_is_part_of_them() -> None:
    token = fingerprint(KEY, PLAIN)
    mask = Mask(KEY, ["sha256", "secret", PLAIN])
    assert mask.text(f"{token} {PLAIN}") == f"{token} {token}"
    assert mask.text(mask.text(f"sha256 {PLAIN}")) == mask.text(f"sha256 {PLAIN}")


def test_a_value_is_masked_in_its_strings_and_keys_and_shares_the_rest() -> None:
    plain = {"a": [1.5, None, {"b": f"x {PLAIN}"}], "clean": {"list": ["x" * 10]}, f"for {PLAIN}": True}
    token = fingerprint(KEY, PLAIN)
    masked = Mask(KEY, [PLAIN]).value(plain)
    assert masked == {"a": [1.5, None, {"b": f"x {token}"}], "clean": {"list": ["x" * 10]}, f"for {token}": True}
    assert masked["clean"] is plain["clean"]
    assert PLAIN in str(plain)


def test_a_value_without_secrets_is_the_same_object() -> None:
    plain = {"a": ["x" * 10, {"b": 1}]}
    assert Mask(KEY, [PLAIN]).value(plain) is plain
    assert Mask(KEY).value(plain) is plain
    text = "a text \\n with %41"
    assert Mask(KEY, [PLAIN]).text(text) is text


@pytest.mark.parametrize("text", ["", "abc", "a\nb\nc", fingerprint(KEY, PLAIN)])
def test_what_is_no_secret_is_not_masked(text: str) -> None:
    assert Mask(KEY, [text]).text(f"616263 {text}") == f"616263 {text}"


def test_secrets_that_are_added_are_found_in_other_threads_at_once() -> None:
    mask = Mask(KEY)
    assert mask.text(PLAIN) == PLAIN
    mask.add([PLAIN, ODD])
    found: list[str] = []
    thread = Thread(target=lambda: found.append(mask.text(PLAIN)))
    thread.start()
    thread.join()
    assert found == [fingerprint(KEY, PLAIN)]


def test_the_order_in_which_secrets_are_added_makes_no_difference() -> None:
    secrets = ["one\nthe same line", "two\nthe same line"]
    there, back = Mask(KEY, secrets), Mask(KEY, reversed(secrets))
    assert there.text("the same line") == back.text("the same line") != "the same line"


def test_many_secrets_that_start_alike_are_all_found() -> None:
    secrets = [f"eyJhbGciOi{number:06}" for number in range(500)]
    mask = Mask(KEY, secrets)
    assert mask.text(" ".join(secrets)) == " ".join(fingerprint(KEY, secret) for secret in secrets)


def test_a_run_without_secrets_imports_nothing_to_find_them() -> None:
    code = (
        "import sys; before = set(sys.modules); from dtm_sdk.secret_text import Mask\n"
        "Mask(b'key').value(['a text of some length'])\n"
        "print({'hmac', 'hashlib', 'binascii', 'json', 'urllib.parse'} & (set(sys.modules) - before))"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert said.stdout == "set()\n"
