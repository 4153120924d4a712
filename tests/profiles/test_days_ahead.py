"""The days a journey can be timed by: refill, risk, season and renewal."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from rekindle.config import LifecycleSettings, TierDays
from rekindle.profiles import local_before
from rekindle.testing.small_shop import Card, Sale, SmallShop
from tests.profiles.conftest import DAY_0, Ask, bought, day

FASHION = LifecycleSettings(preset="fashion")


def season(ask: Ask, on: date, *bought_on: date) -> date | None:
    """Return the season of someone who bought at noon on some days, asked at noon."""
    noons = [datetime(d.year, d.month, d.day, 12, tzinfo=UTC) for d in bought_on]
    shop = SmallShop([Sale("ann", noon) for noon in noons])
    number = (datetime(on.year, on.month, on.day, 12, tzinfo=UTC) - DAY_0).days
    profile = ask(shop, number)["ann"]
    found: date | None = profile["season_on"]
    return found


@pytest.mark.parametrize(
    ("days", "due"),
    [((0, 10), 20), ((0, 10, 21), 32), ((0, 10, 20, 31), 41)],  # gaps of 10, 10.5 and 10 1/3
)
def test_a_refill_is_due_an_expected_gap_after_the_last_purchase(
    ask: Ask, days: tuple[int, ...], due: int
) -> None:
    ann = ask(SmallShop(bought("ann", *days)), 100)["ann"]
    assert ann["refill_due_on"] == day(due).date()


@pytest.mark.long
def test_silence_turns_to_risk_on_the_day_the_tier_says(ask: Ask) -> None:
    shop = SmallShop(bought("ann", 0, 10, 21))  # 1.5 × 10.5 days: risk from the 16th on
    before, after = (ask(shop, 21 + silence)["ann"] for silence in (15, 16))
    assert (before["tier"], after["tier"]) == ("active", "at_risk")
    assert before["at_risk_on"] == after["at_risk_on"] == after["tier_since_on"] == day(37).date()


@pytest.mark.long
@pytest.mark.parametrize("silence", [1, 90, 400])
def test_the_day_of_risk_stays_when_it_is_past(ask: Ask, silence: int) -> None:
    ann = ask(SmallShop(bought("ann", 0)), silence, FASHION)["ann"]
    assert ann["at_risk_on"] == day(90).date()


@pytest.mark.long
def test_a_day_beyond_every_calendar_is_kept_within_it(ask: Ask) -> None:
    settings = LifecycleSettings.model_construct(fallback_gap_days=10**9, at_risk=1e6)
    ann = ask(SmallShop(bought("ann", 0)), 1, settings)["ann"]
    assert ann["refill_due_on"] == ann["at_risk_on"] == DAY_0.date() + timedelta(days=365_000)


@pytest.mark.draws(4)
@pytest.mark.parametrize(
    ("on", "bought_on", "expected"),
    [
        (date(2024, 11, 1), [date(2023, 12, 6)], date(2024, 12, 6)),
        (date(2024, 12, 6), [date(2023, 12, 6)], date(2024, 12, 6)),
        (date(2024, 12, 7), [date(2023, 12, 6)], None),
        (date(2024, 12, 7), [date(2023, 12, 6), date(2024, 5, 2)], date(2025, 5, 2)),
        (date(2024, 5, 2), [date(2022, 5, 3), date(2023, 12, 6)], date(2024, 12, 6)),
        (date(2024, 5, 2), [date(2024, 5, 1)], date(2025, 5, 1)),
        # A leap day comes again on the 28th, with or without a purchase on that day.
        (date(2025, 2, 28), [date(2024, 2, 29)], date(2025, 2, 28)),
        (date(2025, 3, 1), [date(2024, 2, 29)], None),
        (date(2025, 2, 28), [date(2024, 2, 28), date(2024, 2, 29)], date(2025, 2, 28)),
        (date(2024, 2, 29), [date(2023, 2, 28)], None),
        (date(2024, 2, 29), [date(2023, 3, 1)], date(2024, 3, 1)),
    ],
)
def test_last_years_season_is_the_next_to_come_round(
    ask: Ask, on: date, bought_on: list[date], expected: date | None
) -> None:
    assert season(ask, on, *bought_on) == expected


def test_what_was_given_back_makes_no_season(ask: Ask) -> None:
    sales = [*bought("ann", 0, 50), *bought("ann", 20, kind="refund")]
    ann = ask(SmallShop(sales), 10 + 366)["ann"]
    assert ann["season_on"] == date(2025, 2, 20)


@pytest.mark.long
def test_a_renewal_stands_on_the_card(ask: Ask) -> None:
    renews = date(2024, 3, 1)
    cards = [Card("ann", renews_on=renews), Card("ben"), Card("cleo", renews_on=renews)]
    profiles = ask(SmallShop(bought("ann", 0), cards), 9)
    assert [profiles[p]["renews_on"] for p in ("ann", "ben", "cleo")] == [renews, None, renews]


def test_a_prospect_has_no_day_but_the_renewal(ask: Ask) -> None:
    ann = ask(SmallShop(bought("ben", 0), [Card("ann")]), 9)["ann"]
    names = ("refill_due_on", "at_risk_on", "season_on", "renews_on")
    assert [ann[name] for name in names] == [None] * 4


@pytest.mark.long
def test_the_day_of_risk_is_of_the_main_category(ask: Ask) -> None:
    days = TierDays(at_risk=10, lapsed=20, dormant=30, gone=40)
    line = (("p", "shoes", Sale("x", DAY_0).gross),)
    settings = LifecycleSettings(preset="fashion", days={"shoes": days})
    ann = ask(SmallShop(bought("ann", 0, lines=line)), 1, settings)["ann"]
    assert ann["at_risk_on"] == day(10).date()


@pytest.mark.parametrize(
    ("zone", "end", "start"),
    [
        ("America/Los_Angeles", "2026-03-31T23:59", "2026-01-30T23:59"),  # an hour was skipped
        ("America/Los_Angeles", "2026-11-30T00:30", "2026-10-01T00:30"),  # an hour came twice
        ("Pacific/Apia", "2012-01-10T00:00", "2011-11-11T00:00"),  # a day was skipped
        ("UTC", "2026-03-31T12:00", "2026-01-30T12:00"),
    ],
)
def test_days_before_an_instant_are_days_of_the_calendar(zone: str, end: str, start: str) -> None:
    at, before = (
        datetime.fromisoformat(one).replace(tzinfo=ZoneInfo(zone)) for one in (end, start)
    )
    assert local_before(at, timedelta(days=60), zone) == before
    assert local_before(at, timedelta(days=60, hours=2), zone) == before.astimezone(
        UTC
    ) - timedelta(hours=2)
