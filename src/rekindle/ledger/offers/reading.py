"""Reads what people were given, for the gate and for who writes to them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime

from rekindle.gate import BookRules
from rekindle.ledger.offers import models
from rekindle.ledger.offers.models import GHOST
from rekindle.ledger.queries import (
    fetch,
    instant_of,
    instant_or_none,
    ledger_errors,
    rows_of,
    text_of,
)
from rekindle.offers import GivenOffer, PastOffer


@dataclass(frozen=True, slots=True)
class HeldOffer:
    """A past offer with the number of its touch; a ghost was given on paper only.

    One that ``is_waiting`` is in a message that has not begun to leave.
    """

    touch: int
    is_ghost: bool
    is_waiting: bool
    past: PastOffer


def load_past_offers(
    alias: str, people: Collection[str], terms: BookRules, at: datetime
) -> dict[str, list[HeldOffer]]:
    """Return what people were given since it may bear on the next, by person."""
    found: defaultdict[str, list[HeldOffer]] = defaultdict(list)
    if not people:
        return found
    since = text_of(at - terms.offers_matter_for)
    batch = rows_of((person,) for person in sorted(people))
    for row in fetch(alias, "past_offers_of", batch, since):
        person, touch, offer, journey, rotation, state, given, ends, cost, redeemed, waits = row
        past = PastOffer(
            offer,
            (journey, rotation),
            instant_of(given),
            instant_of(ends),
            cost,
            instant_or_none(redeemed),
        )
        found[person].append(HeldOffer(touch, state == GHOST, bool(waits), past))
    return found


def load_given(alias: str, touches: Iterable[int]) -> dict[int, GivenOffer]:
    """Return what goes with touches."""
    rows = fetch(alias, "offers_of_touches", rows_of((touch,) for touch in touches))
    return {
        touch: GivenOffer(
            offer,
            code,
            text,
            ends_on if isinstance(ends_on, date) else date.fromisoformat(ends_on),
            instant_of(ends_at),
            expected,
        )
        for touch, offer, code, text, ends_on, ends_at, expected in rows
    }


@dataclass(frozen=True, slots=True)
class OfferEntry:
    """An offer that a person was given, and what became of it.

    ``fate`` is open, lapsed, redeemed, taken back (its message did not leave) or ghost.
    """

    offer: str
    kind: str
    ladder: str
    rung: int
    text: str
    code: str
    tied_to: str
    journey: str
    rotation: int
    at: datetime
    ends_on: date
    ends_at: datetime
    cost_micros: int
    fate: str
    order: str = ""
    redeemed_at: datetime | None = None
    discount_micros: int | None = None


def load_offers_of(alias: str, person: str, at: datetime) -> list[OfferEntry]:
    """Return what a person was given, oldest first, as it stands at ``at``."""
    rows = models.GivenOffer.objects.using(alias).filter(person=person).order_by("at", "touch")
    with ledger_errors():
        return [_entry(row, at) for row in rows]


def load_offer_of(alias: str, touch: int, at: datetime) -> OfferEntry | None:
    """Return what a message brought, as it stands at ``at``; None for one that brought nothing."""
    with ledger_errors():
        row = models.GivenOffer.objects.using(alias).filter(touch=touch).first()
    return None if row is None else _entry(row, at)


def _entry(row: models.GivenOffer, at: datetime) -> OfferEntry:
    return OfferEntry(
        row.offer,
        row.kind,
        row.ladder,
        row.rung,
        row.text,
        row.code,
        row.tied_to,
        row.journey,
        row.rotation,
        row.at,
        row.ends_on,
        row.ends_at,
        row.cost_micros,
        _fate(row, at),
        row.order,
        row.redeemed_at,
        row.discount_micros,
    )


def _fate(row: models.GivenOffer, at: datetime) -> str:
    if row.state == models.OPEN:
        return "open" if row.ends_at > at else "lapsed"
    if row.state == models.RELEASED:
        return "taken back, its code kept" if row.is_doubtful and row.code else "taken back"
    return str(row.state)
