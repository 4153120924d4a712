"""Your plan: what somebody subscribes to, or subscribed to last."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from rekindle.facts import Facts
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
    if facts.rates:
        held = _mark_abroad(held, facts)
    is_here = held.seats > 0
    pays = is_here & (held.mrr > 0)
    if facts.rates:  # what somebody pays is shown in their currency, or not at all
        pays = pays & held.payer_id.isnull()
    return held.select(
        "customer_id",
        key=held.plan,
        name=held.plan,
        price=pays.ifelse(held.mrr, ibis.null("decimal(18, 4)")).cast("decimal(18, 4)"),
        on=held.came_on.cast("date"),
        until=is_here.ifelse(ibis.null("date"), held.left_on).cast("date"),
        score=ibis.literal(0.0),
    )


def _mark_abroad(held: ir.Table, facts: Facts) -> ir.Table:
    """Add ``payer_id``, empty but for who has had a price in another currency."""
    begun, changes = facts.more["subscriptions"], facts.more["subscription_changes"]
    changed = changes.filter(facts.is_told_abroad(changes))
    abroad = begun.filter(facts.is_told_abroad(begun)).select("customer_id")
    abroad = abroad.union(begun.semi_join(changed, "subscription_id").select("customer_id"))
    abroad = abroad.distinct().select(payer_id="customer_id")
    return held.left_join(abroad, held.customer_id == abroad.payer_id)


BLOCK = Block(
    name="your_plan",
    meaning="The plan they have, or had last, by `subscriptions`: `name`, `price` (a month, while "
    "they pay and in the workspace's currency alone), `on` (since when) and, of somebody who left, "
    "`until`.",
    otherwise="nothing: leave its section out",
    tell=tell_plan,
)
