"""Importing again changes nothing, or what was corrected, and all of it or nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from rekindle.errors import BusyError, LakeError, SourceError
from rekindle.facts import import_sources, importing, open_lake
from rekindle.facts.contracts import CONTRACTS
from rekindle.facts.lake import Change
from rekindle.facts.upserting import replace_rows
from tests.facts.conftest import LINES, NOW, ORDERS, Desk

HEAD = "id,who,at,total\n"
LINE_HEAD = "id,who,at,sku,qty,price\n"


@pytest.mark.long
def test_the_same_file_again_changes_nothing(desk: Desk) -> None:
    desk.lines(f"{LINE_HEAD}1,ann,2024-01-01,p,1,5\n1,ann,2024-01-01,p,1,5\n")
    before = desk.lake.versions()
    result = desk.bring()[0]
    assert (result.added, result.changed) == (0, 0)
    assert {t for t, v in desk.lake.versions().items() if before[t] != v} == {"imports"}
    assert desk.rows("orders")[0]["gross"] == Decimal(10)


@pytest.mark.long
def test_a_corrected_amount_and_date_correct(desk: Desk) -> None:
    desk.orders(f"{HEAD}1,ann,2024-01-01,5\n2,bob,2024-01-02,6\n")
    result = desk.orders(f"{HEAD}1,ann,2024-01-05,50\n2,bob,2024-01-02,6\n3,cem,2024-01-03,7\n")
    assert (result.added, result.changed) == (1, 1)
    amounts = {o["order_id"]: (o["gross"], o["ordered_on"].day) for o in desk.rows("orders")}
    assert amounts == {"1": (50, 5), "2": (6, 2), "3": (7, 3)}


@pytest.mark.long
def test_of_a_table_in_many_files_what_is_told_again_is_corrected(desk: Desk) -> None:
    """As texts "10" lies between "1" and "9": ids by which files are chosen are compared so."""
    for first in (1, 4, 7):
        desk.orders(HEAD + "".join(f"{n},ann,2024-01-0{n},5\n" for n in range(first, first + 3)))
    result = desk.orders(f"{HEAD}2,ann,2024-01-02,20\n9,ann,2024-01-09,90\n10,bob,2024-01-01,7\n")
    assert (result.added, result.changed) == (1, 2)
    amounts = {int(o["order_id"]): int(o["gross"]) for o in desk.rows("orders")}
    assert amounts == {**dict.fromkeys(range(1, 10), 5), 2: 20, 9: 90, 10: 7}
    result = desk.orders(f"{HEAD}10,bob,2024-01-01,8\n")
    assert (result.added, result.changed) == (0, 1)
    assert {int(o["gross"]) for o in desk.rows("orders") if o["order_id"] == "10"} == {8}


@pytest.mark.long
def test_only_files_that_hold_what_is_told_again_are_written_anew(desk: Desk) -> None:
    for month in (1, 2, 3):
        desk.orders(HEAD + "".join(f"{month}{n},ann,2024-0{month}-01,5\n" for n in range(3)))
    before = set(desk.lake.files("orders"))
    assert len(before) == 3
    desk.orders(f"{HEAD}21,ann,2024-02-01,50\n40,ann,2024-04-01,5\n")
    after = set(desk.lake.files("orders"))
    assert len(before & after) == 2
    assert len(after) == 3
    amounts = sorted((o["order_id"], int(o["gross"])) for o in desk.rows("orders"))
    assert amounts == sorted(
        [
            *((f"{m}{n}", 50 if (m, n) == (2, 1) else 5) for m in (1, 2, 3) for n in range(3)),
            ("40", 5),
        ]
    )


def test_a_file_of_which_nothing_stays_leaves_its_table(desk: Desk) -> None:
    desk.orders(f"{HEAD}1,ann,2024-01-01,5\n2,ann,2024-01-02,6\n")
    desk.orders(f"{HEAD}3,bob,2024-01-03,7\n")
    (*_, newest) = (file for file in desk.lake.files("orders"))
    with desk.lake.change() as change, duckdb.connect() as con:
        con.execute("create temp table put as select * from read_parquet(?) limit 0", [newest])
        con.execute("create temp table gone as select 'shop' as source, '3' as order_id")
        replace_rows(con, change, CONTRACTS["orders"], put="put", gone="gone")
    assert sorted(o["order_id"] for o in desk.rows("orders")) == ["1", "2"]
    assert len(desk.lake.files("orders")) == 1


@pytest.mark.long
def test_a_line_that_was_taken_off_an_order_goes(desk: Desk) -> None:
    desk.lines(
        f"{LINE_HEAD}1,ann,2024-01-01,p,1,5\n1,ann,2024-01-01,q,1,7\n2,bob,2024-01-01,p,1,5\n"
    )
    desk.lines(f"{LINE_HEAD}1,ann,2024-01-01,q,1,7\n")
    lines = {(row["order_id"], row["product_id"]) for row in desk.rows("order_lines")}
    assert lines == {("1", "q"), ("2", "p")}
    assert {o["order_id"]: o["gross"] for o in desk.rows("orders")} == {"1": 7, "2": 5}


def test_a_later_file_of_a_source_corrects_an_earlier_one(desk: Desk) -> None:
    desk.write("2024-01.csv", f"{HEAD}1,ann,2024-01-01,5\n")
    desk.write("2024-02.csv", f"{HEAD}1,ann,2024-01-01,6\n2,bob,2024-02-01,7\n")
    desk.bring(ORDERS, path="2024-*.csv")
    assert {o["order_id"]: o["gross"] for o in desk.rows("orders")} == {"1": 6, "2": 7}


def test_what_a_later_file_says_of_an_order_is_news_once(desk: Desk) -> None:
    """It gave back, without a date: at each import, that was known from that import on."""
    head, columns = "id,who,at,total,back,state\n", {"refund": "back", "status": "state"}
    desk.write("2024-01.csv", f"{head}1,ann,2024-01-01,5,0,paid\n2,bob,2024-01-01,5,0,paid\n")
    desk.write("2024-02.csv", f"{head}1,ann,2024-01-01,5,4,paid\n2,bob,2024-01-01,5,0,void\n")
    desk.bring(ORDERS, path="2024-*.csv", columns=columns)
    before, versions = desk.rows("orders"), desk.lake.versions()
    assert [o["refund_known_at"] or o["cancel_known_at"] for o in before] == [NOW, NOW]
    later = NOW + timedelta(days=1)
    results = import_sources(desk.config(), desk.base, now=later)
    assert [(r.read, r.added, r.changed) for r in results] == [(2, 0, 0), (2, 0, 0)]
    assert desk.rows("orders") == before
    assert {t for t, v in desk.lake.versions().items() if versions[t] != v} == {"imports"}

    desk.write("2024-01.csv", f"{head}1,ann,2024-01-01,9,0,paid\n3,cem,2024-01-01,5,0,paid\n")
    import_sources(desk.config(), desk.base, now=later)
    told = {o["order_id"]: (o["gross"], o["refund"], o["kind"]) for o in desk.rows("orders")}
    assert told == {"1": (5, 4, "purchase"), "2": (0, 0, "cancelled"), "3": (5, 0, "purchase")}


@pytest.mark.long
def test_files_that_overlap_add_what_the_lake_lacks(desk: Desk) -> None:
    desk.write("2024-01.csv", f"{LINE_HEAD}1,ann,2024-01-01,p,1,5\n2,bob,2024-01-01,p,1,5\n")
    desk.write("2024-02.csv", f"{LINE_HEAD}2,bob,2024-01-01,q,1,7\n2,bob,2024-01-01,p,-1,5\n")
    desk.bring(LINES, path="2024-*.csv")
    before = desk.lake.versions()
    desk.bring()
    assert {t for t, v in desk.lake.versions().items() if before[t] != v} == {"imports"}
    held = (desk.rows("orders"), desk.rows("order_lines"))
    assert [(o["gross"], o["refund"]) for o in held[0]] == [(5, 0), (7, 5)]
    with desk.lake.change() as change:
        for table in ("orders", "order_lines"):
            change.delete(table, "order_id = '1'")
    assert [r.added for r in desk.bring()] == [1, 0]
    assert [o["order_id"] for o in desk.rows("orders")] == ["1", "2"]
    assert desk.rows("order_lines") == held[1]


@pytest.mark.draws(1)
@pytest.mark.parametrize("kind", [ORDERS, LINES])
def test_orders_without_a_number_that_take_anothers_place_are_told(
    desk: Desk, kind: dict[str, Any]
) -> None:
    columns = {name: of for name, of in kind["columns"].items() if name != "order_id"}
    head, row = (HEAD, "{0}") if kind is ORDERS else (LINE_HEAD, "p,1,{0}")
    head = head.removeprefix("id,")
    rows = [f"ann,2024-01-01,{row}\n", f"bob,2024-01-01,{row}\n"]
    desk.write("north.csv", head + rows[0].format(5) + rows[1].format(7))
    desk.write("south.csv", head + rows[0].format(6) + rows[1].format(7))
    source = {**kind, "columns": columns}
    for _ in range(2):
        first, second = desk.bring(source, path="*th.csv")
        assert not any("without a number" in note for note in first.notes)
        assert any("1 order without a number" in note for note in second.notes)


@pytest.mark.long
def test_files_that_are_read_by_other_settings_say_something_else(desk: Desk) -> None:
    desk.write("2024-01.csv", f"{HEAD}1,ann,2024-01-01 23:30,5\n")
    desk.write("2024-02.csv", f"{HEAD}2,bob,2024-02-01 12:00,5\n")
    desk.bring(ORDERS, path="2024-*.csv")
    desk.zone = "Asia/Tokyo"
    assert [r.changed for r in desk.bring()] == [1, 1]
    assert desk.rows("orders")[0]["ordered_at"].hour == 14


@pytest.mark.long
def test_cards_of_several_files_say_the_last_word_once(desk: Desk) -> None:
    head, columns = "id,who,at,total,land,name\n", {"country": "land", "first_name": "name"}
    desk.write("2024-02.csv", f"{head}2,ann,2024-02-01,5,FR,\n")
    desk.write("2024-01.csv", f"{head}1,ann,2024-01-01,5,GB,Ann\n1b,ann,2024-01-01,5,DE,Ann\n")
    desk.bring(ORDERS, path="2024-*.csv", columns=columns)
    before = desk.lake.versions()
    desk.bring()
    (card,) = desk.rows("customers")
    assert (card["country"], card["first_name"]) == ("FR", "Ann")
    assert desk.lake.versions()["customers"] == before["customers"]


@pytest.mark.long
def test_the_same_number_from_two_sources_is_two_orders(desk: Desk) -> None:
    desk.write("orders.csv", f"{HEAD}1,ann,2024-01-01,5\n")
    desk.write("pos.csv", f"{HEAD}1,bob,2024-01-01,6\n")
    desk.bring(ORDERS, {**ORDERS, "name": "pos", "path": "pos.csv"})
    assert {(o["source"], o["gross"]) for o in desk.rows("orders")} == {("shop", 5), ("pos", 6)}


@pytest.mark.parametrize(
    ("row", "changes", "expected"),
    [
        ("1,ann,2024-01-01,-5", {}, ("refund", 0, 5)),
        ("C1,ann,2024-01-01,-5", {"cancelled_prefix": "C"}, ("refund", 0, 5)),
        ("C1,ann,2024-01-01,5", {"cancelled_prefix": "C"}, ("refund", 0, 5)),
        # Of a longer word the letter is only the beginning.
        ("CH-1,ann,2024-01-01,5", {"cancelled_prefix": "C"}, ("purchase", 5, 0)),
        ("1,ann,2024-01-01,0", {}, ("free", 0, 0)),
    ],
)
def test_what_was_given_back_is_a_refund(
    desk: Desk, row: str, changes: dict[str, Any], expected: tuple[str, int, int]
) -> None:
    desk.orders(f"{HEAD}{row}\n", **changes)
    (order,) = desk.rows("orders")
    assert (order["kind"], order["gross"], order["refund"]) == expected


def test_discounts_refunds_and_states_are_read_off_an_order(desk: Desk) -> None:
    desk.orders(
        "id,who,at,total,off,back,state\n1,ann,2024-01-01,100,-10,5,paid\n"
        "2,ann,2024-01-02,50,0,,Cancelled\n",
        columns={"discount": "off", "refund": "back", "status": "state"},
    )
    first, second = sorted(desk.rows("orders"), key=lambda row: str(row["order_id"]))
    assert (first["gross"], first["discount"], first["refund"]) == (100, 10, 5)
    assert (second["kind"], second["gross"]) == ("cancelled", 0)


def test_an_order_that_is_cancelled_later_is_no_purchase_any_more(desk: Desk) -> None:
    head, columns = "id,who,at,total,state\n", {"status": "state"}
    desk.orders(f"{head}1,ann,2024-01-01,5,paid\n", columns=columns)
    desk.orders(f"{head}1,ann,2024-01-01,5,voided\n", columns=columns)
    assert [(o["kind"], o["gross"]) for o in desk.rows("orders")] == [("cancelled", 0)]


def test_lines_given_back_are_taken_off_the_order(desk: Desk) -> None:
    desk.lines(f"{LINE_HEAD}1,ann,2024-01-01,p,3,5\n1,ann,2024-01-01,p,-1,5\n")
    (order,) = desk.rows("orders")
    assert (order["kind"], order["gross"], order["refund"]) == ("purchase", 15, 5)


@pytest.mark.long
def test_ids_that_share_an_address_are_one_person(desk: Desk) -> None:
    desk.write("orders.csv", f"{HEAD}1,b-old,2024-01-01,5\n2,a-new,2024-02-01,6\n")
    desk.write("c.csv", "id,mail\nb-old,Ann@x.example\na-new,ann@X.example\n")
    cards = {"name": "crm", "table": "customers", "path": "c.csv"}
    desk.bring(ORDERS, {**cards, "columns": {"customer_id": "id", "email": "mail"}})
    assert {o["customer_id"] for o in desk.rows("orders")} == {"a-new"}


@pytest.mark.long
def test_a_card_from_a_customers_source_wins_over_one_from_orders(desk: Desk) -> None:
    desk.write("orders.csv", "id,who,at,total,mail\n1,ann,2024-01-01,5,old@x.example\n")
    desk.write("c.csv", "id,mail,ok\nann,new@x.example,yes\n")
    cards = {
        "name": "crm",
        "table": "customers",
        "path": "c.csv",
        "columns": {"customer_id": "id", "email": "mail", "email_consent": "ok"},
    }
    desk.bring({**ORDERS, "columns": {**ORDERS["columns"], "email": "mail"}}, cards)  # type: ignore[dict-item]
    desk.bring()
    (card,) = desk.rows("customers")
    assert (card["email"], card["email_consent"]) == ("new@x.example", True)


def test_orders_without_a_number_keep_theirs_in_the_next_export(desk: Desk) -> None:
    columns = {k: v for k, v in ORDERS["columns"].items() if k != "order_id"}  # type: ignore[attr-defined]
    source = {**ORDERS, "columns": columns}
    desk.write("orders.csv", "who,at,total\nann,2024-01-01,5\nann,2024-01-01,7\n")
    desk.bring(source)
    desk.write("orders.csv", "who,at,total\nann,2024-01-01,7\nann,2024-01-01,5\nbob,2024-01-02,1\n")
    (result,) = desk.bring()
    assert (result.added, result.changed) == (1, 0)


@pytest.mark.long
def test_a_source_that_fails_leaves_the_ones_before_it_undone(desk: Desk) -> None:
    desk.orders(f"{HEAD}1,ann,2024-01-01,5\n")
    desk.write("orders.csv", f"{HEAD}1,ann,2024-01-01,99\n")
    with pytest.raises(SourceError):
        desk.bring(ORDERS, {**LINES, "name": "pos", "path": "missing.csv"})
    assert desk.rows("orders")[0]["gross"] == 5
    desk.bring(ORDERS)
    assert desk.rows("orders")[0]["gross"] == 99


@pytest.mark.long
def test_an_import_that_breaks_between_two_tables_shows_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Change, table: str, rows: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(Change, "overwrite", fail)
        with pytest.raises(OSError, match="full"):
            desk.lines(f"{LINE_HEAD}1,ann,2024-01-01,p,1,5\n")
    assert desk.lake.versions() == {}
    desk.lines(f"{LINE_HEAD}2,ann,2024-01-01,p,1,5\n")
    assert [row["order_id"] for row in desk.rows("order_lines")] == ["2"]


@pytest.mark.draws(1)
@pytest.mark.parametrize("place", ["Lake._commit", "Change._remove_files"])
def test_a_killed_import_leaves_the_facts_as_they_were(desk: Desk, place: str) -> None:
    desk.orders(f"{HEAD}1,ann,2024-01-01,5\n")
    before = desk.lake.versions()
    desk.write("orders.csv", f"{HEAD}1,ann,2024-01-01,6\n2,bob,2024-01-01,7\n")
    program = (
        "import os, signal, sys\n"
        "from datetime import UTC, datetime\n"
        "from pathlib import Path\n"
        "from rekindle.config import Config\n"
        "from rekindle.facts import import_sources\n"
        "from rekindle.facts.lake import Change, Lake\n"
        f"{place} = lambda *given: os.kill(os.getpid(), signal.SIGKILL)\n"
        "config = Config.model_validate_json(sys.argv[1])\n"
        "import_sources(config, Path(sys.argv[2]), now=datetime(2026, 1, 1, tzinfo=UTC))\n"
    )
    settings = json.dumps({"sources": desk.sources})
    done = subprocess.run(
        [sys.executable, "-c", program, settings, str(desk.base)],
        check=False,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    assert done.returncode == -signal.SIGKILL
    assert desk.lake.versions() == before
    assert [o["gross"] for o in desk.rows("orders")] == [5]
    assert desk.bring()[0].changed == 1
    assert {o["order_id"]: o["gross"] for o in desk.rows("orders")} == {"1": 6, "2": 7}


def test_two_imports_at_once_do_not_mix(desk: Desk) -> None:
    desk.orders(f"{HEAD}1,ann,2024-01-01,5\n")
    with desk.lake.change(), pytest.raises(BusyError, match="another import"):
        desk.bring()


@pytest.mark.parametrize(
    ("text", "part"),
    [("{", "is damaged"), ("[]", "is damaged"), ('{"format": 99, "tables": {}}', "upgrade")],
)
def test_a_manifest_that_cannot_be_used_says_what_to_do(desk: Desk, text: str, part: str) -> None:
    desk.orders(f"{HEAD}1,ann,2024-01-01,5\n")
    (desk.lake.folder / "snapshot.json").write_text(text)
    with pytest.raises(LakeError, match=part):
        desk.lake.versions()


def test_a_lake_whose_table_is_gone_says_so(desk: Desk) -> None:
    desk.orders(f"{HEAD}1,ann,2024-01-01,5\n")
    log = desk.lake.folder / "orders" / "_delta_log"
    for file in log.iterdir():
        file.unlink()
    with pytest.raises(LakeError, match="import again"):
        open_lake(desk.lake.folder, currency="GBP", zone="UTC")


@pytest.mark.long
def test_an_order_dated_ahead_counts_from_the_import_that_first_read_it(desk: Desk) -> None:
    tomorrow = NOW + timedelta(days=1, hours=9)
    result = desk.orders(f"{HEAD}1,ann,{tomorrow.isoformat()},5\n")
    assert result.is_clean
    assert [row["ordered_at"] for row in desk.rows("orders")] == [NOW]
    later = NOW + timedelta(hours=1)
    (again,) = import_sources(desk.config(), desk.base, now=later)
    assert (again.added, again.changed) == (0, 0)
    (again,) = import_sources(desk.config(), desk.base, now=tomorrow + timedelta(hours=1))
    assert [row["ordered_at"] for row in desk.rows("orders")] == [tomorrow]


@pytest.mark.long
def test_cards_and_events_dated_ahead_count_from_the_import(desk: Desk) -> None:
    ahead = (NOW + timedelta(hours=30)).isoformat()
    desk.write("c.csv", f"id,since\nann,{ahead}\n")
    desk.write("e.csv", f"id,who,what,at\n1,ann,login,{ahead}\n")
    cards = {"customer_id": "id", "created_at": "since"}
    events = {"event_id": "id", "customer_id": "who", "event": "what", "occurred_at": "at"}
    desk.bring(
        {"name": "crm", "table": "customers", "path": "c.csv", "columns": cards},
        {"name": "web", "table": "events", "path": "e.csv", "columns": events},
    )
    assert [row["created_at"] for row in desk.rows("customers")] == [NOW]
    assert [row["occurred_at"] for row in desk.rows("events")] == [NOW]


def test_lines_are_numbered_within_their_order_wherever_they_stand(desk: Desk) -> None:
    desk.lines(
        f"{LINE_HEAD}1,ann,2024-01-01,a,1,5\n2,bob,2024-01-01,b,1,5\n2,bob,2024-01-01,c,1,5\n"
        "1,ann,2024-01-01,d,1,5\n3,cem,2024-01-01,e,1,5\n"
    )
    placed = {(row["order_id"], row["line"]): row["product_id"] for row in desk.rows("order_lines")}
    lines = {("1", 1): "a", ("1", 2): "d", ("2", 1): "b", ("2", 2): "c", ("3", 1): "e"}
    assert placed == lines


def test_a_sum_of_lines_is_rounded_once_however_large(desk: Desk) -> None:
    half, large = "0.0005,0.1", "100000,999999.9999"  # half of the smallest amount that is kept
    desk.lines(
        f"{LINE_HEAD}1,ann,2024-01-01,a,{half}\n1,ann,2024-01-01,b,{half}\n"
        f"2,bob,2024-01-01,a,{large}\n2,bob,2024-01-01,b,{half}\n3,cem,2024-01-01,a,{half}\n"
    )
    amounts = {o["order_id"]: str(o["gross"]) for o in desk.rows("orders")}
    assert amounts == {"1": "0.0001", "2": "99999999990.0001", "3": "0.0001"}


def test_an_import_has_two_threads_on_a_machine_of_one_core(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a single one the writer waits for good for the query whose rows it writes."""
    connect = duckdb.connect

    def connect_on_one_core() -> duckdb.DuckDBPyConnection:
        return connect(config={"threads": 1})

    monkeypatch.setattr(duckdb, "connect", connect_on_one_core)
    with importing._engine(tmp_path) as con:
        assert con.execute("select current_setting('threads')").fetchall() == [(2,)]
