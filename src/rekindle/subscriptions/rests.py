"""Pauses by person: when each began, until when it was to last, and when it was over."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from rekindle.facts import Facts, at_home
from rekindle.subscriptions.days import local_day

KEY = ("source", "subscription_id")


def build_rests(facts: Facts) -> ir.Table:
    """Return one row a person and instant ``at`` at which something of theirs began to rest.

    Of several that rest from one instant on, the one that goes on first. ``planned_on`` was known
    from ``at`` on, ``over_at`` is to be compared with the date of a question.
    """
    of = facts.more["subscriptions"]
    rows = at_home(facts.more["pauses"], of, "subscription_id")
    anew = ibis.coalesce(of.begun_count, 1) > 1
    rows = rows.join(of.select(*KEY, "customer_id", since="started_at", is_anew=anew), list(KEY))
    rows = rows.filter(rows.customer_id.notnull() & rows.paused_at.notnull())
    # One of the stay before, under the same number, is none of this one.
    rows = rows.filter(~rows.is_anew | (rows.paused_at >= rows.since))
    planned_on = local_day(rows.planned_until.fill_null(rows.resumed_at), facts.zone)
    # What was noted of a subscription earlier counts as it begins.
    rests_at = ibis.greatest(rows.paused_at, rows.since)
    rows = rows.mutate(planned_on=planned_on, rests_at=rests_at)
    return rows.group_by("customer_id", at=rows.rests_at).agg(
        planned_on=rows.planned_on.min(), over_at=rows.resumed_at.max()
    )
