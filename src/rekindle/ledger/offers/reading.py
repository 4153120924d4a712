"""Reads what people were given, for the gate and for who writes to them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime

from rekindle.gate import BookRules
from rekindle.ledger.offers.models import GHOST
from rekindle.ledger.queries import fetch, instant_of, instant_or_none, rows_of, text_of
from rekindle.offers import GivenOffer, PastOffer


@dataclass(frozen=True, slots=True)
class HeldOffer:
    """A past offer with the number of its touch; a ghost was given on paper only."""

    touch: int
    is_ghost: bool
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
        person, touch, offer, journey, rotation, state, given, ends, cost, redeemed = row
        past = PastOffer(
            offer,
            (journey, rotation),
            instant_of(given),
            instant_of(ends),
            cost,
            instant_or_none(redeemed),
        )
        found[person].append(HeldOffer(touch, state == GHOST, past))
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
