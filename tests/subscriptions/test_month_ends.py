"""Ends of months and changes of clocks: what is paid for, what rests, and when it is tried again.

In Berlin clocks go from 02:00 to 03:00 on 29 March 2026, and from 03:00 to 02:00 on 25 October.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from rekindle.billing import BilledPlan, BilledStanding, SubscriptionState
from rekindle.config import LifecycleSettings
from rekindle.profiles import build_profiles
from rekindle.subscriptions import DeclineKind, OwedPayment, decide_retry
from rekindle.vocabulary import Money
from rekindle.web.portal.subscription.staying import pause_until
from tests.subscriptions.businesses import Business, at, cents, change, pause, subscription

BERLIN, LISBON = ZoneInfo("Europe/Berlin"), ZoneInfo("Europe/Lisbon")


def there(text: str, zone: ZoneInfo = BERLIN, *, fold: int = 0) -> str:
    """Return what a clock there shows, as the text of an instant in UTC."""
    local = datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold)
    return local.astimezone(UTC).replace(tzinfo=None).isoformat()


def stood(business: Business, day: str) -> dict[str, Any]:
    columns = ("customer_id", "subscription_state", "mrr", "paid_months", "subscription_value")
    engine = business.shop().engine()
    table = build_profiles(engine.facts(), at(day), LifecycleSettings(), columns=columns)
    (row,) = engine.run(table).to_pylist()
    engine.close()
    return dict(row)


@pytest.mark.long
def test_a_pause_over_the_end_of_a_month_rests_for_the_days_it_had() -> None:
    business = Business(
        [subscription("a", "c", "2024-01-31", mrr="30.4375")],
        pauses=[pause("a", "2024-02-29", "2024-03-31"), pause("a", "2024-12-31", "2025-01-31")],
    )
    assert list(cents(business.moved()))[1:] == [
        ("2024-02-29", "contraction", "-30.44"),
        ("2024-03-31", "expansion", "30.44"),
        ("2024-12-31", "contraction", "-30.44"),
        ("2025-01-31", "expansion", "30.44"),
    ]
    # A day brings one: 29 before the first pause, 275 between the two.
    assert stood(business, "2024-03-15")["subscription_value"] == 29
    assert stood(business, "2025-01-31")["subscription_value"] == 29 + 275


@pytest.mark.long
@pytest.mark.parametrize(
    ("since", "until", "days"),
    [
        # Just before and after midnight there, whatever the clocks did meanwhile.
        ("2026-03-28T23:59", "2026-03-30T00:00", ("2026-03-28", "2026-03-30")),
        ("2026-03-29T00:00", "2026-03-29T23:59", ("2026-03-29", "2026-03-29")),
        ("2026-10-24T23:59", "2026-10-26T00:00", ("2026-10-24", "2026-10-26")),
        ("2026-10-25T00:00", "2026-10-31T23:30", ("2026-10-25", "2026-10-31")),
    ],
)
def test_days_of_movements_are_local_while_the_clocks_change(
    since: str, until: str, days: tuple[str, str]
) -> None:
    business = Business(
        [subscription("a", "c", there("2026-01-31T00:30"), mrr=5)],
        [change("a", there(since), mrr=9), change("a", there(until), mrr=7)],
        zone="Europe/Berlin",
    )
    found = [(day, amount) for day, _, amount in business.moved(as_of=at("2027-01-01"))]
    changed = [(days[0], Decimal(4)), (days[1], Decimal(-2))]
    if days[0] == days[1]:  # what changes within a day is one movement
        changed = [(days[0], Decimal(2))]
    assert found == [("2026-01-31", Decimal(5)), *changed]


@pytest.mark.long
def test_an_hour_that_is_there_twice_is_of_one_day() -> None:
    twice = (there("2026-10-25T02:30", fold=fold) for fold in (0, 1))
    business = Business(
        [subscription("a", "c", next(twice), next(twice), mrr=5)], zone="Europe/Berlin"
    )
    assert business.moved(as_of=at("2027-01-01")) == []  # here for an hour, and for no day


@pytest.mark.long
def test_a_month_with_a_clock_change_is_as_long_as_its_days() -> None:
    # 31 days of March, one of which has 23 hours; each day brings one.
    business = Business(
        [subscription("a", "c", there("2026-03-01T00:00"), there("2026-04-01T00:00"),
                      mrr="30.4375")],
        zone="Europe/Berlin",
    )  # fmt: skip
    found = stood(business, "2026-05-01")
    assert (found["subscription_value"], found["paid_months"]) == (31, 1)


@pytest.mark.parametrize(
    ("paid_until", "months", "day"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2028-01-31", 1, "2028-02-29"),
        ("2026-01-31", 2, "2026-03-31"),
        ("2026-11-30", 3, "2027-02-28"),
        ("2026-12-31", 1, "2027-01-31"),
    ],
)
def test_a_pause_of_months_ends_on_the_last_day_there_is(
    paid_until: str, months: int, day: str
) -> None:
    plan = BilledPlan("p", "Gold", Money(Decimal(10), "EUR"), "month", 1)
    running = BilledStanding(
        "sub", "cus", SubscriptionState.ACTIVE, plan, plan, paid_until=at(paid_until)
    )
    # A day before it would be paid for again.
    assert pause_until(running, months) == at(day) - timedelta(days=1)


@pytest.mark.parametrize(
    ("failed", "hour", "wanted"),
    [
        # One, three and seven days after the first failure, over the end of a month.
        ("2026-01-31T09:00", None, ["2026-02-01T09:00", "2026-02-03T09:00", "2026-02-07T09:00"]),
        ("2028-02-28T09:00", None, ["2028-02-29T09:00", "2028-03-02T09:00", "2028-03-06T09:00"]),
        # The hour is the payer's own, before and after their clock has changed.
        ("2026-03-27T09:00", 10, ["2026-03-28T10:00", "2026-03-30T10:00", "2026-04-03T10:00"]),
        ("2026-10-24T09:00", 10, ["2026-10-25T10:00", "2026-10-27T10:00", "2026-10-31T10:00"]),
    ],
)
def test_retries_keep_their_schedule_over_months_and_clocks(
    failed: str, hour: int | None, wanted: list[str]
) -> None:
    schedule = [timedelta(days=days) for days in (1, 3, 7)]
    first = at(there(failed))
    tries, found = [first], []
    for number in range(len(schedule)):
        owed = OwedPayment(
            "in", "sub", "ann", first, DeclineKind.SOFT, "visa", tries, number, BERLIN
        )
        next_at = decide_retry(owed, schedule, hour)
        assert isinstance(next_at, datetime)
        tries = [*tries, next_at]
        found.append(f"{next_at.astimezone(BERLIN):%Y-%m-%dT%H:%M}")
    assert found == wanted
