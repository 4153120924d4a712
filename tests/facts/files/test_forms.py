"""Dates and amounts are read in every form people's programs write them in."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import duckdb
import pytest

from rekindle.facts.casting import Finish, build_amount, build_currencies, build_moment
from rekindle.facts.sql import literal

JAN_15 = datetime(2024, 1, 15, tzinfo=UTC)


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute("set TimeZone = 'UTC'")
    return con


def moment(con: duckdb.DuckDBPyConnection, text: str, form: str | None) -> datetime | None:
    finish = Finish(aware=str, local="timezone('UTC', {})".format)
    sql = build_moment("v", form, finish)
    return con.execute(f"select {sql} from (select {literal(text)} as v)").fetchall()[0][0]  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("text", "form", "expected"),
    [
        ("20240115T140500Z", None, JAN_15.replace(hour=14, minute=5)),
        ("20240115140500", None, JAN_15.replace(hour=14, minute=5)),
        ("2024-01-15T14:05Z", None, JAN_15.replace(hour=14, minute=5)),
        ("2024-01-15T14:05+01:00", None, JAN_15.replace(hour=13, minute=5)),
        ("2024-01-15 14:05:00,123", None, JAN_15.replace(hour=14, minute=5, microsecond=123_000)),
        ("2024-W03-1", None, JAN_15),
        ("2024W031", None, JAN_15),
        ("2024-015", None, JAN_15),
        ("2024-01-15 14:05:00 UTC", None, JAN_15.replace(hour=14, minute=5)),
        ("2024-01-15 14:05:00 PST", None, JAN_15.replace(hour=22, minute=5)),
        ("2024-01-15 14:05 MEZ", None, JAN_15.replace(hour=13, minute=5)),
        ("2024-01-15\u00a014:05:00", None, JAN_15.replace(hour=14, minute=5)),
        ("01/15/2024 2:05 p.m.", "%m/%d/%Y %I:%M %p", JAN_15.replace(hour=14, minute=5)),
        ("01/15/2024 2:05\u202fPM", "%m/%d/%Y %I:%M %p", JAN_15.replace(hour=14, minute=5)),
        ("15-Jan-24", "%d-%b-%y", JAN_15),
        ("15 janvier 2024", "%d %b %Y", JAN_15),
        ("1er février 2024", "%d %b %Y", datetime(2024, 2, 1, tzinfo=UTC)),
        ("15. März 2024 14:05 Uhr", "%d %b %Y %H:%M", datetime(2024, 3, 15, 14, 5, tzinfo=UTC)),
        ("mar. 15 janv. 2024", "%d %b %Y", JAN_15),
        ("Mar 15, 2024", "%b %d, %Y", datetime(2024, 3, 15, tzinfo=UTC)),
        ("Mar 15, 2024", "%b %d %Y", datetime(2024, 3, 15, tzinfo=UTC)),
        ("15 de enero de 2024", "%d %b %Y", JAN_15),
        ("15 sty 2024", "%d %b %Y", JAN_15),
        ("January 15th, 2024", "%B %d, %Y", JAN_15),
        ("Mon, 15 Jan 2024 14:05 +0100", "%d %b %Y %H:%M %z", JAN_15.replace(hour=13, minute=5)),
        ("Jan-15-24 14:05:00 PST", "%b-%d-%y %H:%M:%S %z", JAN_15.replace(hour=22, minute=5)),
        ("15/01/2024 14h05", "%d/%m/%Y %H:%M", JAN_15.replace(hour=14, minute=5)),
        ("15/01/2024", "%d/%m/%Y %H:%M | %d/%m/%Y", JAN_15),
        ("1705327500", "epoch seconds", JAN_15.replace(hour=14, minute=5)),
        ("1705327500000", "epoch milliseconds", JAN_15.replace(hour=14, minute=5)),
        ("45306.5", "excel days", JAN_15.replace(hour=12)),
        ("99999999999999999999", "epoch seconds", None),
        ("2024-13-45", None, None),
        ("31/02/2024", "%d/%m/%Y", None),
        ("tomorrow", None, None),
    ],
)  # fmt: skip
def test_a_date_is_read_by_its_form(
    con: duckdb.DuckDBPyConnection, text: str, form: str | None, expected: datetime | None
) -> None:
    assert moment(con, text, form) == expected


@pytest.mark.parametrize(
    ("text", "form", "expected"),
    [
        ("CHF 1'249.00", "1,234.50", "1249"),
        ("1\u202f249,00 €", "1.234,50", "1249"),
        ("1 249,00 kr", "1.234,50", "1249"),
        ("R$ 1.249,00", "1.234,50", "1249"),
        ("₹1,24,249.00", "1,234.50", "124249"),
        ("USD 1,249.00", "1,234.50", "1249"),
        ("12.50-", "1,234.50", "-12.5"),
        ("($1,234.50)", "1,234.50", "-1234.5"),
        ("£-5.50", "1,234.50", "-5.5"),
        ("\u22125.50", "1,234.50", "-5.5"),
        ("12,-", "1.234,50", "12"),
        ("1.249,\u2013 €", "1.234,50", "1249"),
        ("A$ 12.00", "1,234.50", "12"),
        ("R 1 249,00", "1.234,50", "1249"),
        ("1.250", "1.234,50", "1250"),
        ("1249", "hundredths", "12.49"),
        ("12.50", "1.234,50", None),
        ("12,50", "1,234.50", None),
        ("1,2,3", "1,234.50", None),
        ("20 %", "1,234.50", None),
        ("3 kg", "1,234.50", None),
        ("1 2", "1,234.50", None),
        ("0.955", "1.234,50", None),
        ("0,955", "1,234.50", None),
        ("lots", "1,234.50", None),
    ],
)
def test_an_amount_is_read_by_its_form(
    con: duckdb.DuckDBPyConnection, text: str, form: str, expected: str | None
) -> None:
    sql = f"select {build_amount('v', form)} from (select {literal(text)} as v)"
    assert con.execute(sql).fetchall()[0][0] == (Decimal(expected) if expected else None)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("USD 5", "USD"),
        ("5eur", "EUR"),
        ("€5", "EUR"),
        ("5 Euro", "EUR"),
        ("5", ""),
        ("EUROPE 5", ""),
        ("R$5", "BRL"),
        ("US$ 5", "USD"),
        ("C$5", "CAD"),
        ("kr 5", "DKK ISK NOK SEK"),
        ("5 kr.", "DKK ISK NOK SEK"),
        ("¥500", "JPY CNY"),
        ("5 zł", "PLN"),
    ],
)
def test_what_an_amount_may_be_in_is_found(
    con: duckdb.DuckDBPyConnection, text: str, code: str
) -> None:
    sql = f"select {build_currencies('v')} from (select {literal(text)} as v)"
    assert con.execute(sql).fetchall()[0][0] == code
