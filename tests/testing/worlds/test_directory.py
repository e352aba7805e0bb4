"""The world of a real OpenLDAP server: entries that are put back are those that are seen."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.zoo.right.directory import SUFFIX, DirectoryWorld, parsed, record
from tests.zoo.zoo import Unavailable

PEOPLE = f"ou=people,{SUFFIX}"
ANN = f"cn=ann,{PEOPLE}"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[DirectoryWorld]:
    try:
        found = DirectoryWorld()
    except Unavailable as error:
        pytest.skip(str(error))
    with found.opened(tmp_path):
        yield found


def person(**more: list[str]) -> dict[str, Any]:
    return {"objectClass": ["inetOrgPerson"], "cn": ["ann"], "sn": ["Smith"], **more}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({ANN: person()}, {}),
        ({ANN: person(mail=["a@b", "c@d"])}, {ANN: person(mail=["c@d"], description=["Jönes\nof 1 : 2"])}),
        ({ANN: person()}, {ANN: {"objectClass": ["organizationalRole"], "cn": ["ann"]}}),
        ({f"ou=new,{PEOPLE}": {"objectClass": ["organizationalUnit"], "ou": ["new"]}}, {ANN: person()}),
    ],
)
def test_entries_that_are_put_back_are_seen(world: DirectoryWorld, one: dict[str, Any], other: dict[str, Any]) -> None:
    start = world.snapshot()
    for more in (one, other, one, {}):
        world.restore({**start, **more})
        assert world.snapshot() == {**start, **more}


def test_a_whole_branch_is_removed_and_made_again(world: DirectoryWorld) -> None:
    start = world.snapshot()
    world.restore({SUFFIX: start[SUFFIX]})
    assert world.snapshot() == {SUFFIX: start[SUFFIX]}
    world.restore(start)
    assert world.snapshot() == start


def test_what_the_last_check_left_is_gone_when_the_world_is_opened(tmp_path: Path, world: DirectoryWorld) -> None:
    start = world.snapshot()
    world.restore({**start, ANN: person()})
    (tmp_path / "other").mkdir()
    with DirectoryWorld().opened(tmp_path / "other"):
        assert world.snapshot() == start


def test_ldif_is_read_as_it_is_written() -> None:
    entry = {"cn": ["ann"], "description": ["ünïcode\n", " a: b", ""]}
    text = "".join(record(name, "add", entry) for name in (ANN, PEOPLE)).replace("changetype: add\n", "")
    assert parsed(f"# a comment\n\n{text}") == {ANN: entry, PEOPLE: entry}
    with pytest.raises(ValueError, match="no LDIF"):
        parsed("<<< nonsense >>>")
