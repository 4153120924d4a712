"""How each subscriber stood at any time, and why they left last: a row whenever that changed.

``departures`` tells what is known today. Here every row holds what was known from its instant
on, so that a profile of any day, and a replay, sees what a live run would have seen.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from rekindle.facts import Facts
from rekindle.subscriptions.days import local_day
from rekindle.subscriptions.definitions import OURS
from rekindle.subscriptions.departures import FOR_EVER, ChurnKind, build_why
from rekindle.subscriptions.failures import Ending, build_failures
from rekindle.subscriptions.standing import MRR
from rekindle.subscriptions.totals import build_totals

STANDING = (
    "seats",
    "mrr",
    "plan",
    "on",
    "paid_days",
    "came_on",
    "left_on",
    "lost",
    "times",
    "brought",
)
STATE = (*STANDING, "kind", "reason", "times_unpaid")
"""What a state says, beside whose it is and since when."""


def build_states(facts: Facts) -> ir.Table:
    """Return how subscribers stood, by our definition: one row a customer and instant.

    Columns: ``customer_id``, ``at`` (from which instant on it holds and was known), ``seats``
    (above 0 while they are subscribed), ``mrr`` (0 in a pause), ``plan`` (that was begun or
    changed to last), ``on`` (the local day since which that MRR holds), ``paid_days`` (paid
    for before that day), ``came_on`` (the day of the current or last stay), ``left_on``
    (the last departure's, NULL where there was none), ``lost`` (MRR before it, or before the
    pause in which it was), ``times`` (left so far), ``kind`` and ``reason`` of that departure,
    ``times_unpaid`` (how often a payment was why, as it was known when they came back) and
    ``brought`` (MRR × days before ``on``).
    """
    totals = build_totals(facts)
    totals = _with_last(totals, "plan", totals.named).drop("named")
    # Of who pauses it is what they paid before the pause.
    totals = _with_last(totals, "paid_mrr", ibis.ifelse(totals.mrr > 0, totals.mrr, ibis.null(MRR)))
    days = _with_turns(_with_days(totals, facts.zone))
    moments = _moments(days, facts)
    stood = days.select("left_came_on", *STANDING, who="customer_id", since="at", until="until_at")
    # A join on instants: what is noted of somebody who was never subscribed falls away.
    rows = moments.inner_join(
        stood,
        [
            moments.customer_id == stood.who,
            stood.since <= moments["at"],
            stood.until.isnull() | (moments["at"] < stood.until),
        ],
    ).drop("who", "since", "until")
    number = ibis.row_number().over(group_by=rows.customer_id, order_by=rows["at"])
    rows = rows.mutate(number=number)
    gone = rows.filter(rows.left_on.notnull()).select(
        "customer_id",
        "number",
        "left_on",
        came_on="left_came_on",
        # What is noted at the instant itself is known from then on.
        known_until=rows["at"] + ibis.interval(microseconds=1),
    )
    left = days.filter(days.has_left_for_the_day).select("customer_id", "left_on", left_at="at")
    why = build_why(gone, left, facts, OURS).rename(of="customer_id", of_number="number")
    judged = rows.left_join(why, [rows.customer_id == why["of"], rows.number == why.of_number])
    return _with_unpaid(judged).select("customer_id", "at", *STATE)


def _with_unpaid(rows: ir.Table) -> ir.Table:
    """Add how often a failed payment was why: of past departures, and of one that lasts."""
    whole = ibis.window(group_by=rows.customer_id, order_by=rows["at"])
    is_back = (rows.seats.lead().over(whole) > 0) & (
        rows["times"].lead().over(whole) == rows["times"]
    )
    is_gone = rows.seats <= 0
    is_unpaid = ibis.coalesce(rows.kind == ChurnKind.INVOLUNTARY.value, False)
    rows = rows.mutate(
        over=ibis.ifelse(is_gone & is_unpaid & ibis.coalesce(is_back, False), 1, 0),
        lasts=ibis.ifelse(is_gone & is_unpaid, 1, 0),
    )
    before = ibis.window(group_by=rows.customer_id, order_by=rows["at"], preceding=(None, 1))
    return rows.mutate(times_unpaid=ibis.coalesce(rows.over.sum().over(before), 0) + rows.lasts)


def _with_last(rows: ir.Table, name: str, said: ir.Value) -> ir.Table:
    """Add ``name``: after each instant of a customer the last of ``said`` that is not empty."""
    so_far = ibis.window(
        group_by=rows.customer_id, order_by=rows["at"], preceding=None, following=0
    )
    rows = rows.mutate(said=said, turn=said.count().over(so_far))
    of_turn = ibis.window(group_by=[rows.customer_id, rows.turn])
    return rows.mutate(**{name: rows.said.max().over(of_turn)}).drop("said", "turn")


def _with_days(rows: ir.Table, zone: str) -> ir.Table:
    """Add the day, what follows, and the days that were paid for before it."""
    rows = rows.mutate(on=local_day(rows["at"], zone))
    whole = ibis.window(group_by=rows.customer_id, order_by=rows["at"])
    rows = rows.mutate(
        next_on=rows["on"].lead().over(whole), until_at=rows["at"].lead().over(whole)
    )
    lasted = rows.next_on.delta(rows["on"], unit="day")
    rows = rows.mutate(paid=ibis.ifelse(rows.mrr > 0, lasted, 0), earned=rows.mrr * lasted)
    before = ibis.window(group_by=rows.customer_id, order_by=rows["at"], preceding=(None, 1))
    return rows.mutate(
        paid_days=ibis.coalesce(rows.paid.sum().over(before), 0),
        brought=ibis.coalesce(rows.earned.sum().over(before), 0).cast("decimal(38, 4)"),
    ).drop("paid", "earned")


def _with_turns(rows: ir.Table) -> ir.Table:
    """Add when they came and left last. What changes within a day is one turn, or none."""
    so_far_today = ibis.window(
        group_by=[rows.customer_id, rows["on"]],
        order_by=rows["at"],
        preceding=None,
        following=0,
    )
    rows = rows.mutate(
        opened=rows.seats - rows.seat_delta.sum().over(so_far_today),
        opened_mrr=rows.mrr - rows.delta.sum().over(so_far_today),
    )
    has_come = (rows.opened <= 0) & (rows.seats > 0)
    has_left = (rows.opened > 0) & (rows.seats <= 0)
    is_last = rows.next_on.isnull() | (rows.next_on != rows["on"])
    nothing = ibis.null("date")
    rows = rows.mutate(
        has_come=has_come,
        has_left=has_left,
        has_left_for_the_day=has_left & is_last,
        came_today_on=ibis.ifelse(has_come & is_last, rows["on"], nothing),
        left_today_on=ibis.ifelse(has_left & is_last, rows["on"], nothing),
    )
    before = ibis.window(group_by=rows.customer_id, order_by=rows["at"], preceding=(None, 1))
    rows = rows.mutate(
        came_on=ibis.ifelse(rows.has_come, rows["on"], rows.came_today_on.max().over(before)),
        left_on=ibis.ifelse(rows.has_left, rows["on"], rows.left_today_on.max().over(before)),
        times=ibis.coalesce(rows.left_today_on.count().over(before), 0)
        + ibis.ifelse(rows.has_left, 1, 0),
    )
    left_stay = ibis.ifelse(rows.has_left_for_the_day, rows.came_on, nothing)
    rows = rows.mutate(left_stay_on=left_stay)
    # By the day, not by how often: what is undone within a day has no number of its own.
    of_day = ibis.window(group_by=[rows.customer_id, rows.left_on])
    last = ibis.coalesce(rows.paid_mrr, rows.opened_mrr)
    paid = ibis.ifelse(rows.opened_mrr > 0, rows.opened_mrr, last)
    lost = ibis.ifelse(rows.has_left, paid, ibis.null(MRR)).max().over(of_day)
    return rows.mutate(
        lost=lost,
        left_came_on=ibis.ifelse(rows.has_left, rows.came_on, rows.left_stay_on.max().over(before)),
    )


def _moments(days: ir.Table, facts: Facts) -> ir.Table:
    """Return every instant at which something about a customer's standing became known."""
    said = facts.more["cancellations"]
    failed = build_failures(facts, FOR_EVER)
    cleared = failed.filter(failed.ending == Ending.CLEARED.value)
    parts = (
        days.select("customer_id", "at"),
        said.select("customer_id", at="cancelled_at"),
        failed.select("customer_id", at="failed_at"),
        cleared.select("customer_id", at="ended_at"),
    )
    moments = ibis.union(*parts, distinct=True)
    return moments.filter(moments.customer_id.notnull() & moments["at"].notnull())
