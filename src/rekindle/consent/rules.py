"""What the records and the law of the person's country add up to.

Permission is derived at the moment it is needed and never stored, because it can
expire by itself: what was allowed when a journey began may not be when it writes.
"""

from __future__ import annotations

import calendar
from collections.abc import Collection
from datetime import datetime

from rekindle.consent.model import ConsentRecord, Permission, Rule
from rekindle.countries import country_code
from rekindle.vocabulary import Purpose

CANADA = "CA"
# CASL s.10(10)(a): a purchase implies consent for two years.
CASL_PURCHASE_MONTHS = 24

_TRANSACTIONAL = Permission(True, Rule.TRANSACTIONAL)
_NOT_NEEDED = Permission(True, Rule.NOT_NEEDED)
_EXPRESS = Permission(True, Rule.EXPRESS)
_SOFT_OPT_IN = Permission(True, Rule.SOFT_OPT_IN)
_IMPLIED = Permission(True, Rule.IMPLIED_BY_PURCHASE)
_WITHDRAWN = Permission(False, Rule.WITHDRAWN)
_EXPIRED = Permission(False, Rule.EXPIRED)
_NO_RECORD = Permission(False, Rule.NO_RECORD)


def decide_permission(
    records: Collection[ConsentRecord],
    *,
    purpose: Purpose,
    country: str | None,
    last_purchase_at: datetime | None,
    soft_opt_in: bool,
    at: datetime,
    needs_consent: bool = True,
) -> Permission:
    """Return whether one person may be contacted on one channel at ``at``, and why.

    ``records`` are that person's statements about that channel, in any order. The
    newest one made by ``at`` decides, and a withdrawal wins over a grant of the same
    instant. Without one, a purchase is the ground where the business claims the soft
    opt-in: UK PECR reg. 22(3) and EU Directive 2002/58/EC art. 13(2) until the person
    objects, in Canada (``country`` "CA") for 24 months (CASL s.10(10)(a)). A channel that
    no law asks consent for (``needs_consent`` False) is closed by a withdrawal alone.
    """
    if purpose is Purpose.TRANSACTIONAL:
        return _TRANSACTIONAL
    if records and (newest := newest_record(records, at)) is not None:
        return _EXPRESS if newest.granted else _WITHDRAWN
    if not needs_consent:
        return _NOT_NEEDED
    if not soft_opt_in or last_purchase_at is None or last_purchase_at > at:
        return _NO_RECORD
    if country_code(country) != CANADA:
        return _SOFT_OPT_IN
    return _IMPLIED if at <= _add_months(last_purchase_at, CASL_PURCHASE_MONTHS) else _EXPIRED


def newest_record(records: Collection[ConsentRecord], at: datetime) -> ConsentRecord | None:
    """Return the record that decides at ``at``: the newest by then, of a tie the no."""
    known = (record for record in records if record.at <= at)
    return max(known, key=lambda record: (record.at, not record.granted), default=None)


def _add_months(at: datetime, months: int) -> datetime:
    """Return the same day and time ``months`` later, or that month's last day."""
    years, month = divmod(at.month - 1 + months, 12)
    year, month = at.year + years, month + 1
    day = min(at.day, calendar.monthrange(year, month)[1])
    return at.replace(year=year, month=month, day=day)
