"""When a failed payment may be tried again: a table of pure cases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rekindle.subscriptions import (
    CardTry,
    DeclineKind,
    OwedPayment,
    RetryStop,
    decide_retry,
    merge_tries,
)

FAILED = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SCHEDULE = (3 * DAY, 5 * DAY)


def owed(
    *tries: float, kind: DeclineKind = DeclineKind.SOFT, network: str = "visa", retries: int = 0
) -> OwedPayment:
    """Return a payment whose card was tried so many days after the failure."""
    at = [FAILED + one * DAY for one in tries]
    return OwedPayment("in_1", "sub_1", "u1", FAILED, kind, network, at, retries)


@pytest.mark.parametrize("kind", [k for k in DeclineKind if k is not DeclineKind.SOFT])
def test_only_what_may_go_through_later_is_tried(kind: DeclineKind) -> None:
    assert decide_retry(owed(0, kind=kind), SCHEDULE) is RetryStop.NOT_SOFT


@pytest.mark.parametrize(
    ("payment", "days"),
    [
        (owed(0), 3),
        (owed(0, 3, retries=1), 5),
        (owed(0, 4.9, retries=1), 4.9 + 20 / 24),  # never two within 20 hours
        (owed(*[0] * 14), 3),
        (owed(*[0] * 15), 30),  # the 16th of Visa waits for the window
        (owed(-10, *[0] * 14), 20),  # until the oldest has left it
        (owed(*[0] * 15, network="Mastercard"), 3),
        (owed(*[0] * 35, network="mastercard"), 30),
        (owed(*[2.9] * 10, network="mastercard"), 3.9),  # ten a day
        (owed(*[0] * 15, network=""), 30),  # nobody says which: the strictest
    ],
)
def test_a_try_waits_for_the_schedule_and_for_the_network(
    payment: OwedPayment, days: float
) -> None:
    assert decide_retry(payment, SCHEDULE) == FAILED + days * DAY


def test_a_schedule_that_is_spent_is_over() -> None:
    assert decide_retry(owed(0, 3, 5, retries=2), SCHEDULE) is RetryStop.SPENT
    assert decide_retry(owed(0), ()) is RetryStop.SPENT


def tried(payment: str, hours: float, lasting: float = 0.0, invoice: str = "in_1") -> CardTry:
    """Return a try so many hours after the failure, made within the hours given from there on."""
    hour = timedelta(hours=1)
    return CardTry(payment, invoice, FAILED + hours * hour, FAILED + (hours + lasting) * hour)


@pytest.mark.parametrize(
    ("told", "own", "hours"),
    [
        ([], [tried("ch_1", 5)], [5]),  # the record comes later
        ([tried("ch_1", 5)], [tried("ch_1", 5)], [5]),
        ([tried("ch_1", 5.9)], [tried("ch_1", 5)], [5.9]),  # by its id, whenever it says it was
        ([tried("ch_1", 5)], [tried("ch_2", 5)], [5, 5]),  # one of the biller's own beside it
        ([tried("ch_1", 5)], [tried("", 5)], [5]),  # nobody answered
        ([tried("ch_1", 7)], [tried("", 5, 22)], [7]),  # asked again until it was
        ([tried("ch_1", 4.9)], [tried("", 5)], [4.9, 5]),  # before it was asked for
        ([tried("ch_1", 5.2)], [tried("", 5)], [5, 5.2]),  # and after
        ([tried("ch_1", 5, invoice="in_2")], [tried("", 5)], [5, 5]),
        ([tried("", 5, invoice="")], [tried("ch_1", 5)], [5, 5]),  # of another system
        ([tried("ch_1", 5)], [tried("", 5), tried("", 5)], [5, 5]),  # one record is one try
        ([tried("ch_1", 5)], [tried("", 5, 1), tried("ch_1", 5)], [5, 5]),
    ],
)
def test_a_try_counts_once_whoever_tells_of_it_first(
    told: list[CardTry], own: list[CardTry], hours: list[float]
) -> None:
    assert merge_tries(told, own) == [FAILED + timedelta(hours=one) for one in hours]
