"""A lake or a warehouse from before a contract gained a column still serves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import ibis
import pytest
from deltalake import DeltaTable, write_deltalake

from rekindle.errors import RekindleError
from rekindle.facts import CONTRACTS, Engine, FileImport
from tests.facts.conftest import Desk

GAINED = ["phone", "renews_on"]
HEAD = "id,mail,tel,renewal\n"
CARDS = {
    "name": "crm",
    "table": "customers",
    "path": "cards.csv",
    "columns": {"customer_id": "id", "email": "mail", "phone": "tel", "renews_on": "renewal"},
}
OLD_CARDS = {**CARDS, "columns": {"customer_id": "id", "email": "mail"}}


def cards(desk: Desk, text: str, source: Mapping[str, Any] = CARDS, **changes: str) -> FileImport:
    desk.write("cards.csv", text)
    return desk.bring(source, **changes)[0]


@pytest.fixture
def old(desk: Desk) -> Desk:
    """A desk whose cards were written before the columns were known."""
    cards(desk, "id,mail\nann,ann@x.example\nbob,bob@x.example\n", OLD_CARDS)
    path = desk.lake.folder / "customers"
    rows = DeltaTable(path).to_pyarrow_table().drop_columns(GAINED)
    with desk.lake.change() as change:
        write_deltalake(path, rows, mode="overwrite", schema_mode="overwrite")
        change.versions["customers"] = DeltaTable(path).version()
    assert not set(GAINED) & {field.name for field in DeltaTable(path).schema().fields}
    return desk


def details(desk: Desk) -> dict[str, tuple[str | None, date | None]]:
    return {r["customer_id"]: (r["phone"], r["renews_on"]) for r in desk.rows("customers")}


def test_a_column_that_was_not_written_then_is_empty(old: Desk) -> None:
    assert details(old) == {"ann": (None, None), "bob": (None, None)}


def test_the_same_file_again_changes_nothing_of_an_older_lake(old: Desk) -> None:
    result = old.bring()[0]
    assert (result.added, result.changed) == (0, 0)


@pytest.mark.long
def test_an_import_fills_and_adds_to_an_older_lake(old: Desk) -> None:
    rows = "ann,ann@x.example,+4420,2026-05-01\nbob,bob@x.example,,\ncem,,,2026-06-30\n"
    result = cards(old, HEAD + rows)
    assert (result.added, result.changed) == (1, 1)
    assert details(old) == {
        "ann": ("+4420", date(2026, 5, 1)),
        "bob": (None, None),
        "cem": (None, date(2026, 6, 30)),
    }


@pytest.mark.long
def test_new_people_alone_can_be_added_to_an_older_lake(old: Desk) -> None:
    cards(old, f"{HEAD}cem,,+4930,2026-06-30\n")
    assert details(old)["cem"] == ("+4930", date(2026, 6, 30))
    assert details(old)["ann"] == (None, None)


@pytest.mark.long
def test_an_import_that_breaks_leaves_an_older_lake_as_it_was(old: Desk) -> None:
    before = old.lake.versions()
    old.write("cards.csv", f"{HEAD}ann,ann@x.example,+4420,2026-05-01\n")
    with pytest.raises(RekindleError):
        old.bring(CARDS, {**CARDS, "name": "gone", "path": "gone.csv"})
    assert (old.lake.versions(), details(old)["ann"]) == (before, (None, None))
    old.bring(CARDS)
    assert details(old)["ann"] == ("+4420", date(2026, 5, 1))


def test_a_warehouse_may_lack_what_need_not_be_there() -> None:
    con = ibis.duckdb.connect()
    for table in ("customers", "orders", "order_lines", "products", "events"):
        schema = CONTRACTS[table].schema
        held = {n: t for n, t in schema.items() if n not in GAINED}
        con.create_table(table, schema=ibis.schema(held))
    schema = Engine(con, currency="GBP", zone="UTC").facts().customers.schema()
    assert {name: str(schema[name]) for name in GAINED} == {"phone": "string", "renews_on": "date"}


def test_contact_details_of_orders_become_a_card(desk: Desk) -> None:
    desk.orders("id,who,at,total,tel\n1,ann,2024-01-01,5,+4420\n", columns={"phone": "tel"})
    assert details(desk) == {"ann": ("+4420", None)}


@pytest.mark.parametrize(
    ("text", "changes", "day"),
    [
        ("2026-05-01", {}, date(2026, 5, 1)),
        ("2026-05-01 23:30:00", {}, date(2026, 5, 1)),
        ("2026-05-01T23:30:00Z", {}, date(2026, 5, 2)),
        ("01.05.2026", {"date_format": "%d.%m.%Y"}, date(2026, 5, 1)),
        ("01.05.2026 23:30 +0000", {"date_format": "%d.%m.%Y %H:%M %z"}, date(2026, 5, 2)),
    ],
)
def test_a_day_is_as_written_or_the_businesss(
    desk: Desk, text: str, changes: dict[str, str], day: date
) -> None:
    desk.zone = "Europe/Berlin"
    result = cards(desk, f"{HEAD}ann,,,{text}\n", CARDS, **changes)
    assert (result.reasons, details(desk)["ann"][1]) == ({}, day)


@pytest.mark.parametrize("text", ["soon", "infinity", "0001-01-01", "31.05.2026", "2026-02-30"])
def test_what_is_no_day_is_refused(desk: Desk, text: str) -> None:
    result = cards(desk, f"{HEAD}ann,,,{text}\nbob,,,2026-01-01\n")
    assert result.reasons == {"bad_renews_on": 1}
