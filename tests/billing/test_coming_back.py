from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from rekindle.billing import Biller, ChargeOutcome, SubscriptionState
from rekindle.errors import BillerRefusedError
from rekindle.testing.biller import FakeBiller

MONTH = timedelta(days=31)


def leave(fake: FakeBiller, does: str = "pays") -> tuple[str, str, str]:
    """Subscribe somebody, and let them leave; return customer, price and subscription."""
    world = fake.world
    customer, price = world.add_customer(user_id="u1")["id"], world.add_plan()["id"]
    world.add_card(customer)
    sub = world.subscribe(customer, price)["id"]
    world.end(sub)
    if does != "pays":
        world.add_card(customer, does)
    world.advance(MONTH)
    return customer, price, sub


def running(fake: FakeBiller, customer: str) -> list[str]:
    return [
        one["id"]
        for one in fake.world.things.values()
        if one["object"] == "subscription"
        and one["customer"] == customer
        and one["status"] != "canceled"
    ]


def test_what_left_is_shown_with_its_card_and_price(fake: FakeBiller, biller: Biller) -> None:
    _, price, sub = leave(fake)
    found = biller.look(sub)
    assert found is not None
    assert found.state is SubscriptionState.ENDED
    assert found.now is not None
    assert (found.before.name, str(found.before.amount), found.now.price_id) == (
        "Gold",
        "$10.00",
        price,
    )
    assert found.card is not None
    assert (found.card.brand, found.card.last4) == ("visa", "4242")


def test_one_click_brings_back_by_a_new_subscription(fake: FakeBiller, biller: Biller) -> None:
    customer, price, sub = leave(fake)
    back = biller.reactivate(sub, price, key="touch")
    assert (back.outcome, running(fake, customer)) == (ChargeOutcome.PAID, [back.subscription])
    metadata = fake.world.things[back.subscription]["metadata"]
    assert metadata == {"rekindle_previous": sub, "rekindle_key": "touch"}


@pytest.mark.parametrize("second", ["touch", "another"])
def test_two_clicks_make_one_subscription(fake: FakeBiller, biller: Biller, second: str) -> None:
    customer, price, sub = leave(fake)
    first = biller.reactivate(sub, price, key="touch")
    assert biller.reactivate(sub, price, key=second).subscription == first.subscription
    assert running(fake, customer) == [first.subscription]
    assert biller.look(sub).successor == first.subscription  # type: ignore[union-attr]


def test_who_left_a_second_time_comes_back_a_second_time(fake: FakeBiller, biller: Biller) -> None:
    customer, price, sub = leave(fake)
    first = biller.reactivate(sub, price, key="touch").subscription
    fake.world.end(first)
    second = biller.reactivate(sub, price, key="touch").subscription
    assert first != second
    assert running(fake, customer) == [second]


def test_who_subscribed_again_alone_is_back_already(fake: FakeBiller, biller: Biller) -> None:
    customer, price, sub = leave(fake)
    alone = fake.world.subscribe(customer, price)["id"]
    assert biller.look(sub).successor == alone  # type: ignore[union-attr]
    assert biller.reactivate(sub, price, key="touch").subscription == alone
    assert running(fake, customer) == [alone]


@pytest.mark.parametrize(
    ("does", "outcome"),
    [
        ("authentication_required", ChargeOutcome.AUTHENTICATE),
        ("insufficient_funds", ChargeOutcome.DECLINED),
    ],
)
def test_a_card_that_does_not_pay_leads_to_the_page_of_the_provider(
    fake: FakeBiller, biller: Biller, does: str, outcome: ChargeOutcome
) -> None:
    customer, price, sub = leave(fake, does)
    back = biller.reactivate(sub, price, key="touch")
    assert (back.outcome, back.decline_code) == (outcome, does)
    assert back.page_url.startswith("https://invoice.example/")
    again = biller.reactivate(sub, price, key="touch")
    assert (again.subscription, again.page_url) == (back.subscription, back.page_url)
    assert len(running(fake, customer)) == 1


def test_a_price_that_changed_is_shown_and_the_old_one_is_not_taken(
    fake: FakeBiller, biller: Biller
) -> None:
    _, price, sub = leave(fake)
    things = fake.world.things
    product = things[things[price]["product"]]
    dearer = fake.world.add_price(product["id"], amount=1200)["id"]
    things[price]["active"], product["default_price"] = False, dearer
    found = biller.look(sub)
    assert found is not None
    assert found.now is not None
    assert (str(found.before.amount), str(found.now.amount)) == ("$10.00", "$12.00")
    with pytest.raises(BillerRefusedError):
        biller.reactivate(sub, price, key="touch")
    assert biller.reactivate(sub, dearer, key="touch").outcome is ChargeOutcome.PAID


def test_a_plan_that_is_gone_is_none(fake: FakeBiller, biller: Biller) -> None:
    _, price, sub = leave(fake)
    fake.world.things[fake.world.things[price]["product"]]["active"] = False
    assert biller.look(sub).now is None  # type: ignore[union-attr]
    with pytest.raises(BillerRefusedError):
        biller.reactivate(sub, price, key="touch")


def test_what_runs_is_not_made_again(fake: FakeBiller, biller: Biller) -> None:
    customer, price = fake.world.add_customer()["id"], fake.world.add_plan()["id"]
    fake.world.add_card(customer)
    sub = fake.world.subscribe(customer, price)["id"]
    with pytest.raises(BillerRefusedError):
        biller.reactivate(sub, price, key="touch")
    assert running(fake, customer) == [sub]


def test_nobody_is_shown_of_what_is_gone(fake: FakeBiller, biller: Biller) -> None:
    customer, _, sub = leave(fake)
    fake.world.things[customer]["deleted"] = True
    assert biller.look(sub) is None
    assert biller.look("sub_none") is None


def test_all_that_it_was_for_is_shown_and_taken(fake: FakeBiller, biller: Biller) -> None:
    _, price, sub = leave(fake)
    more = fake.world.add_plan(amount=500)["id"]
    items = fake.world.things[sub]["items"]["data"]
    items.append({**items[0], "id": "si_more", "price": more, "quantity": 4, "discounts": []})
    found = biller.look(sub)
    assert found is not None
    assert found.now is not None
    assert (str(found.before.amount), str(found.now.amount)) == ("$30.00", "$30.00")
    with pytest.raises(BillerRefusedError):
        biller.reactivate(sub, price, key="touch")  # what was shown before the other was added
    back = biller.reactivate(sub, found.now.price_id, key="touch")
    assert back.outcome is ChargeOutcome.PAID
    made = fake.world.things[back.subscription]
    told = [(one["price"], one["quantity"]) for one in made["items"]["data"]]
    assert told == [(price, 1), (more, 4)]
    assert fake.world.things[made["latest_invoice"]]["total"] == 3000


@pytest.mark.parametrize(
    "priced",
    [
        {"billing_scheme": "tiered", "unit_amount": None},
        {"recurring": {"interval": "month", "interval_count": 1, "usage_type": "metered"}},
    ],
)
def test_what_has_no_price_beforehand_is_not_sold_by_a_press(
    fake: FakeBiller, biller: Biller, priced: dict[str, Any]
) -> None:
    _, price, sub = leave(fake)
    fake.world.things[price].update(priced)
    found = biller.look(sub)
    assert found is not None
    assert found.now is None


def test_one_that_stripe_paused_goes_on_once_it_is_paid(fake: FakeBiller, biller: Biller) -> None:
    customer, price, _ = leave(fake)
    world = fake.world
    runs = world.subscribe(customer, price)["id"]
    world.things[runs]["status"] = "paused"
    biller.resume(runs, key="on")
    assert world.things[runs]["status"] == "active"
    world.things[runs]["status"] = "paused"
    world._does = dict.fromkeys(world._does, "declines")
    with pytest.raises(BillerRefusedError, match="until the invoice"):
        biller.resume(runs, key="again")
    told = [s for kind in biller.kinds for s in biller.list_page(kind).statements]
    assert [one.key for one in told if one.table == "pauses"] == [runs]
