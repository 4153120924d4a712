"""A journey about a failed payment ends when the money came, and begins for nobody paused."""

from __future__ import annotations

import pytest

from rekindle.journeys import parse_journey, sequence_journeys
from rekindle.journeys.population.payments import list_payment_signals
from rekindle.vocabulary import Purpose
from tests.subscriptions.businesses import Business, Row, at, pause, payment, subscription

EVENTS = ("payment_failed", "payment_cleared", "payment_dropped")
RUNS = subscription("s", "c", "2024-01-01", mrr=9)


def failed(invoice: str, day: str) -> Row:
    return payment(f"{invoice}f", "c", day, "failed", subscription_id="s", invoice_id=invoice)


def paid(invoice: str, day: str) -> Row:
    return payment(f"{invoice}p", "c", day, "paid", subscription_id="s", invoice_id=invoice)


def deeds(business: Business, now: str | None = None) -> list[tuple[str, int]]:
    """Return the events with their day of March, as a replay sees them, or a worker now."""
    engine = business.shop().engine()
    more = {} if now is None else {"at": at(now), "still_open": True}
    found = list_payment_signals(engine, engine.facts(), EVENTS, **more)  # type: ignore[arg-type]
    engine.close()
    return [(one.name.removeprefix("payment_"), one.at.day) for one in found]


@pytest.mark.long
@pytest.mark.parametrize(
    ("payments", "pauses", "happened"),
    [
        ([failed("a", "2025-03-01")], [], [("failed", 1)]),
        (
            [failed("a", "2025-03-01"), paid("a", "2025-03-04")],
            [],
            [("failed", 1), ("cleared", 4)],
        ),
        # Who owes two is clear when neither is open.
        (
            [failed("a", "2025-03-01"), failed("b", "2025-03-03"), paid("a", "2025-03-04")],
            [],
            [("failed", 1), ("failed", 3)],
        ),
        (
            [
                failed("a", "2025-03-01"),
                failed("b", "2025-03-03"),
                paid("b", "2025-03-04"),
                paid("a", "2025-03-09"),
            ],
            [],
            [("failed", 1), ("failed", 3), ("cleared", 9)],
        ),
        (
            [failed("a", "2025-03-01"), paid("a", "2025-03-04"), failed("b", "2025-03-08")],
            [],
            [("failed", 1), ("cleared", 4), ("failed", 8)],
        ),
        ([failed("a", "2025-03-05")], [pause("s", "2025-03-01")], []),
        (
            [failed("a", "2025-03-05")],
            [pause("s", "2025-03-08")],
            [("failed", 5), ("dropped", 8)],
        ),
    ],
)
def test_events_follow_from_payments(
    payments: list[Row], pauses: list[Row], happened: list[tuple[str, int]]
) -> None:
    assert deeds(Business([RUNS], payments=payments, pauses=pauses)) == happened


@pytest.mark.long
def test_a_worker_lets_nobody_in_who_owes_nothing_any_more() -> None:
    business = Business([RUNS], payments=[failed("a", "2025-03-01"), paid("a", "2025-03-04")])
    assert deeds(business, "2025-03-03") == [("failed", 1)]
    assert deeds(business, "2025-03-05") == [("cleared", 4)]


JOURNEY = """
journey: mine
enter: {{on: {on}}}
goal: {{on: order, within: 30 days}}
steps:
  - send: {{channel: email, template: hello}}
"""


def test_it_ends_when_it_is_paid_or_dropped_whatever_the_file_says() -> None:
    mine = parse_journey(JOURNEY.format(on="payment_failed"))
    assert mine.exits == {"payment_cleared", "payment_dropped"}
    other = parse_journey(JOURNEY.format(on="visit"))
    assert other.exits == {"order"}


def test_the_starter_is_transactional_and_denies_nobody_the_news() -> None:
    starter = parse_journey(sequence_journeys()["failed-payment"])
    assert (starter.purpose, starter.holdout) == (Purpose.TRANSACTIONAL, 0.0)
    assert starter.exits == {"payment_cleared", "payment_dropped"}
