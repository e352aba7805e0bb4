import pytest
from msgspec.structs import replace
from yaml import StreamEndEvent, YAMLError

from dtm_sdk.yaml_events import Events
from dtm_sdk.yaml_limits import CONFIG, DocumentError, Limits


def read(text: str | bytes, limits: Limits = CONFIG) -> int:
    """How many events a text has; raises as those who read them do."""
    events = Events(text, limits)
    try:
        return count(events)
    except YAMLError as error:
        raise events.located(error) from None


def count(events: Events) -> int:
    """How many there are."""
    number = 0
    for event in events:
        number += 1
        if isinstance(event, StreamEndEvent):
            break
    return number


def refused(text: str | bytes, limits: Limits = CONFIG) -> DocumentError:
    """The error that a text ends in."""
    with pytest.raises(DocumentError) as caught:
        read(text, limits)
    return caught.value


def test_a_text_may_have_as_many_bytes_as_the_limit_says_and_no_more() -> None:
    limits = replace(CONFIG, size=6)
    assert read("a: äb", limits) == 8
    error = refused("a: äbc", limits)
    assert str(error) == "the text has more than 6 bytes; split it into several files in a folder"
    assert (error.line, error.column) == (1, 1)


def test_events_end_after_as_many_as_the_limit_says() -> None:
    assert read("[a, b]", replace(CONFIG, events=8)) == 8
    assert read("[a, b]", replace(CONFIG, events=7)) == 7


def test_what_comes_after_the_last_event_allowed_is_refused_where_it_stands() -> None:
    events = Events("a:\n  - b\n  - c\n", replace(CONFIG, events=6))
    assert count(events) == 6
    with pytest.raises(DocumentError, match="more than 6 keys, values and brackets; split it") as caught:
        events.refuse_more()
    assert (caught.value.line, caught.value.column) == (3, 5)


def test_a_byte_order_mark_of_utf_8_is_no_text() -> None:
    assert read(b"\xef\xbb\xbfa: b") == read("a: b")
    assert refused("\ufeffa: b\0").column == 5
    error = refused(b"\xef\xbb\xbfa: b\xff")
    assert (error.column, "byte 0xff" in str(error)) == (5, True)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
def test_other_encodings_of_unicode_are_refused_by_name(encoding: str) -> None:
    for mark in ("", "\ufeff"):
        error = refused(f"{mark}tools: []".encode(encoding))
        assert str(error) == "the text is UTF-16 or UTF-32, not UTF-8; save it as UTF-8"


def test_a_byte_that_is_no_utf_8_is_refused_where_it_stands() -> None:
    error = refused("a: b\r\ncafé: ü é".encode() + b"\xe9")
    assert str(error) == "the text is no UTF-8 (byte 0xe9), maybe Latin-1 or Windows-1252; save it as UTF-8"
    assert (error.line, error.column) == (2, 10)


def test_half_a_character_is_refused_where_it_stands() -> None:
    error = refused("ä: \ud800")
    assert "(byte 0xed)" in str(error)
    assert (error.line, error.column) == (1, 4)


@pytest.mark.parametrize("char", ["\0", "\x01", "\x0b", "\x1b", "\x7f", "\x84", "\x9f", "\ufffe", "\uffff"])
def test_a_character_that_yaml_does_not_allow_is_refused_where_it_stands(char: str) -> None:
    error = refused(f"ä: b\nä: 'ü{char}'")
    assert str(error) == f"the character U+{ord(char):04X} may not stand in YAML; remove it"
    assert (error.line, error.column) == (2, 6)


@pytest.mark.parametrize("char", ["\x85", "\u2028", "\u2029"])
def test_a_line_break_of_yaml_1_1_alone_is_refused_with_what_to_write(char: str) -> None:
    error = refused(f"a: |\n  b{char}c")
    code = f"{ord(char):04x}"
    expected = f'the character U+{code.upper()} may not stand in YAML; write "\\u{code}" in double quotes'
    assert str(error) == expected
    assert (error.line, error.column) == (2, 4)


def test_tag_lines_are_refused_since_each_is_compared_with_all_before() -> None:
    error = refused("# comment\n%TAG !e! tag:e,1:\n---\na: b")
    assert str(error) == "%TAG lines aren't supported; remove the line"
    assert (error.line, error.column) == (2, 1)
    assert read("a: 50%TAG") == read("a: b")


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("a: [b\n", (2, 1), "no valid YAML: did not find expected ',' or ']', while parsing a flow sequence"),
        ("a: b\n c: d", (2, 3), "put text with a colon in quotes, and check the indentation"),
        ("a: @b", (1, 4), "put text that starts with @ or ` in quotes; indent with spaces"),
        ("a:\n\tb: c", (2, 1), "put text that starts with @ or ` in quotes; indent with spaces"),
        ("a: b\n\tc", (2, 1), "indent with spaces"),
        ('a: "C:\\dir"', (1, 7), r"write \\ for a backslash, or use single quotes"),
        ("a: 'b", (1, 6), "check the quotes, the brackets and the indentation, here and above"),
        ("a: {b: ${{ c.d.outputs.e }}}", (1, 9), "put quotes around a text with {{ }}"),
        ("a: {{ b }}: c", (1, 11), "put quotes around a text with {{ }}"),
        ("a: {{ b }}\nc: [d", (3, 1), "check the quotes, the brackets and the indentation, here and above"),
        ("%YAML 3.0\n--- a", (1, 1), "no valid YAML: found incompatible YAML document"),
    ],
)
def test_a_syntax_error_says_what_is_wrong_where_and_what_to_do(text: str, place: tuple[int, int], said: str) -> None:
    error = refused(text)
    assert str(error).startswith("no valid YAML: ")
    assert said in str(error)
    assert (error.line, error.column) == place
