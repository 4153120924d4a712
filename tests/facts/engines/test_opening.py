"""An engine over the lake opens with few questions, and its tables are as the contracts say."""

from __future__ import annotations

from typing import Any

import ibis.expr.types as ir
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from rekindle.facts import CONTRACTS, Engine, Facts, open_lake
from tests.facts.conftest import Desk

HEAD = "id,who,at,total,back\n"
COLUMNS = {"refund": "back"}


def opened(desk: Desk) -> Engine:
    return open_lake(desk.lake.folder, currency="GBP", zone="UTC")


def facts_of(desk: Desk, rows: str) -> Facts:
    desk.orders(HEAD + rows, columns=COLUMNS)
    return opened(desk).facts()


@pytest.mark.draws(10)
@pytest.mark.parametrize("table", sorted(CONTRACTS))
def test_a_view_has_the_columns_and_types_of_its_contract(desk: Desk, table: str) -> None:
    desk.orders(HEAD + "1,ann,2024-01-01,10,\n", columns=COLUMNS)
    con: Any = opened(desk)._con
    assert con.table(table).schema() == CONTRACTS[table].schema
    assert con.view(CONTRACTS[table]).equals(con.table(table))


def test_what_was_written_in_another_type_is_read_in_the_contracts(desk: Desk) -> None:
    desk.orders(HEAD + "1,ann,2024-01-01,10,\n", columns=COLUMNS)
    path = desk.lake.folder / "orders"
    rows = DeltaTable(path).to_pyarrow_table()
    place = rows.column_names.index("gross")
    rows = rows.set_column(place, "gross", rows["gross"].cast(pa.float64()))
    with desk.lake.change() as change:
        write_deltalake(path, rows, mode="overwrite", schema_mode="overwrite")
        change.versions["orders"] = DeltaTable(path).version()
    engine = opened(desk)
    found = engine.run(engine.facts().orders.select("gross"))
    assert (
        found.schema
        == CONTRACTS["orders"].schema.to_pyarrow().empty_table().select(["gross"]).schema
    )
    assert [float(row["gross"]) for row in found.to_pylist()] == [10]


@pytest.mark.long
@pytest.mark.parametrize(("back", "most"), [("", 1), ("4", 2)])
def test_opening_asks_once_and_twice_where_something_was_given_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, back: str, most: int
) -> None:
    desk.orders(HEAD + f"1,ann,2024-01-01,10,{back}\n", columns=COLUMNS)
    engine, asked, run = opened(desk), [], Engine.run

    def counted(self: Engine, expression: ir.Expr) -> pa.Table:
        asked.append(expression)
        return run(self, expression)

    monkeypatch.setattr(Engine, "run", counted)
    engine.facts()
    assert len(asked) == most


@pytest.mark.long
def test_what_the_facts_hold_is_said(desk: Desk) -> None:
    none = facts_of(desk, "1,ann,2024-01-01,10,\n")
    assert none.undone is None
    assert not none.has_categories
    assert not none.has_scores
    assert not none.has_events
    assert not none.has_subscriptions
    assert none.has_cards is False
    given_back = facts_of(desk, "1,ann,2024-01-01,10,\n2,ann,2024-01-02,-10,\n")
    assert given_back.undone is not None
    assert given_back.has_late_changes
