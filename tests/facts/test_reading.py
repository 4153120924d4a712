"""Files of every kind become the same facts; what cannot be read says why."""

from __future__ import annotations

import gzip
import sqlite3
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rekindle.errors import SourceError
from rekindle.facts import import_sources
from tests.facts.conftest import NOW, ORDERS, Desk

HEAD = "id,who,at,total\n"
GOOD = f"{HEAD}1,ann,2024-01-01 10:00:00,5.50\n2,,2024-01-02,7\n"


def parquet(path: Path) -> None:
    table = {
        "id": [1, 2],
        "who": ["ann", None],
        "at": [datetime(2024, 1, 1, 10), datetime(2024, 1, 2)],
        "total": [5.5, 7.0],
    }
    pq.write_table(pa.table(table), path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("o.csv", GOOD.encode()),
        ("o.csv.gz", gzip.compress(GOOD.encode(), mtime=0)),
        ("o.tsv", GOOD.replace(",", "\t").encode()),
        ("o.txt", GOOD.replace(",", ";").encode()),
        ("o.csv", b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode()),
        (
            "o.jsonl",
            b'{"id":1,"who":"ann","at":"2024-01-01T10:00:00","total":5.5}\n'
            b'{"id":2,"at":"2024-01-02","total":"7"}\n',
        ),
        ("o.parquet", None),
    ],
)
def test_every_format_gives_the_same_orders(desk: Desk, name: str, content: bytes | None) -> None:
    if content is None:
        parquet(desk.base / name)
    else:
        desk.write(name, content)
    (result,) = desk.bring(ORDERS, path=name)
    assert (result.read, result.quarantined, result.anonymous) == (2, 0, 1)
    first, second = sorted(desk.rows("orders"), key=lambda row: row["order_id"])
    assert first["ordered_at"] == datetime(2024, 1, 1, 10, tzinfo=UTC)
    assert (first["customer_id"], first["gross"]) == ("ann", Decimal("5.5000"))
    assert (second["customer_id"], second["gross"]) == (None, Decimal("7.0000"))


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("o.csv", b"", "is empty"),
        ("o.csv", HEAD.encode(), "no rows"),
        ("o.csv", "id,who,at,total\n1,Jürgen,2024-01-01,5\n".encode("cp1252"), "encoding"),
        ("o.csv", b"id\x00,who\n", "NUL"),
        ("o.csv", b"a,b\n1,2\n", "no column 'id'"),
        ("o.pdf", b"PK", "ending .pdf is not known"),
        ("o.csv.gz", gzip.compress(GOOD.encode(), mtime=0)[:20], "cannot be read"),
        ("o.parquet", b"no parquet", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_says_why_and_changes_nothing(
    desk: Desk, name: str, content: bytes, part: str
) -> None:
    desk.write(name, content)
    with pytest.raises(SourceError, match=part):
        desk.bring(ORDERS, path=name)
    assert desk.lake.versions() == {}


def test_a_data_frames_numbers_are_ids_and_its_gaps_are_gaps(desk: Desk) -> None:
    columns = {"id": [1.0, 2.0], "who": [12345.0, float("nan")], "total": [5.5, float("nan")]}
    at = [datetime(2024, 1, 1)] * 2
    pq.write_table(pa.table({**columns, "at": at}), desk.base / "o.parquet")
    (result,) = desk.bring(ORDERS, path="o.parquet")
    assert result.reasons == {"missing_gross": 1}
    assert [(o["order_id"], o["customer_id"]) for o in desk.rows("orders")] == [("1", "12345")]


def test_columns_may_be_called_what_the_import_calls_its_own(desk: Desk) -> None:
    desk.write("o.csv", "line,problem,n,detail\n1,ann,2024-01-01,5\n")
    columns = {"order_id": "line", "customer_id": "problem", "ordered_at": "n", "gross": "detail"}
    desk.bring(ORDERS, path="o.csv", columns=columns)
    (order,) = desk.rows("orders")
    assert (order["order_id"], order["customer_id"], order["gross"]) == ("1", "ann", 5)


def test_a_folder_is_no_file(desk: Desk) -> None:
    (desk.base / "exports").mkdir()
    with pytest.raises(SourceError, match=r"is a folder.*exports/\*\.csv"):
        desk.bring(ORDERS, path="exports")


def test_an_unknown_source_names_the_nearest(desk: Desk) -> None:
    desk.orders(GOOD)
    with pytest.raises(SourceError, match="did you mean 'shop'"):
        import_sources(desk.config(), desk.base, now=NOW, only=["shp"])


def test_utf_16_is_recognised_by_its_mark(desk: Desk) -> None:
    desk.write("o.csv", GOOD.encode("utf-16"))
    with pytest.raises(SourceError, match='encoding = "utf-16"'):
        desk.bring(ORDERS, path="o.csv")
    desk.bring(ORDERS, path="o.csv", encoding="utf-16")
    assert len(desk.rows("orders")) == 2


def test_a_wrong_delimiter_names_the_likely_one(desk: Desk) -> None:
    desk.write("o.csv", GOOD.replace(",", ";"))
    with pytest.raises(SourceError, match='set delimiter = ";"'):
        desk.bring(ORDERS, path="o.csv", delimiter="|")


def test_a_wrong_column_names_the_nearest(desk: Desk) -> None:
    with pytest.raises(SourceError, match="did you mean 'total'"):
        desk.orders(GOOD, columns={"gross": "totl"})


def test_a_missing_file_says_where_it_was_looked_for(desk: Desk) -> None:
    with pytest.raises(SourceError, match=r"nowhere.csv: no such file"):
        desk.bring(ORDERS, path="nowhere.csv")
    with pytest.raises(SourceError, match="no such file"):
        desk.bring(ORDERS, path="*.csv")


def test_another_encoding_is_read_when_it_is_named(desk: Desk) -> None:
    desk.write("o.csv", "id,who,at,total\n1,Jürgen,2024-01-01,5\n".encode("cp1252"))
    desk.bring(ORDERS, path="o.csv", encoding="cp1252")
    assert desk.rows("orders")[0]["customer_id"] == "Jürgen"


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2024-07-01 10:00", None, datetime(2024, 7, 1, 9, tzinfo=UTC)),
        ("2024-07-01T10:00:00Z", None, datetime(2024, 7, 1, 10, tzinfo=UTC)),
        ("2024-07-01T10:00:00+05:30", None, datetime(2024, 7, 1, 4, 30, tzinfo=UTC)),
        ("2024-07-01 10:00:00 +0200", None, datetime(2024, 7, 1, 8, tzinfo=UTC)),
        ("2024-07-01 10:00:00 UTC", None, datetime(2024, 7, 1, 10, tzinfo=UTC)),
        # The clock goes forward at 1:00, so 1:30 does not exist: it is taken as 2:30.
        ("2024-03-31 01:30", None, datetime(2024, 3, 31, 1, 30, tzinfo=UTC)),
        ("2024-07-01 10:00", "America/New_York", datetime(2024, 7, 1, 14, tzinfo=UTC)),
    ],
)
def test_a_time_without_a_zone_is_the_sources(
    desk: Desk, text: str, zone: str | None, expected: datetime
) -> None:
    desk.zone = "Europe/London"
    desk.orders(f"{HEAD}1,ann,{text},5\n", timezone=zone)
    assert desk.rows("orders")[0]["ordered_at"] == expected


def test_the_day_of_an_order_is_the_businesss(desk: Desk) -> None:
    desk.zone = "Asia/Tokyo"
    desk.orders(f"{HEAD}1,ann,2024-06-30T22:00:00Z,5\n")
    assert desk.rows("orders")[0]["ordered_on"] == date(2024, 7, 1)


@pytest.mark.parametrize(
    ("text", "form", "day"),
    [
        ("03/02/2024", "%d/%m/%Y", date(2024, 2, 3)),
        ("03/02/2024", "%m/%d/%Y", date(2024, 3, 2)),
        ("3.2.2024 10:00", "%d.%m.%Y %H:%M", date(2024, 2, 3)),
        ("02/02/2024 23:30 -0200", "%d/%m/%Y %H:%M %z", date(2024, 2, 3)),
    ],
)
def test_dates_are_read_as_their_format_says(desk: Desk, text: str, form: str, day: date) -> None:
    desk.orders(f"{HEAD}1,ann,{text},5\n", date_format=form)
    assert desk.rows("orders")[0]["ordered_on"] == day


@pytest.mark.parametrize(
    ("text", "comma", "amount"),
    [
        ("£5.50", False, "5.5"),
        ("-£5.50", False, "0"),
        ('"1,234.50"', False, "1234.5"),
        ('"1.234,50 £"', True, "1234.5"),
        ("1e3", False, "1000"),
        ("1 234.50", False, "1234.5"),
        ('"1 234,50"', True, "1234.5"),
        ("1’234", True, "1234"),
    ],
)
def test_amounts_are_read_as_people_write_them(
    desk: Desk, text: str, comma: bool, amount: str
) -> None:
    desk.orders(f"{HEAD}1,ann,2024-01-01,{text}\n", decimal_comma=comma)
    assert desk.rows("orders")[0]["gross"] == Decimal(amount)


def test_a_query_on_a_database_is_a_source(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    path = desk.base / "shop.db"
    with sqlite3.connect(path) as shop:
        shop.execute("create table o (id integer, who text, at text, total real)")
        shop.execute("insert into o values (1, 'ann', '2024-01-01', 5.5), (2, null, 'soon', 7)")
    shop.close()
    monkeypatch.setenv("SHOP_DB", str(path))
    source: dict[str, Any] = {k: v for k, v in ORDERS.items() if k != "path"}
    (result,) = desk.bring(
        {**source, "database": "sqlite:///${SHOP_DB}", "query": "select * from o"}
    )
    assert (result.read, result.reasons) == (2, {"bad_ordered_at": 1})
    assert desk.rows("orders")[0]["gross"] == Decimal("5.5")


def test_a_query_on_postgres_is_a_source(desk: Desk, postgres_url: str) -> None:
    source: dict[str, Any] = {k: v for k, v in ORDERS.items() if k != "path"}
    query = (
        "select 1 as id, 'ann' as who, timestamptz '2024-01-01 10:00+02' as at, 5.5::numeric as "
        "total union all select 2, null, '2024-01-02 00:00+00', 7"
    )
    (result,) = desk.bring({**source, "database": postgres_url, "query": query})
    assert (result.read, result.quarantined, result.anonymous) == (2, 0, 1)
    first = next(order for order in desk.rows("orders") if order["order_id"] == "1")
    assert (first["ordered_at"].hour, first["gross"]) == (8, Decimal("5.5"))


def test_a_query_that_fails_says_so_without_the_password(desk: Desk) -> None:
    source: dict[str, Any] = {k: v for k, v in ORDERS.items() if k != "path"}
    sqlite3.connect(desk.base / "shop.db").close()
    with pytest.raises(SourceError, match="query of shop failed: no such table"):
        desk.bring({**source, "database": "sqlite:///shop.db", "query": "select * from orders_"})
    with pytest.raises(SourceError, match="there is no file"):
        desk.bring({**source, "database": "sqlite:///no.db", "query": "select 1"})
    assert not (desk.base / "no.db").exists()
    with pytest.raises(SourceError, match="environment variable NOT_SET_HERE"):
        desk.bring({**source, "database": "sqlite:///${NOT_SET_HERE}", "query": "select 1"})


def test_columns_may_be_called_as_the_parts_of_a_rule_are(desk: Desk) -> None:
    """A date or amount that is written unusually is read in steps, which have names in SQL."""
    names = {"order_id": "digits", "customer_id": "word", "ordered_at": "iso", "gross": "bare"}
    desk.orders(
        'digits,word,iso,bare,low,tidy\n1,ann,20240105T1030Z,"£ 1,234.50",x,y\n'
        '2,bob,"2024-01-06 10:30:00,5 CET",(5),x,y\n',
        columns=names,
    )
    found = {
        o["order_id"]: (o["ordered_at"], o["refund"] or o["gross"]) for o in desk.rows("orders")
    }
    assert found == {
        "1": (datetime(2024, 1, 5, 10, 30, tzinfo=UTC), Decimal("1234.5")),
        "2": (datetime(2024, 1, 6, 9, 30, 0, 500_000, tzinfo=UTC), 5),
    }
