"""Permission follows from the records, the purpose and the law, in that order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rekindle.consent import ConsentRecord, LegalStanding, Permission, Rule, decide_permission
from rekindle.vocabulary import Channel, Purpose

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def record(granted: bool, at: datetime) -> ConsentRecord:
    return ConsentRecord("alice", Channel("email"), granted, at, "form")


GRANT = record(True, NOW - 10 * DAY)
WITHDRAWAL = record(False, NOW - 5 * DAY)


def permission(
    *records: ConsentRecord,
    purpose: Purpose = Purpose.MARKETING,
    country: str | None = "GB",
    bought: datetime | None = None,
    soft_opt_in: bool = False,
    at: datetime = NOW,
) -> Permission:
    claims = frozenset({"soft_opt_in"} if soft_opt_in else ())
    places = (country,) if country else ()
    standing = LegalStanding(Channel("email"), places, bought, claims=claims)
    return decide_permission(records, standing, purpose=purpose, at=at)


@pytest.mark.parametrize(
    ("records", "granted", "rule"),
    [
        ((), False, Rule.NO_RECORD),
        ((GRANT,), True, Rule.EXPRESS),
        ((WITHDRAWAL,), False, Rule.WITHDRAWN),
        ((GRANT, WITHDRAWAL), False, Rule.WITHDRAWN),
        ((WITHDRAWAL, GRANT), False, Rule.WITHDRAWN),
        ((WITHDRAWAL, record(True, NOW - DAY)), True, Rule.EXPRESS),
        ((record(True, NOW), record(False, NOW)), False, Rule.WITHDRAWN),
        ((record(False, NOW), record(True, NOW)), False, Rule.WITHDRAWN),
        ((GRANT, record(False, NOW + DAY)), True, Rule.EXPRESS),
        ((record(True, NOW + DAY),), False, Rule.NO_RECORD),
    ],
)
def test_newest_record_known_decides(
    records: tuple[ConsentRecord, ...], granted: bool, rule: Rule
) -> None:
    assert permission(*records) == Permission(granted, rule)


def test_transactional_mail_needs_no_consent() -> None:
    answer = permission(WITHDRAWAL, purpose=Purpose.TRANSACTIONAL)
    assert answer == Permission(True, Rule.TRANSACTIONAL)


@pytest.mark.parametrize("country", ["GB", "DE", "FR", None, "Atlantis"])
def test_soft_opt_in_needs_the_claim_and_a_purchase(country: str | None) -> None:
    bought = NOW - 900 * DAY
    assert permission(country=country, bought=bought, soft_opt_in=True).rule is Rule.SOFT_OPT_IN
    assert permission(country=country, bought=bought).rule is Rule.NO_RECORD
    assert permission(country=country, soft_opt_in=True).rule is Rule.NO_RECORD


def test_withdrawal_wins_over_the_soft_opt_in() -> None:
    assert not permission(WITHDRAWAL, bought=NOW - DAY, soft_opt_in=True).is_granted


def test_purchase_of_tomorrow_is_no_ground_today() -> None:
    assert permission(bought=NOW + DAY, soft_opt_in=True).rule is Rule.NO_RECORD


@pytest.mark.parametrize(
    ("bought", "at", "rule"),
    [
        (datetime(2024, 3, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC), "implied_by_purchase"),
        (datetime(2024, 3, 1, tzinfo=UTC), datetime(2026, 3, 1, 0, 0, 1, tzinfo=UTC), "expired"),
        (
            datetime(2024, 2, 29, tzinfo=UTC),
            datetime(2026, 2, 28, tzinfo=UTC),
            "implied_by_purchase",
        ),
        (datetime(2024, 2, 29, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC), "expired"),
        (
            datetime(2024, 12, 31, tzinfo=UTC),
            datetime(2026, 12, 31, tzinfo=UTC),
            "implied_by_purchase",
        ),
    ],
)
@pytest.mark.parametrize("country", ["CA", "ca ", "Canada"])
def test_canadian_consent_by_purchase_ends_after_24_calendar_months(
    bought: datetime, at: datetime, rule: str, country: str
) -> None:
    assert permission(country=country, bought=bought, soft_opt_in=True, at=at).rule == rule


def test_canadian_express_consent_does_not_expire() -> None:
    old = record(True, NOW - 4000 * DAY)
    assert permission(old, country="CA").rule is Rule.EXPRESS


def test_canadian_purchase_is_no_ground_when_none_is_claimed() -> None:
    assert permission(country="CA", bought=NOW - DAY).rule is Rule.NO_RECORD
