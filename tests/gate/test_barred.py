"""The hours of a law, at every edge, in every zone somebody may be in, over both changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rekindle.consent import Week, hours_of
from rekindle.gate.local_time import barred_from, barred_until
from rekindle.gate.zones import resolve_zones
from rekindle.vocabulary import Channel

SMS = Channel("sms")
CHICAGO = ZoneInfo("America/Chicago")
TEXAS = hours_of(("US-TX",), SMS, date(2026, 1, 1))
ANYWHERE = hours_of(("US",), SMS, date(2026, 1, 1))
assert TEXAS is not None
assert ANYWHERE is not None
SECOND = timedelta(seconds=1)


def local(text: str, zone: ZoneInfo = CHICAGO, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        # A Saturday, a Sunday and a Monday.
        ("2026-06-06T08:59:59", "2026-06-06T09:00"),
        ("2026-06-06T09:00", None),
        ("2026-06-06T20:59:59", None),
        ("2026-06-06T21:00", "2026-06-07T12:00"),
        ("2026-06-07T09:00", "2026-06-07T12:00"),
        ("2026-06-07T11:59:59", "2026-06-07T12:00"),
        ("2026-06-07T12:00", None),
        ("2026-06-07T20:59:59", None),
        ("2026-06-07T21:00", "2026-06-08T09:00"),
        ("2026-06-08T00:00", "2026-06-08T09:00"),
        # Clocks go forward on Sunday 2026-03-08, and back on Sunday 2026-11-01.
        ("2026-03-07T21:00", "2026-03-08T12:00"),
        ("2026-03-08T01:59:59", "2026-03-08T12:00"),
        ("2026-03-08T21:00", "2026-03-09T09:00"),
        ("2026-10-31T21:00", "2026-11-01T12:00"),
        ("2026-11-01T01:30", "2026-11-01T12:00"),
        ("2026-11-01T21:00", "2026-11-02T09:00"),
    ],
)
def test_texas_opens_at_nine_and_on_sunday_at_noon(at: str, opens: str | None) -> None:
    assert TEXAS is not None
    found = barred_until(local(at), (CHICAGO,), TEXAS)
    assert found == (None if opens is None else local(opens))
    if opens is None:
        day = datetime.fromisoformat(at).date()
        assert barred_from(local(at), (CHICAGO,), TEXAS) == local(f"{day}T21:00")
    else:
        assert barred_from(local(at), (CHICAGO,), TEXAS) == local(at)


def test_the_weekday_is_the_persons_own() -> None:
    assert TEXAS is not None
    # Sunday 03:30 in UTC is Saturday evening in Texas.
    saturday = datetime(2026, 1, 4, 2, 30, tzinfo=UTC)
    assert barred_until(saturday, (CHICAGO,), TEXAS) is None
    assert barred_until(saturday + timedelta(minutes=30), (CHICAGO,), TEXAS) is not None


@pytest.mark.parametrize("fold", [0, 1])
def test_an_hour_lived_twice_is_closed_both_times(fold: int) -> None:
    early = Week(((3600 + 1800, 86_400),) * 7, ("made up",))
    at = local("2026-11-01T01:15", fold=fold)
    opens = local("2026-11-01T01:30", fold=1)
    assert barred_until(at, (CHICAGO,), early) == opens
    late = Week(((0, 3600 + 1800),) * 7, ("made up",))
    assert barred_until(local("2026-11-01T01:30", fold=0), (CHICAGO,), late) is not None


def test_a_skipped_hour_stands_for_its_end() -> None:
    early = Week(((2 * 3600 + 1800, 86_400),) * 7, ("made up",))
    found = barred_until(local("2026-03-08T01:00"), (CHICAGO,), early)
    assert found == local("2026-03-08T03:00")


def test_a_day_that_is_closed_waits_for_the_next() -> None:
    weekdays = Week(((9 * 3600, 21 * 3600),) * 5 + ((0, 0),) * 2, ("made up",))
    assert barred_until(local("2026-06-05T21:00"), (CHICAGO,), weekdays) == local(
        "2026-06-08T09:00"
    )
    never = Week(((0, 0),) * 7, ("made up",))
    at = local("2026-06-05T21:00")
    assert barred_until(at, (CHICAGO,), never) == at + timedelta(days=8)


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)))
def test_where_only_the_country_is_known_it_is_open_everywhere(moment: datetime) -> None:
    assert ANYWHERE is not None
    zones = resolve_zones(None, "US", None, "UTC")
    at = moment.replace(tzinfo=UTC)
    opens = barred_until(at, zones, ANYWHERE) or at
    for zone in zones:
        told = opens.astimezone(zone)
        first = time(12) if told.weekday() == 6 else time(9)
        assert first <= told.time() < time(20)
    closes = barred_from(opens, zones, ANYWHERE)
    assert barred_until(closes - SECOND, zones, ANYWHERE) is None
    assert barred_until(closes, zones, ANYWHERE) is not None
