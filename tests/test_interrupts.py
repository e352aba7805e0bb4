"""Tests of `dtm_sdk.interrupts`; that the second signal ends the process is tested in tests/cli/test_state.py."""

import signal
from threading import Thread

import pytest

from dtm_sdk.interrupts import SIGNALS, interruptible, interrupts


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_is_noted_and_wakes_whoever_waits(number: signal.Signals) -> None:
    woken: list[bool] = []
    before = signal.getsignal(number)
    with interrupts() as stop:
        stop.wake = lambda: woken.append(stop.is_set())
        assert not stop.is_set()
        signal.raise_signal(number)
        assert stop.is_set()
    assert woken == [True]
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("number", SIGNALS)
def test_where_nothing_has_begun_a_signal_raises(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), interruptible():
        signal.raise_signal(number)
    assert signal.getsignal(number) is before


def test_another_thread_than_the_main_one_installs_nothing() -> None:
    found: list[object] = []

    def look() -> None:
        with interrupts() as stop, interruptible():
            found.extend([stop.is_set(), signal.getsignal(signal.SIGINT)])

    thread = Thread(target=look)
    thread.start()
    thread.join()
    assert found == [False, signal.getsignal(signal.SIGINT)]
