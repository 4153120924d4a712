from __future__ import annotations

from datetime import timedelta

import pytest

from rekindle.billing import Biller, ChargeOutcome, SubscriptionState
from rekindle.errors import BillerError
from rekindle.testing.biller import FakeBiller

MONTH = timedelta(days=31)


def owe(fake: FakeBiller, does: str) -> tuple[str, str, str]:
    """Let a renewal fail; return customer, subscription and open invoice."""
    world = fake.world
    customer, price = world.add_customer()["id"], world.add_plan()["id"]
    card = world.add_card(customer)["id"]
    sub = world.subscribe(customer, price, default_payment_method=card)
    world._does[card] = does
    world.advance(timedelta(days=29))
    return customer, sub["id"], sub["latest_invoice"]


def test_a_declined_charge_says_why_and_what_is_advised(fake: FakeBiller, biller: Biller) -> None:
    _, sub, invoice = owe(fake, "insufficient_funds:try_again_later")
    charge = biller.charge(invoice, key="one")
    assert (charge.outcome, charge.decline_code, charge.advice_code) == (
        ChargeOutcome.DECLINED,
        "insufficient_funds",
        "try_again_later",
    )
    found = biller.look(sub)
    assert found is not None
    assert found.open_invoice is not None
    assert (found.state, found.open_invoice.id, found.open_invoice.decline_code) == (
        SubscriptionState.OWING,
        invoice,
        "insufficient_funds",
    )


def test_one_key_is_charged_once(fake: FakeBiller, biller: Biller) -> None:
    _, _, invoice = owe(fake, "insufficient_funds")
    before = len(fake.world.attempts)
    assert biller.charge(invoice, key="one") == biller.charge(invoice, key="one")
    assert len(fake.world.attempts) == before + 1
    biller.charge(invoice, key="two")
    assert len(fake.world.attempts) == before + 2


def test_a_paid_invoice_is_closed(fake: FakeBiller, biller: Biller) -> None:
    _, sub, invoice = owe(fake, "insufficient_funds")
    fake.world._does = dict.fromkeys(fake.world._does, "pays")
    assert biller.charge(invoice, key="one").outcome is ChargeOutcome.PAID
    assert biller.charge(invoice, key="two").outcome is ChargeOutcome.CLOSED
    assert fake.world.things[sub]["status"] == "active"


def test_nobody_answered_is_told_apart_from_a_refusal(fake: FakeBiller, biller: Biller) -> None:
    _, _, invoice = owe(fake, "insufficient_funds")
    fake.breaks_after = 0
    with pytest.raises(BillerError):
        biller.charge(invoice, key="one")


def test_a_new_card_is_set_on_the_subscription_and_pays(fake: FakeBiller, biller: Biller) -> None:
    customer, sub, invoice = owe(fake, "expired_card")
    assert biller.card_page(sub, return_url="https://p.example/s/x").startswith("https://billing.")
    card = fake.world.add_card(customer)["id"]  # as the provider's page does: the customer's
    charge = biller.adopt_card(sub, instead_of="pm_old", key="touch")
    assert charge is not None
    assert charge.outcome is ChargeOutcome.PAID
    things = fake.world.things
    assert things[sub]["default_payment_method"] == card
    assert (things[invoice]["status"], things[sub]["status"]) == ("paid", "active")
    assert biller.adopt_card(sub, instead_of="pm_old", key="touch") is None


def test_a_pause_charges_nothing_and_ends_by_itself(fake: FakeBiller, biller: Biller) -> None:
    world = fake.world
    customer, price = world.add_customer()["id"], world.add_plan()["id"]
    world.add_card(customer)
    sub = world.subscribe(customer, price)["id"]
    biller.pause(sub, world.clock.now() + 2 * MONTH, key="p")
    paid = len(world.attempts)
    world.advance(timedelta(days=60))
    assert (len(world.attempts), biller.look(sub).state) == (  # type: ignore[union-attr]
        paid,
        SubscriptionState.PAUSED,
    )
    world.advance(timedelta(days=40))
    assert len(world.attempts) > paid
    assert biller.look(sub).state is SubscriptionState.ACTIVE  # type: ignore[union-attr]


def test_a_cancelled_subscription_runs_to_its_end_and_is_charged_no_more(
    fake: FakeBiller, biller: Biller
) -> None:
    world = fake.world
    customer, price = world.add_customer()["id"], world.add_plan()["id"]
    world.add_card(customer)
    sub = world.subscribe(customer, price)["id"]
    biller.cancel(sub, key="c", reason="too_expensive", words="Too much.")
    assert biller.look(sub).state is SubscriptionState.ACTIVE  # type: ignore[union-attr]
    world.advance(3 * MONTH)
    assert (world.things[sub]["status"], len(world.attempts)) == ("canceled", 1)
    assert world.things[sub]["cancellation_details"]["feedback"] == "too_expensive"
