"""The law is data: checked as it is loaded, and in force from its day to its last."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from rekindle import consent
from rekindle.consent import (
    LegalStanding,
    Permission,
    Rule,
    decide_permission,
    hours_of,
    load_law,
    parse_law,
    refusal_of,
    tracking_of,
)
from rekindle.vocabulary import Channel, Purpose

EMAIL, SMS, CALL = Channel("email"), Channel("sms"), Channel("call")
DAY = timedelta(days=1)
HOUR = 3600
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
BOTH = frozenset({"soft_opt_in", "charity_soft_opt_in"})
SHIPPED = (Path(consent.__file__).parent / "law.toml").read_text(encoding="utf-8")


def ask(
    place: str | None,
    channel: Channel,
    at: datetime,
    *,
    bought: datetime | None = None,
    inquired: datetime | None = None,
    claims: frozenset[str] = BOTH,
) -> Permission:
    standing = LegalStanding(channel, (place,) if place else (), bought, inquired, claims)
    return decide_permission((), standing, purpose=Purpose.MARKETING, at=at)


def on(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_every_row_names_its_source_and_when_it_was_written() -> None:
    rows = list(load_law().rows)
    assert len(rows) > 15
    assert all(row.source for row in rows)
    assert all(row.written >= date(2026, 11, 28) for row in rows)


@pytest.mark.parametrize(
    ("was", "now", "complaint"),
    [
        ('id = "us-tx"', 'id = "us"', "two rows"),
        ('places = ["US-TX"]', 'places = ["XX"]', "no place of ISO 3166"),
        ('places = ["US-TX"]', 'places = ["Texas"]', "places"),
        ("opens = 12:00:00", "opens = 22:00:00", "before it opens"),
        ('days = ["sun"]', 'days = ["sonntag"]', "days"),
        ("months = 24", "months = 0", "months"),
        ('rule = "implied_by_purchase"', 'rule = "transactional"', "is no ground"),
        ("since = 2027-01-31", "since = 2027-01-31\nuntil = 2027-01-30", "before it begins"),
        ('ends = "everything"', 'ends = "something"', "ends"),
        ('source = "Fla. Stat. 501.616(6)(a)"', 'source = ""', "source"),
        ('id = "us-fl"', 'id = "us-fl"\ntypo = 1', "typo"),
    ],
)
def test_a_row_that_makes_no_sense_is_refused(was: str, now: str, complaint: str) -> None:
    assert was in SHIPPED
    with pytest.raises(ValueError, match=complaint):
        parse_law(SHIPPED.replace(was, now, 1))


@pytest.mark.parametrize(
    ("place", "channel", "rule"),
    [
        ("GB", EMAIL, Rule.SOFT_OPT_IN),
        ("GB", SMS, Rule.SOFT_OPT_IN),
        ("GB", CALL, Rule.NO_RECORD),
        ("DE", EMAIL, Rule.SOFT_OPT_IN),
        ("DE", Channel("audience"), Rule.NO_RECORD),
        ("US", EMAIL, Rule.SOFT_OPT_IN),
        ("US", SMS, Rule.NO_RECORD),
        ("US-TX", SMS, Rule.NO_RECORD),
        ("PR", SMS, Rule.NO_RECORD),
        ("CA", SMS, Rule.IMPLIED_BY_PURCHASE),
        ("BR", CALL, Rule.SOFT_OPT_IN),
        (None, SMS, Rule.SOFT_OPT_IN),
    ],
)
def test_a_purchase_speaks_for_the_channels_the_law_names(
    place: str | None, channel: Channel, rule: Rule
) -> None:
    at = on("2026-03-01")
    claims = frozenset({"soft_opt_in"})
    assert ask(place, channel, at, bought=at - 30 * DAY, claims=claims).rule is rule


def test_of_two_places_the_strictest_counts() -> None:
    at = on("2026-03-01")
    for places in (("GB", "US"), ("US", "GB")):
        standing = LegalStanding(SMS, places, at - DAY, claims=BOTH)
        assert not decide_permission((), standing, purpose=Purpose.MARKETING, at=at).is_granted
    standing = LegalStanding(EMAIL, ("GB", "CA"), at - DAY, claims=BOTH)
    found = decide_permission((), standing, purpose=Purpose.MARKETING, at=at)
    assert found.rule is Rule.IMPLIED_BY_PURCHASE


@pytest.mark.parametrize(
    ("inquired", "at", "rule"),
    [
        ("2026-01-31", "2026-07-31", Rule.IMPLIED_BY_INQUIRY),
        ("2026-01-31", "2026-07-31T00:00:01", Rule.EXPIRED),
        ("2025-08-31", "2026-02-28", Rule.IMPLIED_BY_INQUIRY),
        ("2025-08-31", "2026-03-01", Rule.EXPIRED),
    ],
)
def test_canadian_inquiry_counts_for_six_months(inquired: str, at: str, rule: Rule) -> None:
    assert ask("CA", EMAIL, on(at), inquired=on(inquired)).rule is rule


def test_of_purchase_and_inquiry_the_one_that_lasts_longer_is_the_ground() -> None:
    at = on("2026-03-01")
    found = ask("CA", EMAIL, at, bought=on("2024-03-15"), inquired=on("2026-02-01"))
    assert (found.rule, found.until) == (Rule.IMPLIED_BY_INQUIRY, on("2026-08-01"))
    found = ask("CA", EMAIL, at, bought=on("2025-03-15"), inquired=on("2026-02-01"))
    assert (found.rule, found.until) == (Rule.IMPLIED_BY_PURCHASE, on("2027-03-15"))


@pytest.mark.parametrize(
    ("supported", "at", "granted"),
    [
        ("2026-02-04T23:59:59", "2026-03-01", False),  # not retroactive
        ("2026-02-05", "2026-03-01", True),
        ("2026-02-05", "2026-02-05", True),
    ],
)
def test_british_charity_form_is_of_contacts_since_its_day(
    supported: str, at: str, granted: bool
) -> None:
    claims = frozenset({"charity_soft_opt_in"})
    for deed in ("bought", "inquired"):
        found = ask("GB", EMAIL, on(at), claims=claims, **{deed: on(supported)})
        assert found.is_granted is granted
        assert found.rule is (Rule.CHARITY_SOFT_OPT_IN if granted else Rule.NO_RECORD)
    assert not ask("FR", EMAIL, on(at), bought=on(supported), claims=claims).is_granted


@pytest.mark.parametrize("place", ["FR", "RE", "GP", "MQ", "GF", "YT", "MF", "AX"])
def test_places_of_the_union_with_codes_of_their_own_have_its_law(place: str) -> None:
    at = on("2026-11-30")
    assert ask(place, EMAIL, at, bought=on("2026-01-01")).rule is Rule.SOFT_OPT_IN
    assert not ask(place, Channel("push"), at, bought=on("2026-01-01")).is_granted
    assert (tracking_of(place, EMAIL, at.date()) is None) is (place == "AX")


def test_poland_has_no_soft_opt_in() -> None:
    assert not ask("PL", EMAIL, on("2026-11-30"), bought=on("2026-11-01")).is_granted


def test_calls_to_canada_have_hours_and_its_texts_none() -> None:
    week = hours_of(("CA",), CALL, date(2026, 11, 30))
    assert week is not None
    assert week.days[0] == (9 * HOUR, 21 * HOUR + HOUR // 2)
    assert week.days[6] == (10 * HOUR, 18 * HOUR)
    assert hours_of(("CA",), SMS, date(2026, 11, 30)) is None


def test_before_a_law_the_claim_of_the_business_counts() -> None:
    bought = on("2010-01-01")
    assert ask("CA", EMAIL, on("2014-06-30"), bought=bought).rule is Rule.SOFT_OPT_IN
    assert ask("CA", EMAIL, on("2014-07-01"), bought=bought).rule is Rule.EXPIRED


@pytest.mark.parametrize(
    ("places", "day", "weekday", "sunday"),
    [
        (("US-TX",), "2025-08-31", (8, 21), (8, 21)),
        (("US-TX",), "2025-09-01", (9, 21), (12, 21)),
        (("US-FL",), "2026-01-01", (8, 20), (8, 20)),
        (("US-NY",), "2026-01-01", (8, 21), (8, 21)),
        (("US",), "2026-01-01", (9, 20), (12, 20)),
        (("US-FL", "US-TX"), "2026-01-01", (9, 20), (12, 20)),
        (("GB", "US-TX"), "2026-01-01", (9, 21), (12, 21)),
    ],
)
def test_hours_are_those_of_every_place_that_may_bind(
    places: tuple[str, ...], day: str, weekday: tuple[int, int], sunday: tuple[int, int]
) -> None:
    week = hours_of(places, SMS, date.fromisoformat(day))
    assert week is not None
    assert week.days[2] == (weekday[0] * HOUR, weekday[1] * HOUR)
    assert week.days[6] == (sunday[0] * HOUR, sunday[1] * HOUR)
    assert hours_of(places, EMAIL, date.fromisoformat(day)) is None


def test_no_law_of_hours_where_there_is_none() -> None:
    assert hours_of(("GB",), SMS, date(2026, 1, 1)) is None
    assert hours_of((), SMS, date(2026, 1, 1)) is None


def test_a_stop_ends_all_from_the_day_of_the_rule() -> None:
    assert refusal_of(["US-TX"], SMS, date(2027, 1, 30)) is None
    assert refusal_of(["US-TX"], SMS, date(2027, 1, 31)) is not None
    assert refusal_of(["US"], EMAIL, date(2027, 1, 31)) is None
    assert refusal_of(["CA"], SMS, date(2027, 1, 31)) is None


def test_opens_need_consent_in_france_but_for_deliverability() -> None:
    assert tracking_of("FR", EMAIL, date(2026, 7, 13)) is None
    found = tracking_of("FR", EMAIL, date(2026, 7, 14))
    assert found is not None
    assert found.exempt == ("deliverability",)
    assert tracking_of("DE", EMAIL, date(2026, 7, 14)) is None
    assert tracking_of(None, EMAIL, date(2026, 7, 14)) is None


@pytest.mark.parametrize(
    ("places", "bought", "claims", "rule"),
    [
        (("DE",), None, (), Rule.NOT_NEEDED),
        ((), None, (), Rule.NOT_NEEDED),
        (("GB",), None, (), Rule.NO_RECORD),
        (("GB",), NOON - DAY, ("soft_opt_in",), Rule.SOFT_OPT_IN),
        (("DE", "GB"), None, (), Rule.NO_RECORD),
    ],
)
def test_in_app_messages_need_a_ground_where_the_law_says_so(
    places: tuple[str, ...], bought: datetime | None, claims: tuple[str, ...], rule: Rule
) -> None:
    standing = LegalStanding(
        Channel("inapp"), places, bought, claims=frozenset(claims), needs_consent=False
    )
    answer = decide_permission((), standing, purpose=Purpose.MARKETING, at=NOON)
    assert answer.rule is rule
