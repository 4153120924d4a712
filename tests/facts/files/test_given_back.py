"""A refund in a file of its own is of its sale, as it is beside the sale in one file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from rekindle.clock import MovableClock
from rekindle.runtime import Workspace

NOW = datetime(2026, 12, 1, tzinfo=UTC)
SALE, OTHER = "3,ann,2026-11-20 10:00,70,paid", "4,ben,2026-11-20 10:00,40,paid"
FIRST, SECOND = "3,ann,2026-11-28 10:00,-20,refunded", "3,ann,2026-11-29 10:00,-5,refunded"
ORDERS = "id,who,at,total,status"
LINES = "id,who,at,sku,quantity,price"
TOML = """\
[workspace]
name = "T"
timezone = "UTC"
currency = "GBP"
[[sources]]
name = "shop"
table = "{table}"
path = "o-*.csv"
[sources.columns]
order_id = "id"
customer_id = "who"
ordered_at = "at"
"""
OF_ORDERS = 'gross = "total"\nstatus = "status"\n'
OF_LINES = 'product_id = "sku"\nquantity = "quantity"\nunit_price = "price"\n'


def write(folder: Path, number: int, *rows: str, head: str = ORDERS) -> None:
    text = "\n".join((head, *rows, ""))
    (folder / f"o-{number}.csv").write_text(text, encoding="utf-8")


def shop(folder: Path, table: str = "orders") -> Workspace:
    folder.mkdir(exist_ok=True)
    columns = OF_ORDERS if table == "orders" else OF_LINES
    (folder / "rekindle.toml").write_text(TOML.format(table=table) + columns, encoding="utf-8")
    return Workspace.open(folder, clock=MovableClock(NOW))


def orders(space: Workspace) -> list[tuple[object, ...]]:
    space.forget_facts()
    rows = space.engine.run(space.facts.orders.order_by("order_id")).to_pylist()
    columns = ("order_id", "customer_id", "ordered_at", "kind", "gross", "refund", "refunded_at")
    return [tuple(row[name] for name in columns) for row in rows]


@pytest.mark.parametrize(
    "files",
    [
        [[SALE, OTHER], [FIRST], [SECOND]],
        pytest.param([[SALE], [FIRST, OTHER], [SECOND]], marks=pytest.mark.long),
        # Exports overlap: the same refund comes again, with the sale and without it.
        pytest.param(
            [[SALE, OTHER], [SALE, FIRST], [FIRST, SECOND], [SECOND]], marks=pytest.mark.long
        ),
    ],
)
@pytest.mark.parametrize("nightly", [True, pytest.param(False, marks=pytest.mark.long)])
def test_files_one_by_one_say_what_one_file_says(
    tmp_path: Path, files: list[list[str]], nightly: bool
) -> None:
    whole = shop(tmp_path / "whole")
    write(whole.directory, 1, SALE, OTHER, FIRST, SECOND)
    whole.import_facts()
    expected = orders(whole)
    assert [float(str(row[5])) for row in expected] == [25.0, 0.0]
    parts = shop(tmp_path / "parts")
    for number, rows in enumerate(files):
        write(parts.directory, number, *rows)
        if nightly:
            parts.import_facts()
    parts.import_facts()
    assert orders(parts) == expected
    parts.import_facts()  # nothing happens anew
    assert orders(parts) == expected
    assert parts.profiles().count().to_pyarrow().as_py() == 2


def test_the_lines_of_a_sale_stay_when_one_comes_back_by_itself(tmp_path: Path) -> None:
    space = shop(tmp_path / "shop", table="order_lines")
    sold = ("3,ann,2026-11-20 10:00,mug,2,10", "3,ann,2026-11-20 10:00,lamp,1,50")
    write(space.directory, 1, *sold, head=LINES)
    space.import_facts()
    write(space.directory, 2, "3,ann,2026-11-28 10:00,mug,-1,10", head=LINES)
    space.import_facts()
    ((*_, kind, gross, refund, _),) = orders(space)
    assert (kind, float(str(gross)), float(str(refund))) == ("purchase", 70.0, 10.0)
    lines = space.engine.run(space.facts.order_lines).to_pylist()
    assert sorted(row["product_id"] for row in lines) == ["lamp", "mug"]


@pytest.mark.long
def test_what_is_given_back_of_no_known_sale_is_a_refund_of_its_own(tmp_path: Path) -> None:
    space = shop(tmp_path / "shop")
    write(space.directory, 1, OTHER)
    space.import_facts()
    write(space.directory, 2, FIRST)
    space.import_facts()
    assert [row[3] for row in orders(space)] == ["refund", "purchase"]


@pytest.mark.long
def test_nothing_more_comes_back_of_what_was_cancelled(tmp_path: Path) -> None:
    space = shop(tmp_path / "shop")
    write(space.directory, 1, SALE.replace("paid", "cancelled"), OTHER)
    space.import_facts()
    before = orders(space)
    write(space.directory, 2, FIRST)
    space.import_facts()
    assert orders(space) == before
    assert [row[3] for row in before] == ["cancelled", "purchase"]
