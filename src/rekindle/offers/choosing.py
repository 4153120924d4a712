"""Chooses the offer that goes with a message, or says why none does: a pure function.

The least comes first. Whoever let one lapse is given no weaker one, and nobody one that
leaves less of the sale than the floor.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from rekindle.offers.model import (
    Choice,
    Codes,
    GivenOffer,
    HouseOffers,
    Option,
    PastOffer,
    Stock,
    ToGive,
    Wanted,
    micros_of,
)
from rekindle.vocabulary import Reason
from rekindle.wording import amount, percent

ANY_BASKET = Decimal(1000)
LOOK_AGAIN = timedelta(hours=6)
"""When to look again at what waits for codes or for a budget."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who would be given an offer at ``at``.

    ``course`` is the enrolment (journey and rotation); ``basket`` what they usually spend, if
    that is known; ``past`` what they were given; ``had_message`` whether this enrolment wrote
    to them before. ``zones`` are where they may be, the likeliest first. ``done`` are the
    events they did since they entered. ``luck`` is a draw in [0, 1) that is theirs and this
    choice's for ever.
    """

    at: datetime
    course: tuple[str, int]
    zones: Sequence[ZoneInfo]
    basket: Decimal | None
    past: Sequence[PastOffer]
    had_message: bool
    done: frozenset[str] = frozenset()
    luck: float = 1.0


@dataclass(frozen=True, slots=True)
class _Priced:
    """An offer with what it would cost with one person."""

    offer: Option
    cost: Decimal
    most: Decimal
    sale: Decimal


@dataclass(frozen=True, slots=True)
class _Drawn:
    """What is given, of which options, and the chance that it was."""

    chosen: _Priced
    options: tuple[str, ...]
    propensity: float


def choose_offer(
    wanted: Wanted,
    eligible: Sequence[Option],
    who: Receiver,
    house: HouseOffers,
    stock: Mapping[str, Stock],
) -> Choice:
    """Return what is given to somebody for whom the candidates in ``eligible`` are."""
    if (bar := _find_bar(who, house)) is not None:
        return bar
    if wanted.is_ladder and not who.had_message:
        return _nothing(Reason.NO_OFFER, "a message without an offer comes first")
    earned = [one for one in eligible if not one.events or one.events & who.done]
    if not earned:
        return _nothing(Reason.NO_OFFER, _say_nobody(wanted, eligible, house))
    basket = who.basket if who.basket is not None else house.basket
    priced = [_price(one, basket or Decimal(0)) for one in earned]
    problems = {one.offer.rung: _find_problem(one, basket, house) for one in priced}
    fit = [one for one in priced if not problems[one.offer.rung]]
    if not fit:
        cheapest = min(priced, key=lambda one: one.cost)
        return _nothing(Reason.OFFER_MARGIN, problems[cheapest.offer.rung])
    fit.sort(key=lambda one: (one.cost, one.offer.rung))
    lapsed = _lapsed(who, house)
    chosen = _least(fit, lapsed)
    if chosen is None:
        return _nothing(Reason.NO_OFFER, "nothing as strong as what was let lapse may be given")
    if (short := _find_shortage(chosen, house, stock, who.at)) is not None:
        return short
    draw = _explore(chosen, _strong_enough(fit, lapsed), who, house, stock)
    give = _to_give(draw, wanted, who, house, is_first=lapsed is None)
    return Choice(give, expected_micros=give.expected_micros)


def _say_nobody(wanted: Wanted, eligible: Sequence[Option], house: HouseOffers) -> str:
    if eligible and (tie := eligible[0].terms.tied_to) is not None:
        act = tie.value.replace("_", " ")
        return f"{eligible[0].offer} is tied to: {act}; not seen since they entered"
    known = house.offers.ladders if wanted.is_ladder else house.offers.terms
    if wanted.name not in known:
        return f"offers.yaml has no {wanted} any more"
    return "no rung of it is for them" if wanted.is_ladder else "it is not for them"


def review_offer(given: GivenOffer, others: Iterable[PastOffer], at: datetime) -> Choice:
    """Return what to do about a message with an offer that is about to leave.

    ``others`` are those the person has beside it: two ids may have become one person since.
    """
    if given.ends_at <= at:
        return _nothing(Reason.OFFER_OVER, f"{given.offer} ended on {given.ends_on}")
    is_open = _open_until(others, at)
    if is_open is not None:
        return Choice(None, Reason.OFFER_OPEN, is_open, "another offer is open")
    return Choice(expected_micros=given.expected_micros)


def end_of(at: datetime, lasts: timedelta, zones: Sequence[ZoneInfo]) -> tuple[date, datetime]:
    """Return the last day of an offer given at ``at``, and the instant at which that day ends.

    It is a day of the likeliest zone, and ends where it ends last of all zones they may be in.
    """
    last = (at.astimezone(zones[0]) + lasts).date()
    # Midnight of the day after; where a clock change skips it, the first instant of that day.
    after = datetime.combine(last + timedelta(days=1), time())
    ends = max(after.replace(tzinfo=zone).astimezone(UTC) for zone in zones)
    return last, ends


def _find_bar(who: Receiver, house: HouseOffers) -> Choice | None:
    """Return why nothing may be given now, because of what they had."""
    if (until := _open_until(who.past, who.at)) is not None:
        return Choice(None, Reason.OFFER_OPEN, until, "another offer is open")
    for one in who.past:
        free_at = one.over_at + house.wait
        is_own = one.course == who.course and one.redeemed_at is None
        if free_at > who.at and not is_own:
            return Choice(None, Reason.OFFER_WAIT, free_at, f"after {one.offer}")
    return None


def _open_until(past: Iterable[PastOffer], at: datetime) -> datetime | None:
    """Return when the last of what is open now runs out; None if nothing is."""
    found = [one.ends_at for one in past if one.redeemed_at is None and one.ends_at > at]
    return max(found, default=None)


def _lapsed(who: Receiver, house: HouseOffers) -> int | None:
    """Return the most that something cost which they let lapse of late, in micros."""
    found = (one for one in who.past if one.redeemed_at is None and one.ends_at <= who.at)
    late = (one.cost_micros for one in found if one.ends_at + house.wait > who.at)
    return max(late, default=None)


def _least(fit: Sequence[_Priced], lapsed: int | None) -> _Priced | None:
    """Return the least that is stronger than what lapsed; else the strongest as strong as it."""
    if lapsed is None:
        return fit[0]
    stronger = [one for one in fit if micros_of(one.cost) > lapsed]
    if stronger:
        return stronger[0]
    equal = [one for one in fit if micros_of(one.cost) == lapsed]
    return equal[-1] if equal else None


def _strong_enough(fit: Sequence[_Priced], lapsed: int | None) -> list[_Priced]:
    """Return what may be given after what lapsed, the cheapest first; the least is the first."""
    if lapsed is None:
        return list(fit)
    return [one for one in fit if micros_of(one.cost) > lapsed]


def _explore(
    least: _Priced,
    may: Sequence[_Priced],
    who: Receiver,
    house: HouseOffers,
    stock: Mapping[str, Stock],
) -> _Drawn:
    """Return the least, or by chance another that may be given, with the chance it had.

    A share of choices is drawn evenly among all that is left of, the least as well. So what is
    given is known to be chance, and how much of one.
    """
    options = [one for one in may if not _find_shortage(one, house, stock, who.at)]
    if house.explore <= 0 or len(options) < 2:
        return _Drawn(least, (least.offer.offer,), 1.0)
    each = house.explore / len(options)
    chosen = least
    if who.luck < house.explore:
        chosen = options[min(int(who.luck / each), len(options) - 1)]
    propensity = each + (1 - house.explore if chosen is least else 0.0)
    return _Drawn(chosen, tuple(one.offer.offer for one in options), propensity)


def _price(one: Option, basket: Decimal) -> _Priced:
    terms = one.terms
    return _Priced(one, terms.cost(basket), terms.most(basket), terms.sale(basket))


def _find_problem(one: _Priced, basket: Decimal | None, house: HouseOffers) -> str:
    """Return why an offer leaves too little, or nobody can tell what it leaves; "" if enough."""
    if not (one.cost or one.offer.terms.cost(ANY_BASKET)):
        return ""
    if house.margin is None:
        return "[offers] margin is not set"
    if one.sale <= 0:
        is_known = basket is not None
        told = "nothing" if is_known else "what is not known; set [offers] basket"
        return f"this person usually spends {told}"
    if one.sale * (house.margin - house.floor) >= one.cost:
        return ""
    left = percent(float(house.margin - one.cost / one.sale))
    return f"{one.offer.offer} would leave {left} of {amount(one.sale, house.currency)}"


def _find_shortage(
    chosen: _Priced, house: HouseOffers, stock: Mapping[str, Stock], at: datetime
) -> Choice | None:
    """Return what is used up of the chosen offer: its codes or its budget."""
    name, terms = chosen.offer.offer, chosen.offer.terms
    left = stock.get(name, Stock())
    if terms.codes is Codes.OWN and left.codes < 1:
        return Choice(None, Reason.NO_CODE, at + LOOK_AGAIN, name)
    limit = terms.budget_micros
    if limit is not None and left.reserved_micros + micros_of(chosen.most) > limit:
        return Choice(None, Reason.OFFER_SPENT, at + LOOK_AGAIN, name)
    return None


def _to_give(
    drawn: _Drawn, wanted: Wanted, who: Receiver, house: HouseOffers, *, is_first: bool
) -> ToGive:
    chosen = drawn.chosen
    one, terms = chosen.offer, chosen.offer.terms
    ends_on, ends_at = end_of(who.at, terms.lasts, who.zones)
    cost = micros_of(chosen.cost)
    return ToGive(
        offer=one.offer,
        kind=terms.kind,
        ladder=wanted.name if wanted.is_ladder else "",
        rung=one.rung,
        text=terms.describe(house.currency),
        ends_on=ends_on,
        ends_at=ends_at,
        cost_micros=cost,
        most_micros=micros_of(chosen.most),
        expected_micros=round(cost * house.rate(one.offer)),
        minimum_micros=micros_of(terms.minimum_basket),
        takes_code=terms.codes is Codes.OWN,
        code=terms.code or "",
        made_for=terms.made_for,
        tied_to="" if terms.tied_to is None else terms.tied_to.value,
        why=" ".join(_reasons(wanted, drawn, house, is_first=is_first)),
        options=drawn.options,
        propensity=drawn.propensity,
    )


def _reasons(wanted: Wanted, drawn: _Drawn, house: HouseOffers, *, is_first: bool) -> Iterator[str]:
    chosen, one = drawn.chosen, drawn.chosen.offer
    yield f"{one.offer}:"
    if wanted.is_ladder:
        yield f"rung {one.rung} of {wanted.name},"
        if one.offer != drawn.options[0]:
            yield f"drawn by chance ({drawn.propensity:.3g})"
        else:
            yield "the least that is for them" if is_first else "after one they let lapse"
    else:
        yield "named by the step"
    yield f"({amount(chosen.cost, house.currency)} of {amount(chosen.sale, house.currency)})"


def _nothing(reason: Reason, why: str) -> Choice:
    return Choice(None, reason, None, why)
