"""What is Chargebee's own: one subscription that runs again, notices that are asked back."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from rekindle.billing import BilledFact, find_billers, pull_facts, take_notices, write_fact
from rekindle.billing.chargebee.reading import item_price_of, read_offered, will_rest
from rekindle.config import BillingSettings
from rekindle.errors import BillerRefusedError, ConfigError
from rekindle.runtime import Workspace
from rekindle.subscriptions import OURS, build_movements
from rekindle.testing.biller import ChargebeeWorld
from rekindle.testing.biller.contract import leave, listed, notices_of, owe, rows_of, standing
from rekindle.vocabulary import Money
from rekindle.web.portal.subscription.staying import find_smaller
from tests.billing.conftest import CHARGEBEE
from tests.billing.stages import ChargebeeStage

DAY = timedelta(days=1)
SETTINGS = """[workspace]
currency = "USD"
[billing]
provider = "chargebee"
url = "{url}"
customer_key = "user_id"
"""


@pytest.fixture
def space(chargebee: ChargebeeStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    for name, value in CHARGEBEE.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "rekindle.toml").write_text(SETTINGS.format(url=chargebee.fake.url))
    return Workspace.open(tmp_path, clock=chargebee.clock)


def pull(space: Workspace) -> None:
    now, bring = space.clock.now(), space.import_from
    found = pull_facts(space.config.billing, space.directory, now=now, bring=bring)
    assert [one.reasons for one in found if one.reasons] == []


def rows(space: Workspace, table: str) -> list[dict[str, Any]]:
    engine, facts = space.reading
    found: list[dict[str, Any]] = engine.run(facts.more[table]).to_pylist()
    return found


def moved(space: Workspace) -> Counter[str]:
    engine, facts = space.reading
    soon = space.clock.now() + DAY
    found = engine.run(build_movements(facts, soon, OURS)).to_pylist()
    return Counter(one["movement"] for one in found)


def build(**settings: Any) -> Any:
    given = BillingSettings(provider="chargebee", **settings)
    return find_billers()["chargebee"].build(given, CHARGEBEE)


def come_back(stage: ChargebeeStage, subscription: str) -> None:
    now = standing(stage, subscription).now
    assert now is not None
    stage.biller.reactivate(subscription, now.price_id, key="touch")


@pytest.mark.long
@pytest.mark.parametrize("is_told", [True, False])
def test_who_left_and_came_back_to_one_subscription_did_both(
    chargebee: ChargebeeStage, space: Workspace, is_told: bool
) -> None:
    subscription = chargebee.subscribe(chargebee.add_person())
    item = chargebee.world.things[subscription]["items"]["data"][0]
    told = 0

    def know() -> None:
        nonlocal told
        if not is_told:
            pull(space)
            return
        said = [s for one in notices_of(chargebee)[told:] for s in one.statements]
        told = len(notices_of(chargebee))
        lines = [json.loads(write_fact(one, one.at)) for one in said]
        take_notices(space.config.billing, space.directory, lines, bring=space.import_from)

    began = space.clock.now()
    know()
    chargebee.advance(2 * DAY)
    product = chargebee.world.things[item["price"]]["product"]
    item["price"] = chargebee.world.add_price(product, amount=2500)["id"]
    chargebee.world.update_subscription(subscription, {})
    know()
    chargebee.advance(10 * DAY)
    chargebee.end(subscription)
    left = space.clock.now()
    know()
    chargebee.advance(40 * DAY)
    come_back(chargebee, subscription)
    back = space.clock.now()
    know()
    chargebee.advance(DAY)
    know()
    found = {
        one["subscription_id"]: (one["started_at"], one["ended_at"], str(one["amount"]))
        for one in rows(space, "subscriptions")
    }
    assert found == {
        f"{subscription}#1": (began, left, "10.0000"),
        subscription: (back, None, "25.0000"),
    }
    assert moved(space) == {"new": 1, "expansion": 1, "churn": 1, "reactivation": 1}


@pytest.mark.long
def test_a_pause_begins_when_what_is_paid_for_is_over(
    chargebee: ChargebeeStage, space: Workspace
) -> None:
    subscription = chargebee.subscribe(chargebee.add_person())
    paid_until = standing(chargebee, subscription).paid_until
    assert paid_until is not None
    until = chargebee.clock.now() + 60 * DAY
    chargebee.biller.pause(subscription, until, key="p")
    chargebee.advance(5 * DAY)
    pull(space)
    assert rows(space, "pauses") == []
    chargebee.advance(30 * DAY)
    pull(space)
    found = [(one["paused_at"], one["resumed_at"]) for one in rows(space, "pauses")]
    assert found == [(paid_until, until)]


@pytest.mark.parametrize(
    ("what", "of"),
    [
        ({"status": "active", "pause_date": 900}, False),  # left of a pause that is over
        ({"status": "active", "pause_date": 1100}, True),
        ({"status": "non_renewing", "pause_date": 1100}, True),
        ({"status": "active"}, False),
        ({"status": "paused", "pause_date": 1100}, False),  # it rests already
        ({"status": "cancelled", "pause_date": 1100}, False),
    ],
)
def test_only_a_pause_that_has_not_begun_is_to_come(what: dict[str, Any], of: bool) -> None:
    assert will_rest({"current_term_start": 1000, **what}) is of


@pytest.mark.long
def test_a_plan_costs_what_was_shown_or_is_not_taken(chargebee: ChargebeeStage) -> None:
    subscription = chargebee.subscribe(chargebee.add_person())
    shown = chargebee.biller.find_plan(chargebee.add_plan(500))
    assert shown is not None
    chargebee.world.things[item_price_of(shown.price_id)]["unit_amount"] = 900
    with pytest.raises(BillerRefusedError, match="costs something else now"):
        chargebee.biller.change_plan(subscription, shown.price_id, key="p")
    chargebee.world.things[item_price_of(shown.price_id)]["active"] = False
    assert chargebee.biller.find_plan(shown.price_id) is None


@pytest.mark.parametrize(
    ("what", "amount"),
    [
        ({"pricing_model": "flat_fee"}, "5.00"),
        ({"pricing_model": "per_unit"}, "15.00"),
        ({"pricing_model": "tiered"}, None),  # what it costs no item price says
        ({"item_type": "addon"}, None),
        ({"status": "archived"}, None),
        ({"price": None}, None),
    ],
)
def test_what_an_item_price_costs_so_many_times(what: dict[str, Any], amount: str | None) -> None:
    item_price = {
        "id": "gold-usd-monthly",
        "status": "active",
        "price": 500,
        "currency_code": "USD",
        "period": 1,
        "period_unit": "month",
        **what,
    }
    found = read_offered(item_price, quantity=3)
    assert (None if found is None else str(found.amount.amount)) == amount
    if found is not None:
        assert item_price_of(found.price_id) == "gold-usd-monthly"


def test_a_notice_says_only_what_chargebee_says(chargebee: ChargebeeStage) -> None:
    subscription = chargebee.subscribe(chargebee.add_person())
    headers, body = chargebee.notices()[-1]
    event = json.loads(body)
    event["event_type"] = "subscription_cancelled"
    event["content"] = {"subscription": {"id": subscription, "status": "cancelled"}}
    notice = chargebee.biller.read_notice(
        headers, json.dumps(event).encode(), chargebee.clock.now()
    )
    assert notice is not None
    assert notice.kind == "payment_succeeded"
    assert {one.table for one in notice.statements} == {"invoices", "payments"}


@pytest.mark.long
def test_what_is_sold_no_more_is_not_come_back_to(chargebee: ChargebeeStage) -> None:
    _, subscription, price = leave(chargebee)
    chargebee.world.things[chargebee.price]["active"] = False
    assert standing(chargebee, subscription).now is None
    before = chargebee.attempts()
    with pytest.raises(BillerRefusedError):
        chargebee.biller.reactivate(subscription, price, key="touch")
    assert chargebee.attempts() == before


@pytest.mark.long
def test_another_card_is_another_try_to_come_back(chargebee: ChargebeeStage) -> None:
    customer, subscription, price = leave(chargebee)
    chargebee.spoil(customer, "declines")
    first = chargebee.biller.reactivate(subscription, price, key="touch")
    assert (first.decline_code, list(chargebee.running(customer))) == ("insufficient_funds", [])
    chargebee.add_card(customer)
    come_back(chargebee, subscription)
    assert list(chargebee.running(customer)) == [subscription]


@pytest.mark.long
def test_keys_longer_than_it_takes_are_still_one_each(chargebee: ChargebeeStage) -> None:
    _, _, invoice = owe(chargebee)
    before = chargebee.attempts()
    for key in ("k" * 200, "k" * 200, "k" * 201):
        chargebee.biller.charge(invoice, key=key)
    assert chargebee.attempts() == before + 2


@pytest.mark.parametrize(
    ("currency", "amount"), [("usd", "15.00"), ("jpy", "1500"), ("kwd", "1.500")]
)
def test_amounts_are_in_major_units(chargebee: ChargebeeStage, currency: str, amount: str) -> None:
    chargebee.price = chargebee.world.add_plan(amount=1500, currency=currency)["id"]
    chargebee.subscribe(chargebee.add_person())
    (found,) = rows_of(chargebee, "subscriptions")
    assert (str(found.row["amount"]), found.row["currency"]) == (amount, currency.upper())


def test_a_custom_field_may_hold_the_own_id(
    chargebee: ChargebeeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    chargebee.add_person()
    world = chargebee.world
    assert isinstance(world, ChargebeeWorld)
    shown = world._show_customer
    monkeypatch.setattr(world, "_show_customer", lambda one: {**shown(one), "cf_user": "own"})
    biller = build(url=chargebee.fake.url, customer_key="cf_user")
    assert [one.key for _, one in listed(biller, "customers")] == ["own"]


def test_what_is_for_nothing_we_know_says_nothing(chargebee: ChargebeeStage) -> None:
    chargebee.subscribe(chargebee.add_person())
    event = {**json.loads(chargebee.notices()[-1][1]), "id": "ev_x", "event_type": "quote_created"}
    chargebee.world.events.append(event)
    headers, body = chargebee.notices()[-1]
    assert chargebee.biller.read_notice(headers, body, chargebee.clock.now()) is None


@pytest.mark.parametrize("url", ["http://billing.example", "http://10.0.0.7:8080"])
def test_its_key_goes_over_no_open_network(url: str) -> None:
    with pytest.raises(ConfigError, match="only go over https"):
        build(url=url)


def test_a_site_has_to_be_named() -> None:
    with pytest.raises(ConfigError, match=r"billing.account is empty"):
        build()
    assert build(account="acme-test")._api.env.api_endpoint == (
        "https://acme-test.chargebee.com/api/v2"
    )


def test_a_way_back_that_is_too_long_for_it_is_left_out_and_said(
    chargebee: ChargebeeStage, caplog: pytest.LogCaptureFixture
) -> None:
    subscription = chargebee.subscribe(chargebee.add_person())
    for length in (40, 300):
        chargebee.biller.card_page(subscription, return_url="https://p.example/" + "x" * length)
    asked = [told for _, path, told in chargebee.fake.asked if "hosted_pages" in path]
    assert ["redirect_url" in one for one in asked] == [True, False]
    assert "too long" in caplog.text


@pytest.mark.long
def test_a_removed_card_is_told(chargebee: ChargebeeStage) -> None:
    customer = chargebee.add_person()
    chargebee.subscribe(customer)
    (card,) = [one.key for one in rows_of(chargebee, "payment_methods")]
    chargebee.world.remove_card(card)
    (said,) = notices_of(chargebee)[-1].statements
    assert isinstance(said, BilledFact)
    assert (said.key, said.row["removed_at"]) == (card, chargebee.clock.now())


def test_what_stands_beside_the_plan_is_shown_and_guarded(chargebee: ChargebeeStage) -> None:
    _, subscription, price = leave(chargebee)
    world = chargebee.fake.world
    more = world.add_plan(amount=500)["id"]
    items = world.things[subscription]["items"]["data"]
    items.append({**items[0], "id": "si_more", "price": more, "quantity": 4, "discounts": []})
    found = standing(chargebee, subscription)
    assert found.now is not None
    assert (str(found.now.amount), str(found.now.besides)) == ("$30.00", "20.00")
    for shown in (price, f"{found.now.price_id}0"):
        with pytest.raises(BillerRefusedError):
            chargebee.biller.reactivate(subscription, shown, key="touch")
    back = chargebee.biller.reactivate(subscription, found.now.price_id, key="touch")
    assert world.things[world.things[back.subscription]["latest_invoice"]]["total"] == 3000
    (smaller,) = find_smaller(
        found, [replace(found.before, price_id="b", amount=Money(Decimal(5), "USD"))]
    )
    assert str(smaller.amount) == "$25.00"
