"""Keeps what orders had given back by when, as an import hears of it.

A source tells it by dated lines, by a list beside the order, or by telling more the next
time it is imported.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import duckdb

from rekindle.facts.casting import Rules
from rekindle.facts.contracts import ORDER_LINES, ORDERS, REFUNDS, Contract
from rekindle.facts.folding import AMOUNT, IS_BOUGHT, is_given_back
from rekindle.facts.lake import Change, create_view
from rekindle.facts.sql import literal, quoted
from rekindle.facts.upserting import append_rows, replace_rows


def write_steps(
    con: duckdb.DuckDBPyConnection,
    change: Change,
    contract: Contract,
    rules: Rules,
    *,
    given: Collection[str],
    written: str,
    now: datetime,
) -> None:
    """Keep the refunds before the last of the orders that an import just wrote.

    ``written`` is the table of the orders that changed, ``counted`` what was read, and
    ``held`` what the lake held of the changed ones unless all are new.
    """
    is_told = contract is ORDER_LINES or "refunds" in given
    told = _from_lines(rules) if contract is ORDER_LINES else _from_lists(rules)
    con.execute(f"create or replace temp table told as {told if is_told else _before(written)}")
    is_first = REFUNDS.table not in change.versions
    if is_first and not con.execute("select 1 from told limit 1").fetchall():
        return
    create_view(con, change, REFUNDS)
    create_view(con, change, ORDERS)
    con.execute(
        f"""
        create or replace temp table steps as
        select source, order_id, known_at, max(least(s.given, o.refund)) as given
        from told s join orders o using (source, order_id)
        where s.given > 0 and known_at < o.refund_known_at
            and known_at <= timestamptz {literal(now.isoformat())}
        group by all"""
    )
    names = ", ".join(quoted(column.name) for column in REFUNDS.columns)
    if is_first:
        append_rows(con, change, REFUNDS, f"select {names} from steps")
        return
    # What a source tells whole takes the place of what it told before.
    gone = (
        f"select {names} from refunds where source = {literal(rules.source.name)} "
        "and order_id in (select order_id from counted) "
        "and (order_id, known_at) not in (select (order_id, known_at) from steps)"
    )
    con.execute(
        "create or replace temp table steps_put as "
        f"select {names} from steps except select {names} from refunds"
    )
    con.execute(f"create or replace temp table steps_gone as {gone} and {is_told}")
    if any(
        con.execute(f"select 1 from {t} limit 1").fetchall() for t in ("steps_put", "steps_gone")
    ):
        replace_rows(con, change, REFUNDS, put="steps_put", gone="steps_gone")


def _from_lines(rules: Rules) -> str:
    return f"""
        select {literal(rules.source.name)} as source, order_id, ordered_at as known_at,
            sum(sum(-worth)) over (partition by order_id order by ordered_at)
                ::decimal(18, 4) as given
        from (select *, {AMOUNT} as worth from counted)
        where not ({IS_BOUGHT}) or {is_given_back(rules)}
        group by order_id, ordered_at
        qualify count(*) over (partition by order_id) > 1"""


def _from_lists(rules: Rules) -> str:
    part = "unnest(string_split(refunds, ';'))"
    return f"""
        select {literal(rules.source.name)} as source, order_id,
            try_cast(trim(split_part(part, '=', 1)) as timestamptz) as known_at,
            try_cast(trim(split_part(part, '=', 2)) as decimal(18, 4)) as given
        from (select order_id, {part} as part from counted where refunds is not null)"""


def _before(written: str) -> str:
    """Return what was held of orders that have given back more since."""
    if written != "different":  # all are new
        columns = "source, order_id, refund_known_at as known_at, refund as given"
        return f"select {columns} from {written} limit 0"
    return """
        select t.source, t.order_id, t.refund_known_at as known_at, t.refund as given
        from held t join different f using (source, order_id)
        where t.refund_known_at is not null and t.refund > 0 and t.refund < f.refund
            and t.currency is not distinct from f.currency"""
