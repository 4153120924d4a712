"""When it is night, a closed day or Tuesday 10:00 where a person lives.

Pure functions of an instant and the person's zones; the caller brings the clock. Exact
over both daylight changes, half-hour ones, and the day that Samoa never had.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from hashlib import blake2b
from zoneinfo import ZoneInfo

from rekindle.consent import Week

DAY = 86_400
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY = date(1970, 1, 1).toordinal()
ONE_DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)

# Nights repeat daily: zones that share no open moment in two days share none at all,
# daylight changes aside.
NIGHT_HORIZON = 2 * DAY
# Seasons repeat yearly: a calendar still closed after a year and a day never opens.
CALENDAR_HORIZON_DAYS = 367
# A week that is open at all is open again within a week, daylight changes aside.
WEEK_HORIZON_DAYS = 8
# Today's time may have passed, and the same weekday a week on may be a skipped day.
FURTHEST_WEEKDAY = 14


@dataclass(frozen=True, slots=True)
class QuietHours:
    """The local times of day, in whole seconds, at which nobody is written to.

    Quiet from ``start`` up to but not at ``end``; ``start`` after ``end`` crosses
    midnight, ``start == end`` means none.
    """

    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Calendar:
    """The local days on which messages may go out.

    ``blackouts`` are first and last closed day; ``yearly`` the same as (month, day) for
    every year, and may cross the new year; ``weekdays`` are the open ones (Monday 0),
    none named meaning all. A window from and to 29 February exists in leap years only.
    """

    blackouts: tuple[tuple[date, date], ...] = ()
    yearly: tuple[tuple[tuple[int, int], tuple[int, int]], ...] = ()
    weekdays: frozenset[int] = frozenset()

    def is_open(self, day: date) -> bool:
        """Return whether messages may go out on this local day."""
        return (
            (not self.weekdays or day.weekday() in self.weekdays)
            and not any(first <= day <= last for first, last in self.blackouts)
            and not any(_is_in_season(day, *season) for season in self.yearly)
        )


@lru_cache(maxsize=1024)  # a batch of people is of one instant and of few zones
def quiet_until(at: datetime, zones: tuple[ZoneInfo, ...], hours: QuietHours) -> datetime | None:
    """Return the first UTC instant after ``at`` at which no zone is quiet, or None if now.

    An hour lived twice in autumn is quiet from the first occurrence of ``start`` to the
    last of ``end``; a time skipped in spring stands for the end of the gap. Where the
    zones have no open moment in common within two days, the first zone alone decides.
    """
    start, end = _second_of_day(hours.start), _second_of_day(hours.end)
    if start == end:
        return None
    now = _seconds(at)
    if len(zones) == 1:
        until = _night_end(now, zones[0], start, end)
    else:
        until = _first_clear(
            now, zones, NIGHT_HORIZON, lambda moment, zone: _night_end(moment, zone, start, end)
        )
    return None if until == now else _instant(until)


def closed_until(at: datetime, zones: tuple[ZoneInfo, ...], calendar: Calendar) -> datetime | None:
    """Return when the first local day starts that is open in every zone, or None if now.

    Where the zones' open days never meet, the first zone alone decides. A calendar that
    stays closed for a year and a day gives the end of that time, to be asked again then.
    """
    now = _seconds(at)
    horizon = CALENDAR_HORIZON_DAYS * DAY
    until = _first_clear(
        now, zones, horizon, lambda moment, zone: _closing_end(moment, zone, calendar)
    )
    return None if until == now else _instant(until)


@lru_cache(maxsize=1024)  # a batch of messages is of one instant and of few zones
def quiet_from(at: datetime, zones: tuple[ZoneInfo, ...], hours: QuietHours) -> datetime | None:
    """Return the first UTC instant, ``at`` or later, at which a zone is quiet; None for never.

    Where ``quiet_until`` lets the first zone alone decide, so does this.
    """
    start, end = _second_of_day(hours.start), _second_of_day(hours.end)
    if start == end:
        return None
    now = _seconds(at)
    is_loud = all(_night_end(now, zone, start, end) == now for zone in zones)
    asked = zones if is_loud else zones[:1]
    falls = min(_nightfall(now, zone, start, end) for zone in asked)
    return max(at, _instant(falls))


def closed_from(
    at: datetime, zones: tuple[ZoneInfo, ...], calendar: Calendar, *, until: datetime
) -> datetime | None:
    """Return when the first closed day begins in one of the zones, ``at`` or later.

    None where no day is closed before ``until``. Where ``closed_until`` lets the first zone
    alone decide, so does this.
    """
    found: datetime | None = None
    is_open = all(calendar.is_open(at.astimezone(zone).date()) for zone in zones)
    for zone in zones if is_open else zones[:1]:
        day, begins = at.astimezone(zone).date(), at
        while begins < until and calendar.is_open(day):
            day += ONE_DAY
            begins = _day_start(day, zone)
        if begins < until:
            found = until = begins
    return found


def barred_until(at: datetime, zones: tuple[ZoneInfo, ...], week: Week) -> datetime | None:
    """Return when the hours of a week are open in every zone, or None if now.

    Where the zones' hours never meet within a week, the first zone alone decides. An hour
    lived twice counts as closed where either of them is.
    """
    now = _seconds(at)
    until = _first_clear(
        now, zones, WEEK_HORIZON_DAYS * DAY, lambda moment, zone: _opening(moment, zone, week)
    )
    return None if until == now else _instant(until)


def barred_from(at: datetime, zones: tuple[ZoneInfo, ...], week: Week) -> datetime:
    """Return the first UTC instant, ``at`` or later, at which the hours of a week are closed.

    Where ``barred_until`` lets the first zone alone decide, so does this.
    """
    now = _seconds(at)
    is_open = all(_opening(now, zone, week) == now for zone in zones)
    closings = [_closing(now, zone, week) for zone in (zones if is_open else zones[:1])]
    return max(at, _instant(min(closings)))


def next_local(
    at: datetime, zone: ZoneInfo, *, time_of_day: time | None = None, weekday: int | None = None
) -> datetime:
    """Return the first UTC instant, ``at`` or later, with that local time and weekday.

    ``weekday`` (Monday 0) alone means ``at`` if it is that day, else the start of the
    next such day; neither means ``at``. A skipped time stands for the end of its gap, a
    repeated one for its first occurrence, and a skipped day is no day.
    """
    day = at.astimezone(zone).date()
    if time_of_day is None and weekday in (None, day.weekday()):
        return at.astimezone(UTC)
    wanted = time.min if time_of_day is None else time_of_day
    for candidate in (day + ahead * ONE_DAY for ahead in range(FURTHEST_WEEKDAY + 1)):
        if weekday in (None, candidate.weekday()) and _exists(candidate, zone):
            moment = _instant(_occurrences(datetime.combine(candidate, wanted), zone)[0])
            if moment >= at:
                return moment
    raise ValueError(f"weekday {weekday} is not one of 0 (Monday) to 6 (Sunday)")


def local_day_bounds(at: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the UTC instants at which the local day of ``at`` begins and has ended."""
    day = at.astimezone(zone).date()
    return _day_start(day, zone), _day_start(day + ONE_DAY, zone)


def month_of(at: datetime, zone: ZoneInfo) -> str:
    """Return the local month of ``at``, as in "2026-11"."""
    local = at.astimezone(zone)
    return f"{local.year:04}-{local.month:02}"


def next_month(at: datetime, zone: ZoneInfo) -> datetime:
    """Return the UTC instant at which the next local month begins."""
    first = at.astimezone(zone).date().replace(day=1)
    return _day_start((first + 31 * ONE_DAY).replace(day=1), zone)


def spread(key: str, window: timedelta) -> timedelta:
    """Return a delay of whole seconds below ``window``, always the same for ``key``.

    Zero for a window of a second or less.
    """
    seconds = int(window.total_seconds())
    if seconds <= 1:
        return timedelta(0)
    digest = blake2b(key.encode(), digest_size=8).digest()
    return timedelta(seconds=int.from_bytes(digest) % seconds)


def offset_at(zone: ZoneInfo, second: int) -> int:
    """Return the zone's distance from UTC at an epoch second, in whole seconds."""
    return _wall_offset(datetime.fromtimestamp(second, zone), zone)


def offset_change(zone: ZoneInfo, low: int, high: int) -> int:
    """Return the first second of epoch time whose offset is no longer that at ``low``.

    Expects one change after ``low``, at ``high`` or before.
    """
    before = offset_at(zone, low)
    while high - low > 1:
        middle = (low + high) // 2
        if offset_at(zone, middle) == before:
            low = middle
        else:
            high = middle
    return high


def _first_clear(
    now: int,
    zones: tuple[ZoneInfo, ...],
    horizon: int,
    end_of: Callable[[int, ZoneInfo], int],
) -> int:
    """Return the first moment that ``end_of`` leaves alone in every zone, else in the first.

    ``end_of`` gives the moment itself when nothing is against it, else a later one.
    """
    moment, latest = now, now + horizon
    while moment <= latest:
        later = moment
        for zone in zones:
            later = end_of(later, zone)
        if later == moment:
            return moment
        moment = later
    return end_of(now, zones[0])


def _night_end(now: int, zone: ZoneInfo, start: int, end: int) -> int:
    """Return when the quiet hours that hold ``now`` end; ``now`` itself outside them."""
    offset = _steady_offset(zone, now // DAY)
    if offset is None:
        return _unsteady_night_end(now, zone, start, end)
    second = (now + offset) % DAY
    if start < end:
        return now + end - second if start <= second < end else now
    if second >= start:
        return now + end - second + DAY
    return now + end - second if second < end else now


def _unsteady_night_end(now: int, zone: ZoneInfo, start: int, end: int) -> int:
    """Return the same near a change of offset, where nights may overlap."""
    today = (now + offset_at(zone, now)) // DAY
    for day in range(today - 1, today + 2):
        falls, ends = _night(zone, day, start, end)
        if falls <= now < ends:
            now = ends
    return now


def _nightfall(now: int, zone: ZoneInfo, start: int, end: int) -> int:
    """Return when the quiet hours begin that hold ``now``, or the first after it."""
    today = (now + offset_at(zone, now)) // DAY
    # Yesterday's night may hold now, and today's have ended.
    nights = (_night(zone, day, start, end) for day in range(today - 1, today + 3))
    return min(falls for falls, ends in nights if ends > now)


def _opening(now: int, zone: ZoneInfo, week: Week) -> int:
    """Return when the hours that hold ``now``, or the next ones, began or begin."""
    today = (now + offset_at(zone, now)) // DAY
    for day in range(today, today + WEEK_HORIZON_DAYS + 1):
        opens, closes = _hours(zone, day, week)
        if opens < closes and now < closes:
            return max(now, opens)
    return now + WEEK_HORIZON_DAYS * DAY


def _closing(now: int, zone: ZoneInfo, week: Week) -> int:
    """Return when the hours that hold ``now`` end; ``now`` itself outside them."""
    moment = now
    today = (now + offset_at(zone, now)) // DAY
    for day in range(today, today + WEEK_HORIZON_DAYS):
        opens, closes = _hours(zone, day, week)
        if not opens <= moment < closes:
            return moment
        moment = closes
    return moment


@lru_cache(maxsize=16_384)
def _hours(zone: ZoneInfo, day: int, week: Week) -> tuple[int, int]:
    """Return the epoch seconds between which a local day is open; the same two for never."""
    midnight = datetime.fromordinal(EPOCH_DAY + day)
    first, last = week.days[midnight.weekday()]
    opens = _occurrences(midnight + timedelta(seconds=first), zone)[1]
    closes = _occurrences(midnight + timedelta(seconds=last), zone)[0]
    return opens, max(opens, closes)


@lru_cache(maxsize=4096)
def _night(zone: ZoneInfo, day: int, start: int, end: int) -> tuple[int, int]:
    """Return the epoch seconds at which the quiet hours of one local day begin and end."""
    midnight = datetime.fromordinal(EPOCH_DAY + day)
    falls = midnight + timedelta(seconds=start)
    ends = midnight + timedelta(seconds=end if start < end else end + DAY)
    return _occurrences(falls, zone)[0], _occurrences(ends, zone)[1]


def _closing_end(now: int, zone: ZoneInfo, calendar: Calendar) -> int:
    """Return when the first open local day begins; ``now`` itself on an open day."""
    offset = _steady_offset(zone, now // DAY)
    if offset is None:
        offset = offset_at(zone, now)
    today = (now + offset) // DAY
    opens = _first_open_day(calendar, today)
    if opens == today:
        return now
    return _occurrences(datetime.fromordinal(EPOCH_DAY + opens), zone)[0]


@lru_cache(maxsize=4096)
def _first_open_day(calendar: Calendar, day: int) -> int:
    """Return the first open day, as days since the epoch, within a year and a day."""
    for candidate in range(day, day + CALENDAR_HORIZON_DAYS):
        if calendar.is_open(date.fromordinal(EPOCH_DAY + candidate)):
            return candidate
    return day + CALENDAR_HORIZON_DAYS


def _is_in_season(day: date, first: tuple[int, int], last: tuple[int, int]) -> bool:
    today = (day.month, day.day)
    if first <= last:
        return first <= today <= last
    return today >= first or today <= last


@lru_cache(maxsize=16_384)
def _steady_offset(zone: ZoneInfo, day: int) -> int | None:
    """Return the zone's offset if it holds through the UTC day and those beside it.

    Within such a day the local time is plain arithmetic, a whole night ahead and back.
    """
    begin = day * DAY
    offset = offset_at(zone, begin)
    around = (begin - DAY, begin + DAY, begin + 2 * DAY)
    return offset if all(offset_at(zone, second) == offset for second in around) else None


@lru_cache(maxsize=16_384)
def _occurrences(local: datetime, zone: ZoneInfo) -> tuple[int, int]:
    """Return the epoch seconds of the first and last occurrence of a local time.

    The two differ only for a repeated time; for a skipped one both are the gap's end.
    """
    wall = _seconds(local.replace(tzinfo=UTC))
    first = wall - _wall_offset(local, zone)
    last = wall - _wall_offset(local.replace(fold=1), zone)
    if last < first:
        first = last = offset_change(zone, last, first)
    return first, last


def _day_start(day: date, zone: ZoneInfo) -> datetime:
    return _instant(_occurrences(datetime.combine(day, time.min), zone)[0])


def _exists(day: date, zone: ZoneInfo) -> bool:
    return _day_start(day, zone) < _day_start(day + ONE_DAY, zone)


def _wall_offset(local: datetime, zone: ZoneInfo) -> int:
    offset = zone.utcoffset(local)
    assert offset is not None, zone  # a ZoneInfo always knows it
    return offset // SECOND


def _seconds(at: datetime) -> int:
    since = at - EPOCH
    return since.days * DAY + since.seconds


def _instant(second: int) -> datetime:
    return EPOCH + timedelta(seconds=second)


@lru_cache(maxsize=1024)
def _second_of_day(moment: time) -> int:
    return moment.hour * 3600 + moment.minute * 60 + moment.second
