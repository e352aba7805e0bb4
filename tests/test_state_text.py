import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given

from dtm_sdk.errors import StateError
from dtm_sdk.state import Record, State
from dtm_sdk.state_text import LIMITS, dump, header, load, records
from tests.records import LINEAGE, TRICKY, exact, record, state, states

CASES = Path(__file__).parent / "cases" / "state"

FILE = """\
# The state of dtm: what it made, and how. After an edit by hand, run `dtm state accept`.
# format: 1
# serial: 3
# lineage: 0123456789abcdef0123456789abcdef
# sha256: 0
my-file_localfile:
  name: my-file
  plugin: localfile
  dependsOn:
    - my-repo.github
  options:
    filename: foo.txt
    content: "hello, world\\n"
    modes:
      - 420
      - - true
        - null
      - owner: root
        groups: []
  resource:
    filename: foo.txt
    size: 1.0e+16
    outputs: {}
my-repo_github:
  name: my-repo
  plugin: github
  dependsOn: []
  options: {}
  resource:
    "1": "on"
  meta:
    adopted: true
"""
MY_FILE = Record(
    "my-file",
    "localfile",
    ("my-repo.github",),
    {"filename": "foo.txt", "content": "hello, world\n", "modes": [420, [True, None], {"owner": "root", "groups": []}]},
    {"filename": "foo.txt", "size": 1e16, "outputs": {}},
)
MY_REPO = Record("my-repo", "github", (), {}, {"1": "on"}, {"adopted": True})


def body(data: bytes) -> str:
    """The text of a state file without its comments."""
    return "".join(line for line in data.decode().splitlines(keepends=True) if not line.startswith("#"))


def test_a_state_is_written_as_people_read_it() -> None:
    lines = FILE.encode().splitlines(keepends=True)
    checksum = sha256(b"".join(lines[:4] + lines[5:])).hexdigest()
    written = dump(state(MY_FILE, MY_REPO, serial=3))
    assert written.decode() == FILE.replace("# sha256: 0\n", f"# sha256: {checksum}\n")
    assert header(written, "s") == (3, LINEAGE, True)


def test_an_empty_state_is_an_empty_mapping() -> None:
    assert body(dump(state(serial=3))) == "{}\n"
    assert load(dump(state(serial=3))) == state(serial=3)


@given(states)
def test_every_reader_reads_back_exactly_what_was_written(drawn: State) -> None:
    written = dump(drawn)
    expected = {
        f"{each.name}_{each.plugin}": {
            "name": each.name,
            "plugin": each.plugin,
            "dependsOn": list(each.depends_on),
            "options": each.options,
            "resource": each.resource,
            **({"meta": each.meta} if each.meta else {}),
        }
        for each in drawn.records.values()
    }
    assert exact(load(written)) == exact(drawn)
    # PyYAML reads by the rules of YAML 1.1; its C library is tried here, its Python code on the tricky texts below.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    assert exact(yaml.load(written, loader)) == exact(expected)  # noqa: S506  # both are safe


@pytest.mark.parametrize("text", TRICKY, ids=lambda text: ascii(text[:20]))
def test_tricky_text_is_read_back_as_value_key_and_item(text: str) -> None:
    drawn = state(Record("a", "p", (), {text: text}, {"list": [text, [text]], "map": {text: {text: [text]}}}))
    written = dump(drawn)
    assert load(written) == drawn
    assert yaml.safe_load(written)["a_p"]["options"] == {text: text}


def test_plain_text_stands_without_quotes() -> None:
    plain = ["hello, world", "https://a.example/b", "a:b", "foo.txt", "/etc/x", "A (b) c=d; e@f+g", "x-1_y"]
    assert body(dump(state(Record("a", "p", (), {"x": plain}, {})))).count('"') == 0


def test_what_cant_be_seen_is_escaped() -> None:
    written = dump(state(record("a", "a\u202eb\u200bc\xa0d\xade\ufefff"))).decode()
    assert r'"a\u202eb\u200bc\u00a0d\u00ade\ufefff"' in written


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (2**64, "18446744073709551616"),
        ("\ud800", "text with a lone surrogate"),
        (b"", "something of type bytes"),
        ((), "something of type tuple"),
    ],
)
def test_what_is_no_json_is_refused_with_its_record(value: Any, what: str) -> None:
    with pytest.raises(StateError, match=rf"the record of a\.p holds {what}; this is a bug of its plugin"):
        dump(state(record("a", [value])))


def test_a_resource_as_deep_as_a_plugin_may_return_is_read_back() -> None:
    deep: list[Any] = []
    for _ in range(99):
        deep = [deep]
    assert load(dump(state(record("a", deep)))) == state(record("a", deep))


def test_what_is_nested_without_end_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(StateError, match="nested too deep"):
        dump(state(record("a", endless)))


def test_a_state_too_large_to_be_read_again_is_not_written() -> None:
    with pytest.raises(StateError, match="more than the 67108864 that can be read again"):
        dump(state(record("a", "a" * LIMITS.size)))


def test_every_prefix_of_a_file_is_refused_but_no_bytes() -> None:
    written = dump(state(MY_FILE, MY_REPO))
    assert load(b"") == State()
    for size in range(1, len(written)):
        with pytest.raises(StateError):
            load(written[:size])


def test_every_flipped_bit_of_a_file_is_refused() -> None:
    written = dump(state(MY_FILE, MY_REPO))
    for index in range(len(written)):
        for bit in range(8):
            flipped = bytearray(written)
            flipped[index] ^= 1 << bit
            with pytest.raises(StateError):
                load(bytes(flipped))


def test_an_edit_is_refused_with_the_way_out() -> None:
    edited = dump(state(MY_FILE)).replace(b"foo.txt", b"bar.txt")
    with pytest.raises(StateError) as caught:
        load(edited, "here/devstream.state")
    assert str(caught.value) == (
        "here/devstream.state: the state was edited or damaged: its checksum doesn't match; "
        "look at it, then run `dtm state accept` to take it as it is"
    )


def test_a_newer_format_is_refused() -> None:
    newer = dump(state(MY_FILE)).replace(b"# format: 1\n", b"# format: 2\n# more: of it\n")
    with pytest.raises(StateError, match=r"a newer version of dtm wrote this state \(format 2, this one knows 1\)"):
        load(newer)


def test_records_can_be_read_whatever_the_comments_say() -> None:
    edited = dump(state(MY_FILE)).replace(b"foo.txt", b"bar.txt")
    assert records(edited, "s")[MY_FILE.key].options["filename"] == "bar.txt"


@pytest.mark.parametrize("case", sorted(CASES.glob("*.state")), ids=lambda path: path.stem)
def test_a_state_of_the_ancestor_is_read(case: Path) -> None:
    found = load(case.read_bytes())
    shown = {
        key: {
            "dependsOn": list(each.depends_on),
            "options": each.options,
            "resource": each.resource,
        }
        for key, each in found.records.items()
    }
    assert shown == json.loads(case.with_suffix(".json").read_text("utf-8"))
    assert (found.serial, found.lineage) == (0, "")
    assert load(dump(found)).records == found.records


WRONG = {
    "cut": ("a_p:\n  name: a\n  plugin: [p", "s:4:1: the state can't be read: .*; mend it there"),
    "comments only": ("# nothing\n", "s:1: the state holds no mapping of records"),
    "a list": ("- a\n", "s:1: the state holds no mapping of records"),
    "two documents": ("a: 1\n---\nb: 2\n", "s:1: the state holds no mapping of records"),
    "no record": ("a_p: 1\n", "s:1: the record 'a_p' can't be read: it is no mapping"),
    "an unknown key": ("a_p: {name: a, plugin: p, opt: {}}\n", "s:1: the record 'a_p' can't be read: 'opt' is unknown"),
    "a key twice": ("a_p: {name: a, plugin: p, dependsOn: [], dependson: []}\n", "a key is there twice"),
    "no name": ("a_p: {plugin: p}\n", "its name is missing, or isn't"),
    "no plugin": ("a_p: {name: a}\n", "its plugin is missing, or isn't"),
    "a name that is none": ("A_p: {name: A, plugin: p}\n", "its name is missing, or isn't lower-case"),
    "a name that leads elsewhere": ("../a_p: {name: ../a, plugin: p}\n", "its name is missing, or isn't lower-case"),
    "plugin and instance": ("a_p: {name: a, plugin: p, instanceID: i}\n", "both a plugin and an instanceID"),
    "another key": ("\n\nb_p: {name: a, plugin: p}\n", "s:3: the record 'b_p' can't be read: it should be a_p"),
    "options": ("a_p: {name: a, plugin: p, options: []}\n", "its options is no mapping"),
    "resource": ("a_p: {name: a, plugin: p, resource: a}\n", "its resource is no mapping"),
    "meta": ("a_p: {name: a, plugin: p, meta: 1}\n", "its meta is no mapping"),
    "dependsOn": ("a_p: {name: a, plugin: p, dependsOn: [1]}\n", "its dependsOn is no list of names"),
    "recorded twice": (
        "a_p: {name: a, plugin: p}\np_a: {name: p, instanceID: a}\n",
        r"s:2: a\.p is recorded twice",
    ),
    "a key twice in the file": ("a_p: {name: a, plugin: p}\na_p: {name: a, plugin: p}\n", "s:2:1: the state can't be"),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said_with_its_line(text: str, message: str) -> None:
    with pytest.raises(StateError, match=message) as caught:
        load(text.encode(), "s")
    assert "\n" not in str(caught.value)
