"""What was reported reaches the lake at the next import: once, corrected, or quarantined."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from rekindle.clock import MovableClock
from rekindle.desk import erase_person
from rekindle.facts import CONTRACTS
from rekindle.facts.holding import WRITTEN
from rekindle.intake import read_event
from rekindle.ledger import ApiKeys, Inbox, Scope, disconnect, ready_events
from rekindle.runtime import Workspace
from rekindle.worker.keeping.daily import watch_workspace
from tests.web.api.fake_intake import NOW

SETTINGS = """
[workspace]
currency = "GBP"
[[sources]]
name = "web"
table = "orders"
path = "orders.csv"
columns = {order_id = "id", customer_id = "who", ordered_at = "day", gross = "sum"}
[[sources]]
name = "crm"
table = "customers"
path = "people.csv"
columns = {customer_id = "who", email = "email", last_name = "name"}
"""


class Shop:
    """A workspace with a file of orders and one of people, to which events are reported."""

    def __init__(self, folder: Path) -> None:
        folder.joinpath("rekindle.toml").write_text(SETTINGS, encoding="utf-8")
        folder.joinpath("orders.csv").write_text("id,who,day,sum\n1,ada,2026-02-01,25\n", "utf-8")
        folder.joinpath("people.csv").write_text("who,email,name\nada,ada@example.com,King\n")
        self.space = Workspace.open(folder, clock=MovableClock(NOW))
        self.inbox = Inbox(self.space.ledger, self.space.book)

    def report(self, event: str, type_: str = "track", **given: Any) -> None:
        call = {"type": type_, "event": event, "userId": "ada", **given}
        reports = ready_events(self.space.ledger, [read_event(call, received_at=NOW)])
        self.inbox.take("web", reports, NOW)

    def rows(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        found = getattr(self.space.facts, table).select(*columns).order_by(*columns)
        return [tuple(row.values()) for row in found.to_pyarrow().to_pylist()]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path)
    yield shop
    shop.space.forget_facts()
    disconnect(shop.space.ledger)


PRODUCTS = [
    {"product_id": "p1", "name": "Mug", "category": "mugs", "price": 10, "quantity": 2},
    {"sku": "p2", "price": 5},
]
ORDER = {"order_id": "2", "revenue": 25, "discount": 5, "products": PRODUCTS}


@pytest.mark.long
def test_an_order_is_imported_with_its_lines(shop: Shop) -> None:
    shop.report("Order Completed", properties=ORDER)
    shop.space.import_facts()
    assert shop.rows(
        "orders", "order_id", "source", "customer_id", "kind", "gross", "discount"
    ) == [
        ("1", "web", "ada", "purchase", Decimal(25), Decimal(0)),
        ("2", "web", "ada", "purchase", Decimal(25), Decimal(5)),
    ]
    assert shop.rows("order_lines", "order_id", "product_id", "amount") == [
        ("2", "p1", Decimal(20)),
        ("2", "p2", Decimal(5)),
    ]


@pytest.mark.long
def test_a_second_import_finds_nothing_new(shop: Shop) -> None:
    shop.report("Order Completed", properties=ORDER)
    shop.report("Cart Abandoned")
    assert {one.table for one in shop.space.import_reports()} == {"order_lines", "orders", "events"}
    assert shop.space.import_reports() == []
    assert not (shop.space.directory / "state" / "intake").exists()


@pytest.mark.long
def test_an_import_that_died_before_it_was_noted_is_repeated_without_harm(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.report("Order Completed", properties=ORDER)
    shop.report("Order Refunded", properties={"order_id": "2", "total": 8}, messageId="r1")
    with monkeypatch.context() as dying:
        dying.setattr(Inbox, "mark_exported", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            shop.space.import_reports()
    shop.space.import_reports()
    assert shop.rows("orders", "order_id", "gross", "refund") == [("2", Decimal(25), Decimal(8))]


@pytest.mark.long
def test_later_events_correct_an_order_that_was_imported(shop: Shop) -> None:
    shop.report("Order Completed", properties=ORDER)
    shop.space.import_reports()
    shop.report("Order Refunded", properties={"order_id": "2", "total": 8})
    shop.space.import_reports()
    assert shop.rows("orders", "kind", "refund") == [("purchase", Decimal(8))]
    shop.report("Order Cancelled", properties={"order_id": "2"})
    shop.space.import_reports()
    assert shop.rows("orders", "kind", "gross", "refund") == [("cancelled", Decimal(0), Decimal(0))]


@pytest.mark.long
def test_a_refund_that_comes_before_its_order_counts_once(shop: Shop) -> None:
    shop.report("Order Refunded", properties={"order_id": "2", "total": 8}, messageId="r1")
    shop.space.import_reports()
    assert shop.rows("orders", "order_id", "refund") == [("2/refund", Decimal(8))]
    shop.report("Order Completed", properties=ORDER)
    shop.space.import_reports()
    found = shop.rows("orders", "order_id", "kind", "gross", "refund")
    assert found == [
        ("2", "purchase", Decimal(25), Decimal(8)),
        ("2/refund", "cancelled", Decimal(0), Decimal(0)),
    ]


@pytest.mark.long
def test_an_order_from_a_file_is_cancelled_by_its_event(shop: Shop) -> None:
    shop.space.import_facts()
    shop.report("Order Cancelled", properties={"order_id": "1", "revenue": 25})
    shop.space.import_reports()
    assert shop.rows("orders", "order_id", "kind") == [("1", "cancelled")]


@pytest.mark.long
def test_an_identify_keeps_what_the_file_says(shop: Shop) -> None:
    shop.space.import_facts()
    traits = {"firstName": "Ada", "phone": "+442079460018", "consent": {"email": True}}
    shop.report("", "identify", traits=traits)
    shop.space.import_reports()
    columns = ("customer_id", "email", "first_name", "last_name", "email_consent")
    assert shop.rows("customers", *columns) == [("ada", "ada@example.com", "Ada", "King", True)]


def test_what_a_person_did_becomes_events(shop: Shop) -> None:
    shop.report("Cart Abandoned", messageId="m1")
    shop.report("", "page", messageId="m2")
    shop.report("Email Opened", messageId="m3", properties={"machine": True})
    shop.space.import_reports()
    assert shop.rows("events", "event_id", "event", "customer_id", "source") == [
        ("m1", "cart_abandoned", "ada", "web"),
        ("m2", "page_viewed", "ada", "web"),
    ]


@pytest.mark.long
def test_a_visitor_is_imported_once_they_are_known(shop: Shop) -> None:
    shop.report("Product Viewed", userId=None, anonymousId="visitor")
    shop.report("Order Completed", userId=None, anonymousId="visitor", properties=ORDER)
    shop.space.import_reports()
    assert shop.rows("orders", "order_id", "customer_id") == [("2", None)]
    shop.report("", "identify", anonymousId="visitor")
    shop.space.import_reports()
    assert shop.rows("orders", "order_id", "customer_id") == [("2", "ada")]
    assert shop.rows("events", "event", "customer_id") == [("product_viewed", "ada")]


@pytest.mark.long
def test_an_order_given_back_in_another_currency_is_set_aside_whole(shop: Shop) -> None:
    shop.report("Order Completed", properties={**ORDER, "currency": "GBP"})
    shop.report("Order Refunded", properties={"order_id": "2", "total": 8, "currency": "EUR"})
    found = {one.table: one for one in shop.space.import_reports()}
    assert found["orders"].reasons == {"other_currency": 1, "rest_of_order": 1}
    assert shop.rows("orders", "order_id") == []


def test_a_row_that_breaks_a_contract_is_kept_in_quarantine(shop: Shop) -> None:
    foreign = {**ORDER, "products": [], "currency": "USD"}
    shop.report("Order Completed", properties=foreign)
    (found,) = shop.space.import_reports()
    assert found.reasons == {"other_currency": 1}
    (row,) = shop.space.quarantine()
    assert json.loads(row["record"])["order_id"] == "2"
    assert shop.space.import_reports() == []


@pytest.mark.long
def test_an_erasure_reaches_what_an_import_had_read_before(shop: Shop) -> None:
    ApiKeys(shop.space.ledger).create("page", source="web", scopes=[Scope.EVENTS], at=NOW)
    traits = {"email": "eve@example.org", "firstName": "Eve"}
    shop.report("", "identify", userId="eve", traits=traits)
    shop.report("", "identify", userId="bob", traits={"email": "bob@example.org"})
    with shop.space._spooled_sources() as sources:
        erase_person(shop.space, "eve", who="ann")  # while the import runs
        shop.space.import_from(sources)
    assert ("eve", "eve@example.org") in shop.rows("customers", "customer_id", "email")
    shop.space.import_facts()
    assert shop.rows("customers", "customer_id", "email") == [
        ("ada", "ada@example.com"),
        ("bob", "bob@example.org"),
    ]


@pytest.mark.long
def test_an_erasure_reaches_what_was_imported_long_ago(shop: Shop) -> None:
    ApiKeys(shop.space.ledger).create("page", source="web", scopes=[Scope.EVENTS], at=NOW)
    shop.report("", "identify", userId="eve", traits={"email": "eve@example.org"})
    shop.space.import_facts()
    erase_person(shop.space, "eve", who="ann")
    shop.space.import_reports()
    assert shop.rows("customers", "customer_id") == [("ada",)]
    assert shop.space.forget_erased() == 0


@pytest.mark.long
def test_an_erasure_reaches_what_people_did_and_what_was_set_aside(shop: Shop) -> None:
    ApiKeys(shop.space.ledger).create("page", source="web", scopes=[Scope.EVENTS], at=NOW)
    # A page and a shop that share a name share what is set aside; other sources' rows stay.
    shop.space.directory.joinpath("people.csv").write_text("who,email,name\n,a@b.cc,eve\n", "utf-8")
    for who in ("eve", "bob"):
        traits = {"email": f"{who}@example.org", "createdAt": "0099-01-01T00:00:00Z"}
        shop.report("", "identify", userId=who, traits=traits)
        shop.report("Product Viewed", userId=who, messageId=f"{who} looked")
        foreign = {**ORDER, "order_id": who, "products": [], "currency": "USD"}
        shop.report("Order Completed", userId=who, properties=foreign)
    shop.space.import_facts()
    before = shop.space.quarantine()
    assert sum("eve" in row["record"] for row in before) == 3
    erase_person(shop.space, "eve", who="ann")
    shop.space.import_reports()
    assert shop.rows("events", "customer_id") == [("bob",)]
    after = shop.space.quarantine()
    assert after == [r for r in before if r["source"] == "crm" or "eve" not in r["record"]]
    assert len(after) == 3
    assert shop.space.forget_erased() == 0


MORE = """
[[sources]]
name = "crm"
table = "cancellations"
path = "left.csv"
[sources.columns]
cancellation_id = "id"
customer_id = "who"
cancelled_at = "day"
reason = "why"
words = "words"
[[sources]]
name = "crm"
table = "seats"
path = "seats.csv"
columns = {customer_id = "who", member_id = "login", since = "day"}
"""


@pytest.mark.long
def test_an_erasure_takes_what_somebody_wrote_and_leaves_that_they_left(tmp_path: Path) -> None:
    tmp_path.joinpath("left.csv").write_text(
        "id,who,day,why,words\n1,ada,2026-02-01,price,I am Ada King\n2,bob,2026-02-01,price,no\n"
    )
    tmp_path.joinpath("seats.csv").write_text("who,login,day\nada,ada@example.com,2026-02-01\n")
    shop = Shop(tmp_path)
    toml = tmp_path / "rekindle.toml"
    toml.write_text(toml.read_text() + MORE)
    shop.space = Workspace.open(tmp_path, clock=shop.space.clock)
    shop.report("Cart Viewed")
    shop.space.import_facts()
    erase_person(shop.space, "ada", who="ann")
    for name, line in (("left", "2,bob,2026-02-01,price,no"), ("seats", "bob,b,2026-02-01")):
        path = tmp_path / f"{name}.csv"  # their files do not name her any more
        path.write_text(f"{path.read_text().splitlines()[0]}\n{line}\n")
    shop.space.import_facts()
    more = shop.space.facts.more
    told = more["cancellations"].select("customer_id", "reason", "words").order_by("customer_id")
    assert shop.space.engine.run(told).to_pylist() == [
        {"customer_id": "ada", "reason": "price", "words": None},
        {"customer_id": "bob", "reason": "price", "words": "no"},
    ]
    seats = more["seats"].select("customer_id")
    assert shop.space.engine.run(seats).column(0).to_pylist() == ["bob"]
    assert shop.space.forget_erased() == 0
    shop.space.forget_facts()
    disconnect(shop.space.ledger)


COUNTED = {"invoices", "orders", "payments", "subscriptions"}
"""What was bought and paid: it stays, by ids alone."""


def test_every_table_about_people_is_forgotten_or_is_known_to_stay() -> None:
    about = {one.table for one in CONTRACTS.facts if "customer_id" in one.schema.names}
    stays = {one.table for one in CONTRACTS.facts if one.outlives_people}
    assert stays == COUNTED | {*WRITTEN}
    assert about - {one.table for one in CONTRACTS.values() if one.is_personal} == stays
    worded = {one.table for one in CONTRACTS.facts if "words" in one.schema.names}
    assert worded == {*WRITTEN, "reviews"}  # which may be shown to others


@pytest.mark.long
@pytest.mark.draws(1)
@pytest.mark.parametrize(("said", "is_one"), [(None, True), (True, True), (False, False)])
def test_an_address_that_a_server_did_not_verify_joins_nobody(
    shop: Shop, said: bool | None, is_one: bool
) -> None:
    traits = {"email": "ada@example.com", "emailVerified": said}
    shop.space.import_facts()
    shop.report("", "identify", userId="eve", traits=traits)
    shop.space.import_facts()
    assert bool(shop.space.book.persons.known()) is is_one
    if not is_one:
        shop.report(
            "", "identify", userId="eve", traits={"email": "ada@example.com"}, messageId="2"
        )
        shop.space.import_facts()
        assert shop.space.book.persons.known()


def test_reports_do_not_say_that_the_day_of_the_files_is_whole(shop: Shop) -> None:
    clock, day = shop.space.clock, timedelta(days=1)
    assert isinstance(clock, MovableClock)
    shop.space.import_facts()
    told = []
    for number, days in enumerate((2, 30)):
        clock.move(days * day)
        shop.report("Order Completed", properties={**ORDER, "order_id": f"r{number}"})
        shop.space.import_reports()
        told.append(watch_workspace(shop.space, clock.now())[-1])
    assert {one.name for one in told} == {"orders imported"}
    # Of files that are two days old, then of what is reported alone.
    assert [one.on for one in told] == [NOW.date() - day, (NOW + 31 * day).date()]
