"""What became of each offer, what it cost and left, and how many would have bought anyway."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import ibis
import pyarrow as pa

from rekindle.desk.offers.standing import OfferStanding, load_standing
from rekindle.experiments import ArmOutcome, Lift, estimate_lift
from rekindle.facts import find_known_until
from rekindle.ledger import OfferWindow, load_first_windows, load_redeemed
from rekindle.runtime import Workspace
from rekindle.subscriptions import build_purchases
from rekindle.vocabulary import Money, Unknown

SCHEMA_VERSION = 1
AFTER_OTHERS = Unknown(
    "earlier messages had brought some of those back who were to get it, and of the held out "
    "nobody: they are not alike any more"
)
INSTANT = pa.timestamp("us", tz="UTC")
WINDOWS = pa.schema(
    [("number", pa.int64()), ("person", pa.string()), ("since", INSTANT), ("until", INSTANT)]
)


@dataclass(frozen=True, slots=True)
class Anyway:
    """Who bought in the time of the offer: of those who were to get it, and of the held out.

    ``lift`` is the difference of the two shares, with its interval, or why there is none.
    """

    given: ArmOutcome
    held_out: ArmOutcome
    lift: Lift | Unknown


@dataclass(frozen=True, slots=True)
class OfferReport:
    """One offer: how it stands, what it cost, what its orders left, and who bought anyway."""

    standing: OfferStanding
    cost: Money
    left: Money | Unknown
    anyway: Anyway | Unknown

    def to_json(self) -> dict[str, Any]:
        """Return the report as documented JSON; what is unknown carries its reason."""
        tally, anyway = self.standing.tally, self.anyway
        return {
            "offer": self.standing.name,
            "terms": self.standing.words,
            "given": tally.given,
            "open": tally.open,
            "redeemed": tally.redeemed,
            "redeemed_by_others": tally.by_others,
            "lapsed": tally.lapsed,
            "taken_back": tally.released,
            "cost": float(self.cost.amount),
            "currency": self.cost.currency,
            "left": {"unknown": self.left.reason}
            if isinstance(self.left, Unknown)
            else float(self.left.amount),
            "expected_share": self.standing.expected_share,
            "anyway": {"unknown": anyway.reason}
            if isinstance(anyway, Unknown)
            else _anyway_json(anyway),
        }


def report_offers(workspace: Workspace, at: datetime) -> list[OfferReport]:
    """Return the report of every offer of ``offers.yaml``."""
    known = find_known_until(workspace.reading, at) if workspace.has_facts else at
    windows = load_first_windows(workspace.ledger, known)
    bought = find_bought(workspace, windows)
    gross = _gross_of(workspace)
    return [
        OfferReport(
            one,
            _cost(one),
            _left(workspace, one, gross.get(one.name, Decimal(0))),
            find_anyway(one.name, windows, bought),
        )
        for one in load_standing(workspace, at)
    ]


def _cost(one: OfferStanding) -> Money:
    """Return what was redeemed cost: what orders say came off, else what was reckoned with."""
    return Money.from_micros(one.tally.spent_micros, one.reserved.currency)


def _left(workspace: Workspace, one: OfferStanding, gross: Decimal) -> Money | Unknown:
    """Return what the orders that redeemed an offer left, after it."""
    margin = workspace.config.offers.margin
    if margin is None:
        return Unknown("[offers] margin is not set")
    if not one.tally.redeemed:
        return Unknown("none was redeemed")
    cost = _cost(one)
    return Money(gross * margin - cost.amount, cost.currency)


def find_anyway(
    name: str, windows: Sequence[OfferWindow], bought: frozenset[int]
) -> Anyway | Unknown:
    """Return who bought in their time of an offer; ``bought`` are the numbers of such windows."""
    counted: Counter[tuple[bool, bool]] = Counter(
        (one.is_ghost, number in bought) for number, one in enumerate(windows) if one.offer == name
    )
    given, held_out = (
        ArmOutcome.of_count(counted[ghost, False] + counted[ghost, True], counted[ghost, True])
        for ghost in (False, True)
    )
    if not given.assigned:
        return Unknown("nobody's time to redeem it is over yet")
    if not held_out.assigned:
        return Unknown("no held-out person would have been given it and had their time")
    if any(one.has_followed for one in windows if one.offer == name and not one.is_ghost):
        return Anyway(given, held_out, AFTER_OTHERS)
    return Anyway(given, held_out, estimate_lift(given, held_out, metric="share that bought"))


def _anyway_json(anyway: Anyway) -> dict[str, Any]:
    lift = anyway.lift
    return {
        "given": anyway.given.assigned,
        "given_bought": int(anyway.given.total),
        "held_out": anyway.held_out.assigned,
        "held_out_bought": int(anyway.held_out.total),
        "difference": {"unknown": lift.reason}
        if isinstance(lift, Unknown)
        else {"point": lift.difference, "low": lift.low, "high": lift.high},
    }


def find_bought(workspace: Workspace, windows: Sequence[OfferWindow]) -> frozenset[int]:
    """Return the numbers of the windows in which their person bought, or a stay of theirs began."""
    if not windows or not workspace.has_facts:
        return frozenset()
    engine, facts = workspace.reading
    columns = (
        list(range(len(windows))),
        [one.person for one in windows],
        [one.at for one in windows],
        [one.ends_at for one in windows],
    )
    asked = engine.bring("offer_windows", pa.table(list(columns), schema=WINDOWS))
    bought = build_purchases(facts.standing_orders(), facts).select("customer_id", "ordered_at")
    joined = asked.inner_join(
        bought,
        [
            asked.person == bought.customer_id,
            bought.ordered_at > asked.since,
            bought.ordered_at <= asked.until,
        ],
    )
    return frozenset(engine.run(joined.select("number").distinct()).column(0).to_pylist())


def _gross_of(workspace: Workspace) -> Mapping[str, Decimal]:
    """Return the goods, at their price, of the orders that redeemed each offer.

    What was given back is taken off, and an order of several offers is shared among them.
    """
    redeemed = load_redeemed(workspace.ledger)
    if not redeemed or not workspace.has_facts:
        return {}
    engine, facts = workspace.reading
    counted = Counter((source, order) for _, source, order in redeemed)
    columns = [pa.array(column, pa.string()) for column in zip(*counted, strict=True)]
    asked = engine.bring("redeemed_orders", pa.table(columns, names=["source", "order_id"]))
    orders = asked.inner_join(facts.orders, ["source", "order_id"])
    kept = orders.gross - ibis.coalesce(orders.refund, 0)
    rows = engine.run(orders.select("source", "order_id", kept=kept)).to_pylist()
    gross = {(row["source"], row["order_id"]): Decimal(str(row["kept"] or 0)) for row in rows}
    found: defaultdict[str, Decimal] = defaultdict(Decimal)
    for offer, source, order in redeemed:
        share = counted[source, order]
        found[offer] += gross.get((source, order), Decimal()) / share
    return found
