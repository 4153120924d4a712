"""Which offer goes with a message: the least, never two at once, never below the floor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from rekindle.offers import (
    Choice,
    GivenOffer,
    HouseOffers,
    PastOffer,
    Receiver,
    Redemptions,
    Stock,
    Wanted,
    choose_offer,
    end_of,
    expect_share,
    parse_offers,
    review_offer,
)
from rekindle.vocabulary import Reason

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAY = timedelta(days=1)
UTC_ZONE = (ZoneInfo("UTC"),)
OFFERS = parse_offers(
    """
offers:
  small: {kind: amount_off, amount: 4, codes: none}
  middle: {kind: amount_off, amount: 8, codes: own, budget: 100}
  large: {kind: amount_off, amount: 20, codes: own}
  access: {kind: early_access, to: the sale, codes: none}
ladders:
  up:
    - offer: small
    - offer: middle
    - {offer: large, when: "value_band = 'high'"}
"""
)
HOUSE = HouseOffers(OFFERS, Decimal("0.4"), Decimal("0.1"), 60 * DAY)
UP, MIDDLE = Wanted("up", is_ladder=True), Wanted("middle")
WHO = Receiver(NOW, ("lapsed", 0), UTC_ZONE, Decimal(100), (), had_message=True)
PLENTY = {"middle": Stock(9), "large": Stock(9)}


def past(
    cost: int, ends: timedelta, *, course: str = "lapsed", redeemed: bool = False
) -> PastOffer:
    """Return an offer given 30 days before its end, ``ends`` from now."""
    ends_at = NOW + ends
    at = ends_at - DAY if redeemed else None
    return PastOffer("older", (course, 0), ends_at - 30 * DAY, ends_at, cost * 1_000_000, at)


def choose(
    wanted: Wanted = UP,
    who: Receiver = WHO,
    *,
    house: HouseOffers = HOUSE,
    rungs: int = 3,
    stock: Mapping[str, Stock] = PLENTY,
) -> Choice:
    eligible = list(OFFERS.candidates(wanted))[:rungs]
    return choose_offer(wanted, eligible, who, house, stock)


def given(**change: object) -> str | Reason | None:
    """Return the name of what the ladder gives, or why it gives nothing."""
    found = choose(who=replace(WHO, **change))  # type: ignore[arg-type]
    return found.give.offer if found.give is not None else found.refusal


def test_the_least_comes_first_and_says_why() -> None:
    found = choose().give
    assert found is not None
    assert (found.offer, found.rung, found.cost_micros) == ("small", 1, 4_000_000)
    assert "rung 1 of up, the least that is for them" in found.why


@pytest.mark.parametrize(
    ("change", "offer"),
    [
        ({"had_message": False}, Reason.NO_OFFER),
        ({"past": (past(4, DAY),)}, Reason.OFFER_OPEN),
        ({"past": (past(4, DAY, course="other"),)}, Reason.OFFER_OPEN),
        ({"past": (past(4, timedelta(0)),)}, "middle"),
        ({"past": (past(8, -DAY),)}, "large"),
        ({"past": (past(20, -DAY),)}, "large"),
        ({"past": (past(21, -DAY),)}, Reason.NO_OFFER),
        ({"past": (past(8, -DAY, course="other"),)}, Reason.OFFER_WAIT),
        ({"past": (past(8, -DAY, redeemed=True),)}, Reason.OFFER_WAIT),
        ({"past": (past(8, -61 * DAY, course="other"),)}, "small"),
        ({"past": (past(8, -61 * DAY),)}, "small"),
        # £20 of £60 would leave 7 %, £8 of £60 leaves 27 %.
        ({"past": (past(8, -DAY),), "basket": Decimal(60)}, "middle"),
        ({"basket": Decimal(13)}, Reason.OFFER_MARGIN),
        ({"basket": None}, Reason.OFFER_MARGIN),
    ],
)
def test_what_was_given_bears_on_what_may_be(
    change: dict[str, object], offer: str | Reason
) -> None:
    assert given(**change) == offer


def test_hold_lasts_until_the_open_one_ends_or_the_wait_is_over() -> None:
    assert choose(who=replace(WHO, past=(past(4, 3 * DAY),))).until == NOW + 3 * DAY
    waits = choose(who=replace(WHO, past=(past(4, -DAY, course="other"),)))
    assert waits.until == NOW + 59 * DAY


def test_what_is_used_up_waits_and_is_not_replaced_by_another() -> None:
    assert choose(MIDDLE, stock={}).refusal is Reason.NO_CODE
    spent = choose(MIDDLE, stock={"middle": Stock(5, 93_000_000)})
    assert (spent.refusal, spent.until) == (Reason.OFFER_SPENT, NOW + timedelta(hours=6))
    assert choose(MIDDLE, stock={"middle": Stock(1, 92_000_000)}).give is not None


def test_nothing_that_costs_is_given_while_nobody_said_what_is_left_of_a_price() -> None:
    unsaid = replace(HOUSE, margin=None)
    assert "margin is not set" in choose(house=unsaid).why
    free = Wanted("access")
    assert choose(free, replace(WHO, basket=None), house=unsaid).give is not None


def test_an_offer_for_others_or_that_is_gone_is_not_given() -> None:
    assert choose(MIDDLE, rungs=0).why == "it is not for them"
    assert choose(Wanted("old"), rungs=0).why == "offers.yaml has no old any more"


@pytest.mark.parametrize(
    ("tie", "done", "found"),
    [
        ("visit", frozenset(), Reason.NO_OFFER),
        ("visit", frozenset({"click", "open", "profile_completed"}), Reason.NO_OFFER),
        ("visit", frozenset({"visit"}), "tied"),
        ("visit", frozenset({"view"}), "tied"),
        ("visit", frozenset({"login"}), "tied"),
        ("complete_profile", frozenset({"visit"}), Reason.NO_OFFER),
        ("complete_profile", frozenset({"profile_completed"}), "tied"),
        ("first_order", frozenset(), "tied"),
    ],
)
def test_what_is_tied_to_a_deed_is_given_once_it_is_done(
    tie: str, done: frozenset[str], found: object
) -> None:
    text = f"offers: {{tied: {{kind: amount_off, amount: 4, codes: none, tied_to: {tie}}}}}"
    offers, wanted = parse_offers(text), Wanted("tied")
    house = replace(HOUSE, offers=offers)
    who = replace(WHO, done=done)
    choice = choose_offer(wanted, list(offers.candidates(wanted)), who, house, {})
    given_or_why = choice.refusal if choice.give is None else choice.give.offer
    assert given_or_why == found
    if choice.give is None:
        assert f"tied is tied to: {tie.replace('_', ' ')}; not seen" in choice.why


def test_a_first_order_is_asked_of_the_profile_beside_what_else_is() -> None:
    offers = parse_offers(
        """
offers:
  one: {kind: amount_off, amount: 4, codes: none, tied_to: first_order, when: country = 'GB'}
ladders: {up: [{offer: one, when: lifetime_value = 0}]}
"""
    )
    (rung,) = offers.candidates(Wanted("up", is_ladder=True))
    assert rung.predicates == ("lifetime_value = 0", "country = 'GB'", "orders_count = 0")
    (alone,) = offers.candidates(Wanted("one"))
    assert alone.predicates == ("country = 'GB'", "orders_count = 0")


def test_a_rung_that_is_tied_leaves_the_ladder_to_the_others() -> None:
    offers = parse_offers(
        """
offers:
  tied: {kind: amount_off, amount: 4, codes: none, tied_to: visit}
  free: {kind: amount_off, amount: 8, codes: none}
ladders: {up: [{offer: tied}, {offer: free, when: orders_count > 0}]}
"""
    )
    house, rungs = replace(HOUSE, offers=offers), list(offers.candidates(UP))
    for done, found in ((frozenset[str](), "free"), (frozenset({"visit"}), "tied")):
        choice = choose_offer(UP, rungs, replace(WHO, done=done), house, {})
        assert choice.give is not None
        assert choice.give.offer == found


def test_message_with_an_offer_that_ended_does_not_leave() -> None:
    one = GivenOffer("small", "", "", date(2026, 3, 2), NOW + DAY, 7)
    assert review_offer(one, (), NOW) == Choice(expected_micros=7)
    assert review_offer(one, (), NOW + DAY).refusal is Reason.OFFER_OVER
    beside = review_offer(one, (past(4, 2 * DAY),), NOW)
    assert (beside.refusal, beside.until) == (Reason.OFFER_OPEN, NOW + 2 * DAY)


@pytest.mark.parametrize(
    ("zones", "last", "ends"),
    [
        (["Pacific/Auckland"], date(2026, 4, 6), datetime(2026, 4, 6, 12, tzinfo=UTC)),
        (["America/Los_Angeles"], date(2026, 4, 5), datetime(2026, 4, 6, 7, tzinfo=UTC)),
        # The likeliest zone names the day; it ends where it ends last.
        (
            ["Europe/London", "America/New_York"],
            date(2026, 4, 6),
            datetime(2026, 4, 7, 4, tzinfo=UTC),
        ),
    ],
)
def test_offer_ends_with_a_day_of_where_the_person_is(
    zones: list[str], last: date, ends: datetime
) -> None:
    at = datetime(2026, 4, 4, 23, 30, tzinfo=UTC)
    found = end_of(at, 1 * DAY, [ZoneInfo(zone) for zone in zones])
    assert found == (last, ends)


def test_share_expected_moves_from_what_was_said_to_what_happened() -> None:
    assert expect_share(0.1, Redemptions()) == pytest.approx(0.1)
    # (0.1 × 20 + 18) / (20 + 20)
    assert expect_share(0.1, Redemptions(18, 2)) == pytest.approx(0.5)
    assert expect_share(0.1, Redemptions(0, 980)) == pytest.approx(0.002)


def lucky(luck: float, **change: object) -> tuple[str, tuple[str, ...], float]:
    """Return what a ladder that explores 30 % gives, of what, and by which chance."""
    stock = change.pop("stock", PLENTY)
    who = replace(WHO, luck=luck, **change)  # type: ignore[arg-type]
    found = choose(who=who, house=replace(HOUSE, explore=0.3), stock=stock)  # type: ignore[arg-type]
    assert found.give is not None
    return found.give.offer, found.give.options, round(found.give.propensity, 6)


def test_part_of_a_ladders_choices_is_drawn_and_its_chance_written_down() -> None:
    everything = ("small", "middle", "large")
    assert lucky(0.05) == ("small", everything, 0.8)
    assert lucky(0.15) == ("middle", everything, 0.1)
    assert lucky(0.2999) == ("large", everything, 0.1)
    assert lucky(0.3) == ("small", everything, 0.8)


def test_chances_are_of_what_may_be_given_alone() -> None:
    assert lucky(0.29, stock={"middle": Stock(9)}) == ("middle", ("small", "middle"), 0.15)
    lapsed = past(5, -DAY)
    assert lucky(0.29, past=(lapsed,)) == ("large", ("middle", "large"), 0.15)
    assert lucky(0.29, past=(past(9, -DAY),)) == ("large", ("large",), 1.0)


def test_nothing_is_drawn_where_nobody_asked_for_it() -> None:
    found = choose(who=replace(WHO, luck=0.0))
    assert found.give is not None
    assert (found.give.offer, found.give.propensity) == ("small", 1.0)
    named = choose(MIDDLE, replace(WHO, luck=0.0), house=replace(HOUSE, explore=0.3))
    assert named.give is not None
    assert named.give.propensity == 1.0
