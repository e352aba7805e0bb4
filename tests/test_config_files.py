import os
import socket
from pathlib import Path

import pytest

from dtm_sdk.config_files import Place, Report, kind, read
from dtm_sdk.errors import ConfigError

GIVE = "give the config with -f FILE or -f FOLDER"


def told(report: Report, *masked: str) -> list[str]:
    """What was reported, one line each."""
    with pytest.raises(ConfigError) as caught:
        report.raise_any(masked)
    return [str(problem) for problem in caught.value.problems]


def unread(path: Path) -> list[str]:
    """What is wrong with what can't be read, with paths from where it is."""
    report = Report()
    read(str(path), report)
    assert not report.complete
    return [line.replace(str(path.parent), "") for line in told(report)]


def test_a_file_that_is_not_there_is_one_line_with_what_to_do(tmp_path: Path) -> None:
    assert unread(tmp_path / "x.yaml") == [f"/x.yaml: there is no such file or folder; {GIVE}"]
    assert unread(tmp_path / "x" / "y.yaml") == [f"/y.yaml: there is no such file or folder; {GIVE}"]


def test_a_path_that_can_not_be_one_is_one_line(tmp_path: Path) -> None:
    assert unread(tmp_path / "a\0b\n") == [rf"/a\x00b\n: this can't be read: a path can't hold a NUL character; {GIVE}"]
    (name,) = unread(tmp_path / ("x" * 300))
    assert name.endswith(f"this can't be read: File name too long; {GIVE}")
    (tmp_path / "file").touch()
    (name,) = unread(tmp_path / "file" / "x.yaml")
    assert name.endswith(f"this can't be read: Not a directory; {GIVE}")


def test_what_may_never_end_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.yaml")
    assert unread(tmp_path / "fifo.yaml") == [f"/fifo.yaml: this is no regular file; {GIVE}"]
    assert unread(Path("/dev/zero")) == [f"/zero: this is no regular file; {GIVE}"]
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s.yaml"))
        assert unread(tmp_path / "s.yaml") == [f"/s.yaml: this is no regular file; {GIVE}"]


@pytest.mark.skipif(os.geteuid() == 0, reason="no permission stops root")
def test_what_may_not_be_read_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").touch(0o000)
    assert unread(tmp_path / "x.yaml") == [f"/x.yaml: this can't be read: Permission denied; {GIVE}"]
    (tmp_path / "folder").mkdir(0o000)
    hint = "make it readable, or move it out of the folder"
    assert f"/folder: this can't be read: Permission denied; {hint}" in unread(tmp_path / "folder")


def test_a_folder_without_yaml_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    for name in ("notes.txt", "yaml", ".a.yaml"):
        (tmp_path / "x" / name).touch()
    (tmp_path / "x" / "folder.yaml").mkdir()
    assert unread(tmp_path / "x") == [f"/x: there is no *.yaml or *.yml file in this folder; {GIVE}"]


def test_links_are_followed_and_those_that_lead_nowhere_are_told(tmp_path: Path) -> None:
    (tmp_path / "x" / "there").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.yaml").write_text("a: 1")
    (tmp_path / "x" / "link").symlink_to(tmp_path / "other")
    (tmp_path / "x" / "there" / "b.yaml").symlink_to(tmp_path / "other" / "a.yaml")
    report = Report()
    files = read(str(tmp_path / "x"), report)
    assert [Path(file.path).relative_to(tmp_path).as_posix() for file in files] == ["x/link/a.yaml", "x/there/b.yaml"]
    assert not report
    (tmp_path / "x" / "c.yaml").symlink_to("nowhere")
    (tmp_path / "x" / "d.yaml").symlink_to("d.yaml")
    (tmp_path / "x" / "e").symlink_to("e")
    no_such, circle = unread(tmp_path / "x")
    assert no_such == f"/x/c.yaml: there is no such file or folder; {GIVE}"
    assert circle.startswith("/x/d.yaml: this can't be read: Too many levels of symbolic links")


def test_a_circle_of_folders_is_told_and_ends(tmp_path: Path) -> None:
    (tmp_path / "x" / "y").mkdir(parents=True)
    (tmp_path / "x" / "y" / "a.yaml").write_text("a: 1")
    (tmp_path / "x" / "y" / "up").symlink_to(tmp_path / "x")
    (tmp_path / "x" / "y" / "self").symlink_to(".")
    said = "links lead to this folder more than once; remove a link"
    assert sorted(unread(tmp_path / "x")) == [f"/x/y/self: {said}", f"/x/y/up: {said}"]


def test_every_file_is_read_whatever_is_wrong_with_another(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: [")
    (tmp_path / "b.yaml").write_bytes("é".encode("latin-1"))
    (tmp_path / "c.yaml").write_bytes("a: é".encode("utf-16"))
    (tmp_path / "d.yaml").write_text("a: 1\n---\n- b")
    report = Report()
    files = read(str(tmp_path), report)
    assert [file.documents for file in files] == [[], [], [], [{"a": 1}, ["b"]]]
    assert [line.removeprefix(f"{tmp_path}/").split(";")[0] for line in told(report)] == [
        "a.yaml:2:1: no valid YAML: did not find expected node content, while parsing a flow node",
        "b.yaml:1:1: the text is no UTF-8 (byte 0xe9), maybe Latin-1 or Windows-1252",
        "c.yaml:1:1: the text is UTF-16 or UTF-32, not UTF-8",
    ]


@pytest.mark.parametrize("text", ["a: b", "a: $ {", "a: '[ ['", r'a: "[\n["', r'a: "$\"{{"'])
def test_a_file_without_marks_is_plain(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(text)
    assert [file.is_plain for file in read(str(tmp_path / "a.yaml"), Report())] == [True]


MARKED = [
    r'a: "\x5b[ b ]]"',
    r'a: "\u005b[ b ]]"',
    r'a: "\U0000005b[ b ]]"',
    'a: "[\\\n  [ b ]]"',
    'a: "[\\\r\n  [ b ]]"',
]


@pytest.mark.parametrize("text", ["a: '[[ b ]]'", "a: ${{ b }}", *MARKED])
def test_a_file_with_a_mark_or_an_escape_is_not_plain(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(text)
    assert [file.is_plain for file in read(str(tmp_path / "a.yaml"), Report())] == [False]


# The report


def place(tmp_path: Path, text: str = "a:\n- b: 1\n  c: 2\n") -> tuple[Place, Report]:
    """The place of the document in a file, and an empty report."""
    (tmp_path / "x.yaml").write_text(text)
    report = Report()
    (file,) = read(str(tmp_path / "x.yaml"), report)
    return Place(file, 0), report


def test_problems_stand_in_the_order_of_the_file(tmp_path: Path) -> None:
    at, report = place(tmp_path)
    assert not report
    report.raise_any()
    for step in ("c", "b", "nothing"):
        report.add(at.at("a", 0, step), f"{step} is wrong", "mend it")
    report.add(at, "first")
    report.add(at, "second")
    assert [line.removeprefix(f"{tmp_path}/x.yaml:") for line in told(report)] == [
        "1:1: first",
        "1:1: second",
        "2:3: b is wrong; mend it",
        "2:3: nothing is wrong; mend it",
        "3:3: c is wrong; mend it",
    ]


def test_a_message_is_one_line_that_can_be_read(tmp_path: Path) -> None:
    at, report = place(tmp_path)
    report.add(at, "a\nb\x1b[31m\0c" + "x" * 1000, "d\te")
    report.add(at, "x" * 600)
    first, second = (line.partition(":1:1: ")[2] for line in told(report))
    assert first.startswith(r"a\nb\x1b[31m\x00cxxx")
    assert (len(first), first[-10:]) == (len("x" * 600 + r"...; d\te"), r"x...; d\te")
    assert second == "x" * 600


@pytest.mark.parametrize(
    ("masked", "message", "shown"),
    [
        ("s3cr3t", "is s3cr3t, not as3cr3tb", "is ***, not a***b"),
        ("a'b\n\"cdef", "is " + repr("xa'b\n\"cdef"), "is 'x***'"),
        ('a"b\\cdef', 'is "a\\"b\\\\cdef"', 'is "***"'),
        ("first line\nsecond line", "is 'second line'", "is '***'"),
        ("12", "is 12, not 123 nor x12", "is ***, not 123 nor x12"),
        ("x" * 2000, f"is {'x' * 2000}!", "is ***!"),
        ("é\u2028abcd", "is é\u2028abcd", "is ***"),
        (" ", "is a b", "is a b"),
    ],
)
def test_a_masked_text_is_not_shown_in_any_form(masked: str, message: str, shown: str, tmp_path: Path) -> None:
    at, report = place(tmp_path)
    report.add(at, message, message)
    (line,) = told(report, masked)
    assert line.endswith(f":1:1: {shown}; {shown}")


def test_the_longest_of_several_masked_texts_goes_first(tmp_path: Path) -> None:
    at, report = place(tmp_path)
    report.add(at, "secret-longer secret")
    (line,) = told(report, "secret", "secret-longer")
    assert line.endswith(":1:1: *** ***")


def test_a_suggestion_is_the_nearest_name_or_one_that_starts_so(tmp_path: Path) -> None:
    report = Report()
    assert report.suggest("optoins", ["options", "name"]) == "did you mean options?"
    assert report.suggest("a", ["b.thing", "a.thing", "ab"]) == "did you mean a.thing?"
    assert report.suggest("zzz", ["options", "name"]) == ""
    assert report.suggest("x" * 101, ["x" * 101]) == ""


def test_suggestions_end_before_they_take_long() -> None:
    report = Report()
    names = {f"name-{number}": number for number in range(6_000)}
    assert [bool(report.suggest("name-", names)) for _ in range(2)] == [True, False]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "empty"),
        (True, "true or false"),
        (1, "a number"),
        (0.5, "a number"),
        ("", "text"),
        ([], "a list"),
        ({}, "a mapping"),
    ],
)
def test_a_value_is_called_what_it_is(value: object, said: str) -> None:
    assert kind(value) == said


def test_keys_that_are_unknown_or_not_supported_are_told(tmp_path: Path) -> None:
    at, report = place(tmp_path, "name: 1\nnme: 2\nold: 3\nzzz: 4\n")
    value = at.file.documents[0]
    assert report.mapping(value, at, "a thing", {"name": "", "old": "write name:", "other": ""}) is value
    assert report.mapping([], at, "a thing", {"name": "", "old": "write name:"}) is None
    assert [line.removeprefix(f"{tmp_path}/x.yaml:") for line in told(report)] == [
        "1:1: a thing is a mapping, this is a list; its keys are name",
        "2:1: a thing has no key nme; did you mean name?",
        "3:1: old isn't supported; write name:",
        "4:1: a thing has no key zzz; its keys are name, other",
    ]
