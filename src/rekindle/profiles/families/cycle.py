"""The personal clock: how long between purchases is normal for this person.

If gaps are exponential with a rate that varies between people as a gamma distribution,
the expected gap given n own gaps that sum to s is (s + k·m) / (n + k), with m the
group's mean gap and k how many gaps the group's opinion is worth: own experience shrunk
towards the group (Gelman et al., Bayesian Data Analysis, 3rd ed., § 2.6). Means of gaps
telescope: they need only the first and last day and the number of days.

Silences that still run count in m for as long as they have lasted, as censored gaps do in
the mean of an exponential (all that was waited ÷ what has ended), up to the day they are a
lapse: who has left waits for nothing. One's own silence never counts: a line that moves
away while it is waited for is never crossed. Of one purchase there is no rhythm, and many
such silences never end; there the lines come earlier by the share that does (ADR 0055).
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from rekindle.config import LifecycleSettings
from rekindle.profiles.model import Derivation, Family, ProfileColumn

# A category's own figures count fully only once they rest on many gaps or people.
CATEGORY_SHRINKAGE_GAPS = 20.0
# So many people who came back are added to the shop's, so that a few cannot say that none do.
SHARE_SHRINKAGE_PEOPLE = 20.0
SMALLEST_SHARE = 0.25
# Chances are summed as whole numbers: a sum of floats depends on the order of the rows.
PARTS = 1000


def build_cycle(table: ir.Table, settings: LifecycleSettings) -> ir.Table:
    """Add silence, own, group and expected gap to tallies with ``as_of_on``."""
    gaps = ibis.greatest(table.purchase_days_count - 1, 0)
    span = ibis.coalesce(table.last_order_on.delta(table.first_order_on, unit="day"), 0)
    # Whoever gave everything back has been silent since, but their silence is no gap.
    since = ibis.coalesce(table.last_order_on, table.undone_on)
    table = table.mutate(gaps=gaps, span_days=span, silent_since_on=since)
    table = table.mutate(silence_days=table.as_of_on.delta(table.silent_since_on, unit="day"))
    table = _with_group(_with_running(_with_seen_gap(table, settings), settings), settings)
    k = settings.shrinkage
    table = table.mutate(
        mean_gap_days=table.span_days.cast("float64") / table.gaps.cast("float64").nullif(0.0),
        expected_gap_days=(table.gaps > 0).ifelse(
            (table.span_days + k * table.group_gap) / (table.gaps.cast("float64") + k),
            table.first_gap,
        ),
    )
    return table.mutate(silence_ratio=table.silence_days / table.expected_gap_days)


def _with_seen_gap(table: ir.Table, settings: LifecycleSettings) -> ir.Table:
    """Add ``seen_gap``: the shop's mean of gaps that have ended; the fallback without any."""
    shop = table.group_by(shop_as_of=table.as_of).agg(
        shop_span=table.span_days.sum().cast("float64"),
        shop_gaps=table.gaps.sum().cast("float64"),
    )
    fallback = float(settings.fallback_gap_days)
    shop = shop.select(
        "shop_as_of",
        seen_gap=ibis.coalesce(shop.shop_span / shop.shop_gaps.nullif(0.0), fallback),
    )
    return table.left_join(shop, table.as_of == shop.shop_as_of).drop("shop_as_of")


def _with_running(table: ir.Table, settings: LifecycleSettings) -> ir.Table:
    """Add each person's part of what the group is told.

    ``running_days`` is the silence of who bought on two days or more, until it is a lapse.
    ``is_buyer`` is 1 or 0, ``coming`` the chance in ``PARTS`` that a first purchase is or will
    be followed by a second. Before anything is known one in two comes back, after gaps whose
    rates vary as a gamma distribution of shape 2: (gap ÷ (gap + silence))² of them are longer
    than the silence.
    """
    k = settings.shrinkage
    own = (table.span_days + k * table.seen_gap) / (table.gaps.cast("float64") + k)
    silence = ibis.coalesce(table.silence_days, 0).cast("float64")
    running = ibis.least(silence, settings.lapsed * own).floor().cast("int64")
    # In a young shop the gaps that have ended are the short ones.
    gap = ibis.greatest(table.seen_gap, float(settings.fallback_gap_days))
    still = gap / (gap + silence)
    longer = still * still
    coming = (PARTS * longer / (1 + longer)).floor().cast("int64")
    # Chosen rather than dropped from: it is used twice, and Ibis gives only a choice a name of
    # its own, by which an engine works it out once.
    return table.select(
        *(name for name in table.columns if name != "seen_gap"),
        running_days=(table.gaps > 0).ifelse(running, 0),
        is_buyer=(table.purchase_days_count > 0).ifelse(1, 0),
        coming=ibis.cases(
            (table.gaps > 0, PARTS), (table.purchase_days_count > 0, coming), else_=0
        ),
    )


def _with_group(table: ir.Table, settings: LifecycleSettings) -> ir.Table:
    """Add ``group_gap`` and ``first_gap``: what is expected after several purchases and after one.

    They are of the main category, shrunk towards the shop, and of everybody else in it: what a
    person's own silence tells is left out.
    """
    by = {"group_as_of": "as_of"}
    if "top_category" in table.columns:
        # Who has none is a group of its own, so that the sum of all groups is the shop.
        table = table.mutate(main_category=ibis.coalesce(table.top_category, ""))
        by["group_of"] = "main_category"
    sums = table.group_by(**{name: table[key] for name, key in by.items()}).agg(
        **{f"group_{name}": table[name].sum().cast("float64") for name in _SUMMED}
    )
    shop = ibis.window(group_by=sums.group_as_of)
    sums = sums.mutate(
        **{f"shop_{name}": sums[f"group_{name}"].sum().over(shop) for name in _SUMMED}
    )
    table = table.left_join(sums, [table[key] == sums[name] for name, key in by.items()])
    table = table.mutate(group_gap=_gap(table, settings), first_share=_share(table))
    added = {*sums.columns, *by.values(), *_SUMMED, "first_share"} - {"as_of", "gaps", "span_days"}
    return table.mutate(first_gap=table.group_gap * table.first_share).drop(*added)


_SUMMED = ("span_days", "gaps", "running_days", "is_buyer", "coming")


def _gap(table: ir.Table, settings: LifecycleSettings) -> ir.Value:
    """Return the group's mean gap, with the silences of others that still run."""
    waited = table.shop_span_days + table.shop_running_days - table.running_days
    fallback = float(settings.fallback_gap_days)
    shop = ibis.coalesce(waited / table.shop_gaps.nullif(0.0), fallback)
    if "group_of" not in table.columns:
        return shop
    own = table.group_span_days + table.group_running_days - table.running_days
    weight = CATEGORY_SHRINKAGE_GAPS
    category = (own + weight * shop) / (table.group_gaps + weight)
    return (table.group_of == "").ifelse(shop, category)


def _share(table: ir.Table) -> ir.Value:
    """Return the share of the group's first purchases that are or will be followed by another."""
    share = _of_others(table, "shop", SHARE_SHRINKAGE_PEOPLE, 1.0)
    if "group_of" in table.columns:
        category = _of_others(table, "group", CATEGORY_SHRINKAGE_GAPS, share)
        share = (table.group_of == "").ifelse(share, category)
    # While nobody has bought twice, nothing is known of it.
    return (table.shop_gaps > 0).ifelse(ibis.greatest(share, SMALLEST_SHARE), 1.0)


def _of_others(table: ir.Table, of: str, weight: float, share: ir.Value | float) -> ir.Value:
    coming = (table[f"{of}_coming"] - table.coming) / PARTS
    return (coming + weight * share) / (table[f"{of}_is_buyer"] - table.is_buyer + weight)


FAMILY = Family(
    name="cycle",
    meaning="How long the person has been silent, and how long is normal for them.",
    columns=(
        ProfileColumn(
            "silence_days",
            "count",
            "days",
            "Since the last purchase day, or of who undid every purchase the day of the last; "
            "empty for a prospect.",
            place=30,
        ),
        ProfileColumn(
            "silence_ratio",
            "number",
            "",
            "Silence ÷ expected gap; 1.5 makes at_risk with the default clock.",
            place=40,
        ),
        ProfileColumn(
            "mean_gap_days",
            "number",
            "days",
            "Between one's own purchase days; empty before the second.",
            place=120,
        ),
        ProfileColumn(
            "expected_gap_days",
            "number",
            "days",
            "The own mean gap, shrunk towards the main category's and the shop's; after one "
            "purchase theirs × the share of first purchases that are followed by another.",
            place=130,
        ),
    ),
    how=Derivation(build_cycle),
    needs=("purchase_days_count", "first_order_on", "last_order_on", "undone_on"),
    may_use=("top_category",),
    inner=("gaps", "span_days", "group_gap", "first_gap", "silent_since_on"),
)
