"""A stop is heard at once, and ends a process that does not come to an end by itself."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from rekindle.cli.process.stopping import until_stopped

STOPS = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture(autouse=True)
def _kept() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in STOPS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", STOPS)
def test_a_stop_is_heard_and_what_goes_on_is_given_up(number: signal.Signals) -> None:
    ended = threading.Event()
    is_stopping = until_stopped(grace_seconds=0.01, end=ended.set)
    assert not is_stopping()
    signal.raise_signal(number)
    assert is_stopping()
    assert ended.wait(timeout=10)


def test_nothing_is_given_up_within_the_grace() -> None:
    ended = threading.Event()
    is_stopping = until_stopped(grace_seconds=3600, end=ended.set)
    signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(signal.SIGTERM)
    assert is_stopping()
    assert not ended.is_set()
