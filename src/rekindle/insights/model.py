"""The nouns of an audit: what a business's own history says about who drifted away.

Frozen values with one way out, ``to_json``; the terminal and the page read the same
fields, so that no two places can state different figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from rekindle.experiments import HoldoutPlan
from rekindle.insights.past_sends.model import SendAudit
from rekindle.insights.subscribers.model import SubscriptionAudit
from rekindle.insights.survival import Interval
from rekindle.insights.wire import (
    VERSION,
    Figure,
    Json,
    write_figure,
    write_interval,
    write_money,
    write_unknown,
)
from rekindle.predictions import CONFIDENCE, Outlook
from rekindle.vocabulary import Money, Tier, Unknown

DRIFTED = (Tier.LAPSED, Tier.DORMANT)
LINES = (Tier.AT_RISK, Tier.LAPSED, Tier.DORMANT, Tier.GONE)


@dataclass(frozen=True, slots=True)
class RowCounts:
    """What the newest import of each file of orders read, refused, and took without a customer."""

    read: int
    quarantined: int
    anonymous: int


@dataclass(frozen=True, slots=True)
class GapDays:
    """Quantiles of the gaps between purchase days, in days; ``count`` gaps were seen."""

    count: int
    median: Figure
    p75: Figure
    p90: Figure
    p95: Figure

    def to_json(self) -> Json:
        """Return the quantiles as JSON values."""
        return {
            "median": write_figure(self.median),
            "p75": write_figure(self.p75),
            "p90": write_figure(self.p90),
            "p95": write_figure(self.p95),
        }


@dataclass(frozen=True, slots=True)
class ReturnPoint:
    """The share of silences of this length that ended unprompted within the horizon."""

    silence_days: int
    at_risk: int
    share: Interval | Unknown

    def to_json(self) -> Json:
        """Return the point as JSON values."""
        head: Json = {"silence_days": self.silence_days, "at_risk": self.at_risk}
        return head | write_interval(self.share)


@dataclass(frozen=True, slots=True)
class TierLine:
    """Where a tier begins for the median buyer, and which share of those in it will return.

    ``returning`` has the ends of the range that holds four outcomes in five.
    """

    after_days: Figure
    returning: Interval | Unknown

    def to_json(self) -> Json:
        """Return the line as JSON values."""
        return {
            "after_days": write_figure(self.after_days, 1),
            "returning": write_interval(self.returning),
        }


@dataclass(frozen=True, slots=True)
class TierTotal:
    """How many customers are in a tier, and their lifetime value together."""

    customers: int
    lifetime_value: Money

    def to_json(self) -> Json:
        """Return the total as JSON values."""
        return {"customers": self.customers, "lifetime_value": write_money(self.lifetime_value)}


@dataclass(frozen=True, slots=True)
class DriftedCustomer:
    """One customer who drifted away."""

    customer_id: str
    tier: Tier
    last_order_on: date
    silence_days: int
    orders_count: int
    lifetime_value: Money

    def to_json(self) -> Json:
        """Return the customer as JSON values."""
        return {
            "customer_id": self.customer_id,
            "tier": self.tier.value,
            "last_order_on": self.last_order_on.isoformat(),
            "silence_days": self.silence_days,
            "orders_count": self.orders_count,
            "lifetime_value": write_money(self.lifetime_value),
        }


@dataclass(frozen=True, slots=True)
class EarlierCut:
    """What became of those who had drifted away by ``as_of``, one horizon earlier.

    ``returned`` of ``people`` bought within the horizon; ``revenue`` is their mean net
    revenue in it and ``deviation`` its standard deviation, in major units, zeros included.
    """

    as_of: datetime
    people: int
    returned: int
    revenue: Figure
    deviation: Figure

    @property
    def share(self) -> Figure:
        """Return the part of them who bought within the horizon, in 0-1."""
        if not self.people:
            return Unknown(f"nobody had drifted away by {self.as_of:%Y-%m-%d}")
        return self.returned / self.people

    def to_json(self) -> Json:
        """Return the cut as JSON values."""
        return {
            "as_of": self.as_of.isoformat(),
            "people": self.people,
            "returned": self.returned,
            "share": write_figure(self.share),
            "net_revenue_per_customer": write_figure(self.revenue, 2),
        }


@dataclass(frozen=True, slots=True)
class Proof:
    """What a journey to everyone who drifted away could show, within the horizon.

    ``revenue`` (major units per customer) and ``return_rate`` (added to the holdout's)
    are the smallest differences that four such journeys in five would show. ``outlook`` is how
    many of the list will return unprompted.
    """

    base: EarlierCut
    holdout: HoldoutPlan
    revenue: Figure
    return_rate: Figure
    outlook: Outlook | Unknown

    @property
    def buyers(self) -> Interval | Unknown:
        """Return how many buyers the holdout can expect, with the range of it."""
        if isinstance(self.outlook, Unknown):
            return self.outlook
        found = self.outlook.of(self.held)
        return Interval(found.value, found.low, found.high)

    @property
    def held(self) -> int:
        """Return how many people are to be held out."""
        return self.holdout.held_out_count

    @property
    def sentence(self) -> str:
        """Return who is held out, and how sure the number of buyers among them is."""
        if isinstance(self.outlook, Unknown):
            return self.holdout.sentence
        told = self.outlook.tell(self.held, f"the {self.held:,} held out")
        return f"{self.holdout.sentence} {told}"


@dataclass(frozen=True, slots=True)
class Audit:
    """Who drifted away, what they are worth, and what this history can prove.

    Revenue and orders are those of identified customers; ``anonymous_revenue`` is net
    of the rest. ``gap_counts`` holds (days, how many gaps), ascending.
    ``rates`` are what one unit of each other currency was taken to be worth, and ``rates_told``
    says so.
    ``warnings`` say what makes its forecasts less sure. ``subscriptions`` is None for a business
    without any, ``past_sends`` where nothing was imported of what other systems sent.
    """

    as_of: datetime
    zone: str
    currency: str
    horizon: timedelta
    rows: RowCounts | Unknown
    buyers: int
    orders: int
    gross_revenue: Money
    net_revenue: Money
    anonymous_revenue: Money
    gap_days: GapDays
    gap_days_by_category: Mapping[str, GapDays]
    gap_counts: tuple[tuple[int, int], ...]
    return_curve: tuple[ReturnPoint, ...]
    tiers: Mapping[Tier, TierTotal]
    tier_lines: Mapping[Tier, TierLine]
    most_valuable: tuple[DriftedCustomer, ...]
    proof: Proof
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    subscriptions: SubscriptionAudit | None = None
    past_sends: SendAudit | None = None
    rates: Mapping[str, Decimal] = field(default_factory=dict)
    rates_told: str = ""

    @property
    def drifted(self) -> TierTotal:
        """Return everyone who drifted away: lapsed or dormant."""
        totals = [self.tiers[tier] for tier in DRIFTED]
        worth = sum((total.lifetime_value.amount for total in totals), start=Decimal(0))
        return TierTotal(sum(total.customers for total in totals), Money(worth, self.currency))

    def to_json(self) -> Json:
        """Return the audit as JSON values; amounts in major units, shares in 0-1.

        What could not be computed is ``{"unknown": reason}``.
        """
        more = {"subscriptions": self.subscriptions, "past_sends": self.past_sends}
        return {
            "version": VERSION,
            "as_of": self.as_of.isoformat(),
            "currency": self.currency,
            "rates": {code: float(rate) for code, rate in self.rates.items()},
            "rows": self._write_rows(),
            "buyers": self.buyers,
            "orders": self.orders,
            "gross_revenue": write_money(self.gross_revenue),
            "net_revenue": write_money(self.net_revenue),
            "anonymous_revenue": write_money(self.anonymous_revenue),
            "gap_days": self.gap_days.to_json(),
            "gap_days_by_category": {
                name: gaps.to_json() for name, gaps in self.gap_days_by_category.items()
            },
            "tiers": {tier.value: total.to_json() for tier, total in self.tiers.items()},
            "tier_lines": {tier.value: line.to_json() for tier, line in self.tier_lines.items()},
            "horizon_days": self.horizon.days,
            "return_curve": [point.to_json() for point in self.return_curve],
            "drifted": self._write_drifted(),
            "holdout": self._write_holdout(),
            "provable_lift": {
                "net_revenue_per_customer": write_figure(self.proof.revenue),
                "return_rate": write_figure(self.proof.return_rate),
            },
            "warnings": list(self.warnings),
            "notes": list(self.notes),
        } | {name: found.to_json() for name, found in more.items() if found is not None}

    def _write_rows(self) -> Json:
        names = ("read", "quarantined", "anonymous")
        if isinstance(self.rows, Unknown):
            return {name: write_unknown(self.rows) for name in names}
        return {name: getattr(self.rows, name) for name in names}

    def _write_drifted(self) -> Json:
        listed = [customer.to_json() for customer in self.most_valuable]
        return self.drifted.to_json() | {"most_valuable": listed}

    def _write_buyers(self) -> Json:
        found = self.proof.buyers
        if isinstance(found, Unknown):
            return write_unknown(found)
        return {"low": round(found.low), "high": round(found.high), "confidence": CONFIDENCE}

    def _write_holdout(self) -> Json:
        plan = self.proof.holdout
        return {
            "people": plan.people,
            "share": round(plan.share, 4),
            "expected_buyers": write_figure(plan.expected_buyers, 1),
            "buyers_range": self._write_buyers(),
            "sentence": self.proof.sentence,
            "base": self.proof.base.to_json(),
        }
