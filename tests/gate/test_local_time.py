"""Local time is right at both daylight changes, across midnight and where a day is missing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import accumulate
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rekindle.gate.local_time import (
    Calendar,
    QuietHours,
    closed_from,
    closed_until,
    local_day_bounds,
    month_of,
    next_local,
    next_month,
    quiet_from,
    quiet_until,
    spread,
)

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NEW_YORK = "America/New_York"
NIGHT = "21:00-08:00"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def zones(*names: str) -> tuple[ZoneInfo, ...]:
    return tuple(ZoneInfo(name) for name in names)


def hours(text: str) -> QuietHours:
    start, end = text.split("-")
    return QuietHours(time.fromisoformat(start), time.fromisoformat(end))


def quiet(at: str, window: str, *names: str) -> datetime | None:
    return quiet_until(utc(at), zones(*names), hours(window))


@pytest.mark.parametrize(
    ("name", "at", "window", "until"),
    [
        ("Asia/Tokyo", "2026-03-02 11:59:59", NIGHT, None),
        ("Asia/Tokyo", "2026-03-02 12:00", NIGHT, "2026-03-02 23:00"),
        ("Asia/Tokyo", "2026-03-02 22:59:59.999999", NIGHT, "2026-03-02 23:00"),
        ("Asia/Tokyo", "2026-03-02 23:00", NIGHT, None),
        ("Asia/Tokyo", "2026-03-02 03:59", "13:00-14:30", None),
        ("Asia/Tokyo", "2026-03-02 04:00", "13:00-14:30", "2026-03-02 05:30"),
        ("Asia/Tokyo", "2026-03-02 05:30", "13:00-14:30", None),
        ("Asia/Tokyo", "2026-03-02 15:00", "09:00-09:00", None),
        ("Asia/Kathmandu", "2026-03-02 15:14", NIGHT, None),
        ("Asia/Kathmandu", "2026-03-02 15:15", NIGHT, "2026-03-03 02:15"),
        (NEW_YORK, "2026-03-08 02:00", NIGHT, "2026-03-08 12:00"),
        (NEW_YORK, "2026-11-01 01:00", NIGHT, "2026-11-01 13:00"),
        ("Pacific/Apia", "2026-03-02 08:00", NIGHT, "2026-03-02 19:00"),
        # Samoa kept daylight time, +14, until 2021-04-04 and has been at +13 since.
        ("Pacific/Apia", "2021-03-02 07:00", NIGHT, "2021-03-02 18:00"),
        # It went from 29 to 31 December 2011: one night with no day between.
        ("Pacific/Apia", "2011-12-30 08:30", NIGHT, "2011-12-30 18:00"),
        # Lord Howe moves by half an hour: +11 in summer, +10:30 in winter.
        ("Australia/Lord_Howe", "2026-04-04 10:00", NIGHT, "2026-04-04 21:30"),
        ("Australia/Lord_Howe", "2026-10-03 10:30", NIGHT, "2026-10-03 21:00"),
    ],
)
def test_quiet_hours_end_at_the_local_edge(
    name: str, at: str, window: str, until: str | None
) -> None:
    assert quiet(at, window, name) == (until and utc(until))


# New York skips 02:00-03:00 at 07:00 UTC on 2026-03-08, and at 06:00 UTC on 2026-11-01
# lives 01:00-02:00 again.
@pytest.mark.parametrize(
    ("at", "window", "until"),
    [
        ("2026-03-08 06:59", "22:00-02:30", "2026-03-08 07:00"),
        ("2026-03-08 07:00", "22:00-02:30", None),
        ("2026-03-08 07:00", "02:30-06:00", "2026-03-08 10:00"),
        ("2026-03-08 07:00", "02:15-02:45", None),
        ("2026-11-01 04:59", "01:00-01:30", None),
        ("2026-11-01 05:00", "01:00-01:30", "2026-11-01 06:30"),
        ("2026-11-01 05:45", "22:00-01:30", "2026-11-01 06:30"),
        ("2026-11-01 06:30", "22:00-01:30", None),
        ("2026-11-01 06:10", "01:30-08:00", "2026-11-01 13:00"),
        ("2026-11-01 05:45", "01:30-01:30", None),
        # All day but 40 minutes, which the repeated hour swallows.
        ("2026-11-01 05:05", "01:50-01:10", "2026-11-02 06:10"),
    ],
)
def test_skipped_end_is_the_gap_and_a_repeated_hour_is_quiet_throughout(
    at: str, window: str, until: str | None
) -> None:
    assert quiet(at, window, NEW_YORK) == (until and utc(until))


def test_country_with_several_zones_is_quiet_until_day_in_all() -> None:
    names = (NEW_YORK, "America/Los_Angeles", "Pacific/Honolulu")
    assert quiet("2026-01-15 13:00", NIGHT, *names) == utc("2026-01-15 18:00")
    assert quiet("2026-01-15 18:00", NIGHT, *names) is None
    assert quiet("2026-01-16 02:00", NIGHT, *names) == utc("2026-01-16 18:00")


def test_days_without_a_common_hour_are_judged_in_the_first_zone() -> None:
    names = (NEW_YORK, "Asia/Tokyo")
    assert quiet("2026-01-15 18:00", "17:00-09:00", *names) is None
    assert quiet("2026-01-15 03:00", "17:00-09:00", *names) == utc("2026-01-15 14:00")


@pytest.mark.parametrize(
    ("at", "window", "names", "begins"),
    [
        ("2026-03-02 11:59:59", NIGHT, ("Asia/Tokyo",), "2026-03-02 12:00"),
        ("2026-03-02 12:30", NIGHT, ("Asia/Tokyo",), "2026-03-02 12:30"),  # it is night now
        ("2026-03-02 23:00", NIGHT, ("Asia/Tokyo",), "2026-03-03 12:00"),
        ("2026-03-02 04:00", "13:00-14:30", ("Asia/Kathmandu",), "2026-03-02 07:15"),
        ("2026-03-02 15:00", "09:00-09:00", ("Asia/Tokyo",), None),
        # The first of several zones to fall quiet; where they never agree, the first named.
        ("2026-01-15 19:00", NIGHT, (NEW_YORK, "America/Los_Angeles"), "2026-01-16 02:00"),
        ("2026-01-15 18:00", "17:00-09:00", (NEW_YORK, "Asia/Tokyo"), "2026-01-15 22:00"),
        # The evening of the day on which the clocks change.
        ("2026-03-08 13:00", NIGHT, (NEW_YORK,), "2026-03-09 01:00"),
        ("2026-11-01 14:00", NIGHT, (NEW_YORK,), "2026-11-02 02:00"),
        # The repeated hour is quiet from its first 01:30 on.
        ("2026-11-01 05:15", "01:30-08:00", (NEW_YORK,), "2026-11-01 05:30"),
    ],
)
def test_the_next_quiet_hours_begin_at_the_local_edge(
    at: str, window: str, names: tuple[str, ...], begins: str | None
) -> None:
    found = quiet_from(utc(at), zones(*names), hours(window))
    assert found == (begins and utc(begins))


def test_the_next_closed_day_begins_at_the_first_midnight_of_any_zone() -> None:
    closed = Calendar(((date(2026, 3, 4), date(2026, 3, 4)),))
    at, until = utc("2026-03-02 12:00"), utc("2026-03-05 12:00")
    both = zones(NEW_YORK, "Asia/Tokyo")
    assert closed_from(at, both, closed, until=until) == utc("2026-03-03 15:00")
    assert closed_from(at, both[:1], closed, until=until) == utc("2026-03-04 05:00")
    assert closed_from(at, both, closed, until=utc("2026-03-03 15:00")) is None
    assert closed_from(utc("2026-03-04 06:00"), both[:1], closed, until=until) == utc(
        "2026-03-04 06:00"
    )


# When the clocks changed, in UTC.
CHANGES = (
    ("Africa/Casablanca", "2026-03-22 02:00"),
    ("America/Havana", "2026-11-01 05:00"),
    ("America/New_York", "2026-03-08 07:00"),
    ("America/New_York", "2026-11-01 06:00"),
    ("America/Santiago", "2026-04-05 03:00"),
    ("America/St_Johns", "2011-11-06 02:31"),  # from 00:01 back to the day before
    ("Antarctica/Troll", "2026-03-29 01:00"),  # by two hours
    ("Atlantic/Azores", "2026-03-29 01:00"),
    ("Australia/Lord_Howe", "2026-04-04 15:00"),
    ("Australia/Lord_Howe", "2026-10-03 15:30"),
    ("Europe/London", "2026-10-25 01:00"),
    ("Pacific/Apia", "2011-12-30 10:00"),
    ("Pacific/Apia", "2021-04-03 14:00"),
)
STEADY = "Asia/Kathmandu"
HORIZON = 2 * 24 * 60  # minutes


@dataclass(frozen=True)
class Night:
    """A window in minutes of the day, asked about at a minute counted from a change."""

    change: str
    names: list[str]
    window: tuple[int, int]
    minute: int

    @property
    def at(self) -> datetime:
        return utc(self.change) + self.minute * MINUTE


@st.composite
def nights(draw: st.DrawFn) -> Night:
    name, change = draw(st.sampled_from(CHANGES))
    local = utc(change).astimezone(ZoneInfo(name))
    near = st.integers(-120, 120).map(lambda n: (local.hour * 60 + local.minute + n) % 1440)
    anywhere = st.integers(0, 1439)
    window = draw(st.tuples(near | anywhere, near | anywhere))
    assume(window[0] != window[1])
    others = draw(st.lists(st.just(STEADY), max_size=1))
    minute = draw(st.integers(-180, 180) | st.integers(-HORIZON, HORIZON))
    return Night(change, draw(st.permutations([name, *others])), window, minute)


@cache
def walls(name: str, change: str) -> tuple[list[int], list[int]]:
    """Return the latest wall clock so far and the earliest yet to come, minute by minute.

    In minutes, from three days before the change to five days after it.
    """
    begin, zone = utc(change) - 3 * DAY, ZoneInfo(name)
    local = ((begin + n * MINUTE).astimezone(zone) for n in range(8 * 1440))
    shown = [(wall.toordinal() * 24 + wall.hour) * 60 + wall.minute for wall in local]
    return list(accumulate(shown, max)), list(accumulate(reversed(shown), min))[::-1]


def is_quiet(night: Night, name: str, minute: int) -> bool:
    """Tell by the wall clock only: begun once it has shown the start of a night, and not
    over while it shows a time before the end, or is yet to show the end itself.
    """
    start, end = night.window
    latest, earliest = walls(name, night.change)
    n = minute + 3 * 1440
    over = (latest[n] - start) // 1440 * 1440 + end + (1440 if end < start else 0)
    return earliest[n] < over or earliest[n + 1] <= over


def first_open(night: Night, names: list[str]) -> int | None:
    ahead = range(night.minute, night.minute + HORIZON + 1)
    return next((n for n in ahead if not any(is_quiet(night, name, n) for name in names)), None)


@pytest.mark.long
@settings(max_examples=250, deadline=None, derandomize=True)
@given(nights())
def test_quiet_until_is_the_first_minute_that_no_wall_clock_forbids(night: Night) -> None:
    start, end = (time(minutes // 60, minutes % 60) for minutes in night.window)
    found = quiet_until(night.at, zones(*night.names), QuietHours(start, end))
    first = first_open(night, night.names)
    if first is None:
        first = first_open(night, night.names[:1])
    assert first is not None
    assert found == (None if first == night.minute else utc(night.change) + first * MINUTE)


CHRISTMAS = Calendar(blackouts=((date(2026, 12, 24), date(2026, 12, 26)),))
NEW_YEAR = Calendar(yearly=(((12, 30), (1, 2)),))
LEAP_DAY = Calendar(yearly=(((2, 29), (2, 29)),))
WINTER_END = Calendar(yearly=(((2, 27), (2, 29)),))
WEEKEND_OFF = Calendar(weekdays=frozenset(range(5)))


@pytest.mark.parametrize(
    ("calendar", "at", "until"),
    [
        (Calendar(), "2026-12-25 12:00", None),
        (CHRISTMAS, "2026-12-24 04:59", None),
        (CHRISTMAS, "2026-12-24 05:00", "2026-12-27 05:00"),
        (CHRISTMAS, "2026-12-27 05:00", None),
        (NEW_YEAR, "2026-12-30 04:59", None),
        (NEW_YEAR, "2026-12-31 12:00", "2027-01-03 05:00"),
        (NEW_YEAR, "2028-01-01 12:00", "2028-01-03 05:00"),
        (LEAP_DAY, "2028-02-29 12:00", "2028-03-01 05:00"),
        (LEAP_DAY, "2027-02-28 12:00", None),
        (LEAP_DAY, "2027-03-01 12:00", None),
        (WINTER_END, "2027-02-28 12:00", "2027-03-01 05:00"),
        # Saturday in UTC, still Friday evening in New York.
        (WEEKEND_OFF, "2026-03-07 03:00", None),
        (WEEKEND_OFF, "2026-03-07 12:00", "2026-03-09 04:00"),
        # Monday in UTC, still Sunday.
        (WEEKEND_OFF, "2026-03-09 03:59", "2026-03-09 04:00"),
    ],
)
def test_closed_days_are_local_days(calendar: Calendar, at: str, until: str | None) -> None:
    assert closed_until(utc(at), zones(NEW_YORK), calendar) == (until and utc(until))


def test_several_zones_wait_until_the_day_is_open_in_all() -> None:
    places = zones("Asia/Tokyo", NEW_YORK)
    assert closed_until(utc("2026-12-23 16:00"), places, CHRISTMAS) == utc("2026-12-27 05:00")
    assert closed_until(utc("2026-12-27 05:00"), places, CHRISTMAS) is None


def test_open_days_that_never_meet_are_judged_in_the_first_zone() -> None:
    places = zones("Pacific/Kiritimati", "Pacific/Honolulu")
    mondays = Calendar(weekdays=frozenset({0}))
    assert closed_until(utc("2026-03-02 00:00"), places, mondays) is None
    assert closed_until(utc("2026-03-02 11:00"), places, mondays) == utc("2026-03-08 10:00")


def test_calendar_closed_for_ever_is_asked_again_after_a_year_and_a_day() -> None:
    never = Calendar(yearly=(((1, 1), (12, 31)),))
    assert closed_until(utc("2026-03-02"), zones("UTC"), never) == utc("2027-03-04")


def test_missing_day_opens_with_the_one_after_it() -> None:
    thursdays_off = Calendar(weekdays=frozenset(range(7)) - {3})
    apia = zones("Pacific/Apia")
    assert closed_until(utc("2011-12-29 20:00"), apia, thursdays_off) == utc("2011-12-30 10:00")


@pytest.mark.parametrize(
    ("name", "at", "clock", "weekday", "moment"),
    [
        (NEW_YORK, "2026-03-02 15:00", "10:00", None, "2026-03-02 15:00"),
        (NEW_YORK, "2026-03-02 15:00:00.000001", "10:00", None, "2026-03-03 15:00"),
        (NEW_YORK, "2026-03-07 16:00", "10:00", None, "2026-03-08 14:00"),
        (NEW_YORK, "2026-03-08 04:00", "02:30", None, "2026-03-08 07:00"),
        (NEW_YORK, "2026-03-08 08:00", "02:30", None, "2026-03-09 06:30"),
        (NEW_YORK, "2026-11-01 04:00", "01:30", None, "2026-11-01 05:30"),
        (NEW_YORK, "2026-11-01 05:31", "01:30", None, "2026-11-02 06:30"),
        (NEW_YORK, "2026-03-03 04:00", "00:00", None, "2026-03-03 05:00"),
        (NEW_YORK, "2026-03-03 04:00", None, 0, "2026-03-03 04:00"),
        (NEW_YORK, "2026-03-03 05:00", None, 0, "2026-03-09 04:00"),
        (NEW_YORK, "2026-03-03 05:00", "10:00", 0, "2026-03-09 14:00"),
        (NEW_YORK, "2026-03-02 16:00", "10:00", 0, "2026-03-09 14:00"),
        (NEW_YORK, "2026-03-02 16:00", None, None, "2026-03-02 16:00"),
        ("Asia/Kathmandu", "2026-03-02 16:00", "10:00", None, "2026-03-03 04:15"),
        # 2011-12-30, a Friday, was no day in Samoa.
        ("Pacific/Apia", "2011-12-29 21:00", "10:00", None, "2011-12-30 20:00"),
        ("Pacific/Apia", "2011-12-29 21:00", None, 4, "2012-01-05 10:00"),
        ("Pacific/Apia", "2011-12-24 11:00", "10:00", 4, "2012-01-05 20:00"),
        # Cairo sprang from midnight to 01:00 on Friday 2026-04-24.
        ("Africa/Cairo", "2026-04-23 12:00", None, 4, "2026-04-23 22:00"),
    ],
)
def test_next_local_time_is_found(
    name: str, at: str, clock: str | None, weekday: int | None, moment: str
) -> None:
    time_of_day = time.fromisoformat(clock) if clock else None
    found = next_local(utc(at), ZoneInfo(name), time_of_day=time_of_day, weekday=weekday)
    assert found == utc(moment)


def test_weekday_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="weekday 7 is not one of 0"):
        next_local(utc("2026-03-02"), ZoneInfo("UTC"), weekday=7)


@pytest.mark.parametrize(
    ("name", "at", "begins", "length"),
    [
        (NEW_YORK, "2026-03-02 03:00", "2026-03-01 05:00", 24 * HOUR),
        (NEW_YORK, "2026-03-08 12:00", "2026-03-08 05:00", 23 * HOUR),
        (NEW_YORK, "2026-11-01 12:00", "2026-11-01 04:00", 25 * HOUR),
        ("Australia/Lord_Howe", "2026-04-04 20:00", "2026-04-04 13:00", 24.5 * HOUR),
        ("Pacific/Apia", "2011-12-30 09:59", "2011-12-29 10:00", 24 * HOUR),
        ("Pacific/Apia", "2011-12-30 10:00", "2011-12-30 10:00", 24 * HOUR),
        ("Africa/Cairo", "2026-04-24 12:00", "2026-04-23 22:00", 23 * HOUR),
    ],
)
def test_local_days_may_be_longer_or_shorter(
    name: str, at: str, begins: str, length: timedelta
) -> None:
    found = local_day_bounds(utc(at), ZoneInfo(name))
    assert found == (utc(begins), utc(begins) + length)


@pytest.mark.parametrize(
    ("name", "at", "month", "following"),
    [
        (NEW_YORK, "2026-12-01 04:59", "2026-11", "2026-12-01 05:00"),
        (NEW_YORK, "2026-12-31 12:00", "2026-12", "2027-01-01 05:00"),
        ("Asia/Tokyo", "2026-01-31 15:00", "2026-02", "2026-02-28 15:00"),
        ("Pacific/Apia", "2011-12-30 10:00", "2011-12", "2011-12-31 10:00"),
    ],
)
def test_months_are_local_months(name: str, at: str, month: str, following: str) -> None:
    assert month_of(utc(at), ZoneInfo(name)) == month
    assert next_month(utc(at), ZoneInfo(name)) == utc(following)


def test_spread_is_the_same_for_a_key_and_fills_the_window() -> None:
    delays = [spread(f"customer {n}", HOUR) for n in range(3600)]
    assert delays == [spread(f"customer {n}", HOUR) for n in range(3600)]
    assert min(delays) >= timedelta(0)
    assert max(delays) < HOUR
    # Thrown at random, 3600 keys leave 1/e of the 3600 seconds empty.
    assert len(set(delays)) == pytest.approx(3600 * 0.632, rel=0.05)
    assert all(delay.microseconds == 0 for delay in delays)


def test_spread_is_the_same_in_every_process() -> None:
    # printf alice | b2sum -l 64, modulo 3600
    assert spread("alice", HOUR) == timedelta(seconds=1129)


def test_window_below_a_second_spreads_nothing() -> None:
    assert spread("alice", timedelta(milliseconds=900)) == timedelta(0)
