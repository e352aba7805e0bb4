import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dtm_sdk.testing.fake_files import fake_files
from dtm_sdk.testing.forked import forked


def mode_of_a_new_file() -> Any:
    os.umask(0o027)
    os.close(os.open("new", os.O_CREAT | os.O_WRONLY, 0o666))
    return stat.S_IMODE(Path("new").stat().st_mode)


def mode_of_a_file_that_is_there() -> Any:
    Path("old").write_bytes(b"text")
    Path("old").chmod(0o604)
    os.close(os.open("old", os.O_RDONLY))
    os.close(os.open("old", os.O_WRONLY | os.O_CREAT, 0o777))
    return stat.S_IMODE(Path("old").stat().st_mode)


def text_without_a_buffer() -> Any:
    Path("raw").write_bytes(b"text\n")
    with os.fdopen(os.open("raw", os.O_RDONLY), "rb", buffering=0) as file:
        return file.readall(), file.read()


def what_an_opener_opens() -> Any:
    with open("made", "xb", opener=lambda name, flags: os.open(name, flags, 0o640)) as file:
        file.write(b"1")
    return stat.S_IMODE(Path("made").stat().st_mode), Path("made").read_bytes()


LOOKS = [mode_of_a_new_file, mode_of_a_file_that_is_there, text_without_a_buffer, what_an_opener_opens]


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.__name__)
def test_a_fake_file_is_as_a_real_one(look: Callable[[], Any], tmp_path: Path) -> None:
    def real() -> Any:
        os.chdir(tmp_path)
        return look()

    def faked() -> Any:
        with fake_files(tmp_path / "world"):
            return look(), str(Path.cwd())

    wanted = forked(real)
    assert forked(faked) == (wanted, str(tmp_path / "world"))
    assert not (tmp_path / "world").exists()
