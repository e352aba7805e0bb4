"""Which options are refused, and by which message."""

import pytest
from dtm_sdk import OptionsError

from dtm_localfile import plugin

REFUSED = [
    ("a\0b", "NUL"),
    ("\ud800", "filename holds half a character"),
    ("/", "names a folder"),
    (".", "names a folder"),
    ("..", "names a folder"),
    ("../..", "names a folder"),
    ("foo/", "takes a detour"),
    ("foo/.", "takes a detour"),
    ("./foo", "takes a detour"),
    ("a/./foo", "takes a detour"),
    ("a/../foo", "takes a detour"),
    ("a//foo", "takes a detour"),
    ("//foo", "takes a detour"),
    (".foo.dtm-tmp", "kept for temporaries"),
    ("a" * 247, "last part of filename has more than 246 bytes"),
    ("é" * 124, "last part of filename has more than 246 bytes"),
    ("a" * 256 + "/foo", "a folder in filename has more than 255 bytes"),
    ("a/" * 2043 + "b", "more than 4086 bytes"),
]

ACCEPTED = [
    "foo",
    ".foo",
    "a/b c",
    "/a/foo",
    "../foo",
    "../../a/foo",
    "é\n*?",
    "a" * 246,
    "é" * 123,
    "a" * 255 + "/foo",
]


@pytest.mark.parametrize(("filename", "message"), REFUSED, ids=range(len(REFUSED)))
def test_a_filename_that_can_name_no_file_or_names_it_in_a_second_way_is_refused(filename: str, message: str) -> None:
    with pytest.raises(OptionsError, match=message) as refused:
        plugin.parse({"filename": filename})
    assert len(refused.value.problems) == 1


@pytest.mark.parametrize("filename", [*ACCEPTED, "a/" * 2042 + "bc"], ids=range(len(ACCEPTED) + 1))
def test_any_other_filename_is_accepted(filename: str) -> None:
    assert plugin.parse({"filename": filename}) == plugin.options(filename=filename, content="")


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(OptionsError) as refused:
        plugin.parse({"filename": "a//\0" + "b" * 247, "content": "\udfff"})
    said = [message for _, message in refused.value.problems]
    assert [message.split()[0:2] for message in said] == [
        ["filename", "holds"],
        ["content", "holds"],
        ["filename", "takes"],
        ["the", "last"],
    ]


def test_an_empty_filename_is_refused_by_its_type() -> None:
    with pytest.raises(OptionsError) as refused:
        plugin.parse({"filename": ""})
    assert [path for path, _ in refused.value.problems] == ["filename"]
