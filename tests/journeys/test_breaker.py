"""A journey pauses itself when a rate is too high twice in a row, and not for less."""

from __future__ import annotations

import pytest

from rekindle.config import BreakerSettings
from rekindle.journeys import Trip, Window, decide_trip

SETTINGS = BreakerSettings(minimum=100, complaints=0.003, bounces=0.05, opt_outs=0.03)
FINE = Window(messages=1000)


@pytest.mark.parametrize("rate", ["complaints", "bounces", "opt_outs"])
def test_rate_above_its_limit_in_both_windows_trips(rate: str) -> None:
    bad = Window(**{"messages": 1000, rate: 60})
    limit = getattr(SETTINGS, rate)
    assert decide_trip(bad, bad, SETTINGS) == Trip(rate, newer=0.06, older=0.06, limit=limit)


@pytest.mark.parametrize("order", [1, -1])
def test_one_bad_window_is_not_enough(order: int) -> None:
    newer, older = (FINE, Window(messages=1000, complaints=90))[::order]
    assert decide_trip(newer, older, SETTINGS) is None


def test_rate_at_its_limit_does_not_trip() -> None:
    exactly = Window(messages=1000, complaints=3, bounces=50, opt_outs=30)
    assert decide_trip(exactly, exactly, SETTINGS) is None


@pytest.mark.parametrize(("messages", "trips"), [(99, False), (100, True)])
def test_window_with_few_messages_says_nothing(messages: int, *, trips: bool) -> None:
    few = Window(messages=messages, bounces=messages)
    assert (decide_trip(few, Window(1000, bounces=900), SETTINGS) is not None) is trips
    assert (decide_trip(Window(1000, bounces=900), few, SETTINGS) is not None) is trips


def test_two_rates_each_bad_in_one_window_do_not_add_up() -> None:
    newer, older = Window(1000, complaints=90), Window(1000, bounces=90)
    assert decide_trip(newer, older, SETTINGS) is None


def test_rate_without_a_limit_never_trips() -> None:
    bad = Window(messages=1000, opt_outs=900)
    assert decide_trip(bad, bad, BreakerSettings(opt_outs=None)) is None


def test_journey_that_sent_nothing_is_fine() -> None:
    assert decide_trip(Window(), Window(), BreakerSettings(minimum=1)) is None
