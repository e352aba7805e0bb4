"""What all tests share."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from dtm_sdk.testing.worlds.loopback import unproxied

# A slow machine is no failure. Under CI, hypothesis draws the same examples every time by itself.
settings.register_profile("dtm", deadline=None)
settings.load_profile("dtm")

collect_ignore = ["templates"]
"""Parts of projects: they are tested in the projects that tests make of them."""


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:  # pytest passes it by its name
    """Two for each core with `-n auto`: most of the time goes by in waiting, for disks, processes and full seconds."""
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    return 2 * len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2 * (os.cpu_count() or 1)


@pytest.fixture(autouse=True, scope="session")
def _past_the_proxy() -> Iterator[None]:
    """What tests serve is asked without the proxy that their user may go out by; forks of them ask macOS for none."""
    with unproxied():
        yield
