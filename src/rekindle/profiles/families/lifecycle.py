"""Lifecycle tiers: when silence becomes a reason to act.

The default clock is personal: a multiple of the expected gap. Presets of fixed days suit
a type of business, and days per category win over both.
"""

from __future__ import annotations

from functools import reduce

import ibis
import ibis.expr.types as ir

from rekindle.config import LifecycleSettings, TierDays
from rekindle.profiles.model import Derivation, Family, ProfileColumn
from rekindle.vocabulary import Tier

LONGEST_DAYS = 365_000  # a thousand years; calendars of engines end at some point
LINES = ("at_risk", "lapsed", "dormant", "gone")

# Starting points by type of business, to be corrected by one's own audit.
PRESETS = {
    "consumables": TierDays(at_risk=45, lapsed=90, dormant=180, gone=365),
    "fashion": TierDays(at_risk=90, lapsed=180, dormant=365, gone=730),
    "furniture": TierDays(at_risk=270, lapsed=540, dormant=900, gone=1460),
    "services": TierDays(at_risk=45, lapsed=90, dormant=180, gone=540),
    "software": TierDays(at_risk=14, lapsed=30, dormant=90, gone=365),
}


def build_lifecycle(table: ir.Table, settings: LifecycleSettings) -> ir.Table:
    """Add the lines of silence, ``tier`` and ``tier_since_on`` to a table with its cycle."""
    table = table.mutate(
        **{
            f"{line}_after_days": _line(table, settings, line, table.expected_gap_days)
            for line in LINES
        }
    )
    silence = table.silence_days.cast("float64")
    is_return = _ended_a_lapse(table, settings)
    tier = ibis.cases(
        (table.silent_since_on.isnull(), Tier.PROSPECT.value),
        (silence >= table.gone_after_days, Tier.GONE.value),
        (silence >= table.dormant_after_days, Tier.DORMANT.value),
        (silence >= table.lapsed_after_days, Tier.LAPSED.value),
        (silence >= table.at_risk_after_days, Tier.AT_RISK.value),
        (is_return, Tier.RETURNED.value),
        (table.purchase_days_count <= 1, Tier.NEW.value),
        else_=Tier.ACTIVE.value,
    )
    return _with_days(table.mutate(tier=tier))


def _line(table: ir.Table, settings: LifecycleSettings, line: str, expected: ir.Value) -> ir.Value:
    if settings.preset == "personal":
        days: ir.Value = ibis.greatest(
            getattr(settings, line) * expected, float(settings.minimum_days)
        )
    else:
        days = ibis.literal(float(getattr(PRESETS[settings.preset], line)))
    if not settings.days or "top_category" not in table.columns:
        return days
    fixed = [
        (table.top_category == category, float(getattr(of, line)))
        for category, of in settings.days.items()
    ]
    return ibis.cases(*fixed, else_=days)


def _ended_a_lapse(table: ir.Table, settings: LifecycleSettings) -> ir.Value:
    """Return whether the last purchase came after a silence that had been a lapse."""
    pause = table.last_order_on.delta(table.previous_order_on, unit="day")
    earlier_span = ibis.coalesce(table.previous_order_on.delta(table.first_order_on, unit="day"), 0)
    k = settings.shrinkage
    # At a pause the person had one gap fewer; people without one have no pause either.
    earlier = ibis.greatest(table.gaps - 1, 0)
    expected = (earlier > 0).ifelse(
        (earlier_span + k * table.group_gap) / (earlier.cast("float64") + k), table.first_gap
    )
    return pause.cast("float64") >= _line(table, settings, "lapsed", expected)


def _with_days(table: ir.Table) -> ir.Table:
    """Add the days on which the tier began, at_risk begins and a refill is due."""
    crossed = [
        (table.tier == line, table[f"{line}_after_days"].ceil().cast("int64")) for line in LINES
    ]
    days = ibis.cases(*crossed, else_=ibis.literal(0, "int64"))
    return table.mutate(
        tier_since_on=_days_after_last(table, days),
        at_risk_on=_days_after_last(table, table.at_risk_after_days.ceil()),
        # Half a day more and rounded down: engines differ in how they round a half.
        refill_due_on=_days_after_last(table, (table.expected_gap_days + 0.5).floor()),
    )


def _days_after_last(table: ir.Table, days: ir.Value) -> ir.Value:
    whole = ibis.least(days, LONGEST_DAYS).cast("int64")
    return (table.silent_since_on + whole.as_interval("D")).cast("date")


def describe_presets() -> str:
    """Return the presets as a Markdown table of days."""
    head = "| preset | " + " | ".join(LINES) + " |\n|---|" + "---|" * len(LINES)
    rows = [
        f"| `{name}` | " + " | ".join(str(getattr(days, line)) for line in LINES) + " |"
        for name, days in PRESETS.items()
    ]
    return reduce(lambda text, row: f"{text}\n{row}", rows, head)


FAMILY = Family(
    name="lifecycle",
    meaning="Where the person stands, and the days on which that changes.",
    columns=(
        ProfileColumn(
            "tier",
            "text",
            "",
            "prospect, new, active, at_risk, lapsed, dormant, gone or returned.",
            words=tuple(tier.value for tier in Tier),
            place=10,
            is_covariate=True,
        ),
        ProfileColumn(
            "tier_since_on",
            "date",
            "",
            "The day the tier began: for at_risk and later the day silence crossed the line, "
            "else the last purchase; empty for a prospect.",
            place=20,
        ),
        ProfileColumn(
            "refill_due_on",
            "date",
            "",
            "The last purchase day plus the expected gap in whole days; empty for a prospect.",
            place=140,
        ),
        ProfileColumn(
            "at_risk_after_days",
            "number",
            "days",
            "The silence at which at_risk begins.",
            place=160,
        ),
        ProfileColumn(
            "at_risk_on",
            "date",
            "",
            "The day at_risk begins or began if no purchase comes first; empty for a prospect.",
            place=170,
        ),
        ProfileColumn(
            "lapsed_after_days", "number", "days", "The silence at which lapsed begins.", place=180
        ),
        ProfileColumn(
            "dormant_after_days",
            "number",
            "days",
            "The silence at which dormant begins.",
            place=190,
        ),
        ProfileColumn(
            "gone_after_days", "number", "days", "The silence at which gone begins.", place=200
        ),
    ),
    how=Derivation(build_lifecycle, is_of_one_row=True),
    needs=(
        "purchase_days_count",
        "first_order_on",
        "last_order_on",
        "previous_order_on",
        "silence_days",
        "silent_since_on",
        "expected_gap_days",
        "gaps",
        "group_gap",
        "first_gap",
    ),
    may_use=("top_category",),
)
