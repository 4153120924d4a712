"""Makes orders of checked rows that are orders themselves, and of lines that were folded.

SQL over the temporary table ``checked``; each function returns the SELECT of one target
table. Amounts stay exact decimals throughout.
"""

from __future__ import annotations

from collections.abc import Sequence

from rekindle.facts.casting import Rules
from rekindle.facts.sql import literal

MONEY = "decimal(18, 4)"


def build_orders(rules: Rules) -> str:
    """Return SQL for ``orders`` from checked orders; a negative total is a refund."""
    return finish_orders(
        f"""
        select order_id, customer_id, ordered_at, state,
            {is_given_back(rules)} or gross < 0 as is_given_back,
            case when is_given_back then 0 else gross end as gross,
            case when is_given_back then 0 else abs(coalesce(discount, 0)) end as discount,
            abs(coalesce(refund, 0)) + case when is_given_back then abs(gross) else 0 end as refund,
            refunded_at, cancelled_at, discount_code, currency
        from checked""",
        rules,
    )


def is_given_back(rules: Rules) -> str:
    """Return SQL that is true of the number of an order that takes another back."""
    prefix = rules.source.cancelled_prefix
    if not prefix:
        return "false"
    begins = f"starts_with(order_id, {literal(prefix)})"
    if not prefix[-1:].isalpha():
        return begins
    # A letter goes before a number; before other letters it is part of a word.
    return f"{begins} and not regexp_matches(order_id, '^.{{{len(prefix)}}}\\p{{L}}')"


def finish_orders(amounts: str, rules: Rules) -> str:
    """Return SQL for orders of which ``amounts`` says what they came to, and their state.

    An order that is said to be refunded, with no amount, was refunded whole.
    """
    money = ", ".join(
        f"{rounded(f'case when is_cancelled or is_pending then 0 else {name} end')} as {name}"
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
            {rounded("case when is_cancelled then gross end")} as sold_gross,
            {rounded("case when is_cancelled then discount end")} as sold_discount,
            coalesce(upper(currency), {literal(rules.currency)}) as currency, discount_code
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


def build_two_currencies() -> str:
    """Return SQL for the lines of orders told in two currencies: they come to no one sum."""
    return """
        select line, 'conflicting_currency' as problem, 'order ' || order_id || ' is told in '
            || one || ' and ' || other || '; give it amounts in one of them' as detail
        from checked join (
            select order_id, min(upper(currency)) as one, max(upper(currency)) as other
            from checked group by order_id having one <> other) using (order_id)"""


def build_conflicting_customers(orders: str) -> str:
    """Return SQL for the lines of ``orders`` (SQL for their numbers) that name two customers."""
    return f"""
        select line, 'conflicting_customer' as problem,
            'order ' || order_id || ' names more than one customer; keep one' as detail
        from checked semi join ({orders}) using (order_id)"""


def rounded(amount: str) -> str:
    """Return SQL for an amount in the contract's decimals.

    The engine takes a microsecond and a half to round one of 38 digits, and next to nothing
    for one of 18, which all but absurd amounts fit into.
    """
    exact = f"({amount})"
    return f"coalesce(try_cast({exact} as decimal(18, 8))::{MONEY}, {exact}::{MONEY})"
