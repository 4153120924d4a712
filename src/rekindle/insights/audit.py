"""Asks the facts who drifted away, and what a journey to them could prove.

Every question goes to the engine as one expression that returns few rows; only the
profile's snapshot carries a row a customer, so that the profile is built once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rekindle.config import LifecycleSettings
from rekindle.experiments import plan_holdout, provable_lift, provable_rate_lift
from rekindle.facts import PURCHASE, Facts, is_bought
from rekindle.insights.model import (
    DRIFTED,
    LINES,
    Audit,
    DriftedCustomer,
    EarlierCut,
    Proof,
    RowCounts,
    TierLine,
    TierTotal,
)
from rekindle.insights.silences import Silences, build_silences, measure_returns
from rekindle.insights.subscribers import build_subscriptions
from rekindle.insights.survival import Survival
from rekindle.insights.wire import Figure
from rekindle.profiles import build_profiles, local_before
from rekindle.subscriptions import OURS, find_definition
from rekindle.vocabulary import Money, Tier, Unknown

Run = Callable[[Any], pa.Table]

HORIZON = timedelta(days=90)
MOST_VALUABLE = 20
# Six points a horizon draw a smooth curve and make a short list.
POINTS_PER_HORIZON = 6

NOTES = (
    "Unprompted means: by the history as it is. Whatever else the shop sent to its customers "
    "is part of these figures.",
    "Return shares are Kaplan-Meier estimates with 95 % intervals. One customer's silences "
    "count as if they were several customers', so intervals of short silences are too narrow.",
    "What a list can prove is worked out in a normal approximation. With few buyers and a few "
    "very large orders it is hopeful: the real difference has to be larger.",
)

_SNAPSHOT = (
    "customer_id",
    "tier",
    "orders_count",
    "last_order_on",
    "silence_days",
    "lifetime_value",
    *(f"{tier.value}_after_days" for tier in LINES),
)


def build_audit(
    facts: Facts,
    run: Run,
    *,
    as_of: datetime,
    settings: LifecycleSettings,
    horizon: timedelta = HORIZON,
    definition: str = OURS.name,
) -> Audit:
    """Return the audit of everything known strictly before ``as_of``.

    ``run`` executes an expression (``Engine.run``); ``horizon`` is the whole number of
    days within which a return counts; ``definition`` names who counts as a subscriber.

    Raises:
        UsageError: no definition is called so.
    """
    chosen = find_definition(definition)
    audit = _Auditor(facts, run, as_of, settings, horizon).audit()
    subscribed = build_subscriptions(facts, run, as_of=as_of, definition=chosen)
    return replace(audit, subscriptions=subscribed)


@dataclass(frozen=True, slots=True)
class _Auditor:
    """The question, and who answers it."""

    facts: Facts
    run: Run
    as_of: datetime
    settings: LifecycleSettings
    horizon: timedelta

    def audit(self) -> Audit:
        totals = self.run(build_totals(self.facts.cut(self.as_of).orders)).to_pylist()[0]
        silences = Silences.from_rows(
            self.run(build_silences(self.facts, self.as_of, self.settings))
        )
        survival = silences.survival()
        snapshot = self._snapshot()
        tiers = self._tiers(snapshot)
        return Audit(
            as_of=self.as_of,
            zone=self.facts.zone,
            currency=self.facts.currency,
            horizon=self.horizon,
            rows=self._rows(),
            buyers=totals["buyers"],
            orders=totals["orders"],
            gross_revenue=self._money(totals["gross"]),
            net_revenue=self._money(totals["net"]),
            anonymous_revenue=self._money(totals["anonymous"]),
            gap_days=silences.gap_days(),
            gap_days_by_category=silences.gap_days_by_category(),
            gap_counts=silences.gap_counts(),
            return_curve=measure_returns(
                survival, horizon_days=self.horizon.days, at_days=self._points(survival)
            ),
            tiers=tiers,
            tier_lines=self._lines(snapshot, survival),
            most_valuable=self._most_valuable(snapshot),
            proof=self._proof(sum(tiers[tier].customers for tier in DRIFTED)),
            notes=NOTES,
        )

    def _rows(self) -> RowCounts | Unknown:
        if "imports" not in (books := self.facts.bookkeeping or {}):
            return Unknown("the facts are read from a warehouse and were not imported")
        # Rows of orders; what a customers file held is counted among the customers.
        imports = books["imports"]
        imports = imports.filter(imports.table.isin(["orders", "order_lines"]))
        names = ("read", "quarantined", "anonymous")
        sums = {name: ibis.coalesce(imports[name].sum(), 0) for name in names}
        return RowCounts(**self.run(imports.aggregate(**sums)).to_pylist()[0])

    def _points(self, survival: Survival) -> range:
        longest = int(survival.days[-1]) if survival.days.size else 0
        step = max(1, self.horizon.days // POINTS_PER_HORIZON)
        return range(0, longest + 1, step)

    def _snapshot(self) -> pa.Table:
        profiles = build_profiles(self.facts, self.as_of, self.settings)
        return self.run(profiles.select(*_SNAPSHOT))

    def _tiers(self, snapshot: pa.Table) -> Mapping[Tier, TierTotal]:
        grouped = snapshot.group_by("tier").aggregate(
            [("lifetime_value", "sum"), ("tier", "count")]
        )
        found = {row["tier"]: row for row in grouped.to_pylist()}
        nobody = {"tier_count": 0, "lifetime_value_sum": 0}
        return {
            tier: TierTotal(row["tier_count"], self._money(row["lifetime_value_sum"]))
            for tier in Tier
            for row in (found.get(tier.value, nobody),)
        }

    def _lines(self, snapshot: pa.Table, survival: Survival) -> Mapping[Tier, TierLine]:
        buyers = snapshot.filter(pc.field("orders_count") > 0)
        if not buyers.num_rows:
            nobody = Unknown("nobody has bought yet")
            return {tier: TierLine(nobody, nobody) for tier in LINES}
        return {
            tier: self._line(buyers[f"{tier.value}_after_days"].to_numpy(), survival)
            for tier in LINES
        }

    def _line(self, days: Any, survival: Survival) -> TierLine:
        median = float(np.median(days))
        # A silence is counted in whole days: the line is crossed on the day after it.
        returning = survival.estimate_ending(after=math.ceil(median), within=self.horizon.days)
        return TierLine(median, returning)

    def _most_valuable(self, snapshot: pa.Table) -> tuple[DriftedCustomer, ...]:
        drifted = snapshot.filter(pc.is_in(snapshot["tier"], pa.array([t.value for t in DRIFTED])))
        order = [("lifetime_value", "descending"), ("customer_id", "ascending")]
        rows = drifted.sort_by(order).slice(0, MOST_VALUABLE).to_pylist()
        return tuple(
            DriftedCustomer(
                customer_id=row["customer_id"],
                tier=Tier(row["tier"]),
                last_order_on=row["last_order_on"],
                silence_days=row["silence_days"],
                orders_count=row["orders_count"],
                lifetime_value=self._money(row["lifetime_value"]),
            )
            for row in rows
        )

    def _proof(self, people: int) -> Proof:
        base = self._earlier_cut()
        share = base.share
        plan = plan_holdout(people=people, buyers_expected_share=share)
        revenue: Figure = (
            base.deviation
            if isinstance(base.deviation, Unknown)
            else provable_lift(
                people=people, holdout_share=plan.share, standard_deviation=base.deviation
            )
        )
        rate: Figure = (
            share
            if isinstance(share, Unknown)
            else provable_rate_lift(people=people, holdout_share=plan.share, base_rate=share)
        )
        return Proof(base, plan, revenue, rate)

    def _earlier_cut(self) -> EarlierCut:
        cut_at = local_before(self.as_of, self.horizon, self.facts.zone)
        row = self.run(build_earlier_cut(self.facts, cut_at, self.as_of, self.settings))
        found = row.to_pylist()[0]
        few = Unknown(f"fewer than two had drifted away by {cut_at:%Y-%m-%d}")
        return EarlierCut(
            cut_at,
            found["people"],
            found["returned"],
            revenue=few if found["deviation"] is None else found["revenue"],
            deviation=few if found["deviation"] is None else found["deviation"],
        )

    def _money(self, amount: Decimal | int | None) -> Money:
        return Money(Decimal(amount or 0), self.facts.currency)


def build_totals(orders: ir.Table) -> ir.Table:
    """Return one row: buyers, orders, gross and net of customers, net of the anonymous.

    What was undone had been sold, and what gave it back is a refund: both are in it.
    """
    is_known = orders.customer_id.notnull()
    bought = is_known & is_bought(orders)
    net = build_net(orders)
    return orders.aggregate(
        buyers=orders.customer_id.nunique(where=bought),
        orders=ibis.coalesce(orders.count(where=bought), 0),
        gross=orders.gross.sum(where=is_known),
        net=net.sum(where=is_known),
        anonymous=net.sum(where=~is_known),
    )


def build_net(orders: ir.Table) -> ir.Value:
    """Return the net revenue of each order: gross − discount − refund."""
    return orders.gross - ibis.coalesce(orders.discount, 0) - ibis.coalesce(orders.refund, 0)


def build_earlier_cut(
    facts: Facts, cut_at: datetime, as_of: datetime, settings: LifecycleSettings
) -> ir.Table:
    """Return one row: who had drifted away by ``cut_at``, and who bought before ``as_of``.

    Columns: ``people``, ``returned``, ``revenue`` and ``deviation``, as in ``EarlierCut``.
    """
    profiles = build_profiles(facts, cut_at, settings)
    drifted = profiles.filter(profiles.tier.isin([tier.value for tier in DRIFTED]))
    orders = facts.cut(as_of).orders
    later = orders.filter(orders.ordered_at >= ibis.literal(cut_at, type="timestamp('UTC', 6)"))
    spent = later.group_by(buyer=later.customer_id).agg(
        purchases=later.count(where=later.kind == PURCHASE), net=build_net(later).sum()
    )
    joined = drifted.select("customer_id").left_join(spent, drifted.customer_id == spent.buyer)
    worth = ibis.coalesce(joined.net.cast("float64"), 0.0)
    return joined.aggregate(
        people=joined.count(),
        # Spark counts nothing as NULL where it sees beforehand that nobody bought.
        returned=ibis.coalesce(joined.count(where=joined.purchases > 0), 0),
        revenue=worth.mean(),
        deviation=worth.std(how="sample"),
    )
