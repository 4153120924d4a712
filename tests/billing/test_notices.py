from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from rekindle.billing import BilledFact, Biller
from rekindle.errors import EventError, ForgedReportError
from rekindle.testing.biller import FakeBiller, sign_notice


def busy(fake: FakeBiller) -> str:
    """Let somebody subscribe, fail to pay once, pay, and leave; return the subscription."""
    world = fake.world
    customer, price = world.add_customer(user_id="u1")["id"], world.add_plan()["id"]
    card = world.add_card(customer)["id"]
    sub: str = world.subscribe(customer, price)["id"]
    world._does[card] = "insufficient_funds"
    world.advance(timedelta(days=29))
    world._does[card] = "pays"
    world.advance(timedelta(days=4))
    world.end(sub)
    return sub


def read(fake: FakeBiller, biller: Biller, event: dict[str, Any]) -> Any:
    now = fake.world.clock.now()
    return biller.read_notice(*sign_notice("whsec_test", event, now), now)


def every(biller: Biller) -> dict[str, list[BilledFact]]:
    found: dict[str, list[BilledFact]] = {}
    for kind in biller.kinds:
        cursor = ""
        while True:
            page = biller.list_page(kind, cursor)
            for one in page.statements:
                found.setdefault(one.table, []).append(one)
            if not (cursor := page.cursor):
                break
    return found


def test_notices_say_what_happened_and_whose_money_came(fake: FakeBiller, biller: Biller) -> None:
    sub = busy(fake)
    notices = [read(fake, biller, event) for event in fake.world.events]
    assert [one.paid for one in notices if one.paid] == [(sub,), (sub,)]
    last = notices[-1].statements[0]
    assert (last.table, last.key, last.row["end_reason"]) == (
        "subscriptions",
        sub,
        "cancellation_requested",
    )


def test_a_notice_is_believed_only_as_it_was_signed_just_now(
    fake: FakeBiller, biller: Biller
) -> None:
    busy(fake)
    event, now = fake.world.events[-1], fake.world.clock.now()
    headers, body = sign_notice("whsec_test", event, now)
    assert biller.read_notice(headers, body, now) is not None
    forged, _ = sign_notice("whsec_other", event, now)
    old, _ = sign_notice("whsec_test", event, now - timedelta(minutes=6))
    others = sign_notice("whsec_test", {**event, "account": "acct_other"}, now)
    for given, sent in ((forged, body), (headers, body + b" "), (old, body), ({}, body), others):
        with pytest.raises(ForgedReportError):
            biller.read_notice(given, sent, now)


@pytest.mark.parametrize("change", [{"api_version": "2020-08-27"}, {"data": None}, {"type": None}])
def test_a_notice_of_another_version_or_shape_is_refused_with_a_reason(
    fake: FakeBiller, biller: Biller, change: dict[str, Any]
) -> None:
    busy(fake)
    event = {**fake.world.events[-1], **change}
    if change == {"type": None}:
        del event["type"]
    with pytest.raises(EventError):
        read(fake, biller, event)


@pytest.mark.long
def test_a_listing_says_everything_once_in_pages(fake: FakeBiller, biller: Biller) -> None:
    world, price = fake.world, fake.world.add_plan()["id"]
    for number in range(230):
        customer = world.add_customer(f"c{number}@example.com", user_id=f"u{number}")["id"]
        world.add_card(customer)
        world.subscribe(customer, price)
    found = every(biller)
    keys = [one.key for one in found["subscriptions"]]
    assert (len(keys), len(set(keys))) == (230, 230)
    assert {one.row["customer_id"] for one in found["subscriptions"]} == {
        f"u{number}" for number in range(230)
    }
    assert len(found["payments"]) == len(found["invoices"]) == 230


def test_amounts_are_in_major_units_of_their_currency(fake: FakeBiller, biller: Biller) -> None:
    world = fake.world
    for currency in ("usd", "jpy", "kwd"):
        customer = world.add_customer()["id"]
        world.add_card(customer)
        world.subscribe(customer, world.add_plan(amount=1500, currency=currency)["id"])
    rows = [one.row for one in every(biller)["subscriptions"]]
    assert {(row["currency"], str(row["amount"])) for row in rows} == {
        ("USD", "15.00"),
        ("JPY", "1500"),
        ("KWD", "1.500"),
    }


def test_a_subscription_of_nobody_says_nothing(fake: FakeBiller, biller: Biller) -> None:
    busy(fake)
    event = json.loads(json.dumps(fake.world.events[-1]))
    event["data"]["object"]["customer"] = None
    assert read(fake, biller, event) is None
