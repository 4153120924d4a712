"""Counts what became of the offers that were given."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db.models import Count, Exists, OuterRef, Q, Sum
from django.db.models.functions import Coalesce

from rekindle.gate import HouseRules
from rekindle.ledger.models import MAY_HAVE_LEFT, Touch
from rekindle.ledger.offers.models import GHOST, OPEN, REDEEMED, RELEASED, GivenOffer, OfferStock
from rekindle.ledger.queries import ledger_errors, names_of
from rekindle.offers import Redemptions, learn_shares


@dataclass(frozen=True, slots=True)
class OfferTally:
    """What became of one offer, in offers given and micros.

    ``given`` are all that were not taken back: ``open``, ``redeemed`` or ``lapsed``; ``ghosts``
    those of held-out people. ``redeemed_over`` are those of the redeemed whose time is over.
    ``spent_micros`` is what the redeemed ones cost: what their orders say came off, where they
    say so, else what was reckoned with. ``reserved_micros`` is what the budget holds.
    """

    open: int = 0
    redeemed: int = 0
    redeemed_over: int = 0
    lapsed: int = 0
    released: int = 0
    ghosts: int = 0
    by_others: int = 0
    spent_micros: int = 0
    reserved_micros: int = 0

    @property
    def given(self) -> int:
        """Return how many were given and not taken back."""
        return self.open + self.redeemed + self.lapsed

    @property
    def became(self) -> Redemptions:
        """Return what became of those whose time is over, redeemed or not."""
        return Redemptions(self.redeemed_over, self.lapsed)


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
            redeemed_over=Count("id", filter=redeemed & Q(ends_at__lte=at)),
            released=Count("id", filter=Q(state=RELEASED)),
            ghosts=Count("id", filter=Q(state=GHOST)),
            by_others=Count("id", filter=redeemed & Q(is_by_other=True)),
            spent=Sum(Coalesce("discount_micros", "cost_micros"), filter=redeemed, default=0),
        )
    )
    with ledger_errors():
        stock = OfferStock.objects.using(alias).values_list("offer", "reserved_micros")
        reserved = dict(stock)
        return {
            row["offer"]: OfferTally(
                open=row["open"],
                redeemed=row["redeemed"],
                redeemed_over=row["redeemed_over"],
                lapsed=row["lapsed"],
                released=row["released"],
                ghosts=row["ghosts"],
                by_others=row["by_others"],
                spent_micros=int(row["spent"]),
                reserved_micros=reserved.get(row["offer"], 0),
            )
            for row in rows
        }


@dataclass(frozen=True, slots=True)
class OfferWindow:
    """The time in which one person could redeem what they were given, or a ghost of it.

    ``has_followed`` says that an earlier message of the same way had left.
    """

    offer: str
    person: str
    at: datetime
    ends_at: datetime
    is_ghost: bool
    has_followed: bool = False


def load_first_windows(alias: str, at: datetime) -> list[OfferWindow]:
    """Return of each way through a journey the first offer, once its time is over.

    Later ones are left out: who redeems leaves, so that those who are given a second are no
    longer like the held-out people who would have been. What was taken back is among them,
    for whoever bought before the message left is one of those who buy anyway.
    """
    rows = GivenOffer.objects.using(alias).filter(ends_at__lte=at).order_by("at", "touch")
    left = Touch.objects.using(alias).filter(state__in=MAY_HAVE_LEFT)
    before = left.filter(enrolment=OuterRef("enrolment"), at__lt=OuterRef("at"))
    touches = Touch.objects.using(alias).filter(pk__in=rows.order_by().values("touch"))
    seen: set[tuple[str, str, int]] = set()
    found = []
    with ledger_errors():
        followed = set(touches.filter(Exists(before)).values_list("pk", flat=True))
        for row in rows.iterator(chunk_size=10_000):
            course = (row.person_id, row.journey, row.rotation)
            if course not in seen:
                seen.add(course)
                found.append(
                    OfferWindow(
                        row.offer,
                        row.person_id,
                        row.at,
                        row.ends_at,
                        row.state == GHOST,
                        row.touch in followed,
                    )
                )
    return found


def load_redeemed(alias: str) -> list[tuple[str, str, str]]:
    """Return each redeemed offer with its order: offer, source, order."""
    rows = GivenOffer.objects.using(alias).filter(state=REDEEMED).order_by("pk")
    with ledger_errors():
        return list(rows.values_list("offer", "source", "order"))


@dataclass(frozen=True, slots=True)
class ChosenOffer:
    """What a ladder gave a person first: of which options, by which chance, and what it cost.

    ``off_micros`` is what came off the price of their own order, as the order says;
    ``cost_micros`` what it cost beside that, as a gift does. Both are 0 while none redeemed it.
    """

    person: str
    offer: str
    options: tuple[str, ...]
    propensity: float
    at: datetime
    off_micros: int = 0
    cost_micros: int = 0


def load_chosen(
    alias: str, ladder: str, until: datetime, *, within: timedelta
) -> list[ChosenOffer]:
    """Return the first choice of a ladder for each person, of those until then.

    Ghosts are left out, for nobody was given them; what was taken back is among them, for it
    was chosen by the same chance. What it cost is told of an order of theirs ``within`` of it:
    of a later one, and of somebody else's, what they bought is not counted either.
    """
    rows = GivenOffer.objects.using(alias).filter(ladder=ladder, at__lte=until)
    found: dict[str, ChosenOffer] = {}
    with ledger_errors():
        for row in rows.exclude(state=GHOST).exclude(options="").order_by("at", "touch"):
            found.setdefault(row.person_id, _chosen(row, within))
    return list(found.values())


def _chosen(row: GivenOffer, within: timedelta) -> ChosenOffer:
    off, cost = 0, 0
    redeemed_at = row.redeemed_at if row.state == REDEEMED and not row.is_by_other else None
    if redeemed_at is not None and redeemed_at < row.at + within:
        if row.discount_micros is None:
            cost = row.cost_micros
        else:
            off = row.discount_micros
    options = tuple(names_of(row.options))
    return ChosenOffer(row.person_id, row.offer, options, row.propensity, row.at, off, cost)
