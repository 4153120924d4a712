"""Asks the facts who drifted away, and what a journey to them could prove.

Every question goes to the engine as one expression that returns few rows; only the
profile's snapshot carries a row a customer, so that the profile is built once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rekindle.config import LifecycleSettings
from rekindle.experiments import plan_holdout, provable_lift, provable_rate_lift, with_buyers
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
from rekindle.insights.quarantine import find_order_files
from rekindle.insights.silences import Silences, build_silences, measure_returns
from rekindle.insights.subscribers import NO_RULES, build_subscriptions
from rekindle.insights.survival import FEWEST_AT_RISK, Interval, Survival
from rekindle.insights.wire import Figure
from rekindle.predictions import (
    STEPS,
    GroupModels,
    Outlook,
    PastCut,
    PastGroup,
    foresee,
    load_group_models,
    past_days,
    warn_of_season,
)
from rekindle.profiles import build_profiles, local_before, local_day
from rekindle.subscriptions import OURS, find_definition
from rekindle.vocabulary import Money, Tier, Unknown
from rekindle.wording import percent

Run = Callable[[Any], pa.Table]

INSTANT = "timestamp('UTC', 6)"
HORIZON = timedelta(days=90)
MOST_VALUABLE = 20
# Six points a horizon draw a smooth curve and make a short list.
POINTS_PER_HORIZON = 6

NOTES = (
    "Unprompted means: by the history as it is. Whatever else the shop sent to its customers "
    "is part of these figures.",
    "The curve of returns is a Kaplan-Meier estimate with 95 % intervals. One customer's silences "
    "count as if they were several customers', so intervals of short silences are too narrow.",
    "Still return is a forecast: of the return model where a year or more is known, else what "
    "became of those in the tier at the last day whose outcome is known. Its range holds four "
    "outcomes in five, by how far such forecasts were off before.",
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
    definition: str = OURS.name,
    not_worth: Mapping[str, str] = NO_RULES,
    contacted: Collection[str] = (),
) -> Audit:
    """Return the audit of everything known strictly before ``as_of``.

    ``run`` executes an expression (``Engine.run``). ``definition`` names who counts as a
    subscriber, and ``not_worth`` are the rules that say which of those who left are not worth
    asking. Who was ``contacted`` before ``as_of`` is said beside the return model.

    Raises:
        UsageError: no definition is called so, or a rule is no predicate.
    """
    chosen = find_definition(definition)
    audit = Auditor(facts, run, as_of, settings, HORIZON, contacted).audit()
    subscribed = build_subscriptions(
        facts, run, as_of=as_of, definition=chosen, settings=settings, not_worth=not_worth
    )
    return replace(audit, subscriptions=subscribed)


@dataclass(frozen=True, slots=True)
class Auditor:
    """The question, and who answers it."""

    facts: Facts
    run: Run
    as_of: datetime
    settings: LifecycleSettings
    horizon: timedelta
    contacted: Collection[str]

    def audit(self) -> Audit:
        """Return the audit without its subscriptions."""
        totals = self.run(build_totals(self.facts.cut(self.as_of).orders)).to_pylist()[0]
        silences = Silences.from_rows(
            self.run(build_silences(self.facts, self.as_of, self.settings))
        )
        survival = silences.survival()
        snapshot = self._snapshot()
        tiers = self._tiers(snapshot)
        known = self.facts.cut(self.as_of).orders
        pace = self.run(build_pace(known, self.as_of, self._before(self.horizon))).to_pylist()[0]
        days_known = self._days_known(pace["first_on"])
        cuts = self._past_cuts(days_known)
        models = self.models(days_known)
        outlook = self.foresight(models, days_known, snapshot, cuts)
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
            tier_lines=self._lines(snapshot, tiers, outlook),
            most_valuable=self._most_valuable(snapshot),
            proof=self._proof(sum(tiers[tier].customers for tier in DRIFTED), outlook(DRIFTED)),
            rates=dict(self.facts.rates),
            rates_told=self.facts.say_rates(),
            notes=NOTES,
            warnings=(
                *self._warnings(days_known, pace),
                *warn_of_order(cuts),
                *(f"The return model: {told}." for told in _warnings_of(models)),
            ),
        )

    def _rows(self) -> RowCounts | Unknown:
        if "imports" not in (books := self.facts.bookkeeping or {}):
            return Unknown("the facts are read from a warehouse and were not imported")
        # What a customers file held is counted among the customers.
        imports = find_order_files(books["imports"])
        names = ("read", "quarantined", "anonymous")
        sums = {name: ibis.coalesce(imports[name].sum(), 0) for name in names}
        return RowCounts(**self.run(imports.aggregate(**sums)).to_pylist()[0])

    def _points(self, survival: Survival) -> range:
        longest = int(survival.days[-1]) if survival.days.size else 0
        step = max(1, self.horizon.days // POINTS_PER_HORIZON)
        return range(0, longest + 1, step)

    def _snapshot(self) -> pa.Table:
        return self.run(build_profiles(self.facts, self.as_of, self.settings, columns=_SNAPSHOT))

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

    def _before(self, ahead: timedelta) -> datetime:
        return local_before(self.as_of, ahead, self.facts.zone)

    def _days_known(self, first_on: date | None) -> int:
        return 0 if first_on is None else (local_day(self.as_of, self.facts.zone) - first_on).days

    def _warnings(self, days_known: int, pace: Mapping[str, Any]) -> list[str]:
        if not days_known:
            return []
        earlier = max(days_known - self.horizon.days, 1)
        return warn_of_season(
            days_known,
            self.horizon.days,
            recent=pace["recent"] / self.horizon.days,
            before=pace["before"] / earlier,
        )

    def _past_cuts(self, days_known: int) -> list[Mapping[Tier, PastCut]]:
        """Return who was in which drifting tier at past cuts, and how many of them returned."""
        found: list[Mapping[Tier, PastCut]] = []
        for days in past_days(days_known, self.horizon.days):
            cut_at = self._before(timedelta(days))
            end = self._before(timedelta(days) - self.horizon)
            rows = self.run(build_returns(self.facts, cut_at, end, self.settings)).to_pylist()
            seen = {row["tier"]: (row["people"], row["returned"]) for row in rows}
            found.append({t: PastCut(cut_at, *seen.get(t.value, (0, 0))) for t in LINES})
        return found

    def foresight(
        self,
        models: GroupModels | Unknown,
        days_known: int,
        snapshot: pa.Table,
        cuts: Sequence[Mapping[Tier, PastCut]],
    ) -> Callable[[Collection[Tier]], Outlook | Unknown]:
        """Return what foresees how many of some tiers return: the model, where there is one."""
        days = past_days(days_known, self.horizon.days)[:STEPS]
        # Members of tiers at past days are read only for a model to be held against.
        then = [] if isinstance(models, Unknown) else [self.members(ago) for ago in days]

        def foresee_tiers(tiers: Collection[Tier]) -> Outlook | Unknown:
            together = [_together(cut, tiers) for cut in cuts]
            if isinstance(models, GroupModels):
                before = [
                    PastGroup(ago, _who(members, tiers), cut)
                    for ago, members, cut in zip(days, then, together, strict=False)
                ]
                found = models.foresee(_who(snapshot, tiers), before)
                if isinstance(found, Outlook):
                    return found
            return foresee(together)

        return foresee_tiers

    def models(self, days_known: int) -> GroupModels | Unknown:
        """Return the return models of today and of past days, or why there are none."""
        return load_group_models(
            self.facts,
            self.run,
            as_of=self.as_of,
            horizon_days=self.horizon.days,
            days_known=days_known,
            contacted=self.contacted,
        )

    def members(self, ago: int) -> pa.Table:
        """Return who was in which tier from at_risk on, so many days ago."""
        cut_at = self._before(timedelta(ago))
        profiles = build_profiles(
            self.facts, cut_at, self.settings, columns=("customer_id", "tier")
        )
        return self.run(profiles.filter(profiles.tier.isin([tier.value for tier in LINES])))

    def _lines(
        self,
        snapshot: pa.Table,
        tiers: Mapping[Tier, TierTotal],
        outlook: Callable[[Collection[Tier]], Outlook | Unknown],
    ) -> Mapping[Tier, TierLine]:
        buyers = snapshot.filter(pc.field("orders_count") > 0)
        if not buyers.num_rows:
            nobody = Unknown("nobody has bought yet")
            return {tier: TierLine(nobody, nobody) for tier in LINES}
        return {
            tier: TierLine(
                float(np.median(buyers[f"{tier.value}_after_days"].to_numpy())),
                _returning(tiers[tier].customers, outlook((tier,))),
            )
            for tier in LINES
        }

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

    def _proof(self, people: int, outlook: Outlook | Unknown) -> Proof:
        base = self._earlier_cut()
        share, times = base.share, 1.0
        if isinstance(outlook, Outlook) and outlook.is_modelled and base.returned:
            share, times = outlook.share, outlook.share / (base.returned / base.people)
        plan = plan_holdout(people=people, buyers_expected_share=share)
        revenue: Figure
        if isinstance(base.deviation, Unknown) or isinstance(base.revenue, Unknown):
            revenue = base.deviation
        else:
            mean, deviation = with_buyers(base.revenue, base.deviation, times)
            revenue = provable_lift(
                people=people, holdout_share=plan.share, standard_deviation=deviation, mean=mean
            )
        rate: Figure = (
            share
            if isinstance(share, Unknown)
            else provable_rate_lift(people=people, holdout_share=plan.share, base_rate=share)
        )
        return Proof(base, plan, revenue, rate, outlook)

    def _earlier_cut(self) -> EarlierCut:
        cut_at = self._before(self.horizon)
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


def _warnings_of(models: GroupModels | Unknown) -> tuple[str, ...]:
    return () if isinstance(models, Unknown) else models.warnings


def _returning(people: int, outlook: Outlook | Unknown) -> Interval | Unknown:
    if isinstance(outlook, Unknown):
        return outlook
    found = outlook.share_of(people)
    return Interval(found.value, found.low, found.high)


def warn_of_order(cuts: Sequence[Mapping[Tier, PastCut]]) -> list[str]:
    """Return where, at the newest past cut, a later tier returned clearly more than an earlier.

    Clearly is by more than two standard errors.
    """
    told = []
    for early, late in pairwise((Tier.AT_RISK, Tier.LAPSED, Tier.DORMANT) if cuts else ()):
        one, other = cuts[0][early], cuts[0][late]
        if min(one.people, other.people) < FEWEST_AT_RISK:
            continue
        a, b = (cut.returned / cut.people for cut in (one, other))
        error = math.sqrt(a * (1 - a) / one.people + b * (1 - b) / other.people)
        if b > a + 2 * error:
            told.append(
                f"THE TIERS ARE OUT OF ORDER: of those who were {_say(late)} on "
                f"{one.as_of:%Y-%m-%d} {percent(b)} returned, of the {_say(early)} {percent(a)}. "
                "Look at people who bought once (orders_count = 1) and at regular ones apart: "
                "their silences may mean different things."
            )
    return told


def _say(tier: Tier) -> str:
    return tier.value.replace("_", " ")


def _together(cut: Mapping[Tier, PastCut], tiers: Collection[Tier]) -> PastCut:
    """Return the cut of everybody in some tiers."""
    return PastCut(
        cut[Tier.LAPSED].as_of,
        sum(cut[tier].people for tier in tiers),
        sum(cut[tier].returned for tier in tiers),
    )


def _who(profiles: pa.Table, tiers: Collection[Tier]) -> pa.ChunkedArray:
    names = pa.array([tier.value for tier in tiers])
    return profiles.filter(pc.is_in(profiles["tier"], names))["customer_id"]


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


def build_pace(orders: ir.Table, as_of: datetime, recent_from: datetime) -> ir.Table:
    """Return one row: the first purchase day, purchases ``recent`` and ``before`` that time."""
    bought = (orders.kind == PURCHASE) & orders.customer_id.notnull()
    is_recent = orders.ordered_at >= ibis.literal(recent_from, type=INSTANT)
    return orders.aggregate(
        first_on=orders.ordered_on.min(where=bought),
        recent=ibis.coalesce(orders.count(where=bought & is_recent), 0),
        before=ibis.coalesce(orders.count(where=bought & ~is_recent), 0),
    )


def build_returns(
    facts: Facts, cut_at: datetime, end: datetime, settings: LifecycleSettings
) -> ir.Table:
    """Return a row a ``tier``: ``people`` in it at ``cut_at``, ``returned`` before ``end``."""
    profiles = build_profiles(facts, cut_at, settings, columns=("customer_id", "tier"))
    orders = facts.cut(end).orders
    later = orders.filter(
        (orders.ordered_at >= ibis.literal(cut_at, type=INSTANT)) & (orders.kind == PURCHASE)
    )
    came = later.group_by(buyer=later.customer_id).agg(purchases=later.count())
    joined = profiles.left_join(came, profiles.customer_id == came.buyer)
    return joined.group_by("tier").agg(
        people=joined.count(),
        returned=ibis.coalesce(joined.count(where=joined.purchases > 0), 0),
    )


def build_earlier_cut(
    facts: Facts, cut_at: datetime, as_of: datetime, settings: LifecycleSettings
) -> ir.Table:
    """Return one row: who had drifted away by ``cut_at``, and who bought before ``as_of``.

    Columns: ``people``, ``returned``, ``revenue`` and ``deviation``, as in ``EarlierCut``.
    """
    profiles = build_profiles(facts, cut_at, settings, columns=("customer_id", "tier"))
    drifted = profiles.filter(profiles.tier.isin([tier.value for tier in DRIFTED]))
    orders = facts.cut(as_of).orders
    later = orders.filter(orders.ordered_at >= ibis.literal(cut_at, type=INSTANT))
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
