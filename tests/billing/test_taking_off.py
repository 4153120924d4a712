"""What a biller takes off goes from its API, over HTTP, into the movements of MRR."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from rekindle.billing import pull_facts, take_notices, write_fact
from rekindle.runtime import Workspace
from rekindle.subscriptions import OURS, build_movements, find_definition
from rekindle.testing.biller import BillerWorld, FakeBiller
from rekindle.testing.biller.contract import notices_of
from tests.billing.conftest import CHARGEBEE, NOW
from tests.billing.stages import ChargebeeStage, StripeStage
from tests.billing.test_beginning import SECRETS
from tests.cli.commands import rekindle

DAY = timedelta(days=1)
SETTINGS = """[workspace]
currency = "USD"
[billing]
provider = "{provider}"
url = "{url}"
customer_key = "user_id"
"""
Moves = list[tuple[int, str, str]]


@dataclass
class Club:
    """A business on one biller, whose facts come by listings, or by notices alone."""

    stage: StripeStage | ChargebeeStage
    space: Workspace
    by_notices: bool = False
    _told: int = field(default=0)

    @property
    def world(self) -> BillerWorld:
        return self.stage.world

    def know(self) -> None:
        """Bring in what the biller says."""
        settings, bring = self.space.config.billing, self.space.import_from
        base, now = self.space.directory, self.space.clock.now()
        if not self.by_notices:
            pull_facts(settings, base, now=now, bring=bring)
            return
        fresh = notices_of(self.stage)[self._told :]
        self._told += len(fresh)
        lines = [
            json.loads(write_fact(one, notice.at)) for notice in fresh for one in notice.statements
        ]
        take_notices(settings, base, lines, bring=bring)

    def pass_days(self, days: int) -> None:
        self.stage.advance(days * DAY)
        self.know()

    def moves(self, definition: str = OURS.name) -> Moves:
        """Return what moved MRR: the day since the beginning, the word and the amount."""
        engine, facts = self.space.reading
        soon = self.space.clock.now() + DAY
        found = engine.run(build_movements(facts, soon, find_definition(definition))).to_pylist()
        return sorted(
            ((one["on"] - NOW.date()).days, str(one["movement"]), f"{one['amount']:.2f}")
            for one in found
        )

    def names(self) -> set[str]:
        engine, facts = self.space.reading
        tables = [facts.more[name] for name in ("subscriptions", "subscription_changes")]
        return {one["plan"] for table in tables for one in engine.run(table).to_pylist()}


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**SECRETS, **CHARGEBEE}.items():
        monkeypatch.setenv(name, value)


def open_club(stage: StripeStage | ChargebeeStage, folder: Path) -> Club:
    text = SETTINGS.format(provider=stage.folder.name, url=stage.fake.url)
    (folder / "rekindle.toml").write_text(text)
    return Club(stage, Workspace.open(folder, clock=stage.clock))


@pytest.fixture
def stripe(fake: FakeBiller, biller: Any, tmp_path: Path, keys: None) -> Club:
    return open_club(StripeStage(fake.world, fake, biller, "stripe"), tmp_path)


@pytest.fixture(params=["stripe", "chargebee"])
def club(request: pytest.FixtureRequest, tmp_path: Path, keys: None) -> Iterator[Club]:
    if request.param == "stripe":
        yield request.getfixturevalue("stripe")
        return
    yield open_club(request.getfixturevalue("chargebee"), tmp_path)


def subscribed(club: Club) -> str:
    return club.stage.subscribe(club.stage.add_person())


@pytest.mark.long
@pytest.mark.draws(1)
@pytest.mark.parametrize("by_notices", [True, False])
def test_a_coupon_is_a_contraction_as_it_begins_and_an_expansion_as_it_ends(
    club: Club, by_notices: bool
) -> None:
    club.by_notices = by_notices
    sub = subscribed(club)
    club.know()
    club.stage.advance(20 * DAY)
    club.world.take_off(sub, club.world.add_coupon(25, months=2)["id"])
    club.know()
    began = [(0, "new", "10.00"), (20, "contraction", "-2.50")]
    assert club.moves() == began
    club.pass_days(30)
    assert club.moves() == began
    ends = (20 + 59, "expansion", "2.50")  # 20 February and two months
    club.pass_days(35)
    assert club.moves() == [*began, ends]
    club.pass_days(20)
    assert club.moves() == [*began, ends]
    assert not club.world.things[sub]["discounts"]


@pytest.mark.long
def test_one_that_was_called_off_ends_when_that_was_seen(club: Club) -> None:
    sub = subscribed(club)
    given = club.world.take_off(sub, club.world.add_coupon(amount=300, months=6)["id"])
    club.know()
    club.stage.advance(40 * DAY)
    club.world.call_off(sub, given["id"])
    club.know()
    club.pass_days(200)
    assert club.moves() == [(0, "new", "7.00"), (40, "expansion", "3.00")]


@pytest.mark.long
def test_what_is_taken_off_once_lowers_an_invoice_and_not_what_recurs(club: Club) -> None:
    sub = subscribed(club)
    club.pass_days(3)
    club.world.take_off(sub, club.world.add_coupon(50)["id"])
    club.pass_days(70)
    assert club.moves() == [(0, "new", "10.00")]
    invoices = [one for one in club.world.things.values() if one["object"] == "invoice"]
    assert [one["total"] for one in invoices] == [1000, 500, 1000]


@pytest.mark.long
@pytest.mark.draws(2)
@pytest.mark.parametrize("by_notices", [True, False])
def test_a_coupon_keeps_running_and_ends_while_its_subscription_is_paused(
    club: Club, by_notices: bool
) -> None:
    """Notes of providers: who pauses for three months has lost three months of the coupon."""
    club.by_notices = by_notices
    sub = subscribed(club)
    club.world.take_off(sub, club.world.add_coupon(20, months=2)["id"])
    club.know()
    club.stage.advance(5 * DAY)
    club.stage.biller.pause(sub, club.stage.clock.now() + 90 * DAY, key="p")
    club.know()
    for _ in range(13):
        club.pass_days(10)
    # Stripe rests at once, Chargebee as the term is over; the coupon ends on the last of March.
    rests, ends, goes_on = 5 if club.stage.folder.name == "stripe" else 28, 59, 95
    wanted: dict[str, Moves] = {
        "ours": [
            (0, "new", "8.00"),
            (rests, "contraction", "-8.00"),
            (goes_on, "expansion", "10.00"),
        ],
        "chartmogul": [(0, "new", "8.00"), (ends, "expansion", "2.00")],
        "recurly-subscribers": [
            (0, "new", "8.00"),
            (rests, "churn", "-8.00"),
            (goes_on, "reactivation", "10.00"),
        ],
    }
    assert {definition: club.moves(definition) for definition in wanted} == wanted
    invoices = [one for one in club.world.things.values() if one["object"] == "invoice"]
    paid = [one["total"] for one in invoices if one["status"] == "paid"]
    assert (paid[0], paid[-1]) == (1000, 1000)
    assert {one["total"] for one in invoices if one["status"] == "void"} <= {800, 1000}


@pytest.mark.long
@pytest.mark.parametrize("by_notices", [True, False])
def test_a_discount_of_an_item_and_one_of_the_customer_count_as_stripe_counts_them(
    stripe: Club, by_notices: bool
) -> None:
    stripe.by_notices, world = by_notices, stripe.world
    sub = subscribed(stripe)
    customer, item = world.things[sub]["customer"], world.things[sub]["items"]["data"][0]
    stripe.know()
    stripe.stage.advance(5 * DAY)
    item["discounts"] = [world._discount({"coupon": world.add_coupon(amount=200, months=12)["id"]})]
    world.update_subscription(sub, {})
    stripe.know()
    stripe.stage.advance(5 * DAY)
    world.take_off_all(customer, world.add_coupon(50, duration="forever")["id"])
    world.update_subscription(sub, {})
    stripe.know()
    assert stripe.moves() == [
        (0, "new", "10.00"),
        (5, "contraction", "-2.00"),
        (10, "contraction", "-4.00"),
    ]
    # A discount of its own takes the place of its customer's.
    stripe.stage.advance(5 * DAY)
    world.take_off(sub, world.add_coupon(25, duration="forever")["id"])
    stripe.know()
    assert stripe.moves()[3:] == [(15, "expansion", "2.00")]


@pytest.mark.long
@pytest.mark.draws(1)
@pytest.mark.parametrize("by_notices", [True, False])
def test_a_discount_goes_on_when_its_coupon_is_deleted(stripe: Club, by_notices: bool) -> None:
    stripe.by_notices = by_notices
    sub, coupon = subscribed(stripe), stripe.world.add_coupon(20, months=3)["id"]
    stripe.world.take_off(sub, coupon)
    stripe.know()
    stripe.world.delete_coupon(coupon)
    # Another process knows of no coupon yet.
    stripe.stage.biller = stripe.stage.folder.build(stripe.space.config.billing, SECRETS)
    stripe.world.update_subscription(sub, {})
    stripe.pass_days(20)
    assert stripe.moves() == [(0, "new", "8.00")]
    stripe.pass_days(80)
    assert stripe.moves()[1:] == [(89, "expansion", "2.00")]


@pytest.mark.long
@pytest.mark.parametrize("give", [True, False])
def test_a_coupon_and_a_product_are_asked_for_once(club: Club, give: bool) -> None:
    coupon = club.world.add_coupon(20, months=3)["id"]
    for number in range(5):
        sub = club.stage.subscribe(club.stage.add_person(f"u{number}"))
        if give:
            club.world.take_off(sub, coupon)
    before = len(club.stage.fake.asked)
    club.know()
    asked = [path for _, path, _ in club.stage.fake.asked[before:]]
    assert len([one for one in asked if "/coupons/" in one]) == (1 if give else 0)
    products = 1 if club.stage.folder.name == "stripe" else 0
    assert len([one for one in asked if "/products/" in one]) == products


@pytest.mark.long
@pytest.mark.parametrize("by_notices", [True, False])
def test_a_plan_is_called_by_its_product_and_a_new_name_is_no_other_plan(
    stripe: Club, by_notices: bool
) -> None:
    stripe.by_notices, world = by_notices, stripe.world
    sub = subscribed(stripe)
    stripe.know()
    assert stripe.names() == {"Gold"}
    stripe.stage.advance(5 * DAY)
    world.take_off(sub, world.add_coupon(20, months=6)["id"])
    stripe.know()
    product = world.things[world.things[sub]["items"]["data"][0]["price"]]["product"]
    world.things[product]["name"] = "Premium"
    world.update_subscription(sub, {})
    stripe.pass_days(3)
    assert stripe.names() == {"Premium"}
    assert stripe.moves() == [(0, "new", "10.00"), (5, "contraction", "-2.00")]


def test_nothing_is_asked_for_deeper_than_stripe_expands(stripe: Club) -> None:
    sub = subscribed(stripe)
    customer = stripe.world.things[sub]["customer"]
    stripe.know()
    stripe.stage.spoil(customer, "declines")
    stripe.stage.advance(32 * DAY)
    found = stripe.stage.biller.look(sub)
    assert found is not None
    assert found.open_invoice is not None
    assert found.open_invoice.decline_code == "insufficient_funds"
    wanted = [one.get("expand", []) for _, _, one in stripe.stage.fake.asked]
    deepest = max(path.count(".") + 1 for paths in wanted for path in paths)
    assert deepest == 4


@pytest.mark.long
def test_an_audit_says_what_the_coupons_of_a_club_do_to_its_mrr(
    fake: FakeBiller, tmp_path: Path, keys: None
) -> None:
    world = fake.world
    price = world.add_plan()["id"]

    def begin(number: int, **more: Any) -> str:
        customer = world.add_customer(f"u{number}@example.com")["id"]
        world.add_card(customer)
        return str(world.subscribe(customer, price, **more)["id"])

    short, once = world.add_coupon(20, months=3)["id"], world.add_coupon(50)["id"]
    begin(1, discounts=[{"coupon": short}])
    begin(2, discounts=[{"coupon": once}])
    sub = begin(3)
    world.advance(10 * DAY)
    world.take_off(sub, world.add_coupon(amount=400, duration="forever")["id"])
    world.advance(60 * DAY)
    folder = tmp_path / "club"
    made = rekindle("init", folder, "--biller", "stripe", "--biller-url", fake.url)
    assert made.code == 0, made.err
    day = (NOW + 80 * DAY).date().isoformat()
    audit = rekindle("audit", "-C", folder, "--json", "--as-of", day)
    mrr = audit.document["subscriptions"]["mrr"]
    moved = {name: (one["count"], one["amount"]) for name, one in mrr["movements"].items()}
    assert {name: one for name, one in moved.items() if one[0]} == {
        "new": (3, 28),
        "contraction": (1, -4),
    }
    assert mrr["closing"] == 24
