"""Who left, for which reason, and who came back: a row for each time somebody was gone."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import ibis
import ibis.expr.types as ir

from rekindle.facts import INSTANT, Facts
from rekindle.subscriptions.days import local_day
from rekindle.subscriptions.definitions import Definition
from rekindle.subscriptions.failures import Ending, build_failures
from rekindle.subscriptions.movements import build_step, build_steps

# A cancellation that is noted so many days after the last paid period ended still tells of it.
NOTED_LATE = 7
# Two departures are of one season where their months lie no further apart.
SEASON_MONTHS = 1
FAILED = (
    "payment_failed",
    "failed_payment",
    "payment_failure",
    "payment_declined",
    "card_declined",
    "card_expired",
    "expired_card",
    "not_paid",
    "no_card",
    "unpaid",
    "past_due",
    "dunning",
    "delinquent",
    "involuntary",
    "billing_failure",
)
"""Reasons that say that a payment failed, with blanks and hyphens written as underscores."""


class ChurnKind(StrEnum):
    """How somebody came to leave."""

    INVOLUNTARY = "involuntary"
    """A payment failed, as was said or as it was still open when they left; nobody decided."""
    SEASONAL = "seasonal"
    """They left in the same months of another year, too."""
    VOLUNTARY = "voluntary"
    """They cancelled."""
    UNKNOWN = "unknown"


def build_stays(facts: Facts, as_of: datetime, definition: Definition) -> ir.Table:
    """Return one row for each time somebody was subscribed.

    Columns: ``customer_id``, ``time`` (1 for the first), ``came_on``, ``left_on`` (NULL while
    they stay), ``lost`` (MRR that went with them), ``back_on`` (NULL while they are gone),
    ``asked_on`` (the business's local day of ``as_of``).
    """
    steps = build_steps(facts, as_of, definition)
    came = (steps.seats_before <= 0) & (steps.seats > 0)
    left = (steps.seats_before > 0) & (steps.seats <= 0)
    turns = steps.mutate(has_come=came).filter(came | left)
    of_one = ibis.window(group_by=turns.customer_id, order_by=turns["on"])
    turns = turns.mutate(
        left_on=turns["on"].lead(1).over(of_one),
        lost=-turns.delta.lead(1).over(of_one),
        back_on=turns["on"].lead(2).over(of_one),
    ).filter(lambda t: t.has_come)
    so_far = ibis.window(
        group_by=turns.customer_id, order_by=turns["on"], preceding=None, following=0
    )
    asked_on = local_day(ibis.literal(as_of, type=INSTANT), facts.zone)
    return turns.select(
        "customer_id",
        "left_on",
        "lost",
        "back_on",
        came_on=turns["on"],
        time=turns.count().over(so_far),
        asked_on=asked_on,
    )


def build_departures(facts: Facts, as_of: datetime, definition: Definition) -> ir.Table:
    """Return the stays that ended, with ``kind`` (a ``ChurnKind``) and ``reason``.

    The reason is that of the subscription that ended, else that of the newest cancellation of
    the stay, in lower case; NULL where nobody said any.
    """
    stays = build_stays(facts, as_of, definition)
    gone = stays.filter(stays.left_on.notnull())
    told = _ended(facts, as_of, definition)
    gone = gone.left_join(told, [gone.customer_id == told.who, gone.left_on == told.ended_on]).drop(
        "who", "ended_on"
    )
    said = _cancelled(facts, as_of)
    gone = gone.left_join(
        said,
        [
            gone.customer_id == said.who,
            said.said_on >= gone.came_on,
            said.said_on <= gone.left_on + ibis.interval(days=NOTED_LATE),
        ],
    )
    kept = (*stays.columns, "end_reason", "was_cancelled")
    gone = _newest(gone, kept, gone.said_at, ("who", "said"))
    reason = ibis.coalesce(gone.end_reason, gone.said).lower().strip()
    gone = gone.mutate(reason=reason, has_said=gone.who.notnull()).drop("who")
    seasonal = _seasonal(gone)
    gone = gone.left_join(
        seasonal, [gone.customer_id == seasonal.of, gone["time"] == seasonal.of_time]
    )
    unpaid = _unpaid(gone, facts, as_of)
    gone = gone.left_join(
        unpaid, [gone.customer_id == unpaid.owing, gone["time"] == unpaid.owing_time]
    )
    has_decided = gone.has_said | gone.reason.notnull() | ibis.coalesce(gone.was_cancelled, False)
    is_told = ibis.coalesce(gone.reason.re_replace(r"[\s-]+", "_").isin(FAILED), False)
    has_failed = is_told | (gone.owing.notnull() & ~has_decided)
    kind = ibis.cases(
        (has_failed, ChurnKind.INVOLUNTARY.value),
        (gone.of.notnull(), ChurnKind.SEASONAL.value),
        (has_decided, ChurnKind.VOLUNTARY.value),
        else_=ChurnKind.UNKNOWN.value,
    )
    return gone.select(*stays.columns, "reason", kind=kind)


def _ended(facts: Facts, as_of: datetime, definition: Definition) -> ir.Table:
    """Return for each customer and step at which subscriptions ended what is said of it."""
    rows = facts.more["subscriptions"]
    rows = rows.filter(rows.ended_at < ibis.literal(as_of, type=INSTANT))
    rows = rows.mutate(ended_on=build_step(rows.ended_at, facts.zone, definition))
    return rows.group_by("ended_on", who=rows.customer_id).agg(
        end_reason=rows.end_reason.nullif("").max(), was_cancelled=rows.cancelled_at.max().notnull()
    )


def _cancelled(facts: Facts, as_of: datetime) -> ir.Table:
    rows = facts.more["cancellations"]
    rows = rows.filter(rows.cancelled_at < ibis.literal(as_of, type=INSTANT))
    return rows.select(
        who="customer_id",
        said_at="cancelled_at",
        said_on=local_day(rows.cancelled_at, facts.zone),
        said=rows.reason.nullif(""),
    )


def _newest(
    joined: ir.Table, kept: tuple[str, ...], order: ir.Value, more: tuple[str, ...]
) -> ir.Table:
    """Return one row a stay: that of the newest of what was joined to it."""
    first = ibis.row_number().over(
        group_by=[joined.customer_id, joined["time"]],
        order_by=[order.desc(nulls_first=False), joined[more[-1]]],
    )
    ranked = joined.select(*kept, *more, rank=first)
    return ranked.filter(ranked["rank"] == 0).drop("rank")


def _unpaid(gone: ir.Table, facts: Facts, as_of: datetime) -> ir.Table:
    """Return the stays (``owing``, ``owing_time``) that ended with a failed payment still open."""
    failed = build_failures(facts, as_of)
    failed = failed.filter(failed.ending.isnull() | (failed.ending != Ending.CLEARED.value))
    failed = failed.select(who="customer_id", failed_on=local_day(failed.failed_at, facts.zone))
    stays = gone.select("customer_id", "time", "came_on", "left_on")
    pairs = stays.inner_join(
        failed,
        [
            stays.customer_id == failed.who,
            failed.failed_on >= stays.came_on,
            failed.failed_on <= stays.left_on,
        ],
    )
    return pairs.select(owing=pairs.customer_id, owing_time=pairs["time"]).distinct()


def _seasonal(gone: ir.Table) -> ir.Table:
    """Return the stays (``of``, ``of_time``) that ended in a season of several years."""
    when = gone.select(
        "customer_id", "time", "back_on", year=gone.left_on.year(), month=gone.left_on.month()
    )
    other = when.view()
    apart = (when.month - other.month).abs()
    is_near = (apart <= SEASON_MONTHS) | (apart >= 12 - SEASON_MONTHS)
    pairs = when.join(
        other,
        [
            when.customer_id == other.customer_id,
            when.year != other.year,
            is_near,
            when.back_on.notnull() | other.back_on.notnull(),
        ],
    )
    return pairs.select(of=pairs.customer_id, of_time=pairs["time"]).distinct()
