"""The pools of codes: filled from outside or by chance, counted for who looks after them."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, Q

from rekindle.errors import OfferError
from rekindle.ledger.bulk import chunks
from rekindle.ledger.offers.giving import hold_every_stock
from rekindle.ledger.offers.models import ASKED, ENDING, OfferCode
from rekindle.ledger.queries import execute, ledger_errors, ledger_transaction, rows_of, text_of
from rekindle.offers import Offers, key_of

ALPHABET = "CDFHJKMNPRTVWXY3479"
"""Capitals and digits without vowels (no words), and without what looks like another."""

LENGTH = 12


@dataclass(frozen=True, slots=True)
class Pool:
    """How many codes of an offer there are, and how many of them nobody has yet."""

    loaded: int = 0
    free: int = 0


def make_codes(count: int) -> list[str]:
    """Return so many codes, each ``XXXX-XXXX-XXXX``: 19 to the 12th, about 51 bits of chance.

    They are drawn from the operating system, for whoever guesses one spends it.
    """
    found: dict[str, None] = {}
    while len(found) < count:
        drawn = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
        found["-".join(drawn[at : at + 4] for at in range(0, LENGTH, 4))] = None
    return list(found)


def load_codes(alias: str, offer: str, codes: Sequence[str], at: datetime) -> int:
    """Add codes to the pool of an offer, all of them or none; return how many.

    Raises:
        OfferError: one was loaded before, for this offer or another.
    """
    with ledger_transaction(alias):
        for chunk in chunks(codes):
            rows = rows_of((offer, code, key_of(code), text_of(at)) for code in chunk)
            if execute(alias, "load_codes", rows) < len(chunk):
                _refuse(alias, chunk, at)
    return len(codes)


def set_codes_aside(alias: str) -> int:
    """Let no code that is free now ever be given; return how many there were.

    For a ledger that does not know what was given since it was backed up.
    """
    codes = OfferCode.objects.using(alias)
    with ledger_transaction(alias):
        hold_every_stock(alias)
        # One that a shop was asked for may have been made, and given, since then.
        codes.filter(standing=ASKED).update(standing=ENDING, tried_at=None)
        return codes.filter(touch=None).update(touch=-F("pk"))


def count_codes(alias: str, offers: Offers) -> dict[str, Pool]:
    """Return the pool of every offer that has one: of the codes that are worth what it is now."""
    there = OfferCode.objects.using(alias).exclude(standing=ASKED)
    rows = there.values("offer", "made_for").order_by("offer")
    counted = rows.annotate(loaded=Count("id"), free=Count("id", filter=Q(touch=None)))
    made_for = {name: terms.made_for for name, terms in offers.terms.items()}
    with ledger_errors():
        return {
            row["offer"]: Pool(row["loaded"], row["free"])
            for row in counted
            if made_for.get(row["offer"]) == row["made_for"]
        }


def _refuse(alias: str, chunk: Sequence[str], at: datetime) -> None:
    """Name by its place, not by itself, the first that was loaded before."""
    keys = [key_of(code) for code in chunk]
    known = OfferCode.objects.using(alias).filter(key__in=keys).exclude(loaded_at=at)
    offers = dict(known.values_list("key", "offer"))
    place = next((n for n, key in enumerate(keys, 1) if key in offers), 1)
    offer = offers.get(keys[place - 1], "this offer")
    raise OfferError(f"code number {place} was loaded before, for {offer}; nothing was loaded")
