"""Reads from the facts what was kept of whom a journey moves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from rekindle.facts import OWN_SCORES, Facts
from rekindle.gate import PersonUplift
from rekindle.vocabulary import MICROS


def find_person_uplifts(
    facts: Facts,
    run: Callable[[Any], pa.Table],
    wanted: ir.Table,
    which: tuple[str, datetime],
    day: date | None,
) -> dict[str, PersonUplift]:
    """Return what is kept of people of a journey and instant, ``which``, and counts on a day.

    Without a day all of it.
    ``wanted`` holds their ``customer_id``. Of two ids that became one person the figure counts
    that speaks most for writing to them.
    """
    journey, scored_at = which
    kept = facts.more["uplifts"]
    kept = kept.filter(
        (kept.source == OWN_SCORES)
        & (kept.journey == journey)
        & (kept.scored_at == ibis.literal(scored_at))
    ).semi_join(wanted, "customer_id")
    if day is not None:
        kept = kept.filter(kept.good_until_on >= ibis.date(day))
    columns = ("uplift", "uplift_low", "uplift_high", "basket")
    figures = kept.group_by("customer_id").agg(
        **{name: kept[name].max().cast("float64") for name in columns}
    )
    return {
        row["customer_id"]: PersonUplift(
            row["uplift"], row["uplift_low"], row["uplift_high"], round(row["basket"] * MICROS)
        )
        for row in run(figures).to_pylist()
        if None not in row.values()
    }
