"""A no in a row that cannot be split is kept, where it and the id can be read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rekindle.facts import import_sources
from tests.facts.conftest import Desk

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
COLUMNS = {"customer_id": "id", "email": "mail", "last_name": "name", "email_consent": "ok"}
CSV = "id,name,mail,ok\n1,Ann,a@x.example,yes\n"


def refused(desk: Desk, name: str, text: str) -> set[str]:
    """Return who said no, by a file of customers."""
    desk.write(name, text)
    desk.sources = [{"name": "crm", "table": "customers", "path": name, "columns": COLUMNS}]
    import_sources(desk.config(), desk.base, now=NOW)
    return {row["customer_id"] for row in desk.rows("permissions") if row["said"] == "no"}


@pytest.mark.long
@pytest.mark.draws(3)
@pytest.mark.parametrize(
    ("row", "who"),
    [
        ("2,Doe, Jane,d@x.example,no", {"2"}),  # a comma that nobody quoted
        ("2,Doe,d@x.example,no,,", {"2"}),
        ('2,"Doe,d@x.example,no', {"2"}),
        ('2,"Doe,d@x.example,no\n3,"Roe,r@x.example,no\n4,Poe,p@x.example,yes', {"2", "3"}),
        ("2,Doe, Jane,d@x.example,yes", set()),
        ("2,no", {"2"}),  # doubt is for the no
        ("2,Doe", set()),
        (" , Jane,d@x.example,no,", set()),
    ],
)
def test_a_row_of_text(desk: Desk, row: str, who: set[str]) -> None:
    assert refused(desk, "people.csv", f"{CSV}{row}\n") == who


@pytest.mark.long
def test_a_quote_that_takes_in_the_rest_of_a_file(desk: Desk) -> None:
    rows = [f"{n},Name{n},m{n}@x.example,{'no' if n % 100 == 0 else 'yes'}" for n in range(3, 1000)]
    text = CSV + '2,"Doe,d@x.example,no\n' + "\n".join(rows) + "\n"
    assert refused(desk, "people.csv", text) == {"2", *(str(n) for n in range(100, 1000, 100))}


def test_objects_that_are_none(desk: Desk) -> None:
    rows = [
        '{"id": "1", "name": "Ann", "mail": "a@x.example", "ok": "yes"}',
        '{"id": "2", "name": "Doe", "ok": "no", "mail": "d@x.ex',
        "{'id': 3, 'name': 'Roe', 'ok': false}",
        '{"id": 4, "ok": false,}',
        '{"id": "5", "ok": "yes",}',
        '{"id": "6",}',
        '{"id": "\\u0041", "ok": "no",}',
    ]
    assert refused(desk, "people.jsonl", "\n".join(rows)) == {"2", "3", "4", "A"}


@pytest.mark.long
def test_a_no_is_stated_once(desk: Desk) -> None:
    row = "2,Doe, Jane,d@x.example,no\n"
    refused(desk, "people.csv", CSV + row)
    refused(desk, "people.csv", CSV + row)
    assert [r["customer_id"] for r in desk.rows("permissions")].count("2") == 1


@pytest.mark.long
def test_a_no_to_texts(desk: Desk) -> None:
    desk.write("people.csv", "id,name,text\n1,Ann,yes\n2,Doe, Jane,no\n")
    columns = {"customer_id": "id", "last_name": "name", "sms_consent": "text"}
    source = {"name": "crm", "table": "customers", "path": "people.csv", "columns": columns}
    desk.sources = [source]
    import_sources(desk.config(), desk.base, now=NOW)
    told = {(row["customer_id"], row["channel"], row["said"]) for row in desk.rows("permissions")}
    assert told == {("1", "sms", "yes"), ("2", "sms", "no")}


def test_the_day_of_an_opt_out_is_a_no(desk: Desk) -> None:
    rows = ("1,Ann,", "2,Doe,2025-02-01,more,cells", "3,Roe,,more,cells", "4,Poe,soon,more,cells")
    desk.write("people.csv", "\n".join(["id,name,out_at", *rows]) + "\n")
    columns = {"customer_id": "id", "last_name": "name", "email_opt_out_at": "out_at"}
    source = {"name": "crm", "table": "customers", "path": "people.csv", "columns": columns}
    desk.sources = [source]
    import_sources(desk.config(), desk.base, now=NOW)
    said = {(row["customer_id"], row["said"]) for row in desk.rows("permissions")}
    assert said == {("2", "no")}
