from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from rekindle.billing import Biller, Notice, pull_facts, take_notices, write_fact
from rekindle.errors import BillerError
from rekindle.profiles import build_profiles
from rekindle.runtime import Workspace
from rekindle.testing.biller import FakeBiller, sign_notice

SETTINGS = """[workspace]
currency = "USD"
[billing]
provider = "stripe"
url = "{url}"
"""


@pytest.fixture
def space(fake: FakeBiller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("REKINDLE_STRIPE_KEY", "sk_test_fake")
    monkeypatch.setenv("REKINDLE_STRIPE_WEBHOOK_SECRET", "whsec_test")
    (tmp_path / "rekindle.toml").write_text(SETTINGS.format(url=fake.url))
    return Workspace.open(tmp_path, clock=fake.world.clock)


def pull(space: Workspace) -> dict[str, int]:
    found = pull_facts(
        space.config.billing,
        space.directory,
        now=space.clock.now(),
        bring=space.import_from,
    )
    assert [one.reasons for one in found if one.reasons] == []
    return {one.table: one.read for one in found}


def rows(space: Workspace, table: str) -> list[dict[str, Any]]:
    engine, facts = space.reading
    found: list[dict[str, Any]] = engine.run(facts.more[table]).to_pylist()
    return found


def people(fake: FakeBiller, count: int, *, amount: int = 1000) -> list[str]:
    world, price = fake.world, fake.world.add_plan(amount=amount)["id"]
    subs = []
    for number in range(count):
        customer = world.add_customer(f"c{number}@example.com")["id"]
        world.add_card(customer)
        subs.append(str(world.subscribe(customer, price)["id"]))
    return subs


@pytest.mark.long
def test_what_the_biller_has_becomes_facts(fake: FakeBiller, space: Workspace) -> None:
    sub, *_ = people(fake, 3)
    fake.world.end(sub, "payment_failed")
    counts = pull(space)
    assert (counts["subscriptions"], counts["customers"], counts["cancellations"]) == (3, 3, 1)
    ended = {one["subscription_id"]: one["end_reason"] for one in rows(space, "subscriptions")}
    assert ended[sub] == "payment_failed"


def test_an_account_that_is_empty_has_nothing_and_that_is_no_error(
    fake: FakeBiller, space: Workspace
) -> None:
    assert pull(space) == {}
    people(fake, 1)
    assert pull(space)["subscriptions"] == 1


@pytest.mark.long
@pytest.mark.draws(1)
@pytest.mark.parametrize("answers", [1, 5])
def test_a_listing_that_broke_off_goes_on_where_it_was(
    fake: FakeBiller, space: Workspace, answers: int
) -> None:
    people(fake, 105)
    fake.breaks_after = answers
    with pytest.raises(BillerError):
        pull(space)
    asked = len(fake.asked)
    marked = space.directory / "state/billing/stripe/customers.jsonl"
    with marked.open("a") as file:
        file.write('{"half a line')  # what a killed process left behind
    fake.breaks_after = None
    assert pull(space)["subscriptions"] == 105
    # Five kinds of two pages: none is asked for a second time.
    assert asked == answers
    assert len([path for _, path, wanted in fake.asked if "limit" in wanted]) == 10
    assert {path for _, path, _ in fake.asked if "/products/" in path} == {
        "/v1/products/prod_000001"
    }
    assert len({one["subscription_id"] for one in rows(space, "subscriptions")}) == 105


@pytest.mark.long
def test_a_price_that_changed_between_two_listings_is_a_change(
    fake: FakeBiller, space: Workspace
) -> None:
    sub, other = people(fake, 2)
    pull(space)
    world = fake.world
    item = world.things[sub]["items"]["data"][0]
    product = world.things[item["price"]]["product"]
    item["price"] = world.add_price(product, amount=2500)["id"]
    world.advance(timedelta(days=2))
    pull(space)
    pull(space)
    changes = rows(space, "subscription_changes")
    assert [(one["subscription_id"], str(one["amount"])) for one in changes] == [(sub, "25.0000")]
    began = {one["subscription_id"]: str(one["amount"]) for one in rows(space, "subscriptions")}
    assert began == {sub: "10.0000", other: "10.0000"}


@pytest.mark.long
def test_a_pause_is_of_the_listing_that_saw_it_first(fake: FakeBiller, space: Workspace) -> None:
    (sub,) = people(fake, 1)
    resumes = int((fake.world.clock.now() + timedelta(days=60)).timestamp())
    paused = {"pause_collection": {"behavior": "void", "resumes_at": resumes}}
    fake.world.update_subscription(sub, paused)
    first = space.clock.now()
    pull(space)
    fake.world.clock.move(timedelta(days=2))
    pull(space)
    fake.world.clock.move(timedelta(days=2))
    fake.world.update_subscription(sub, {"pause_collection": ""})
    pull(space)
    found = [(one["paused_at"], one["resumed_at"]) for one in rows(space, "pauses")]
    assert found == [(first, first + timedelta(days=4))]


def hear(fake: FakeBiller, space: Workspace, biller: Biller) -> Notice | None:
    """Import what the newest notice says."""
    now = fake.world.clock.now()
    notice = biller.read_notice(*sign_notice("whsec_test", fake.world.events[-1], now), now)
    if notice is not None:
        lines = [json.loads(write_fact(one, notice.at)) for one in notice.statements]
        take_notices(space.config.billing, space.directory, lines, bring=space.import_from)
    return notice


def good_until(space: Workspace) -> dict[str, date]:
    engine, facts = space.reading
    columns = ("customer_id", "card_expires_on")
    soon = space.clock.now() + timedelta(seconds=1)
    profiles = build_profiles(facts, soon, space.config.lifecycle, columns=columns)
    return {one["customer_id"]: one["card_expires_on"] for one in engine.run(profiles).to_pylist()}


@pytest.mark.long
def test_until_when_a_card_is_good_is_known_from_the_biller_alone(
    fake: FakeBiller, space: Workspace
) -> None:
    world = fake.world
    (sub,) = people(fake, 1)
    customer = world.things[sub]["customer"]
    pull(space)
    assert good_until(space) == {customer: date(2030, 12, 31)}
    world.advance(timedelta(days=2))
    # The subscription's own is what would be charged, and no card of the customer's any more.
    own = world.add_card(customer)["id"]
    world.things[own]["card"]["exp_year"] = 2027
    world.update_subscription(sub, {"default_payment_method": own})
    world.things[customer]["invoice_settings"]["default_payment_method"] = None
    pull(space)
    assert good_until(space) == {customer: date(2027, 12, 31)}
    text = json.dumps(rows(space, "payment_methods"), default=str)
    assert ("4242" in text, "424242" in text) == (True, False)


@pytest.mark.long
def test_a_card_that_the_bank_renewed_is_good_until_then_and_was_not_before(
    fake: FakeBiller, space: Workspace
) -> None:
    (sub,) = people(fake, 1)
    customer = fake.world.things[sub]["customer"]
    card = fake.world.things[customer]["invoice_settings"]["default_payment_method"]
    began = space.clock.now()
    pull(space)
    fake.world.advance(timedelta(days=2))
    fake.world.renew_card(card, year=2034)
    pull(space)
    pull(space)
    found = [(one["since"], one["expiry_year"]) for one in rows(space, "payment_methods")]
    assert sorted(found) == [(began, 2030), (began + timedelta(days=2), 2034)]
    assert good_until(space) == {customer: date(2034, 12, 31)}


@pytest.mark.long
def test_a_card_that_was_taken_off_is_told_by_its_notice(
    fake: FakeBiller, space: Workspace, biller: Biller
) -> None:
    (sub,) = people(fake, 1)
    world = fake.world
    customer = world.things[sub]["customer"]
    card = world.things[customer]["invoice_settings"]["default_payment_method"]
    pull(space)
    world.advance(timedelta(days=2))
    world.remove_card(card)
    notice = hear(fake, space, biller)
    assert notice is not None
    assert (notice.customer, notice.thing) == (customer, card)
    world.advance(timedelta(days=1))
    pull(space)
    assert good_until(space) == {customer: None}
    assert len(rows(space, "payment_methods")) == 1


@pytest.mark.long
@pytest.mark.draws(1)
@pytest.mark.parametrize("old", [{"subscriptions": [], "pauses": [], "prices": []}, [], "{half"])
def test_what_an_older_version_remembered_is_begun_anew_with_a_sentence(
    fake: FakeBiller, space: Workspace, old: object, caplog: pytest.LogCaptureFixture
) -> None:
    people(fake, 2)
    pull(space)
    folder = space.directory / "state/billing/stripe"
    text = old if isinstance(old, str) else json.dumps(old)
    (folder / "kept.json").write_text(text)
    # A listing that was under way: its lines do not say when they were seen.
    (folder / "customers.jsonl").write_text('{"table": "customers", "key": "c", "row": {}}\n')
    done = {"cursor": "", "length": 44, "count": 1, "is_done": True}
    (folder / "customers.mark").write_text(json.dumps(done) if old else "{half")
    assert pull(space)["customers"] == 2
    said = "\n".join(record.getMessage() for record in caplog.records)
    assert "kept.json is of another form, and is begun anew" in said
    assert "customers are listed from the beginning" in said
    caplog.clear()
    assert pull(space)["subscriptions"] == 2
    assert not [one for one in caplog.records if "form" in one.getMessage()]
