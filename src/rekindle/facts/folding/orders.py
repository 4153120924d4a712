"""Folds checked rows into orders: the lines of each, and what is said of it as a whole.

SQL over the temporary table ``checked``; each function returns the SELECT of one target
table. Amounts stay exact decimals throughout.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rekindle.facts.casting import Rules
from rekindle.facts.sql import literal

# What a line comes to: as the file says it, with the sign of what was given back.
AMOUNT = """coalesce(case when quantity < 0 then -abs(amount) else amount end,
                coalesce(quantity, 1) * unit_price)"""
MONEY = "decimal(18, 4)"


def build_lines(rules: Rules) -> str:
    """Return SQL for ``order_lines`` from checked order lines."""
    return f"""
        select {literal(rules.source.name)} as source, order_id,
            row_number() over (partition by order_id order by line) as line,
            product_id, description, category, coalesce(quantity, 1)::{MONEY} as quantity,
            coalesce(unit_price, ({AMOUNT}) / nullif(quantity, 0), amount)::{MONEY} as unit_price,
            ({AMOUNT})::{MONEY} as amount
        from checked where coalesce(amount, unit_price) is not null"""


def build_orders_from_lines(rules: Rules, given: Collection[str]) -> str:
    """Return SQL for ``orders``: what was bought is gross, what was given back refund.

    A line counts as bought when quantity and amount are positive and the order is no
    cancellation; every other amount is taken off as a refund. What is said of the order as
    a whole counts once, as its first row has it; a refund of it, which may hold postage and
    taxes too, takes off no more than the goods cost. Where the rows of an order are in
    different states, each state is of its line.
    """

    def first(name: str, kind: str, pick: str = "arg_min") -> str:
        return f"{pick}({name}, line)" if name in given else f"null::{kind}"

    has_states = "status" in given
    off = "abs(coalesce(sum(abs(line_discount)), 0))" if "line_discount" in given else "0"
    back = is_given_back(rules)
    bought = f"coalesce(sum(worth) filter (where is_bought and not {back}"
    return _finish_orders(
        f"""
        select *, case when is_mixed then all_gross - unsold else all_gross end as gross,
            case when is_mixed and gross > 0 then 'purchase' else said_state end as state,
            abs(coalesce(said_discount, 0)) + off as discount,
            line_refund + case when is_mixed then returned else 0 end as told_refund,
            case when said_refund is null then told_refund
                else greatest(told_refund, least(abs(said_refund), greatest(gross - discount, 0)))
                end as refund,
            coalesce(said_refunded_at, line_refunded_at) as refunded_at
        from (
            select order_id, max(customer_id) as customer_id, min(ordered_at) as ordered_at,
                {back} as is_given_back, {"arg_min(state, line)" if has_states else "null::varchar"}
                    as said_state,
                {"count(distinct status) > 1" if has_states else "false"} as is_mixed,
                {bought}), 0) as all_gross,
                {bought} and state in ('cancelled', 'pending')), 0) as unsold,
                {bought} and state in ('refunded', 'refund')), 0) as returned,
                -coalesce(sum(worth) filter (where not is_bought or {back}), 0) as line_refund,
                max(ordered_at) filter (where worth < 0) as line_refunded_at,
                {off} as off, {first("discount", MONEY)} as said_discount,
                {first("refund", MONEY)} as said_refund,
                {first("refunded_at", "timestamptz")} as said_refunded_at,
                {first("cancelled_at", "timestamptz", "arg_min_null")} as cancelled_at
            from (select *, {AMOUNT} as worth,
                worth > 0 and coalesce(quantity, 1) >= 0 as is_bought from checked)
            group by order_id)""",
        rules,
    )


def build_orders(rules: Rules) -> str:
    """Return SQL for ``orders`` from checked orders; a negative total is a refund."""
    return _finish_orders(
        f"""
        select order_id, customer_id, ordered_at, state,
            {is_given_back(rules)} or gross < 0 as is_given_back,
            case when is_given_back then 0 else gross end as gross,
            case when is_given_back then 0 else abs(coalesce(discount, 0)) end as discount,
            abs(coalesce(refund, 0)) + case when is_given_back then abs(gross) else 0 end as refund,
            refunded_at, cancelled_at
        from checked""",
        rules,
    )


def is_given_back(rules: Rules) -> str:
    """Return SQL that is true of the number of an order that takes another back."""
    prefix = rules.source.cancelled_prefix
    return f"starts_with(order_id, {literal(prefix)})" if prefix else "false"


def _finish_orders(amounts: str, rules: Rules) -> str:
    """Return SQL for orders of which ``amounts`` says what they came to, and their state.

    An order that is said to be refunded, with no amount, was refunded whole.
    """
    money = ", ".join(
        f"(case when is_cancelled or is_pending then 0 else {name} end)::{MONEY} as {name}"
        for name in ("gross", "discount", "refund")
    )
    return f"""
        select {literal(rules.source.name)} as source, order_id, customer_id, ordered_at,
            timezone({literal(rules.zone)}, ordered_at)::date as ordered_on,
            case when is_cancelled then 'cancelled' when is_pending then 'pending'
                when gross > 0 then 'purchase'
                when is_given_back or refund <> 0 then 'refund' else 'free' end as kind,
            {money}, case when refund <> 0 then refunded_at end as refunded_at,
            case when is_cancelled then cancelled_at end as cancelled_at,
            case when is_cancelled then gross end::{MONEY} as sold_gross,
            case when is_cancelled then discount end::{MONEY} as sold_discount,
            {literal(rules.currency)} as currency
        from (
            select * replace (case
                when refund = 0 and state in ('refunded', 'refund') then gross - discount
                else refund end as refund),
                coalesce(state = 'pending', false) as is_pending,
                not is_pending and (coalesce(state = 'cancelled', false)
                    or cancelled_at is not null) as is_cancelled
            from ({amounts}))"""


def build_conflicts(key: Sequence[str], columns: Sequence[str], *, among: str = "checked") -> str:
    """Return SQL for the lines of keys that stand ``among`` rows with different content."""
    content, names = ", ".join(columns), ", ".join(key)
    shown = " || ', ' || ".join(f"'{name} ' || {name}" for name in key)
    return f"""
        select line, 'conflicting_{key[-1]}' as problem,
            {shown} || ' stands here more than once with different content; '
            || 'keep one' as detail
        from checked semi join (
            select {names} from (select distinct {content} from {among})
            group by {names} having count(*) > 1) using ({names})"""


def build_conflicting_customers() -> str:
    """Return SQL for the lines of orders that name two customers."""
    return """
        select line, 'conflicting_customer' as problem,
            'order ' || order_id || ' names more than one customer; keep one' as detail
        from checked where order_id in (
            select order_id from checked group by order_id
            having min(customer_id) <> max(customer_id))"""
