from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from rekindle.billing import pull_facts
from rekindle.errors import BillerError
from rekindle.runtime import Workspace
from rekindle.testing.biller import FakeBiller

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


def test_what_the_biller_has_becomes_facts(fake: FakeBiller, space: Workspace) -> None:
    sub, *_ = people(fake, 3)
    fake.world.end(sub, "payment_failed")
    counts = pull(space)
    assert (counts["subscriptions"], counts["customers"], counts["cancellations"]) == (3, 3, 1)
    ended = {one["subscription_id"]: one["end_reason"] for one in rows(space, "subscriptions")}
    assert ended[sub] == "payment_failed"


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
    assert len(fake.asked) == 10
    assert len({one["subscription_id"] for one in rows(space, "subscriptions")}) == 105


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
