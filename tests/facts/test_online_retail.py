"""A real shop's figures come out to the penny.

The figures are of the data itself, Online Retail II, sheet 2009-2010
(doi 10.24432/C5CG6D), counted with plain SQL over the file.
"""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rekindle.facts import Lake, import_sources

if TYPE_CHECKING:
    from tests.conftest import Shop


def test_every_line_is_read_and_taken(online_retail: Shop) -> None:
    result = online_retail.result
    assert (result.read, result.quarantined, result.anonymous) == (525_461, 0, 107_927)


def test_buyers_orders_and_revenue(online_retail: Shop) -> None:
    orders = online_retail.engine.facts().orders
    known = orders.filter(orders.customer_id.notnull())
    bought = known.filter(known.kind == "purchase")
    net = known.gross - known.discount - known.refund
    (row,) = online_retail.engine.run(
        known.aggregate(gross=known.gross.sum(), net=net.sum())
    ).to_pylist()
    assert row["gross"].quantize(Decimal("0.01")) == Decimal("8832003.27")
    assert row["net"].quantize(Decimal("0.01")) == Decimal("8348208.57")
    assert int(bought.count().to_pyarrow().as_py()) == 19_213
    assert int(bought.customer_id.nunique().to_pyarrow().as_py()) == 4_312


def test_lines_without_a_customer_are_anonymous_revenue(online_retail: Shop) -> None:
    orders = online_retail.engine.facts().orders
    anonymous = orders.filter(orders.customer_id.isnull() & (orders.kind == "purchase"))
    assert anonymous.gross.sum().to_pyarrow().as_py() > 0


@pytest.mark.long
def test_importing_the_same_file_again_changes_nothing(online_retail: Shop, tmp_path: Path) -> None:
    shutil.copytree(online_retail.base, tmp_path / "again")
    lake = Lake(tmp_path / "again" / "state/lake")
    before = lake.versions()
    (result,) = import_sources(online_retail.config, tmp_path / "again", now=online_retail.now)
    after = lake.versions()
    assert (result.added, result.changed) == (0, 0)
    assert {t: v for t, v in after.items() if before[t] != v}.keys() <= {"imports", "identities"}
