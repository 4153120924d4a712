"""Writes down which offers orders redeemed, and takes back what an order no longer says.

What is redeemed follows from the orders as they stand: one that was cancelled, or whose code
was corrected, redeems nothing any more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, Min, OuterRef, QuerySet

from rekindle.ledger.bulk import chunks
from rekindle.ledger.offers.giving import book_stock, hold_every_stock
from rekindle.ledger.offers.models import GHOST, OPEN, REDEEMED, RELEASED, GivenOffer, OfferCode
from rekindle.ledger.queries import (
    execute,
    ledger_errors,
    ledger_transaction,
    rows_of,
    text_or_none,
)
from rekindle.offers import find_kinds, key_of


@dataclass(frozen=True, slots=True)
class Redemption:
    """An order that carries the code of an offer. ``discount_micros`` is what came off it."""

    source: str
    order: str
    at: datetime
    discount_micros: int
    is_by_other: bool


@dataclass(frozen=True, slots=True)
class CodeHolder:
    """Who was given a code, with which touch, and when. A shared one has many holders."""

    touch: int
    person: str
    at: datetime
    is_shared: bool


def first_given_at(alias: str) -> datetime | None:
    """Return when the first offer with a code was given; None if none ever was."""
    rows = GivenOffer.objects.using(alias).exclude(code="").exclude(state=GHOST)
    with ledger_errors():
        found: datetime | None = rows.aggregate(first=Min("at"))["first"]
        return found


def load_holders(alias: str, keys: Collection[str]) -> dict[str, list[CodeHolder]]:
    """Return who holds the codes with these keys, in the order they were given."""
    found: dict[str, list[CodeHolder]] = {}
    with ledger_errors():
        for chunk in chunks(sorted(keys)):
            own = OfferCode.objects.using(alias).filter(key__in=chunk).exclude(touch=None)
            touches = {int(touch or 0): key for touch, key in own.values_list("touch", "key")}
            rows = GivenOffer.objects.using(alias).filter(touch__in=list(touches))
            for row in rows.order_by("at", "touch"):
                holder = CodeHolder(row.touch, row.person_id, row.at, is_shared=False)
                found.setdefault(touches[row.touch], []).append(holder)
        for chunk in chunks(_shared_codes(alias, keys)):
            rows = _given_with_shared(alias).filter(code__in=chunk)
            for row in rows.order_by("at", "touch"):
                holder = CodeHolder(row.touch, row.person_id, row.at, is_shared=True)
                found.setdefault(key_of(row.code), []).append(holder)
    return found


def _given_with_shared(alias: str) -> QuerySet[GivenOffer]:
    """Return what was given with a code that is in no pool as one of this message's own."""
    own = OfferCode.objects.using(alias).filter(touch=OuterRef("touch"))
    rows = GivenOffer.objects.using(alias).filter(~Exists(own), state__in=(OPEN, REDEEMED))
    return rows.exclude(code="")


def _shared_codes(alias: str, keys: Collection[str]) -> list[str]:
    """Return the codes with these keys that many may hold. There are few, of many codes."""
    codes = set(_given_with_shared(alias).values_list("code", flat=True).distinct())
    by_key = {key_of(code): code for code in codes if key_of(code) in keys}
    pooled = OfferCode.objects.using(alias).exclude(touch=None)
    own: set[str] = set()
    for chunk in chunks(sorted(by_key)):
        own.update(pooled.filter(key__in=chunk).values_list("key", flat=True))
    return sorted(code for code in codes if key_of(code) in by_key.keys() - own)


def save_redemptions(alias: str, found: Mapping[int, Redemption], at: datetime) -> bool:
    """Let exactly these offers, by touch, be redeemed; return whether all could be looked at.

    One that is being cancelled at this instant is left for the next time.
    """
    rows = GivenOffer.objects.using(alias)
    with ledger_transaction(alias):
        hold_every_stock(alias)
        redeemed = rows.filter(state=REDEEMED).values_list("touch", flat=True)
        is_whole = True
        for chunk in chunks(sorted({*found, *redeemed})):
            is_whole &= _save_some(alias, rows.filter(touch__in=chunk), found, at)
        return is_whole


def _save_some(
    alias: str, rows: QuerySet[GivenOffer], found: Mapping[int, Redemption], at: datetime
) -> bool:
    """Do that for some of them; return whether all of these could be looked at."""
    concerned, looked_at = rows.count(), 0
    changes, amounts = [], []
    for row in rows.order_by("pk").select_for_update(skip_locked=True):
        looked_at += 1
        told = found.get(row.touch)
        if _says(row, told):
            continue
        before = _set_aside(row)
        _apply(row, told, at)
        amounts.append((row.offer, _set_aside(row) - before))
        changes.append(
            (
                row.touch,
                row.state,
                row.is_settled,
                text_or_none(row.redeemed_at),
                row.source,
                row.order,
                row.discount_micros,
                row.is_by_other,
            )
        )
    if changes:
        execute(alias, "redeem_offers", rows_of(changes))
        book_stock(alias, amounts)
    return looked_at == concerned


def _says(row: GivenOffer, wanted: Redemption | None) -> bool:
    """Return whether a row says already what it is to say."""
    if wanted is None or row.state != REDEEMED:
        return wanted is None and row.state != REDEEMED
    now = (row.source, row.order, row.redeemed_at, row.discount_micros, row.is_by_other)
    told = (wanted.source, wanted.order, wanted.at, _discount(row, wanted), wanted.is_by_other)
    return all(one == other for one, other in zip(now, told, strict=True))


def _apply(row: GivenOffer, wanted: Redemption | None, at: datetime) -> None:
    if wanted is None:
        # Whatever it was before, its message left: the order showed it.
        row.state, row.is_settled = OPEN, row.ends_at <= at
        row.redeemed_at, row.source, row.order, row.discount_micros = None, "", "", None
        row.is_by_other = False
        return
    row.state, row.redeemed_at = REDEEMED, wanted.at
    row.source, row.order, row.is_by_other = wanted.source, wanted.order, wanted.is_by_other
    row.discount_micros = _discount(row, wanted)


def _discount(row: GivenOffer, wanted: Redemption) -> int | None:
    """Return what the order says it cost; None where an order does not say that of its kind."""
    kind = find_kinds().get(row.kind)
    is_told = kind is not None and kind.is_discount and wanted.discount_micros > 0
    return wanted.discount_micros if is_told else None


def _set_aside(row: GivenOffer) -> int:
    """Return what the budget holds for an offer as it stands."""
    if row.state == REDEEMED:
        return int(row.cost_micros if row.discount_micros is None else row.discount_micros)
    if row.state == RELEASED or row.is_settled:
        return 0
    return int(row.most_micros)
