"""A throttle grants what it may, whoever asks and whatever the clock does."""

from __future__ import annotations

import threading
from datetime import date, timedelta

import pytest
from django.db import connections

from rekindle.ledger import Meters
from tests.ledger.queueing import DAY, HOUR, MINUTE, START

SECOND = timedelta(seconds=1)
TODAY = date(2026, 3, 2)


@pytest.fixture
def meters(alias: str) -> Meters:
    return Meters(alias)


def test_new_throttle_grants_five_seconds_worth(meters: Meters) -> None:
    assert meters.take("smtp", 1000, START, per_minute=120) == 10
    assert meters.take("smtp", 1000, START, per_minute=120) == 0


def test_slow_throttle_grants_one_at_a_time(meters: Meters) -> None:
    assert meters.take("smtp", 9, START, per_minute=2) == 1
    assert meters.take("smtp", 9, START + 29 * SECOND, per_minute=2) == 0
    assert meters.take("smtp", 9, START + 30 * SECOND, per_minute=2) == 1


@pytest.mark.long
def test_throttle_never_passes_its_rate_over_an_hour(meters: Meters) -> None:
    asked = (START + number * 7 * SECOND for number in range(515))
    granted = sum(meters.take("smtp", 50, at, per_minute=60) for at in asked)
    assert 2500 < granted <= 60 * 60 + 5


def test_throttle_that_stood_still_does_not_burst(meters: Meters) -> None:
    meters.take("smtp", 1000, START, per_minute=120)
    assert meters.take("smtp", 1000, START + DAY, per_minute=120) == 10


def test_clock_that_is_set_back_grants_nothing_more(meters: Meters) -> None:
    meters.take("smtp", 1000, START, per_minute=120)
    assert meters.take("smtp", 1000, START - HOUR, per_minute=120) == 0
    assert meters.take("smtp", 1000, START - HOUR + MINUTE, per_minute=120) == 0
    assert meters.take("smtp", 1000, START + SECOND, per_minute=120) == 2


def test_what_was_not_used_is_granted_again(meters: Meters) -> None:
    meters.take("smtp", 10, START, per_minute=120)
    meters.give_back("smtp", 4)
    assert meters.take("smtp", 10, START, per_minute=120) == 4


def test_throttles_are_apart(meters: Meters) -> None:
    meters.take("smtp", 1000, START, per_minute=120)
    assert meters.take("other", 1000, START, per_minute=120) == 10


def test_day_grants_its_number_once(meters: Meters) -> None:
    assert meters.take_of_day("d", 30, TODAY, START, limit=50) == 30
    assert meters.take_of_day("d", 30, TODAY, START, limit=50) == 20
    assert meters.take_of_day("d", 30, TODAY + DAY, START + DAY, limit=75) == 30


def test_yesterday_does_not_come_again(meters: Meters) -> None:
    meters.take_of_day("d", 50, TODAY, START, limit=50)
    assert meters.take_of_day("d", 50, TODAY - DAY, START - DAY, limit=50) == 0


def test_what_the_provider_did_not_take_is_granted_again_that_day(meters: Meters) -> None:
    meters.take_of_day("d", 50, TODAY, START, limit=50)
    meters.give_back_of_day("d", 5, TODAY)
    meters.give_back_of_day("d", 5, TODAY - DAY)
    assert meters.take_of_day("d", 50, TODAY, START, limit=50) == 5


def test_workers_share_a_throttle(postgres: str) -> None:
    granted: list[int] = []

    def work() -> None:
        meters = Meters(postgres)
        granted.extend(meters.take("smtp", 1, START, per_minute=240) for _ in range(20))
        connections[postgres].close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(granted) == 20
