"""The silences between purchases, counted by the engine and read as figures here.

Every purchase day begins a silence. It ends on the customer's next purchase day (then
it is a gap) or lasts still. A shop has millions of them but few lengths, so counts by
length carry everything that quantiles and the return curve need.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rekindle.config import LifecycleSettings
from rekindle.facts import PURCHASE, Facts
from rekindle.insights.model import GapDays, ReturnPoint
from rekindle.insights.survival import Survival, estimate_survival
from rekindle.profiles import build_profiles, local_day
from rekindle.vocabulary import Unknown


@dataclass(frozen=True, slots=True, eq=False)
class Silences:
    """Counts of silences; the arrays run in parallel.

    ``category`` is the customer's top category, None where there is none.
    """

    days: NDArray[np.int64]
    has_ended: NDArray[np.bool_]
    counts: NDArray[np.int64]
    category: NDArray[np.object_]

    @classmethod
    def from_rows(cls, rows: pa.Table) -> Silences:
        """Return the rows of ``build_silences``."""
        return cls(
            rows["days"].to_numpy().astype(np.int64),
            rows["has_ended"].to_numpy().astype(bool),
            rows["silences"].to_numpy().astype(np.int64),
            np.array(rows["category"].to_pylist(), dtype=object),
        )

    def survival(self) -> Survival:
        """Return the estimated course of all silences."""
        return estimate_survival(self.days, self.has_ended, self.counts)

    def gap_counts(self) -> tuple[tuple[int, int], ...]:
        """Return (days, how many gaps of that length), ascending."""
        days, counts = _merge(self.days[self.has_ended], self.counts[self.has_ended])
        return tuple(zip(days.tolist(), counts.tolist(), strict=True))

    def gap_days(self) -> GapDays:
        """Return the quantiles of all gaps."""
        return _quantiles(self.days[self.has_ended], self.counts[self.has_ended])

    def gap_days_by_category(self) -> Mapping[str, GapDays]:
        """Return the quantiles by the customer's top category, most gaps first."""
        found = {}
        for name in {name for name in self.category if name is not None}:
            own = self.has_ended & (self.category == name)
            found[str(name)] = _quantiles(self.days[own], self.counts[own])
        return dict(sorted(found.items(), key=lambda item: (-item[1].count, item[0])))


def build_silences(facts: Facts, as_of: datetime, settings: LifecycleSettings) -> ir.Table:
    """Return ``days``, ``has_ended``, ``category`` and how many ``silences`` are so.

    Only facts strictly before ``as_of`` count; what lasts still lasts until its day.
    """
    orders = facts.cut(as_of).orders
    bought = orders.filter((orders.kind == PURCHASE) & orders.customer_id.notnull())
    purchase_days = bought.select("customer_id", "ordered_on").distinct()
    own = ibis.window(group_by=purchase_days.customer_id, order_by=purchase_days.ordered_on)
    begun = purchase_days.mutate(next_on=purchase_days.ordered_on.lead().over(own))
    today = ibis.date(local_day(as_of, facts.zone))
    table = begun.select(
        "customer_id",
        days=ibis.coalesce(begun.next_on, today).delta(begun.ordered_on, unit="day"),
        has_ended=begun.next_on.notnull(),
    )
    table = _with_category(table, facts, as_of, settings)
    return table.group_by("days", "has_ended", "category").agg(silences=table.count())


def measure_returns(
    survival: Survival, *, horizon_days: int, at_days: Iterable[int]
) -> tuple[ReturnPoint, ...]:
    """Return, for each length of silence, the share that ended within the horizon."""
    return tuple(
        ReturnPoint(
            silence_days=day,
            at_risk=survival.count_beyond(day),
            share=survival.estimate_ending(after=day, within=horizon_days),
        )
        for day in at_days
    )


def _with_category(
    table: ir.Table, facts: Facts, as_of: datetime, settings: LifecycleSettings
) -> ir.Table:
    if not facts.has_categories:
        return table.mutate(category=ibis.null().cast("string"))
    known = build_profiles(facts, as_of, settings, columns=("customer_id", "top_category"))
    tastes = known.select(owner="customer_id", category="top_category")
    return table.left_join(tastes, table.customer_id == tastes.owner).drop("owner")


def _merge(
    days: NDArray[np.int64], counts: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the distinct days, ascending, and their counts together."""
    lengths, place = np.unique(days, return_inverse=True)
    return lengths, np.bincount(place, counts, lengths.size).astype(np.int64)


def _quantiles(days: NDArray[np.int64], counts: NDArray[np.int64]) -> GapDays:
    """Return linearly interpolated quantiles (type 7 of Hyndman & Fan 1996) of counts."""
    lengths, merged = _merge(days, counts)
    until = merged.cumsum()
    count = int(until[-1]) if until.size else 0
    if not count:
        nobody = Unknown("nobody has bought on two different days")
        return GapDays(0, nobody, nobody, nobody, nobody)

    def at(share: float) -> float:
        rank = share * (count - 1)
        below, above = lengths[
            np.searchsorted(until, (np.floor(rank), np.ceil(rank)), side="right")
        ]
        return float(below + (above - below) * (rank - np.floor(rank)))

    return GapDays(count, at(0.5), at(0.75), at(0.9), at(0.95))
