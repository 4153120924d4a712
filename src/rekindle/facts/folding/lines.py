"""Folds checked order lines into orders: one reading of them answers all that is asked.

``folded`` is a temporary table with one row an order. Orders, the numbers of lines and
the orders that contradict themselves come from it. Amounts stay exact throughout.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import duckdb

from rekindle.facts.casting import Rules
from rekindle.facts.folding.orders import MONEY, finish_orders, is_given_back, rounded
from rekindle.facts.sql import literal
from rekindle.wording import counted

TWO_CUSTOMERS = "select order_id from folded where other_id <> customer_id"
# What a line comes to, by a macro that ``fold_lines`` makes for the file.
AMOUNT = "line_amount(quantity, unit_price, amount)"
IS_BOUGHT = "worth > 0 and coalesce(quantity, 1) >= 0"  # all else was given back
LARGE = 9e9  # what quantity × price comes to that 18 digits may not hold
DIFFERS = "max(abs({0})) > min(abs({0}))"
MANY = 0.1  # of the orders with several: a slip here and there makes no money the lines'
IS_LINE = "coalesce(amount, unit_price) is not null"  # other rows say what is of the order


def fold_lines(con: duckdb.DuckDBPyConnection, given: Collection[str]) -> None:
    """Fold the lines in ``checked`` into ``folded``; ``given`` are the columns of the file.

    The macro ``line_amount`` says what a line comes to: as the file says it, with the sign
    of what was given back, or quantity × price. The engine multiplies in 18 digits and stops
    at ten thousand million; more digits take their time, for the file that needs them.
    """
    product = "coalesce(quantity, 1)::double * unit_price::double"
    ((largest,),) = con.execute(f"select max(abs({product})) from checked").fetchall()
    wide = "::decimal(20, 4)" if (largest or 0) > LARGE else ""
    amount = f"coalesce(quantity, 1){wide} * unit_price"
    if "amount" in given:
        amount = f"coalesce(case when quantity < 0 then -abs(amount) else amount end, {amount})"
    con.execute(
        f"create or replace temp macro line_amount(quantity, unit_price, amount) as {amount}"
    )
    con.execute(
        f"create or replace temp table folded as {_build_fold(given, _find_apart(con, given))}"
    )


def _find_apart(con: duckdb.DuckDBPyConnection, given: Collection[str]) -> Collection[str]:
    """Return which money of the file is each line's: it differs in many orders of several lines."""
    found = []
    for name in {"discount", "refund"} & set(given):
        ((several, differing),) = con.execute(
            f"select count(*), count(*) filter (where differs) from (select {DIFFERS.format(name)} "
            f"as differs from checked group by order_id having count({name}) > 1 "
            f"and max(abs({name})) > 0)"
        ).fetchall()
        if differing >= several * MANY and differing:
            found.append(name)
    return found


def _build_fold(given: Collection[str], apart: Collection[str]) -> str:
    """Return SQL for ``folded``. A line counts as bought when quantity and amount are positive.

    What is said of the order as a whole is as its first row has it; where its rows are in
    different states, each state is of its line. Money ``apart`` is of the lines, as is what
    differs between those of one order: it is added up.
    """

    def first(name: str, kind: str, pick: str = "arg_min") -> str:
        return f"{pick}({name}, line)" if name in given else f"null::{kind}"

    def is_apart(name: str) -> str:
        if name not in given:
            return "false"
        return "count(*) > 1" if name in apart else DIFFERS.format(name)

    def adds_up(name: str) -> str:
        is_some = f"coalesce(max(abs({name})), 0) > 0" if name in given else "false"
        return f"{is_apart(name)} and {is_some}"

    def money(name: str) -> str:
        said = first(name, MONEY)
        if name not in given:
            return said
        return f"case when {is_apart(name)} then sum(abs({name})) else {said} end"

    def bought(state: str = "true") -> str:
        return f"coalesce(sum(worth) filter (where is_bought and {state}), 0)"

    has_states, lines = "status" in given, f"filter (where {IS_LINE})"
    off = "abs(coalesce(sum(abs(line_discount)), 0))" if "line_discount" in given else "0"
    refunded = first("refunded_at", "timestamptz")
    if {"refund", "refunded_at"} <= set(given):
        # All of it is given back with the last of them.
        last = "max(refunded_at) filter (where refund <> 0)"
        refunded = f"coalesce(case when {is_apart('refund')} then {last} end, {refunded})"
    unsold, returned = "state in ('cancelled', 'pending')", "state in ('refunded', 'refund')"
    return f"""
        select order_id, max(customer_id) as customer_id, min(customer_id) as other_id,
            min(ordered_at) as ordered_at,
            {"arg_min(state, line)" if has_states else "null::varchar"} as said_state,
            {"count(distinct status) > 1" if has_states else "false"} as is_mixed,
            {bought()} as bought, {bought(unsold) if has_states else "0"} as bought_unsold,
            {bought(returned) if has_states else "0"} as bought_returned,
            coalesce(sum(worth) filter (where not is_bought), 0) as rest,
            max(ordered_at) filter (where worth < 0) as line_refunded_at,
            {off} as off, {money("discount")} as said_discount, {money("refund")} as said_refund,
            {adds_up("discount")} as has_discounts, {adds_up("refund")} as has_refunds,
            {refunded} as said_refunded_at,
            {first("discount_code", "varchar")} as discount_code,
            {first("currency", "varchar")} as currency,
            {first("cancelled_at", "timestamptz", "arg_min_null")} as cancelled_at,
            min(line) {lines} as first_line,
            count(*) {lines} <> max(line) {lines} - first_line + 1 as is_scattered
        from (select *, {AMOUNT} as worth, {IS_BOUGHT} as is_bought from checked)
        group by order_id"""


def note_added_up(con: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Yield what was added up within orders of the file because it differs between their rows."""
    for name, hint in (("discount", "; if it is of the line, map line_discount"), ("refund", "")):
        query = f"select count(*) from folded where has_{name}s"
        ((count,),) = con.execute(query).fetchall()
        if count:
            yield f"{counted(count, 'order')} with a {name} a row: added up there{hint}"


def build_lines(rules: Rules, *, are_scattered: bool) -> str:
    """Return SQL for ``order_lines`` from checked order lines, numbered within ``folded``.

    Exports hold the lines of an order one after the other, and then a line's number follows
    from the order's first; only ``are_scattered`` says that some have to be sorted.
    """

    def lines(number: str, orders: str) -> str:
        return f"""
            select {literal(rules.source.name)} as source, order_id, {number} as line,
                product_id, description, category, coalesce(quantity, 1)::{MONEY} as quantity,
                coalesce(unit_price, worth / nullif(quantity, 0), amount)::{MONEY} as unit_price,
                {rounded("worth")} as amount
            from (
                select c.*, first_line, {AMOUNT} as worth
                from checked c join (
                    select order_id, first_line from folded where {orders}) using (order_id)
                where {IS_LINE})"""

    together = lines("line - first_line + 1", "not is_scattered")
    if not are_scattered:
        return together
    place = "row_number() over (partition by order_id order by line)"
    return f"{together} union all {lines(place, 'is_scattered')}"


def build_orders_from_lines(rules: Rules) -> str:
    """Return SQL for ``orders`` from ``folded``: what was bought is gross, the rest refund.

    Nothing is bought in a cancellation: all of it is taken off as a refund. What is said of
    the order as a whole counts once; a refund of it, which may hold postage and taxes too,
    takes off no more than the goods cost.
    """
    return finish_orders(
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
            select *, {is_given_back(rules)} as is_given_back,
                case when is_given_back then 0 else bought end as all_gross,
                case when is_given_back then 0 else bought_unsold end as unsold,
                case when is_given_back then 0 else bought_returned end as returned,
                -(case when is_given_back then bought + rest else rest end) as line_refund
            from folded)""",
        rules,
    )
