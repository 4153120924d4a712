"""The profile: who each customer is on a given day, as one expression.

``tallies`` hold what accumulated; here everything that depends on the date is added, the
same way for one date or for many, so a replay asks what a live run would have asked.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import ibis
import ibis.expr.types as ir

from rekindle.config import LifecycleSettings
from rekindle.facts import Facts
from rekindle.profiles.columns import COLUMNS
from rekindle.profiles.cycle import build_cycle
from rekindle.profiles.lifecycle import LINES, build_lifecycle
from rekindle.profiles.tallies import AMOUNTS, build_tallies
from rekindle.profiles.value import build_value, build_value_band

VALUE_COLUMNS = frozenset((*AMOUNTS, "lifetime_value", "average_order_value", "value_band"))
RHYTHM_COLUMNS = frozenset(
    (
        *(f"{line}_after_days" for line in LINES),
        "tier",
        "tier_since_on",
        "silence_days",
        "silence_ratio",
        "mean_gap_days",
        "expected_gap_days",
        "refill_due_on",
        "at_risk_on",
    )
)
NAMES = tuple(column.name for column in COLUMNS)


def build_profiles(facts: Facts, as_of: datetime, settings: LifecycleSettings) -> ir.Table:
    """Return one row a customer with every column of the catalogue, as of an instant.

    Only facts strictly before ``as_of`` count. Nothing is executed.
    """
    return build_profiles_from(build_tallies(facts, as_of), settings).select(*NAMES)


def build_profiles_from(
    tallies: ir.Table, settings: LifecycleSettings, *, columns: Collection[str] = NAMES
) -> ir.Table:
    """Return tallies (with ``as_of`` and ``as_of_on``) with the profile's columns added.

    ``columns`` says which are needed; what only the others need is neither computed nor
    carried along. Columns beside the tallies stay. ``season_on`` is not added: rows of a
    timeline get it by ``join_season`` before.
    """
    has_value = not VALUE_COLUMNS.isdisjoint(columns)
    table = _without_unneeded(tallies, columns, has_value=has_value)
    if not RHYTHM_COLUMNS.isdisjoint(columns):
        table = build_lifecycle(build_cycle(table, settings), settings)
    if has_value:
        table = build_value(table)
    if "value_band" in columns:
        table = build_value_band(table)
    if "silence_ratio" in columns:
        table = table.mutate(silence_ratio=table.silence_days / table.expected_gap_days)
    if "top_category" not in table.columns:
        table = table.mutate(
            top_category=ibis.null().cast("string"), top_category_share=ibis.null().cast("float64")
        )
    return table


def _without_unneeded(table: ir.Table, columns: Collection[str], *, has_value: bool) -> ir.Table:
    unneeded = {"customer_id", "first_order_at", "last_order_at"} - set(columns)
    if not has_value:
        unneeded |= set(AMOUNTS)
    return table.drop(*(name for name in table.columns if name in unneeded))
