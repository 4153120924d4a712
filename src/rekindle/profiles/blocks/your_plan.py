"""Your plan: what somebody subscribes to, or subscribed to last."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from rekindle.profiles.showing import Block, Sales
from rekindle.subscriptions import build_states


def tell_plan(sales: Sales) -> ir.Table:
    """Return the plan of each person who ever had one that has a name."""
    facts = sales.facts
    if not facts.has_subscriptions:  # also where the engine cannot tell a day by a zone's clock
        return sales.people.filter(ibis.literal(False)).mutate(
            key=ibis.null("string"), score=ibis.literal(0.0)
        )
    at = ibis.literal(sales.at, type="timestamp('UTC', 6)")
    # What is known to end later is among the states, and has not happened.
    states = build_states(facts)
    states = states.filter(states["at"] < at).semi_join(sales.people, "customer_id")
    newest = ibis.window(group_by=states.customer_id, order_by=states["at"].desc())
    states = states.mutate(number=ibis.row_number().over(newest))
    held = states.filter((states.number == 0) & states.came_on.notnull())
    held = held.filter(held.plan.strip().length() > 0)
    is_here = held.seats > 0
    pays = is_here & (held.mrr > 0)
    return held.select(
        "customer_id",
        key=held.plan,
        name=held.plan,
        price=pays.ifelse(held.mrr, ibis.null("decimal(18, 4)")).cast("decimal(18, 4)"),
        on=held.came_on.cast("date"),
        until=is_here.ifelse(ibis.null("date"), held.left_on).cast("date"),
        score=ibis.literal(0.0),
    )


BLOCK = Block(
    name="your_plan",
    meaning="The plan they have, or had last, by `subscriptions`: `name`, `price` (a month, while "
    "they pay), `on` (since when) and, of somebody who left, `until`.",
    otherwise="nothing: leave its section out",
    tell=tell_plan,
)
