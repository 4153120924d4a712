"""What failed payments came to: recovered of all that failed, by why they failed at first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from statistics import median
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from rekindle.facts import Facts
from rekindle.insights.wire import Figure, Json, write_figure, write_money
from rekindle.subscriptions import (
    DeclineKind,
    Ending,
    HourChoice,
    HourReason,
    build_failures,
    build_unread_outcomes,
)
from rekindle.vocabulary import Money, Unknown
from rekindle.wording import counted, numbered

ALL = "all"


@dataclass(frozen=True, slots=True)
class Recovery:
    """What became of the payments that failed for one kind of reason, or for ``all``.

    ``failed`` counts invoices, and is recovered + dropped + running; amounts are of them.
    """

    kind: str
    failed: int
    recovered: int
    dropped: int
    at_stake: Money
    brought_back: Money
    median_days: Figure

    @property
    def running(self) -> int:
        """Return how many are neither paid nor dropped: not recovered yet."""
        return self.failed - self.recovered - self.dropped

    @property
    def rate(self) -> Figure:
        """Return recovered ÷ all failed, in 0-1; what still runs counts as not yet."""
        return self.recovered / self.failed if self.failed else Unknown("no payment failed")

    def to_json(self) -> Json:
        """Return the figures as JSON values."""
        return {
            "decline": self.kind,
            "failed": self.failed,
            "recovered": self.recovered,
            "dropped": self.dropped,
            "running": self.running,
            "rate": write_figure(self.rate),
            "at_stake": write_money(self.at_stake),
            "brought_back": write_money(self.brought_back),
            "median_days": write_figure(self.median_days, 2),
        }


def build_recovery(
    facts: Facts, run: Callable[[Any], pa.Table], *, as_of: datetime
) -> tuple[Recovery, ...]:
    """Return what became of payments that failed before ``as_of``: of all, then by decline.

    Empty where none failed.
    """
    rows = run(_count(build_failures(facts, as_of))).to_pylist()
    if not rows:
        return ()
    kinds = [kind for kind in DeclineKind if any(row["kind"] == kind for row in rows)]
    return (
        _recovery(ALL, rows, facts.currency),
        *(
            _recovery(kind, [r for r in rows if r["kind"] == kind], facts.currency)
            for kind in kinds
        ),
    )


def write_hour(choice: HourChoice | None) -> Json | None:
    """Return the hour of retries as JSON values, local where the payer lives."""
    if choice is None:
        return None
    found: Json = {
        "hour": choice.hour,
        "reason": choice.reason.value,
        "retries": choice.retries,
        "looked_best": choice.looked_best,
    }
    if choice.reason in {HourReason.LEARNT, HourReason.NOT_BETTER}:
        found["went_through"] = {"there": choice.there, "usual": choice.usual}
        found["difference"] = {"low": choice.low, "high": choice.high}
    return found


def list_payment_notes(
    facts: Facts, run: Callable[[Any], pa.Table], *, as_of: datetime
) -> Iterator[str]:
    """Yield what is to be said of payments that cannot be read."""
    (row,) = run(build_unread_outcomes(facts, as_of)).to_pylist()
    if count := row["attempts"]:
        yield (
            f"{counted(count, 'payment')} {numbered(count, 'has')} an outcome that is not known, "
            f"like {row['example']!r}, and {numbered(count, 'is')} read as neither paid nor failed."
        )


def _count(failures: ir.Table) -> ir.Table:
    """Return how many failed so and ended so after so many hours."""
    hours = failures.ended_at.delta(failures.failed_at, unit="hour")
    rows = failures.mutate(hours=ibis.ifelse(failures.ended_at.isnull(), 0, hours))
    nothing = ibis.literal(0).cast(rows.amount.type())
    return rows.group_by("kind", "ending", "hours").agg(
        people=rows.count(), amount=ibis.coalesce(rows.amount.sum(), nothing)
    )


def _recovery(kind: str, rows: Iterable[Mapping[str, Any]], currency: str) -> Recovery:
    rows = list(rows)
    back = [row for row in rows if row["ending"] == Ending.CLEARED]
    dropped = [row for row in rows if row["ending"] == Ending.DROPPED]
    days = [row["hours"] / 24 for row in back for _ in range(row["people"])]
    return Recovery(
        str(kind),
        sum(row["people"] for row in rows),
        len(days),
        sum(row["people"] for row in dropped),
        _money(rows, currency),
        _money(back, currency),
        median(days) if days else Unknown("none was paid yet"),
    )


def _money(rows: Iterable[Mapping[str, Any]], currency: str) -> Money:
    return Money(sum((row["amount"] for row in rows), Decimal(0)), currency)
