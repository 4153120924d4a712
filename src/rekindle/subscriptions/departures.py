"""Who left, for which reason, and who came back: a row for each time somebody was gone."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum

import ibis
import ibis.expr.types as ir

from rekindle.facts import INSTANT, Facts, at_home
from rekindle.subscriptions.days import local_day
from rekindle.subscriptions.definitions import Definition
from rekindle.subscriptions.failures import Ending, build_failures
from rekindle.subscriptions.movements import build_step, build_steps

# A cancellation that is noted so many days after the last paid period ended still tells of it.
NOTED_LATE = 7
LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)
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
    "zahlung_fehlgeschlagen",
    "zahlungsausfall",
    "rücklastschrift",
    "karte_abgelaufen",
    "nicht_bezahlt",
    "paiement_échoué",
    "paiement_refusé",
    "impayé",
    "pago_fallido",
    "pago_rechazado",
    "impago",
    "pagamento_fallito",
    "betaling_mislukt",
)
"""Reasons that say that a payment failed, with blanks and hyphens written as underscores."""
ASKED = (
    "cancellation_requested",
    "requested_by_customer",
    "customer_requested",
    "customer_cancelled",
    "customer_canceled",
    "user_cancelled",
    "user_canceled",
    "cancelled",
    "canceled",
)
"""Words of a biller that say no more than that somebody cancelled."""


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
    gone = gone.mutate(number=gone["time"], known_until=ibis.literal(as_of, type=INSTANT))
    left = gone.select("customer_id", "left_on", left_at=ibis.literal(LONG_AGO, type=INSTANT))
    why = build_why(gone, left, facts, definition)
    return gone.inner_join(why, ["customer_id", "number"]).select(*stays.columns, "reason", "kind")


def build_why(gone: ir.Table, left: ir.Table, facts: Facts, definition: Definition) -> ir.Table:
    """Return why stays ended, by what was known of each before an instant of its own.

    ``gone`` has ``customer_id``, ``number`` (of the row among its customer's), ``came_on``,
    ``left_on`` and ``known_until``, before which something counts if it was known. ``left`` has
    every departure: ``customer_id``, ``left_on`` and ``left_at``. Returned are ``customer_id``,
    ``number``, ``reason`` and ``kind``, as in ``build_departures``.
    """
    rows = gone.select("customer_id", "number", "came_on", "left_on", "known_until")
    asked = rows
    for found in (
        _ended(asked, facts, definition),
        _cancelled(asked, facts, definition),
        _seasonal(asked, left),
        _unpaid(asked, facts, definition),
    ):
        of_one = found.rename(of="customer_id", of_number="number")
        rows = rows.left_join(
            of_one, [rows.customer_id == of_one["of"], rows.number == of_one.of_number]
        ).drop("of", "of_number")
    # That they asked for it, which a biller says of everybody, is no reason beside one.
    ended = rows.end_reason.lower().strip()
    is_told = ended.re_replace(r"[\s-]+", "_").notin(ASKED)
    given = is_told.ifelse(ended, ibis.null("string"))
    reason = ibis.coalesce(given, rows.said.lower().strip(), ended)
    was_cancelled = ibis.coalesce(rows.was_cancelled, False)
    has_decided = rows.has_said.notnull() | reason.notnull() | was_cancelled
    is_payment = ibis.coalesce(reason.re_replace(r"[\s-]+", "_").isin(FAILED), False)
    has_failed = is_payment | (rows.is_owing.notnull() & ~has_decided)
    kind = ibis.cases(
        (has_failed, ChurnKind.INVOLUNTARY.value),
        (rows.is_seasonal.notnull(), ChurnKind.SEASONAL.value),
        (has_decided, ChurnKind.VOLUNTARY.value),
        else_=ChurnKind.UNKNOWN.value,
    )
    return rows.select("customer_id", "number", reason=reason, kind=kind)


def _ended(gone: ir.Table, facts: Facts, definition: Definition) -> ir.Table:
    """Return what is said of the subscriptions that ended as their customers left."""
    rows = facts.more["subscriptions"]
    rows = rows.select(
        who="customer_id",
        known_at=ibis.greatest(rows.ended_at, rows.started_at),
        ended_on=build_step(rows.ended_at, facts.zone, definition),
        said=rows.end_reason.nullif(""),
        cancelled="cancelled_at",
    )
    met = gone.inner_join(
        rows,
        [
            gone.customer_id == rows.who,
            gone.left_on == rows.ended_on,
            rows.known_at < gone.known_until,
        ],
    )
    return met.group_by("customer_id", "number").agg(
        end_reason=met.said.max(), was_cancelled=met.cancelled.max().notnull()
    )


def _cancelled(gone: ir.Table, facts: Facts, definition: Definition) -> ir.Table:
    """Return what the newest cancellation of each stay said, empty where it said nothing.

    One of a subscription that did not end as they left is no word on why they left.
    """
    of = facts.more["subscriptions"]
    rows = at_home(facts.more["cancellations"], of, "subscription_id")
    ends = of.select(
        home_of="source",
        id_of="subscription_id",
        ended_on=build_step(of.ended_at, facts.zone, definition),
    )
    rows = rows.left_join(ends, [rows.source == ends.home_of, rows.subscription_id == ends.id_of])
    rows = rows.select(
        "ended_on",
        is_known=rows.id_of.notnull(),
        who="customer_id",
        said_at="cancelled_at",
        said_on=build_step(rows.cancelled_at, facts.zone, definition),
        said=rows.reason.nullif(""),
    )
    met = gone.inner_join(
        rows,
        [
            gone.customer_id == rows.who,
            rows.said_on >= gone.came_on,
            rows.said_on <= gone.left_on + ibis.interval(days=NOTED_LATE),
            rows.said_at < gone.known_until,
            ~rows.is_known | (rows.ended_on == gone.left_on),
        ],
    )
    first = ibis.row_number().over(
        group_by=[met.customer_id, met.number], order_by=[met.said_at.desc(), met.said]
    )
    ranked = met.select("customer_id", "number", "said", has_said=ibis.literal(True), rank=first)
    return ranked.filter(ranked["rank"] == 0).drop("rank")


def _unpaid(gone: ir.Table, facts: Facts, definition: Definition) -> ir.Table:
    """Return the stays that ended with a failed payment still open."""
    failed = build_failures(facts, FOR_EVER)
    is_dropped = ibis.coalesce(failed.ending == Ending.DROPPED.value, False)
    is_cleared = ibis.coalesce(failed.ending == Ending.CLEARED.value, False)
    failed = failed.select(
        "failed_at",
        who="customer_id",
        failed_on=build_step(failed.failed_at, facts.zone, definition),
        dropped_on=ibis.ifelse(
            is_dropped,
            build_step(failed.ended_at, facts.zone, definition),
            ibis.null("date"),
        ),
        cleared_at=ibis.ifelse(is_cleared, failed.ended_at, ibis.null(INSTANT)),
    )
    met = gone.inner_join(
        failed,
        [
            gone.customer_id == failed.who,
            failed.failed_on >= gone.came_on,
            failed.failed_on <= gone.left_on,
            failed.failed_at < gone.known_until,
            # What was given up while they stayed is not why they left.
            failed.dropped_on.isnull() | (failed.dropped_on >= gone.left_on),
        ],
    )
    open_still = met.filter(met.cleared_at.isnull() | (met.cleared_at >= met.known_until))
    found = open_still.select("customer_id", "number").distinct()
    return found.mutate(is_owing=ibis.literal(True))


def _seasonal(gone: ir.Table, left: ir.Table) -> ir.Table:
    """Return the stays that ended in a season of several years; between two there was a return."""
    years = left.select(who="customer_id", other_on="left_on", other_at="left_at")
    apart = (gone.left_on.month() - years.other_on.month()).abs()
    is_near = (apart <= SEASON_MONTHS) | (apart >= 12 - SEASON_MONTHS)
    # December and the January after it are one winter.
    years_apart = (gone.left_on.year() - years.other_on.year()) * 12
    months_apart = (years_apart + gone.left_on.month() - years.other_on.month()).abs()
    met = gone.inner_join(
        years,
        [
            gone.customer_id == years.who,
            gone.left_on.year() != years.other_on.year(),
            is_near,
            months_apart >= 12 - SEASON_MONTHS,
            years.other_at < gone.known_until,
        ],
    )
    found = met.select("customer_id", "number").distinct()
    return found.mutate(is_seasonal=ibis.literal(True))
