"""Baskets from files: corrected by the next file, and taken out when they are old."""

from __future__ import annotations

from typing import Any

import pytest

from rekindle.facts import open_lake
from tests.facts.conftest import Desk

BASKETS = {
    "name": "shop",
    "table": "baskets",
    "path": "baskets.csv",
    "columns": {
        "customer_id": "who",
        "changed_at": "at",
        "product_id": "sku",
        "quantity": "qty",
        "unit_price": "price",
        "currency": "currency",
    },
}
HEADER = "who,at,sku,qty,price,currency\n"


def bring(desk: Desk, *rows: str) -> Any:
    desk.write("baskets.csv", HEADER + "".join(f"{row}\n" for row in rows))
    (told,) = desk.bring(BASKETS)
    return told


def held(desk: Desk) -> list[tuple[str, str, int]]:
    engine = open_lake(desk.lake.folder, currency="GBP", zone="UTC")
    rows = engine.run(engine.facts().more["baskets"]).to_pylist()
    engine.close()
    return sorted((row["customer_id"], row["product_id"], int(row["quantity"])) for row in rows)


@pytest.mark.long
def test_a_corrected_file_takes_out_what_it_no_longer_names(desk: Desk) -> None:
    bring(desk, "ann,2025-12-01 10:00,p1,1,5,", "ann,2025-12-01 10:00,p2,1,5,")
    bring(desk, "bob,2025-12-01 10:00,p2,1,5,")
    told = bring(desk, "ann,2025-12-01 10:00,p1,3,5,GBP")
    assert (told.added, told.changed) == (0, 1)
    assert held(desk) == [("ann", "p1", 3), ("bob", "p2", 1)]
    again = bring(desk, "ann,2025-12-01 10:00,p1,3,5,GBP")
    assert (again.added, again.changed) == (0, 0)


def test_a_bad_row_stays_out_with_its_reason(desk: Desk) -> None:
    told = bring(
        desk,
        "ann,2025-12-01 10:00,p1,many,5,",
        "ann,2025-12-01 10:00,,1,5,",
        "ann,2025-12-01 10:00,p3,1,5,EUR",
        "ann,2026-12-01 10:00,p4,1,5,",
        ",2025-12-01 10:00,p5,1,5,",
        "ann,2025-12-01 10:00,p6,1,5,",
        "ann,2025-12-01 10:00,p6,2,5,",
        "bob,2025-12-01 10:00,-,0,,",
    )
    assert set(told.reasons) == {
        "bad_quantity",
        "missing_product_id",
        "other_currency",
        "in_the_future",
        "missing_customer_id",
        "conflicting_product_id",
    }
    assert held(desk) == [("bob", "-", 0)]


def test_what_is_older_than_a_quarter_is_taken_out_and_told(desk: Desk) -> None:
    told = bring(desk, "ann,2025-09-30 23:59,p1,1,5,", "ann,2025-10-01 00:00,p2,1,5,")
    assert told.notes == ("baskets: 1 row older than 92 days taken out",)
    assert held(desk) == [("ann", "p2", 1)]
