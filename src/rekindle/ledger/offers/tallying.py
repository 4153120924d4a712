"""Counts what became of the offers that were given."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Count, Q, Sum

from rekindle.gate import HouseRules
from rekindle.ledger.offers.models import GHOST, OPEN, REDEEMED, RELEASED, GivenOffer, OfferStock
from rekindle.ledger.queries import ledger_errors
from rekindle.offers import Redemptions, learn_shares


@dataclass(frozen=True, slots=True)
class OfferTally:
    """What became of one offer, in offers given and micros.

    ``given`` are all that were not taken back: ``open``, ``redeemed`` or ``lapsed``; ``ghosts``
    those of held-out people. ``discount_micros`` is what the orders say came off, of the
    ``with_discount`` redeemed ones that say so; ``cost_micros`` what all redeemed ones were
    reckoned to cost. ``reserved_micros`` is what the budget holds.
    """

    open: int = 0
    redeemed: int = 0
    lapsed: int = 0
    released: int = 0
    ghosts: int = 0
    by_others: int = 0
    with_discount: int = 0
    discount_micros: int = 0
    cost_micros: int = 0
    reserved_micros: int = 0

    @property
    def given(self) -> int:
        """Return how many were given and not taken back."""
        return self.open + self.redeemed + self.lapsed

    @property
    def became(self) -> Redemptions:
        """Return what became of those that are over."""
        return Redemptions(self.redeemed, self.lapsed)


def learn_rates(alias: str, rules: HouseRules, at: datetime) -> HouseRules:
    """Return the rules of the house with what was learned from offers that are over."""
    if not rules.offers.offers.terms:
        return rules
    became = {name: one.became for name, one in tally_offers(alias, at).items()}
    return replace(rules, offers=learn_shares(rules.offers, became))


def tally_offers(alias: str, at: datetime) -> dict[str, OfferTally]:
    """Return the tally of every offer that was ever given, by name."""
    redeemed = Q(state=REDEEMED)
    rows = (
        GivenOffer.objects.using(alias)
        .filter(at__lte=at)
        .values("offer")
        .order_by("offer")
        .annotate(
            open=Count("id", filter=Q(state=OPEN, ends_at__gt=at)),
            lapsed=Count("id", filter=Q(state=OPEN, ends_at__lte=at)),
            redeemed=Count("id", filter=redeemed),
            released=Count("id", filter=Q(state=RELEASED)),
            ghosts=Count("id", filter=Q(state=GHOST)),
            by_others=Count("id", filter=redeemed & Q(is_by_other=True)),
            with_discount=Count("id", filter=redeemed & Q(discount_micros__isnull=False)),
            discount=Sum("discount_micros", filter=redeemed, default=0),
            cost=Sum("cost_micros", filter=redeemed, default=0),
        )
    )
    with ledger_errors():
        stock = OfferStock.objects.using(alias).values_list("offer", "reserved_micros")
        reserved = dict(stock)
        return {
            row["offer"]: OfferTally(
                open=row["open"],
                redeemed=row["redeemed"],
                lapsed=row["lapsed"],
                released=row["released"],
                ghosts=row["ghosts"],
                by_others=row["by_others"],
                with_discount=row["with_discount"],
                discount_micros=int(row["discount"]),
                cost_micros=int(row["cost"]),
                reserved_micros=reserved.get(row["offer"], 0),
            )
            for row in rows
        }
