"""Generated shops: seeded by hashing row numbers, so every machine gets the same rows."""

from __future__ import annotations

from pathlib import Path

import duckdb

WORK = Path(__file__).parent / "work"
FIRST_DAY = "timestamp '2020-01-01'"
LINE_COLUMNS = {
    "order_id": "Invoice",
    "product_id": "StockCode",
    "description": "Description",
    "quantity": "Quantity",
    "ordered_at": "InvoiceDate",
    "unit_price": "Price",
    "customer_id": "Customer ID",
}
"""What the columns of Online Retail mean, and those of ``lines_file``, which is called as it is."""


def orders_file(customers: int, orders: int, *, days: int) -> Path:
    """Return a Parquet file of the orders contract, made at the first call."""
    path = WORK / f"orders_{customers}_{orders}_{days}.parquet"
    moment = f"{FIRST_DAY} + (hash(i * 7) % ({days} * 86400))::bigint * interval 1 second"
    make_file(
        path,
        f"""
        select 'shop' as source, 'o' || i as order_id,
            'c' || (hash(i) % {customers})::bigint as customer_id,
            ({moment})::timestamptz as ordered_at, ({moment})::date as ordered_on,
            case when hash(i * 11) % 50 = 0 then 'refund' else 'purchase' end as kind,
            case when kind = 'refund' then 0 else (hash(i * 3) % 20000) / 100 end
                ::decimal(18, 4) as gross,
            0::decimal(18, 4) as discount,
            case when kind = 'refund' then 20 else 0 end::decimal(18, 4) as refund,
            'GBP' as currency
        from range({orders}) t(i)""",
    )
    return path


def changes_file(customers: int, orders: int, rows: int, *, number: int) -> Path:
    """Return the orders that changed or came in the ``number``-th night after the last day.

    Half are new; half are of the newest tenth of ``orders_file``, with another amount: what
    an export corrects is what came in lately.
    """
    path = WORK / f"changes_{customers}_{orders}_{rows}_{number}.parquet"
    newest = f"{orders * 9 // 10} + (hash(i * 13 + {number}) % {orders // 10})::bigint"
    place = f"case when i % 2 = 0 then {newest} "
    place += f"else {orders} + {number} * {rows} + i end"
    moment = f"{FIRST_DAY} + (hash(n * 7) % (1800 * 86400))::bigint * interval 1 second"
    night = f"timestamp '2025-01-01' + interval {number} day + i % 3600 * interval 1 second"
    make_file(
        path,
        f"""
        select 'o' || n as order_id, 'c' || (hash(n) % {customers})::bigint as customer_id,
            (case when i % 2 = 0 then {moment} else {night} end)::timestamptz as ordered_at,
            ((1 + hash(n * 3 + {number}) % 20000) / 100)::decimal(18, 4) as gross,
            0::decimal(18, 4) as discount, 0::decimal(18, 4) as refund
        from (select i, {place} as n from range({rows}) t(i))
        qualify row_number() over (partition by n order by i) = 1""",
    )
    return path


def cards_file(customers: int) -> Path:
    """Return a Parquet file of one contact card a customer, who all agreed."""
    path = WORK / f"cards_{customers}.parquet"
    make_file(
        path,
        f"""
        select 'c' || i as customer_id, 'c' || i || '@example.com' as email,
            'Name' || i % 400 as first_name, 'GB' as country, 'yes' as email_consent,
            {FIRST_DAY}::timestamptz as created_at
        from range({customers}) t(i)""",
    )
    return path


def lines_file(lines: int) -> Path:
    """Return a Parquet file of raw order lines as a shop would export them."""
    path = WORK / f"lines_{lines}.parquet"
    order = "(i // 10)"
    make_file(
        path,
        f"""
        select (489434 + {order})::varchar as "Invoice",
            'p' || (hash(i) % 4000)::varchar as "StockCode", 'A useful thing' as "Description",
            (1 + hash(i * 5) % 12)::bigint as "Quantity",
            {FIRST_DAY} + (hash({order} * 7) % (700 * 86400))::bigint * interval 1 second
                as "InvoiceDate",
            ((hash(i * 3) % 2000) / 100)::double as "Price",
            (hash({order}) % 100000)::bigint as "Customer ID"
        from range({lines}) t(i)""",
    )
    return path


def make_file(path: Path, query: str) -> None:
    """Write what a query returns to a Parquet file, unless it is there."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    with duckdb.connect() as con:
        con.execute("set TimeZone = 'UTC'")
        con.execute(f"copy ({query}) to '{fresh}' (format parquet)")
    fresh.replace(path)
