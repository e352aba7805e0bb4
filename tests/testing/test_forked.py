import os
import signal
from pathlib import Path

import pytest

from dtm_sdk.testing.children import children
from dtm_sdk.testing.forked import ChildDiedError, forked


def test_it_returns_what_the_work_returns_from_another_process() -> None:
    there, pid = forked(lambda: ({"a": [1]}, os.getpid()))
    assert there == {"a": [1]}
    assert pid != os.getpid()


def test_nothing_that_the_work_keeps_in_memory_outlives_it() -> None:
    kept: list[int] = []
    forked(lambda: kept.append(1))
    assert kept == []


def test_what_the_work_raises_is_raised() -> None:
    def work() -> None:
        raise KeyError("missing")

    with pytest.raises(KeyError, match="missing"):
        forked(work)


@pytest.mark.parametrize(
    ("ending", "code"), [(lambda: os._exit(3), 3), (lambda: os.kill(os.getpid(), signal.SIGKILL), -9)]
)
def test_a_process_that_ends_early_is_told(ending: object, code: int) -> None:
    assert callable(ending)
    with pytest.raises(ChildDiedError) as error:
        forked(ending)
    assert error.value.code == code


def test_it_leaves_no_file_open_and_no_process(tmp_path: Path) -> None:
    files, processes = set(os.listdir("/dev/fd")), children()  # noqa: PTH208  # no path is wanted
    for _ in range(3):
        forked(lambda: 1)
    assert set(os.listdir("/dev/fd")) <= files  # noqa: PTH208  # nor here; one of an earlier test may be closed meanwhile
    assert children() <= processes
