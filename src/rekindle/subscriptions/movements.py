"""How MRR moves: who is new, pays more, less, left and came back, a customer and a step at once.

Opening plus movements is closing, to the cent, for every month: a movement is the difference
between two standings of one customer, and nothing else changes MRR.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import ibis
import ibis.expr.types as ir

from rekindle.facts import Facts
from rekindle.subscriptions.days import local_day
from rekindle.subscriptions.definitions import Definition, Stride
from rekindle.subscriptions.standing import KEY, build_standing


class Movement(StrEnum):
    """Why MRR changed."""

    NEW = "new"
    EXPANSION = "expansion"
    CONTRACTION = "contraction"
    CHURN = "churn"
    REACTIVATION = "reactivation"


def build_steps(facts: Facts, as_of: datetime, definition: Definition) -> ir.Table:
    """Return every step of every customer, the last of which is how they stand.

    Columns: ``customer_id``, ``on`` (the business's local day, or the first of its month),
    ``delta`` and ``mrr`` (in major units a month, before and after: ``mrr - delta`` and
    ``mrr``), ``seats_before``, ``seats`` and ``was_here`` (whether they ever were before).
    """
    rows = build_deltas(build_standing(facts, as_of, definition))
    rows = rows.mutate(on=build_step(rows["at"], facts.zone, definition))
    steps = rows.group_by("customer_id", "on").agg(
        delta=rows.delta.sum(), seat_delta=rows.seat_delta.sum()
    )
    so_far = ibis.window(
        group_by=steps.customer_id, order_by=steps["on"], preceding=None, following=0
    )
    steps = steps.mutate(
        mrr=steps.delta.sum().over(so_far), seats=steps.seat_delta.sum().over(so_far)
    )
    before = ibis.window(group_by=steps.customer_id, order_by=steps["on"], preceding=(None, 1))
    return steps.mutate(
        seats_before=steps.seats - steps.seat_delta,
        was_here=ibis.coalesce(steps.seats.max().over(before), 0) > 0,
    ).drop("seat_delta")


def build_deltas(standing: ir.Table) -> ir.Table:
    """Return ``build_standing`` with ``delta`` and ``seat_delta``, what each happening changed."""
    of_one = ibis.window(
        group_by=[standing[name] for name in KEY],
        order_by=[standing["at"], standing.kind, standing.noted_at],
    )
    nothing = ibis.literal(0).cast(standing.mrr.type())
    return standing.mutate(
        delta=standing.mrr - ibis.coalesce(standing.mrr.lag().over(of_one), nothing),
        seat_delta=standing.seat - ibis.coalesce(standing.seat.lag().over(of_one), 0),
    )


def build_movements(facts: Facts, as_of: datetime, definition: Definition) -> ir.Table:
    """Return the movements: ``customer_id``, ``on``, ``movement``, ``amount`` and ``mrr`` after.

    A day on which nothing changes in sum has none. A return to which the definition gives
    no name of its own is an expansion.
    """
    steps = build_steps(facts, as_of, definition)
    came = (steps.seats_before <= 0) & (steps.seats > 0)
    left = (steps.seats_before > 0) & (steps.seats <= 0)
    back = Movement.REACTIVATION if definition.names_returns else Movement.EXPANSION
    movement = ibis.cases(
        (came & ~steps.was_here, Movement.NEW.value),
        (came, back.value),
        (left, Movement.CHURN.value),
        (steps.delta > 0, Movement.EXPANSION.value),
        (steps.delta < 0, Movement.CONTRACTION.value),
        else_=ibis.null("string"),
    )
    moved = steps.mutate(movement=movement)
    moved = moved.filter(moved.movement.notnull())
    return moved.select(
        "customer_id", "on", "movement", "mrr", "seats", "was_here", amount=moved.delta
    )


def build_months(movements: ir.Table) -> ir.Table:
    """Return the movements by month: ``month``, ``movement``, ``count`` and ``amount``."""
    by = movements.mutate(month=movements["on"].truncate("month"))
    return (
        by.group_by("month", "movement")
        .agg(count=by.count(), amount=by.amount.sum())
        .order_by("month", "movement")
    )


def build_step(at: ir.Value, zone: str, definition: Definition) -> ir.Value:
    """Return the step an instant is in: its local day, or the first of its month."""
    day = local_day(at, zone)
    return day.truncate("month") if definition.stride is Stride.MONTH else day
