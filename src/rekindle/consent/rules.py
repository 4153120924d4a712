"""What the records and the law of the person's country add up to.

Permission is derived at the moment it is needed and never stored, because it can
expire by itself: what was allowed when a journey began may not be when it writes.
"""

from __future__ import annotations

import calendar
from collections.abc import Collection
from datetime import UTC, datetime, time

from rekindle.consent.law import Ground, grounds_of, needs_ground
from rekindle.consent.model import ConsentRecord, LegalStanding, Permission, Rule
from rekindle.vocabulary import Purpose

_TRANSACTIONAL = Permission(True, Rule.TRANSACTIONAL)
_NOT_NEEDED = Permission(True, Rule.NOT_NEEDED)
_EXPRESS = Permission(True, Rule.EXPRESS)
_WITHDRAWN = Permission(False, Rule.WITHDRAWN)
_NO_RECORD = Permission(False, Rule.NO_RECORD)


def decide_permission(
    records: Collection[ConsentRecord], standing: LegalStanding, *, purpose: Purpose, at: datetime
) -> Permission:
    """Return whether one person may be contacted on one channel at ``at``, and why.

    ``records`` are that person's statements about that channel, in any order. The
    newest one made by ``at`` decides, and a withdrawal wins over a grant of the same
    instant. Without one, the grounds of the law (``law.toml``) are tried: a purchase or an
    inquiry, where the business claims it, for as long as that country lets it count. Of
    several that grant it, the one that lasts longest is given. A channel that needs no consent
    needs a ground nonetheless where the law says so.
    """
    if purpose is Purpose.TRANSACTIONAL:
        return _TRANSACTIONAL
    if records and (newest := newest_record(records, at)) is not None:
        return _EXPRESS if newest.granted else _WITHDRAWN
    if not standing.needs_consent and not _is_asked(standing, at):
        return _NOT_NEEDED
    places: tuple[str | None, ...] = standing.places or (None,)
    return min((_try_grounds(place, standing, at) for place in places), key=_lasting)


def newest_record(records: Collection[ConsentRecord], at: datetime) -> ConsentRecord | None:
    """Return the record that decides at ``at``: the newest by then, of a tie the no."""
    known = (record for record in records if record.at <= at)
    return max(known, key=lambda record: (record.at, not record.granted), default=None)


def _is_asked(standing: LegalStanding, at: datetime) -> bool:
    """Return whether the law of any place somebody may live in asks for a ground."""
    on = at.astimezone(UTC).date()
    return any(needs_ground(place, standing.channel, on) for place in standing.places)


def _try_grounds(place: str | None, standing: LegalStanding, at: datetime) -> Permission:
    grounds = grounds_of(place, standing.channel, at.astimezone(UTC).date())
    found = [one for ground in grounds if (one := _try(ground, standing, at)) is not None]
    return max(found, key=_lasting, default=_NO_RECORD)


def _lasting(one: Permission) -> tuple[bool, bool, datetime]:
    """Return how good a permission is: granted before not, and the longer the better."""
    return one.is_granted, one.until is None, one.until or datetime.min.replace(tzinfo=UTC)


def _try(ground: Ground, standing: LegalStanding, at: datetime) -> Permission | None:
    """Return what a ground says of somebody; None if nothing they did speaks for it."""
    if ground.claim is not None and ground.claim not in standing.claims:
        return None
    dates = {"purchase": standing.bought_at, "inquiry": standing.inquired_at}
    since = datetime.combine(ground.since, time.min, UTC)
    deeds = [
        done
        for deed in ground.after
        if (done := dates[deed]) is not None
        and done <= at
        and (ground.is_retroactive or done >= since)
    ]
    if not deeds:
        return None
    if ground.months is None:
        return Permission(True, ground.rule, law=ground.id)
    until = _add_months(max(deeds), ground.months)
    if at <= until:
        return Permission(True, ground.rule, until, ground.id)
    return Permission(False, Rule.EXPIRED, until, ground.id)


def _add_months(at: datetime, months: int) -> datetime:
    """Return the same day and time ``months`` later, or that month's last day."""
    years, month = divmod(at.month - 1 + months, 12)
    year, month = at.year + years, month + 1
    day = min(at.day, calendar.monthrange(year, month)[1])
    return at.replace(year=year, month=month, day=day)
