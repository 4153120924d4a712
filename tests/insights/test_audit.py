from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pytest

from rekindle.config import LifecycleSettings
from rekindle.facts import Engine
from rekindle.insights import Audit, build_audit
from rekindle.insights.audit import warn_of_order
from rekindle.insights.model import RowCounts
from rekindle.insights.silences import Silences, build_silences
from rekindle.insights.survival import Interval
from rekindle.predictions import PastCut
from rekindle.vocabulary import Tier, Unknown
from tests.conftest import SHOP

AS_OF = datetime(2024, 7, 1, tzinfo=UTC)
SETTINGS = LifecycleSettings(preset="consumables")  # lapsed at 90 days, gone at 365
DAY_ONE = datetime(2024, 1, 1, tzinfo=UTC)


def audit_of(engine: Engine, as_of: datetime = AS_OF, **changes: Any) -> Audit:
    return build_audit(
        engine.facts(),
        engine.run,
        as_of=as_of,
        settings=changes.pop("settings", SETTINGS),
        **changes,
    )


def a_return(customer: int, *, after: int) -> list[tuple[str, str, float]]:
    """Return the two orders of a customer who came back ``after`` so many days."""
    back = DAY_ONE + timedelta(days=after)
    return [(f"c{customer}", "2024-01-01", 10.0), (f"c{customer}", f"{back:%Y-%m-%d}", 20.0)]


@pytest.fixture(scope="module")
def retail(online_retail: Any) -> Audit:
    as_of = datetime(2010, 12, 10, tzinfo=ZoneInfo("Europe/London"))
    return audit_of(online_retail.engine, as_of, settings=LifecycleSettings())


def test_online_retail_shows_its_published_figures(retail: Audit) -> None:
    # Counted with one plain query over the file of Chen, UCI (2019), doi:10.24432/C5CG6D.
    told = retail.to_json()
    assert told["rows"] == {"read": 525_461, "quarantined": 0, "anonymous": 107_927}
    assert (told["buyers"], told["orders"]) == (4_312, 19_213)
    assert (told["gross_revenue"], told["net_revenue"]) == (8_832_003.27, 8_348_208.57)


@pytest.mark.long
def test_undone_purchases_are_no_purchases(retail: Audit) -> None:
    standing = standing_orders()
    assert len(standing) == 19_213 - 102  # and the undone ones are in `orders` above
    days = sorted({(person, at.date()) for person, at in standing})
    gaps = np.array([(b - a).days for (one, a), (other, b) in pairwise(days) if one == other])
    assert retail.gap_days.count == len(gaps)
    found = (retail.gap_days.median, retail.gap_days.p90, retail.gap_days.p95)
    assert found == pytest.approx(np.quantile(gaps, [0.5, 0.9, 0.95]))


def standing_orders() -> list[tuple[str, datetime]]:
    """Return who bought when, read from the file alone: each refund takes the newest equal."""
    rows = duckdb.connect().execute(
        """select "Customer ID"::varchar as who, min("InvoiceDate")::timestamp as placed_at,
            starts_with("Invoice", 'C') as is_back, "Invoice" as id,
            coalesce(sum(("Quantity" * "Price")::decimal(18, 4))
                filter (where "Quantity" > 0 and "Price" > 0), 0) as paid,
            -sum(("Quantity" * "Price")::decimal(18, 4)) as back
        from read_parquet(?) where "Customer ID" is not null group by who, "Invoice"
        order by placed_at, is_back, id desc""",
        [str(SHOP)],
    ).fetchall()  # fmt: skip
    bought: list[tuple[str, datetime, Decimal]] = []
    open_: dict[str, list[tuple[str, datetime, Decimal]]] = defaultdict(list)
    for who, at, is_back, _, paid, back in rows:
        if not is_back:
            bought += [(who, at, paid)] if paid > 0 else []
            open_[who] += [(who, at, paid)]
            continue
        equal = [o for o in open_[who] if o[2] == back and o[1] >= at - timedelta(days=3)]
        if equal:
            open_[who].remove(equal[-1])
            bought.remove(equal[-1])
    return [(who, at) for who, at, _ in bought]


def test_the_tiers_hold_every_customer_and_all_net_revenue(retail: Audit) -> None:
    worth = sum(total.lifetime_value.amount for total in retail.tiers.values())
    assert worth == retail.net_revenue.amount
    buyers = {tier: total.customers for tier, total in retail.tiers.items()}
    buyers.pop(Tier.PROSPECT)
    assert sum(buyers.values()) == retail.buyers


def test_the_curve_agrees_with_what_became_of_those_who_had_drifted_away(retail: Audit) -> None:
    # Two roads to one number: the curve at the lapsed line, and a count at an earlier cut.
    returning, base = retail.tier_lines[Tier.LAPSED].returning, retail.proof.base.share
    assert isinstance(returning, Interval)
    assert isinstance(base, float)
    assert returning.low < base < returning.high


def test_the_most_valuable_are_drifted_and_in_order(retail: Audit) -> None:
    values = [customer.lifetime_value.amount for customer in retail.most_valuable]
    assert len(values) == 20
    assert values == sorted(values, reverse=True)
    assert {customer.tier for customer in retail.most_valuable} <= {Tier.LAPSED, Tier.DORMANT}


def test_json_keeps_its_keys(retail: Audit) -> None:
    told = retail.to_json()
    assert {"as_of", "currency", "rows", "buyers", "orders", "gross_revenue"} <= told.keys()
    assert {"net_revenue", "gap_days", "tiers", "drifted", "provable_lift"} <= told.keys()
    assert set(retail.gap_days.to_json()) == {"median", "p75", "p90", "p95"}
    assert set(told["tiers"]) == {tier.value for tier in Tier}  # type: ignore[call-overload]


def test_json_holds_no_number_that_is_none(retail: Audit) -> None:
    text = json.dumps(retail.to_json(), allow_nan=False)
    assert json.loads(text)["tier_lines"]["gone"]["returning"].keys() == {"unknown"}


@pytest.mark.long
def test_an_empty_shop_is_audited_with_reasons_instead_of_numbers(open_shop: Any) -> None:
    told = audit_of(open_shop()).to_json()
    assert told["buyers"] == 0
    assert told["rows"] == {"read": 0, "quarantined": 0, "anonymous": 0}
    assert told["gap_days"]["median"] == {"unknown": "nobody has bought on two different days"}  # type: ignore[index]
    assert told["provable_lift"]["net_revenue_per_customer"].keys() == {"unknown"}  # type: ignore[index]


@pytest.mark.long
def test_what_happens_after_the_date_changes_nothing(open_shop: Any, order_rows: Any) -> None:
    orders = [order for n in range(40) for order in a_return(n, after=20 + n)]
    orders += [("gone", "2024-01-01", 5.0)]
    later = [
        ("c1", "2024-07-01", 5.0),
        ("gone", "2024-07-05", 3.0),
        ("new", "2024-08-01", 7.0),
        (None, "2024-09-01", 9.0),
    ]
    before = audit_of(open_shop(orders=order_rows(orders)))
    assert audit_of(open_shop(orders=order_rows(orders + later))) == before


@pytest.mark.long
def test_anonymous_sales_stand_apart(open_shop: Any, order_rows: Any) -> None:
    orders = [("c1", "2024-01-01", 10.0), (None, "2024-01-02", 5.0), (None, "2024-01-03", -2.0)]
    audit = audit_of(open_shop(orders=order_rows(orders)))
    assert (audit.buyers, audit.orders) == (1, 1)
    assert audit.gross_revenue.amount == 10
    assert audit.anonymous_revenue.amount == 3


def test_rows_read_are_those_of_orders(open_shop: Any) -> None:
    imports = [
        {"source": "shop", "file": table, "table": table, "read": 5, "quarantined": 1}
        | {"anonymous": 2, "imported_at": AS_OF}
        for table in ("orders", "order_lines", "customers")
    ]
    assert audit_of(open_shop(imports=imports)).rows == RowCounts(10, 2, 4)


def test_two_orders_on_one_day_are_no_gap(open_shop: Any, order_rows: Any) -> None:
    orders = [
        ("c", "2024-01-01T09:00", 1.0),
        ("c", "2024-01-01T18:00", 1.0),
        ("c", "2024-01-08", 1.0),
    ]
    assert audit_of(open_shop(orders=order_rows(orders))).gap_counts == ((7, 1),)


def test_a_refund_is_neither_a_purchase_nor_a_return(open_shop: Any, order_rows: Any) -> None:
    orders = [("c", "2024-01-01", 9.0), ("c", "2024-05-01", -4.0)]
    audit = audit_of(open_shop(orders=order_rows(orders)))
    assert audit.gap_counts == ()
    assert (audit.proof.base.people, audit.proof.base.returned) == (1, 0)
    assert audit.net_revenue.amount == 5


@pytest.mark.long
@pytest.mark.parametrize(
    ("given_back_on", "returned", "gaps"), [("2024-05-02", 0, ()), ("2024-05-20", 1, ((121, 1),))]
)
def test_a_return_that_is_given_back_at_once_is_none(
    open_shop: Any, order_rows: Any, given_back_on: str, returned: int, gaps: Any
) -> None:
    orders = [("c", "2024-01-01", 9.0), ("c", "2024-05-01", 4.0), ("c", given_back_on, -4.0)]
    audit = audit_of(open_shop(orders=order_rows(orders)))
    assert (audit.proof.base.people, audit.proof.base.returned) == (1, returned)
    assert audit.gap_counts == gaps
    assert audit.net_revenue.amount == 9


@pytest.mark.long
def test_the_base_rate_is_counted_at_an_earlier_cut(open_shop: Any, order_rows: Any) -> None:
    # Everyone has been silent for 92 days on 2 April; ten of forty buy in the 90 days after it.
    orders = [order for n in range(10) for order in a_return(n, after=100)]
    orders += [(f"c{n}", "2024-01-01", 10.0) for n in range(10, 40)]
    base = audit_of(open_shop(orders=order_rows(orders))).proof.base
    assert (base.people, base.returned, base.share) == (40, 10, 0.25)
    assert base.deviation == pytest.approx(np.std([20.0] * 10 + [0.0] * 30, ddof=1))


def test_without_a_base_rate_the_holdout_is_the_default(open_shop: Any, order_rows: Any) -> None:
    audit = audit_of(open_shop(orders=order_rows([("c", "2024-06-01", 1.0)])))
    assert audit.proof.holdout.share == 0.2
    assert audit.proof.return_rate == Unknown("nobody had drifted away by 2024-04-02")


@pytest.mark.long
def test_gaps_are_told_by_main_category(open_shop: Any, order_rows: Any) -> None:
    rows = order_rows([*a_return(1, after=5), *a_return(2, after=50)])
    lines = [
        {"source": "shop", "order_id": str(n), "line": 1, "quantity": 1, "unit_price": 1}
        | {"amount": 1, "category": "tea" if n < 2 else "tables"}
        for n in range(4)
    ]
    audit = audit_of(open_shop(orders=rows, order_lines=lines))
    medians = {name: gaps.median for name, gaps in audit.gap_days_by_category.items()}
    assert medians == {"tea": 5, "tables": 50}


def test_quantiles_of_counts_are_those_of_the_values() -> None:
    values = np.random.default_rng(7).integers(1, 400, 997)
    days, counts = np.unique(values, return_counts=True)
    nothing = np.full(days.size, None, dtype=object)
    gaps = Silences(days, np.full(days.size, True), counts, nothing).gap_days()
    expected = np.quantile(values, [0.5, 0.75, 0.9, 0.95])
    assert [gaps.median, gaps.p75, gaps.p90, gaps.p95] == pytest.approx(expected)


@pytest.mark.long
def test_a_warehouse_does_not_know_what_was_read(open_shop: Any) -> None:
    engine = open_shop()
    engine._books = {}
    assert isinstance(audit_of(engine).rows, Unknown)


def test_a_silence_lasts_until_the_day_of_the_business(open_shop: Any, order_rows: Any) -> None:
    engine = open_shop(orders=order_rows([("c", "2024-06-30", 1.0)]))
    as_of = datetime(2024, 7, 1, 23, tzinfo=UTC)
    rows = engine.run(build_silences(engine.facts(), as_of, SETTINGS)).to_pylist()
    assert [(row["days"], row["has_ended"]) for row in rows] == [(1, False)]


@pytest.mark.parametrize(("returned", "warned"), [(30, False), (75, False), (120, True)])
def test_tiers_that_are_out_of_order_are_said_loudly(returned: int, warned: bool) -> None:
    cut = {tier: PastCut(AS_OF, 400, 60) for tier in (Tier.LAPSED, Tier.DORMANT, Tier.GONE)}
    cut[Tier.AT_RISK] = PastCut(AS_OF, 400, 200)
    cut[Tier.DORMANT] = PastCut(AS_OF, 400, returned)
    told = warn_of_order([cut])
    assert bool(told) is warned
    assert all("of those who were dormant" in one and "30 %" in one for one in told)
    assert warn_of_order([]) == []
