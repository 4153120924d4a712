"""Payments that failed, one row an invoice, and how each ended: cleared, dropped or not yet.

What has no invoice is put together by its subscription (or its customer): the failures
between two payments that went through are of one thing that was asked for. Everything is
read from instants, so that the answer of a day holds nothing that came later.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import ibis
import ibis.expr.types as ir

from rekindle.facts import INSTANT, Facts, at_home, with_home
from rekindle.subscriptions.declines import AttemptOutcome, build_decline, build_outcome

BY_SUBSCRIPTION = ("source", "subscription_id")


class Ending(StrEnum):
    """How a payment that failed ended."""

    CLEARED = "cleared"
    """The money came, by whatever way."""
    DROPPED = "dropped"
    """It is not asked for any more: cancelled, paused, ended, taken back or given up."""


def build_failures(facts: Facts, as_of: datetime) -> ir.Table:
    """Return what failed before ``as_of``, one row an invoice.

    Columns: ``source``, ``case`` (a name that stays), ``customer_id``, ``subscription_id``,
    ``failed_at`` (the first time), ``kind`` and ``code`` of that decline, ``amount``,
    ``attempts`` (failed ones so far), ``ended_at`` and ``ending`` (an ``Ending``; both NULL
    while it runs) and ``is_owed``: False where the subscription had been cancelled, paused or
    ended when the payment failed, so that nobody is asked for it.
    """
    at = ibis.literal(as_of, type=INSTANT)
    tried = build_attempts(facts, as_of)
    cases = _cases(tried)
    cases = _with_invoices(cases, facts, at)
    cases = _with_stops(cases, facts, at)
    # A part of an invoice leaves the rest to be asked for, until the invoice says that it is
    # paid. Where none is known, nobody can say what a smaller amount was for.
    went_through_at = ibis.ifelse(cases.is_billed, cases.paid_whole_at, cases.paid_at)
    cleared = ibis.least(
        ibis.coalesce(went_through_at, cases.invoice_paid_at),
        ibis.coalesce(cases.invoice_paid_at, went_through_at),
    )
    # What was paid before it failed did not fail: a second attempt at a paid invoice.
    cases = cases.mutate(cleared_at=cleared)
    cases = cases.filter(cases.cleared_at.isnull() | (cases.cleared_at > cases.failed_at))
    is_cleared = cases.cleared_at.notnull()
    return cases.select(
        "source",
        "case",
        "customer_id",
        "subscription_id",
        "failed_at",
        "kind",
        "code",
        "amount",
        "attempts",
        ended_at=ibis.coalesce(cases.cleared_at, cases.stopped_at),
        ending=ibis.cases(
            (is_cleared, Ending.CLEARED.value),
            (cases.stopped_at.notnull(), Ending.DROPPED.value),
            else_=ibis.null("string"),
        ),
        is_owed=ibis.coalesce(cases.stopped_at > cases.failed_at, True),
    )


def build_unread_outcomes(facts: Facts, as_of: datetime) -> ir.Table:
    """Return one row: ``attempts`` whose outcome is a word that is not known, and an example."""
    rows = facts.more["payments"]
    rows = rows.filter(rows.attempted_at < ibis.literal(as_of, type=INSTANT))
    rows = rows.filter(build_outcome(rows) == AttemptOutcome.UNKNOWN.value)
    return rows.aggregate(attempts=rows.count(), example=rows.outcome.min())


def build_attempts(facts: Facts, as_of: datetime) -> ir.Table:
    """Return the attempts whose outcome was known before ``as_of``, each with its ``case``.

    ``outcome`` and ``kind`` are read, and ``known_at`` is since when they were known.
    """
    rows, at = facts.more["payments"], ibis.literal(as_of, type=INSTANT)
    settled_at = ibis.coalesce(rows.settled_at, rows.attempted_at)
    rows = rows.mutate(known_at=ibis.greatest(settled_at, rows.attempted_at))
    rows = rows.filter(rows.known_at < at)
    rows = rows.mutate(outcome=build_outcome(rows), kind=build_decline(rows))
    rows = rows.filter(rows.outcome.isin([AttemptOutcome.PAID.value, AttemptOutcome.FAILED.value]))
    went = ibis.ifelse(rows.outcome == AttemptOutcome.PAID.value, 1, 0)
    of = ibis.coalesce(rows.subscription_id, rows.customer_id)
    before = ibis.window(
        group_by=[rows.source, of, rows.invoice_id],
        order_by=[rows.known_at, rows.payment_id],
        preceding=(None, 1),
    )
    number = ibis.coalesce(went.sum().over(before), 0)
    case = ibis.ifelse(
        rows.invoice_id.notnull(),
        ibis.literal("invoice:") + rows.invoice_id,
        ibis.literal("after:") + number.cast("string") + ":" + of,
    )
    return rows.mutate(case=case)


def _cases(tried: ir.Table) -> ir.Table:
    has_failed = tried.outcome == AttemptOutcome.FAILED.value
    failed = tried.filter(has_failed)
    rank = ibis.row_number().over(
        group_by=[failed.source, failed.case], order_by=[failed.known_at, failed.payment_id]
    )
    first = failed.mutate(rank=rank)
    first = first.filter(first["rank"] == 0).select(
        "source",
        "case",
        "customer_id",
        "subscription_id",
        "invoice_id",
        "amount",
        "kind",
        failed_at="known_at",
        code=first.decline_code.nullif("").lower().strip(),
    )
    sums = _sum_up(tried, first)
    joined = first.join(sums, [first.source == sums.of_source, first.case == sums.of_case])
    return joined.drop("of_source", "of_case")


def _sum_up(tried: ir.Table, first: ir.Table) -> ir.Table:
    """Return how often each case failed, since when something of it is paid, and since when all."""
    needs = first.select(of_source="source", of_case="case", need="amount")
    rows = tried.join(needs, [tried.source == needs.of_source, tried.case == needs.of_case])
    is_paid = rows.outcome == AttemptOutcome.PAID.value
    so_far = ibis.window(
        group_by=[rows.of_source, rows.of_case],
        order_by=[rows.known_at, rows.payment_id],
        preceding=None,
        following=0,
    )
    paid = ibis.ifelse(is_paid, rows.amount, ibis.null(rows.amount.type())).sum().over(so_far)
    is_unsaid = rows.amount.isnull() | rows.need.isnull()
    rows = rows.mutate(is_paid=is_paid, covers=is_paid & (is_unsaid | (paid >= rows.need)))
    return rows.group_by("of_source", "of_case").agg(
        attempts=(rows.outcome == AttemptOutcome.FAILED.value).sum(),
        paid_at=rows.known_at.min(where=rows.is_paid),
        paid_whole_at=rows.known_at.min(where=rows.covers),
    )


def _with_invoices(cases: ir.Table, facts: Facts, at: ir.Value) -> ir.Table:
    rows = facts.more["invoices"]
    rows = rows.select(
        of_source="source",
        of_invoice="invoice_id",
        of_subscription="subscription_id",
        # Nothing of an invoice is known before the invoice itself.
        invoice_paid_at=_before(
            ibis.ifelse(rows.paid_at < rows.invoiced_at, rows.invoiced_at, rows.paid_at),
            at,
        ),
        invoice_dropped_at=_first(rows.voided_at, rows.given_up_at, at=at),
    )
    cases = with_home(cases, facts.more["invoices"], "invoice_id")
    joined = cases.left_join(
        rows, [cases.home == rows.of_source, cases.invoice_id == rows.of_invoice]
    )
    # A payment names its subscription less often than its invoice does.
    joined = joined.mutate(
        subscription_id=ibis.coalesce(joined.subscription_id, joined.of_subscription),
        is_billed=joined.of_invoice.notnull(),
    )
    return joined.drop("home", "of_source", "of_invoice", "of_subscription")


def _with_stops(cases: ir.Table, facts: Facts, at: ir.Value) -> ir.Table:
    """Add ``stopped_at``, since when nobody is asked: at the failure itself if before it."""
    runs = facts.more["subscriptions"]
    ends = runs.select(
        *BY_SUBSCRIPTION, over_at=_first(runs.ended_at, runs.cancelled_at, at=at)
    ).filter(lambda row: row.over_at.notnull())
    rests = at_home(facts.more["pauses"], runs, "subscription_id")
    rests = rests.filter(rests.paused_at < at)
    pauses = rests.select(
        *BY_SUBSCRIPTION, over_at="paused_at", until_at=_before(rests.resumed_at, at)
    )
    said = at_home(facts.more["cancellations"], runs, "subscription_id")
    said = said.filter((said.cancelled_at < at) & said.subscription_id.notnull())
    # What was cancelled before it began is the stay before it, which had the same number.
    since = runs.select(*BY_SUBSCRIPTION, since="started_at")
    said = said.left_join(since, list(BY_SUBSCRIPTION))
    said = said.filter(said.since.isnull() | (said.cancelled_at >= said.since))
    told = said.select(*BY_SUBSCRIPTION, over_at="cancelled_at")
    never = ibis.null(INSTANT)
    stops = ends.mutate(until_at=never).union(told.mutate(until_at=never)).union(pauses)
    stops = stops.rename(of_source="source", of_subscription="subscription_id")
    met = with_home(
        cases.select("source", "case", "subscription_id", "failed_at"), runs, "subscription_id"
    )
    met = met.inner_join(
        stops, [met.home == stops.of_source, met.subscription_id == stops.of_subscription]
    ).drop("of_source", "of_subscription")
    # A pause that was over before the payment failed stops nothing.
    met = met.filter(met.until_at.isnull() | (met.until_at > met.failed_at))
    stopped = met.group_by(of_source=met.source, of_case=met.case).agg(
        stop_at=ibis.greatest(met.over_at, met.failed_at).min()
    )
    joined = cases.left_join(
        stopped, [cases.source == stopped.of_source, cases.case == stopped.of_case]
    ).drop("of_source", "of_case")
    dropped = ibis.ifelse(  # engines leave NULL out of the greatest
        joined.invoice_dropped_at.isnull(),
        ibis.null(INSTANT),
        ibis.greatest(joined.invoice_dropped_at, joined.failed_at),
    )
    return joined.mutate(
        stopped_at=ibis.least(
            ibis.coalesce(joined.stop_at, dropped), ibis.coalesce(dropped, joined.stop_at)
        )
    )


def _before(instant: ir.Value, at: ir.Value) -> ir.Value:
    """Return an instant where it was before ``at``, else NULL."""
    return ibis.ifelse(instant < at, instant, ibis.null(INSTANT))


def _first(*instants: ir.Value, at: ir.Value) -> ir.Value:
    """Return the first of the instants before ``at``; NULL where there is none."""
    known = [_before(one, at) for one in instants]
    return ibis.least(*(ibis.coalesce(one, *known) for one in known))
