"""Turns checked rows into the lake's rows: lines folded into orders, cards gathered.

SQL over the temporary table ``checked``; each function returns the SELECT of one target
table. Amounts stay exact decimals throughout.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from rekindle.facts.casting import Rules, sql_type
from rekindle.facts.contracts import CUSTOMERS
from rekindle.facts.sql import literal

CARD = ("email", "phone", "first_name", "country")
CANCELLED = "('cancelled', 'canceled', 'void', 'voided')"
PENDING = (
    "('draft', 'checkout-draft', 'checkout_draft', 'pending', 'pending_payment', "
    "'pending payment', 'awaiting_payment', 'awaiting payment', 'unpaid', 'quote')"
)


def build_customers(rules: Rules, *, now: datetime) -> str:
    """Return SQL for ``customers`` from checked cards; the lake's are ``customers`` as yet.

    A statement on consent that is new but names no time counts from ``now``: at any
    earlier one it could fall before the statement that it takes back.
    """
    names = ", ".join(
        f"c.{column.name}"
        for column in CUSTOMERS.columns
        if column.name not in ("source", "email_consent_at", "known_at")
    )
    return f"""
        select {literal(rules.source.name)} as source, {names},
            coalesce(c.email_consent_at, case
                when c.email_consent = k.email_consent then k.email_consent_at
                when c.email_consent <> k.email_consent then {literal(now.isoformat())}::timestamptz
            end) as email_consent_at
        from checked c left join customers k on k.customer_id = c.customer_id"""


def build_lines(rules: Rules) -> str:
    """Return SQL for ``order_lines`` from checked order lines."""
    return f"""
        select {literal(rules.source.name)} as source, order_id,
            row_number() over (partition by order_id order by line) as line,
            product_id, description, category, quantity, unit_price,
            (quantity * unit_price)::decimal(18, 4) as amount
        from checked"""


def build_orders_from_lines(rules: Rules) -> str:
    """Return SQL for ``orders``: what was bought is gross, what was given back refund.

    A line counts as bought when quantity and price are positive and the order is no
    cancellation; every other amount is taken off as a refund.
    """
    prefix = rules.source.cancelled_prefix
    given_back = f"starts_with(order_id, {literal(prefix)})" if prefix else "false"
    return _finish_orders(
        f"""
        select order_id, max(customer_id) as customer_id, min(ordered_at) as ordered_at,
            {given_back} as is_given_back, false as is_cancelled, false as is_pending,
            coalesce(sum(quantity * unit_price) filter (
                where quantity > 0 and unit_price > 0 and not {given_back}), 0) as gross,
            0 as discount,
            -coalesce(sum(quantity * unit_price) filter (
                where not (quantity > 0 and unit_price > 0) or {given_back}), 0) as refund,
            max(ordered_at) filter (where quantity * unit_price < 0) as refunded_at,
            null::timestamptz as cancelled_at
        from checked group by order_id""",
        rules,
    )


def build_orders(rules: Rules) -> str:
    """Return SQL for ``orders`` from checked orders; a negative total is a refund."""
    prefix = rules.source.cancelled_prefix
    given_back = f"starts_with(order_id, {literal(prefix)})" if prefix else "false"
    return _finish_orders(
        f"""
        select order_id, customer_id, ordered_at,
            {given_back} or gross < 0 as is_given_back,
            coalesce(lower(status) in {CANCELLED}, false) as is_cancelled,
            coalesce(lower(status) in {PENDING}, false) as is_pending,
            case when is_given_back then 0 else gross end as gross,
            case when is_given_back then 0 else abs(coalesce(discount, 0)) end as discount,
            abs(coalesce(refund, 0)) + case when is_given_back then abs(gross) else 0 end as refund,
            refunded_at, cancelled_at
        from checked""",
        rules,
    )


def _finish_orders(amounts: str, rules: Rules) -> str:
    money = ", ".join(
        f"(case when is_cancelled or is_pending then 0 else {name} end)::decimal(18, 4) as {name}"
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
            case when is_cancelled then gross end::decimal(18, 4) as sold_gross,
            case when is_cancelled then discount end::decimal(18, 4) as sold_discount,
            {literal(rules.currency)} as currency
        from ({amounts})"""


def build_contacts(given: frozenset[str]) -> str:
    """Return SQL for what ``checked`` orders say of customers, and when they last said it.

    Whoever has two e-mail addresses in one file is left out: they are in quarantine.
    """
    said = {name: name if name in given else "null::varchar" for name in CARD}
    sound = ""
    if "email" in given:
        said["email"] = "lower(email)"
        sound = f"and customer_id not in (select customer_id from ({build_two_addresses()}))"
    columns = ", ".join(f"{expression} as {name}" for name, expression in said.items())
    return f"""
        select customer_id, {columns}, max(ordered_at) as said_at, min(ordered_at) as first_at
        from checked where customer_id is not null {sound} group by all"""


def build_cards(rules: Rules) -> str:
    """Return SQL for ``customers`` from the ``contacts`` that all files of a source gave.

    The last word counts; what nobody says now is kept from the card there is. A card that
    another source gave stays as it is. Nobody is known before their first order.
    """
    own, kept = literal(rules.source.name), (*CARD, "created_at")
    newest = ", ".join(
        f"coalesce(arg_max(c.{name}, row(c.said_at, c.{name})) "
        f"filter (where c.{name} is not null), any_value(held.{name})) as {name}"
        for name in CARD
    )
    names = ", ".join(
        column.name if column.name in kept else f"null::{sql_type(column)} as {column.name}"
        for column in CUSTOMERS.columns
        if column.name not in ("source", "customer_id", "given_id", "known_at")
    )
    return f"""
        select {own} as source, customer_id, {names}, given_id
        from (
            select customer_id, any_value(c.given_id) as given_id, {newest},
                least(min(c.first_at), any_value(held.created_at)) as created_at
            from contacts c left join customers held using (customer_id)
            where held.source is null or held.source = {own} group by customer_id)"""


def build_strangers(cards: str, source: str, others: Collection[str]) -> str:
    """Return SQL for the ids in ``cards`` that another source has for somebody else.

    Somebody else is who is called by another first letter, or who has another address and
    no name that says they are the same. An id that was kept apart once stays so.
    """
    own, named = literal(source), ", ".join(map(literal, sorted(others)))
    initials = "lower(left(strip_accents({0}.first_name), 1))"
    mine, theirs = initials.format("c"), initials.format("k")
    family = (
        "coalesce(lower(c.last_name) = lower(k.last_name), true)" if cards == "checked" else "true"
    )
    return f"""
        select distinct c.customer_id
        from {cards} c join customers k on k.customer_id = c.customer_id
        where k.source in ({named}) and (
            {mine} <> {theirs}
            or lower(trim(c.email)) <> lower(trim(k.email))
                and not coalesce({mine} = {theirs} and {family}, false)
                and not coalesce(c.phone = k.phone, false)
            or exists (
                select 1 from customers o
                where o.customer_id = {own} || ':' || c.customer_id and o.source = {own}
                  and o.given_id = c.customer_id))"""


def build_parting(cards: str, source: str, others: Collection[str]) -> str:
    """Return SQL that lets the ids of ``build_strangers`` go by one of their own."""
    return f"""
        update {cards} set given_id = customer_id,
            customer_id = {literal(source)} || ':' || customer_id
        where customer_id in ({build_strangers(cards, source, others)})"""


def build_two_addresses() -> str:
    """Return SQL for the customers one file gives two e-mail addresses."""
    return """
        select min(line) as line, customer_id, 'two_addresses' as problem,
            'customer ' || customer_id || ' has the e-mail addresses '
            || string_agg(distinct lower(email), ' and ' order by lower(email))
            || '; keep one, or give each person an id' as detail
        from checked where customer_id is not null and email is not null
        group by customer_id having count(distinct lower(email)) > 1"""


def build_conflicts(key: Sequence[str], columns: Sequence[str]) -> str:
    """Return SQL for the lines of keys that stand in ``checked`` with different content."""
    content, names = ", ".join(columns), ", ".join(key)
    shown = " || ', ' || ".join(f"'{name} ' || {name}" for name in key)
    return f"""
        select line, 'conflicting_{key[-1]}' as problem,
            {shown} || ' stands here more than once with different content; '
            || 'keep one' as detail
        from checked semi join (
            select {names} from (select distinct {content} from checked)
            group by {names} having count(*) > 1) using ({names})"""


def build_conflicting_customers() -> str:
    """Return SQL for the lines of orders that name two customers."""
    return """
        select line, 'conflicting_customer' as problem,
            'order ' || order_id || ' names more than one customer; keep one' as detail
        from checked where order_id in (
            select order_id from checked group by order_id
            having min(customer_id) <> max(customer_id))"""
