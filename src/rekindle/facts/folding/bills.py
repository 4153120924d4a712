"""Makes subscriptions of what invoices were for, and lets files of bills complete one another.

Some systems know no subscription, only invoices, each line of which pays for a period. A run is
the periods of one subscription that follow each other; what the first of them costs is its
price, and a period that costs something else is a change. It has ended where somebody cancelled
and the paid time is over, or where nothing was paid for again in `RENEWED_WITHIN`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb

from rekindle.countries import list_currencies
from rekindle.facts.casting.amounts import minor_parts
from rekindle.facts.contracts import CONTRACTS, Contract
from rekindle.facts.lake import Change, create_view
from rekindle.facts.sql import literal, quoted

RENEWED_WITHIN = timedelta(days=30)
"""What is paid for again so late goes on, and later it is a return. Until then it is overdue.

An end counts from then on, not from the last paid day, on which nobody could know of it.
ChartMogul lets a business choose 1 to 90 days without a renewal
(help.chartmogul.com/article/303-handling-past-due-subscriptions)."""
LINES, INVOICES = "invoice_lines", "invoices"
BILLED = (LINES, INVOICES, "plans", "cancellations")
"""The tables from which subscriptions follow."""
# How many months one payment lasts, as `subscriptions.standing` counts them.
MONTHS = (
    "(number * case unit when 'year' then 12 when 'month' then 1 "
    "when 'week' then 12 / 52.0 when 'day' then 12 / 365.0 end)"
)
MONTH_DAYS, NEARLY_DAYS = 365.25 / 12, 3
PRICE = ("plan", "mrr", "amount", "quantity", "interval", "interval_count", "currency")
OF_A_STAY = "partition by source, subscription_id order by since"


@dataclass(frozen=True, slots=True)
class MinorUnits:
    """The sources that tell amounts in smallest units, which were read as those of ``currency``.

    Where such a file names no currency, that of the invoice says how small they are.
    """

    currency: str
    sources: frozenset[str]

    def build_scale(self, source: str, currency: str) -> str:
        """Return SQL for what an amount is taken times; ``source`` and ``currency`` are SQL."""
        if not self.sources:
            return "1"
        own = minor_parts(self.currency)
        few = [(minor_parts(codes[0]), codes) for codes in map(list_currencies, (0, 3))]
        cases = " ".join(
            f"when upper({currency}) in ({', '.join(map(literal, codes))}) then {own / parts}"
            for parts, codes in few
        )
        names = ", ".join(map(literal, sorted(self.sources)))
        is_own = f"coalesce(upper({currency}), '') in ('', {literal(self.currency)})"
        return (
            f"(case when {source} not in ({names}) or {is_own} then 1 {cases} "
            f"else {own / 100} end)::decimal(8, 4)"
        )


def complete(
    con: duckdb.DuckDBPyConnection,
    change: Change,
    contract: Contract,
    given: Collection[str],
    *,
    source: str,
    minor: MinorUnits,
) -> None:
    """Fill in `checked` what a file of bills leaves to another; ``given`` are its columns.

    An invoice comes to its lines and is for their periods; a payment is of whom its invoice
    is of, and of its amount.
    """
    if contract.table == INVOICES:
        table = LINES
        told = {
            "amount": f"sum(t.amount * {minor.build_scale('t.source', 'a.currency')})",
            "subscription_id": "case when count(distinct subscription_id) = 1 "
            "then min(subscription_id) end",
            "period_starts_at": "min(period_starts_at)",
            "period_ends_at": "max(period_ends_at)",
        }
    elif contract.table == "payments" and "invoice_id" in given:
        table, told = INVOICES, {n: f"min(t.{n})" for n in ("customer_id", "amount", "currency")}
    else:
        return
    lacking = {n: sql for n, sql in told.items() if n not in given or n == "customer_id"}
    create_view(con, change, CONTRACTS[table])
    if lacking:
        _fill(con, table, source, lacking)
    if contract.table == INVOICES:
        _keep_stays(con, change, source)
    elif "currency" not in given and "amount" in given:
        scale = minor.build_scale(literal(source), "currency")
        con.execute(f"update checked set amount = amount * {scale}")


def _fill(
    con: duckdb.DuckDBPyConnection, table: str, source: str, lacking: Mapping[str, str]
) -> None:
    asking = f"(select line, invoice_id, currency, {literal(source)} as source from checked)"
    cells = ", ".join(f"{sql} as {name}" for name, sql in lacking.items())
    sets = ", ".join(f"{name} = coalesce(checked.{name}, told.{name})" for name in lacking)
    con.execute(
        f"update checked set {sets} from (select a.line, {cells} "
        f"from ({_with_home(asking, table, 'invoice_id')}) a "
        f"join {table} t on t.source = a.home and t.invoice_id = a.invoice_id group by a.line"
        ") told where checked.line = told.line"
    )


def _keep_stays(con: duckdb.DuckDBPyConnection, change: Change, source: str) -> None:
    """Let invoices that were found to be of a former stay be of that one."""
    create_view(con, change, CONTRACTS[INVOICES])
    con.execute(
        "update checked set subscription_id = held.subscription_id from invoices held "
        f"where held.source = {literal(source)} and held.invoice_id = checked.invoice_id "
        "and starts_with(held.subscription_id, checked.subscription_id || '#')"
    )


def find_stays(
    con: duckdb.DuckDBPyConnection, change: Change, *, now: datetime, minor: MinorUnits
) -> bool:
    """Make `stays` and `stay_changes` of all lines of invoices; return whether there are any.

    They hold the rows of `subscriptions` and `subscription_changes`, `moved_invoices` those of
    invoices that are of another stay than they say, `strays` the lines of no known invoice.
    """
    if LINES not in change.versions:
        return False
    for table in BILLED:
        create_view(con, change, CONTRACTS[table])
    tables = {
        "strays": f"select l.* from ({_with_home(LINES, INVOICES, 'invoice_id')}) l anti join "
        "invoices i on i.source = l.home and i.invoice_id = l.invoice_id",
        "paid": _build_paid(minor),
        "periods": _build_periods(),
        "priced": _build_priced(),
        "runs": _build_runs(now),
        "stays": f"select r.* exclude (of, run), {_cells('p')} from runs r join priced p "
        "on p.source = r.source and p.subscription_id = r.of and p.run = r.run "
        "and p.since = r.started_at",
        "stay_changes": _build_changes(),
        "moved_invoices": _build_moved(),
    }
    for table, query in tables.items():
        con.execute(f"create or replace temp table {table} as {query}")
    return True


def _with_home(rows: str, owners: str, key: str, *, held: str = "") -> str:
    """Return SQL for rows with ``home``, the source of the row of ``owners`` their key means.

    As `engines.homes` has it: the only source that has one, else their own. ``held`` is
    what the owners call the key, where that is something else.
    """
    return (
        "select r.*, coalesce(case when h.first = h.last then h.first end, r.source) as home "
        f"from {rows} r left join (select {held or key} as held, min(source) as first, "
        f"max(source) as last from {owners} group by all) h on h.held = r.{key}"
    )


def _build_paid(minor: MinorUnits) -> str:
    """Return SQL for what was paid for: one row a subscription and beginning of a period.

    Lines that begin together are parts of one. Of what is settled in the midst of a period
    only that it was paid for counts, unless nothing else says what it costs.
    """
    scale = minor.build_scale("l.source", "i.currency")
    return f"""
        with lines as (
            select l.source, l.subscription_id, l.period_starts_at as since, l.period_ends_at,
                i.customer_id, i.currency, l.plan, l.quantity,
                (l.amount - coalesce(l.tax, 0)) * {scale} as net,
                not coalesce(l.is_prorated, false) as is_whole
            from ({_with_home(LINES, INVOICES, "invoice_id")}) l
            join invoices i on i.source = l.home and i.invoice_id = l.invoice_id
            where l.subscription_id is not null and l.period_ends_at > l.period_starts_at
                and lower(coalesce(l.kind, 'subscription')) = 'subscription'
                and i.voided_at is null),
        known as (
            select *, bool_or(is_whole) over (partition by source, subscription_id, since)
                as has_whole
            from lines)
        select source, subscription_id, since, has_whole, min(customer_id) as customer_id,
            min(currency) as currency, max(period_ends_at) filter (where net >= 0) as until,
            sum(net) as net, arg_max(plan, net) as plan,
            case when has_whole and count(distinct plan) <= 1 and sum(quantity) > 0
                then sum(quantity) end as quantity
        from known where is_whole or not has_whole
        group by source, subscription_id, since, has_whole
        having sum(net) >= 0"""


def _build_periods() -> str:
    """Return SQL for ``paid`` with ``run``, and when it was cancelled before the next period.

    Whoever cancelled and pays on without a gap has thought better of it.
    """
    grace = f"interval '{RENEWED_WITHIN.days} days'"
    return f"""
        with told as (
            select p.source, p.subscription_id, p.since, min(c.cancelled_at) as cancelled_at,
                min(c.over_at) as over_at
            from (select *, greatest(cancelled_at, effective_at) as over_at
                from ({_with_home("cancellations", "paid", "subscription_id")})) c
            asof join paid p on p.source = c.home and p.subscription_id = c.subscription_id
                and p.since <= c.over_at
            group by all),
        following as (
            select *, max(until) over ({OF_A_STAY}
                rows between unbounded preceding and 1 preceding) as covered_until,
                lag(over_at) over ({OF_A_STAY}) as left_at
            from paid left join told using (source, subscription_id, since))
        select * exclude (covered_until, left_at),
            sum((covered_until is null or since > covered_until + {grace}
                or (left_at is not null and since > covered_until))::int) over ({OF_A_STAY}) as run
        from following"""


def _build_priced() -> str:
    """Return SQL for ``periods`` with the columns of a price.

    The plan says how long one payment lasts, else the period itself. A period that is settled
    in part has the price of the one before, or what its days come to in a month.
    """
    days = "round(epoch(until - since) / 86400)"
    months = f"round({days} / {MONTH_DAYS})"
    is_months = f"({months} >= 1 and abs({days} - {months} * {MONTH_DAYS}) <= {NEARLY_DAYS})"
    unit = f"case when {is_months} then 'month' when {days} % 7 = 0 then 'week' else 'day' end"
    number = f"case when {is_months} then {months} when {days} % 7 = 0 then {days} / 7 "
    number += f"else greatest({days}, 1) end"
    scaled = f"case when has_whole then net / {MONTHS} else net * {MONTH_DAYS} / {days} end"
    return f"""
        with named as (
            select source, plan_id, arg_max(name, since) as name,
                lower(arg_max("interval", since)) as unit,
                coalesce(arg_max(interval_count, since), 1) as number
            from plans group by source, plan_id),
        spoken as (
            select p.* exclude (plan), coalesce(n.name, p.plan) as plan,
                coalesce(n.unit, {unit}) as unit,
                (case when n.unit is null then {number} else n.number end)::bigint as number
            from ({_with_home("periods", "plans", "plan", held="plan_id")}) p
            left join named n on n.source = p.home and n.plan_id = p.plan)
        select source, subscription_id, run, since, has_whole, plan, currency,
            round({scaled}, 4)::decimal(18, 4) as mrr,
            (net / coalesce(quantity, 1))::decimal(18, 4) as amount,
            quantity::bigint as quantity, unit as "interval", number as interval_count
        from spoken"""


def _build_runs(now: datetime) -> str:
    """Return SQL for the runs of each subscription as `subscriptions` has them, but for a price.

    The last one keeps the number of the subscription; ``NUMBER#1`` is the first of several.
    """
    overdue = f"covered_until + interval '{RENEWED_WITHIN.days} days'"
    present = f"timestamptz {literal(now.isoformat())}"
    return f"""
        select source, subscription_id as of, run,
            subscription_id || case when is_last then '' else '#' || run end as subscription_id,
            customer_id, started_at, cancelled_at,
            case when over_at is not null then greatest(over_at, covered_until)
                when not is_last or {overdue} <= {present} then {overdue} end as ended_at
        from (
            select source, subscription_id, run, min(customer_id) as customer_id,
                min(since) as started_at, max(until) as covered_until,
                arg_max_null(cancelled_at, since) as cancelled_at,
                arg_max_null(over_at, since) as over_at,
                run = max(run) over (partition by source, subscription_id) as is_last
            from periods group by source, subscription_id, run)"""


def _build_changes() -> str:
    """Return SQL for the periods of each run that cost something else than the one before.

    One that is settled in part says nothing of that, unless the run begins with it.
    """
    of_run = "partition by source, subscription_id, run"
    return f"""
        with told as (
            select * from priced qualify has_whole or since = min(since) over ({of_run})),
        compared as (
            select *, row(plan, mrr, quantity, "interval", interval_count) as price,
                lag(price) over ({of_run} order by since) as before
            from told)
        select r.source, r.subscription_id, c.since as changed_at, {_cells("c")}
        from compared c
        join runs r on r.source = c.source and r.of = c.subscription_id and r.run = c.run
        where c.before is not null and c.price is distinct from c.before"""


def _build_moved() -> str:
    """Return SQL for the invoices of one subscription, with the number of the stay they are of."""
    return f"""
        select i.* replace (o.subscription_id as subscription_id)
        from invoices i join (
            select l.home as source, l.invoice_id, min(r.of) as of,
                min(r.subscription_id) as subscription_id
            from ({_with_home(LINES, INVOICES, "invoice_id")}) l
            join periods p on p.source = l.source and p.subscription_id = l.subscription_id
                and p.since = l.period_starts_at
            join runs r on r.source = p.source and r.of = p.subscription_id and r.run = p.run
            group by l.home, l.invoice_id having count(distinct r.subscription_id) = 1
        ) o on o.source = i.source and o.invoice_id = i.invoice_id
        where i.subscription_id <> o.subscription_id
            and (i.subscription_id = o.of or starts_with(i.subscription_id, o.of || '#'))"""


def _cells(rows: str) -> str:
    return ", ".join(f"{rows}.{quoted(name)}" for name in PRICE)
