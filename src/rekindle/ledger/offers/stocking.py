"""Codes that a shop makes: written down, asked for, given to the pool, and ended.

The shop is asked between transactions, never within one. A code is drawn and written down
first, so that whoever is killed while asking leaves a row by which the same code is asked
for again; and a code is free only after the shop was seen to have it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet

from rekindle.ledger.offers.codes import make_codes
from rekindle.ledger.offers.giving import hold_every_stock
from rekindle.ledger.offers.models import (
    ASKED,
    ENDED,
    ENDING,
    GHOST,
    MADE,
    REDEEMED,
    GivenOffer,
    OfferCode,
)
from rekindle.ledger.queries import ledger_errors, ledger_transaction
from rekindle.offers import key_of

LEASE = timedelta(minutes=10)
"""How long nobody else asks a shop about a code that somebody asks about."""

LONGEST_TROUBLE = 500


@dataclass(frozen=True, slots=True)
class ShopCode:
    """A code to ask a shop about."""

    number: int
    offer: str
    code: str
    made_for: str
    name: str


@dataclass(frozen=True, slots=True)
class ShopTrouble:
    """What keeps codes of a shop from being made, or from being ended: how many, and why."""

    shop: str
    standing: str
    count: int
    why: str

    @property
    def is_ending(self) -> bool:
        """Return whether they should have been ended."""
        return self.standing == ENDING


def has_shop_codes(alias: str) -> bool:
    """Return whether a shop has anything to be told of."""
    with ledger_errors():
        return _of(alias).filter(standing__in=(ASKED, MADE, ENDING)).exists()


def draw_shop_codes(
    alias: str, offer: str, made_for: str, at: datetime, *, ahead: int, most: int
) -> int:
    """Write down codes to ask a shop for until ``ahead`` are free or asked for; count them."""
    with ledger_transaction(alias):
        hold_every_stock(alias)
        same = _of(alias).filter(offer=offer, made_for=made_for)
        there = same.filter(Q(touch=None) | Q(standing=ASKED)).count()
        wanted = max(min(ahead - there, most), 0)
        drawn = [code.replace("-", "") for code in make_codes(wanted)]
        # Another draw may have had one of them: 51 bits, and the next pass draws again.
        known = set(_of(alias).filter(key__in=map(key_of, drawn)).values_list("key", flat=True))
        rows = [
            OfferCode(
                offer=offer,
                code=code,
                key=key_of(code),
                loaded_at=at,
                made_for=made_for,
                standing=ASKED,
            )
            for code in drawn
            if key_of(code) not in known
        ]
        _of(alias).bulk_create(rows)
        # Within this transaction: nobody sees them free before the shop has them.
        same.filter(standing=ASKED, touch=None).update(touch=-F("pk"))
        return len(rows)


def claim_asked(alias: str, shop: str, at: datetime, *, limit: int) -> list[ShopCode]:
    """Return codes to ask a shop for, that nobody else asks for now."""
    return _claim(alias, _of(alias).filter(standing=ASKED), shop, at, limit)


def claim_ending(alias: str, shop: str, at: datetime, *, limit: int) -> list[ShopCode]:
    """Return codes that a shop is to end; from now on they are nobody's any more.

    They are those whose offer ran out without being redeemed, and those set aside.
    """
    over = GivenOffer.objects.using(alias).filter(touch=OuterRef("touch"), ends_at__lte=at)
    over = over.exclude(state__in=(REDEEMED, GHOST))
    due = _of(alias).filter(standing=MADE, made_for__startswith=f"{shop}:")
    due = due.filter(Q(touch__lt=0) | Exists(over))
    with ledger_transaction(alias):
        hold_every_stock(alias)
        held = due.select_for_update(skip_locked=True, of=("self",)).order_by("pk")[:limit]
        numbers = list(held.values_list("pk", flat=True))
        _of(alias).filter(pk__in=numbers).update(standing=ENDING, tried_at=None)
    return _claim(alias, _of(alias).filter(standing=ENDING), shop, at, limit)


def set_unwanted_aside(alias: str, wanted: Mapping[str, str]) -> int:
    """Let no free code be given that a shop made for terms its offer has no more; count them.

    What was asked for on such terms may have been made, and is to be ended as well.
    ``wanted`` are the terms of the offers there are, by the name of the offer.
    """
    codes = _of(alias)
    there = codes.filter(Q(standing=MADE, touch=None) | Q(standing=ASKED))
    with ledger_errors():
        kinds = there.values_list("offer", "made_for").order_by().distinct()
        old = [(offer, terms) for offer, terms in kinds if wanted.get(offer) != terms]
    count = 0
    for offer, terms in sorted(old):
        same = codes.filter(offer=offer, made_for=terms)
        with ledger_transaction(alias):
            hold_every_stock(alias)
            count += same.filter(standing=MADE, touch=None).update(touch=-F("pk"))
            count += same.filter(standing=ASKED).update(standing=ENDING)
    return count


def note_made(alias: str, code: ShopCode, name: str) -> bool:
    """Let a code be free that the shop has now; return whether it was waited for."""
    asked = _of(alias).filter(pk=code.number, standing=ASKED)
    with ledger_transaction(alias):
        return bool(asked.update(standing=MADE, touch=None, shop_name=name, trouble=""))


def note_ended(alias: str, code: ShopCode) -> None:
    """Write down that a code can be used no more."""
    with ledger_transaction(alias):
        _of(alias).filter(pk=code.number, standing=ENDING).update(standing=ENDED, trouble="")


def note_trouble(alias: str, code: ShopCode, why: str) -> None:
    """Write down why the shop was asked about a code and it was no use."""
    with ledger_transaction(alias):
        _of(alias).filter(pk=code.number).update(trouble=why[:LONGEST_TROUBLE])


def let_codes_go(alias: str, codes: Sequence[ShopCode]) -> None:
    """Let others ask about codes that nobody came to ask about."""
    if codes:
        with ledger_transaction(alias):
            _of(alias).filter(pk__in=[one.number for one in codes]).update(tried_at=None)


def drop_asked(alias: str, code: ShopCode) -> None:
    """Forget a code that the shop has from somebody else; another is drawn for it."""
    with ledger_transaction(alias):
        _of(alias).filter(pk=code.number, standing=ASKED).delete()


def load_shop_troubles(alias: str) -> Sequence[ShopTrouble]:
    """Return what stands in the way at shops."""
    rows = _of(alias).filter(standing__in=(ASKED, ENDING)).exclude(trouble="")
    counted = rows.values("made_for", "standing").order_by("made_for", "standing")
    found: dict[tuple[str, str], ShopTrouble] = {}
    with ledger_errors():
        for row in counted.annotate(count=Count("id"), why=Max("trouble")):
            shop, standing = row["made_for"].partition(":")[0], row["standing"]
            earlier = found.get((shop, standing))
            count = row["count"] + (earlier.count if earlier else 0)
            found[shop, standing] = ShopTrouble(shop, standing, count, row["why"])
    return list(found.values())


def _claim(
    alias: str, codes: QuerySet[OfferCode], shop: str, at: datetime, limit: int
) -> list[ShopCode]:
    free = codes.filter(made_for__startswith=f"{shop}:").filter(
        Q(tried_at=None) | Q(tried_at__lte=at - LEASE)
    )
    with ledger_transaction(alias):
        rows = list(free.select_for_update(skip_locked=True).order_by("tried_at", "pk")[:limit])
        _of(alias).filter(pk__in=[row.pk for row in rows]).update(tried_at=at)
    return [ShopCode(row.pk, row.offer, row.code, row.made_for, row.shop_name) for row in rows]


def _of(alias: str) -> QuerySet[OfferCode]:
    return OfferCode.objects.using(alias)
