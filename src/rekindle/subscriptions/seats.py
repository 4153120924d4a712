"""How many people work with a subscription, and for how many is paid, from when on."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from rekindle.facts import INSTANT, Facts, at_home

KEY = ("source", "subscription_id")
BEGAN, CHANGED, ENDED = range(3)


def build_seats(facts: Facts) -> ir.Table:
    """Return what changed about the seats of customers who have any: one row a change.

    Columns: ``customer_id``, ``at``, ``used`` (by how many more, or fewer, members) and ``paid``
    (by how many more or fewer units; NULL where nothing says how many are paid for).
    """
    seats = facts.more["seats"]
    first = seats.group_by(who=seats.customer_id).agg(first_at=seats.since.min())
    paid = _paid(facts)
    paid = paid.inner_join(first, paid.customer_id == first.who)
    # Before the first seat is on record, nobody asks how many are paid for.
    known_at = ibis.greatest(paid["at"], paid.first_at)
    return _used(seats).union(_as_change(paid, known_at, paid=paid.paid))


def _used(seats: ir.Table) -> ir.Table:
    """Return members coming and going. Who is given a seat again has one, not two."""
    whole = ibis.window(group_by=[seats.customer_id, seats.member_id], order_by=seats.since)
    again_at = seats.since.lead().over(whole)
    rows = seats.mutate(
        until=ibis.least(
            ibis.coalesce(seats.removed_at, again_at), ibis.coalesce(again_at, seats.removed_at)
        )
    )
    gone = rows.filter(rows.until.notnull())
    return _as_change(rows, rows.since, used=ibis.literal(1)).union(
        _as_change(gone, ibis.greatest(gone.until, gone.since), used=ibis.literal(-1))
    )


def _paid(facts: Facts) -> ir.Table:
    """Return by how much the units of each subscription changed, where it says how many."""
    begun = facts.more["subscriptions"]
    of = begun.select(*KEY, "customer_id", began_at="started_at", over_at="ended_at")
    changes = at_home(facts.more["subscription_changes"], begun, "subscription_id")
    changes = changes.join(of, list(KEY))
    changes = changes.filter(changes.over_at.isnull() | (changes.changed_at < changes.over_at))
    ended = begun.filter(begun.ended_at.notnull())
    is_tried = ibis.coalesce(begun.is_trial, False)
    rows = ibis.union(
        _as_stated(begun, begun.started_at, BEGAN, is_tried.ifelse(0, begun.quantity)),
        _as_stated(
            changes,
            ibis.greatest(changes.changed_at, changes.began_at),
            CHANGED,
            changes.quantity,
        ),
        _as_stated(ended, ibis.greatest(ended.ended_at, ended.started_at), ENDED, ibis.literal(0)),
    )
    rows = rows.filter(rows.units.notnull())
    order = [rows["at"], rows.kind, rows.units]
    before = rows.units.lag().over(group_by=[rows[name] for name in KEY], order_by=order)
    rows = rows.mutate(before=before)
    # An end says nothing where nobody said how many there were.
    rows = rows.filter((rows.kind != ENDED) | rows.before.notnull())
    return _as_change(rows, rows["at"], paid=rows.units - ibis.coalesce(rows.before, 0))


def _as_stated(rows: ir.Table, at: ir.Value, kind: int, units: ir.Value) -> ir.Table:
    return rows.select(
        *KEY,
        "customer_id",
        at=at.cast(INSTANT),
        kind=ibis.literal(kind, type="int64"),
        units=units.cast("int64"),
    )


def _as_change(
    rows: ir.Table, at: ir.Value, *, used: ir.Value | None = None, paid: ir.Value | None = None
) -> ir.Table:
    nothing = ibis.null("int64")
    return rows.select(
        "customer_id",
        at=at.cast(INSTANT),
        used=nothing if used is None else used.cast("int64"),
        paid=nothing if paid is None else paid.cast("int64"),
    )
