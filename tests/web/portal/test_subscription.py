"""One click back, another card, and every way in which a link finds nothing to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest

from rekindle.billing import BilledStanding, Biller, Instruction, carry_out, find_billers
from rekindle.clock import MovableClock
from rekindle.config import BillingSettings
from rekindle.consent import LinkPurpose, PersonLink, hide_permissions, sign_link
from rekindle.testing.biller import FakeBiller, running_biller
from rekindle.web.access import declared_access
from rekindle.web.portal.app import build_app
from rekindle.web.portal.subscription import SubscriptionPages
from rekindle.web.portal.subscription.telling import KeptThings
from rekindle.worker import Carried
from tests.web.portal.visitor import Answer, FakeOptOuts, Visitor

SECRET = b"a secret of the tests"
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
PLAYLISTS = KeptThings(("Your playlists",), date(2026, 4, 30), "kept")


@dataclass
class FakeSubscribers:
    clock: MovableClock
    forgotten: set[str] = field(default_factory=set)
    back: list[tuple[str, str, str]] = field(default_factory=list)
    things: KeptThings | None = PLAYLISTS
    biller: Biller | None = None
    called_off: list[str] = field(default_factory=list)

    def tell(
        self,
        person: str,
        told: Instruction,
        standing: BilledStanding | None,
        *,
        looked_at: datetime,
        evidence: str,
    ) -> Carried:
        assert self.biller is not None
        carry_out(self.biller, told, key=f"{told.subscription}:1")
        return Carried.DONE

    def call_off(self, subscription: str) -> None:
        self.called_off.append(subscription)

    def came_back(self, person: str, instead_of: str, subscription: str) -> None:
        self.back.append((person, instead_of, subscription))

    def now(self) -> datetime:
        return self.clock.now()

    def knows(self, person: str) -> bool:
        return person not in self.forgotten

    def country_of(self, person: str) -> str | None:
        return None

    def kept(self, person: str) -> KeptThings | None:
        return self.things

    def page(self, name: str, token: str) -> str:
        return f"https://portal.example/{name}/{token}"


@dataclass
class Stage:
    """A biller, the portal before it, and somebody with a subscription."""

    fake: FakeBiller
    visitor: Visitor
    subscribers: FakeSubscribers
    customer: str = ""
    price: str = ""
    sub: str = ""

    def subscribe(self) -> None:
        world = self.fake.world
        self.customer, self.price = world.add_customer()["id"], world.add_plan()["id"]
        world.add_card(self.customer)
        self.sub = world.subscribe(self.customer, self.price)["id"]

    def leave(self, does: str = "pays") -> None:
        self.subscribe()
        self.fake.world.end(self.sub)
        self.fake.world.add_card(self.customer, does)

    def owe(self, does: str = "insufficient_funds") -> None:
        self.subscribe()
        self.fake.world.add_card(self.customer, does)
        self.fake.world.advance(timedelta(days=29))

    def link(self, *, touch: str = "touch", days: int = 30) -> str:
        until = self.fake.world.clock.now() + timedelta(days=days)
        about = PersonLink("ada", until, f"{self.sub} {touch}")
        return f"/s/{sign_link(SECRET, LinkPurpose.SUBSCRIPTION, about)}"

    def press(self, link: str) -> Answer:
        """Open a page and press its button."""
        page = self.visitor.ask("GET", link).body
        fields = re.findall(r'name="(do|price)" value="([^"]*)"', page)
        return self.post(link, "&".join(f"{name}={value}" for name, value in fields))

    def post(self, link: str, body: str) -> Answer:
        return self.visitor.ask("POST", link, body.encode())

    @property
    def running(self) -> list[str]:
        things = self.fake.world.things.values()
        subs = [one for one in things if one["object"] == "subscription"]
        return [one["id"] for one in subs if one["status"] != "canceled"]


@pytest.fixture
def stage() -> Iterator[Stage]:
    clock = MovableClock(NOW)
    with running_biller(clock) as fake:
        subscribers = FakeSubscribers(clock)
        secrets = {
            "REKINDLE_STRIPE_KEY": "sk_test_fake",
            "REKINDLE_STRIPE_WEBHOOK_SECRET": "whsec_test",
        }
        settings = BillingSettings(provider="stripe", url=fake.url)
        biller: Biller = find_billers()["stripe"].build(settings, secrets)
        subscribers.biller = biller
        opt_outs = FakeOptOuts()
        pages = SubscriptionPages(biller, subscribers, SECRET, opt_outs.shop_name)
        app = build_app(opt_outs, SECRET).also(pages.routes())
        yield Stage(fake, Visitor(app), subscribers)


def test_every_page_says_who_may_see_it(stage: Stage) -> None:
    routes = stage.visitor.app._routes.urlpatterns
    names = {str(route.pattern): declared_access(route.callback) for route in routes}
    assert names["s/<str:token>"] is not None
    assert names["card/<str:token>"] is not None


def test_no_link_is_written_to_a_log(stage: Stage) -> None:
    routes = [str(route.pattern) for route in stage.visitor.app._routes.urlpatterns]
    keys = [route.replace("<str:token>", "WyJhZGEi.x-Y_z") for route in routes if "token" in route]
    assert len(keys) >= 5
    assert [key for key in keys if "WyJhZGEi" in hide_permissions(f"Not Found: /{key}")] == []


def test_one_press_brings_back_at_the_price_that_is_shown(stage: Stage) -> None:
    stage.leave()
    page = stage.visitor.ask("GET", stage.link()).body
    for said in ("Welcome back", "Gold, $10.00 a month", "Visa ending in 4242", "Your playlists"):
        assert said in page
    assert "You are back." in stage.press(stage.link()).body
    assert len(stage.running) == 1
    assert len(stage.subscribers.back) == 1
    # Where the same subscription runs again, a cancellation that waits would end it.
    assert stage.subscribers.called_off == [stage.sub]


def test_nothing_of_the_person_is_on_the_page(stage: Stage) -> None:
    stage.leave()
    page = stage.visitor.ask("GET", stage.link()).body
    assert [word for word in ("Ada", "ada", "example.com", stage.customer) if word in page] == []


def test_a_scanner_that_opens_everything_changes_nothing(stage: Stage) -> None:
    stage.leave()
    link, asked = stage.link(), len(stage.fake.asked)
    for method in ("GET", "HEAD", "GET"):
        assert stage.visitor.ask(method, link).status == 200
    assert {method for method, _, _ in stage.fake.asked[asked:]} == {"GET"}
    assert stage.running == []


@pytest.mark.parametrize("second", ["touch", "another"])
def test_pressed_twice_makes_one_subscription(stage: Stage, second: str) -> None:
    stage.leave()
    body = f"do=back&price={stage.price}"
    assert "You are back." in stage.post(stage.link(), body).body
    assert "is running" in stage.post(stage.link(touch=second), body).body
    assert len(stage.running) == 1
    assert "is running" in stage.visitor.ask("GET", stage.link()).body


def test_a_link_that_ran_out_or_was_altered_does_nothing(stage: Stage) -> None:
    stage.leave()
    late, altered = stage.link(days=-1), stage.link()[:-3] + "AAA"
    assert stage.press(late).status == 410
    assert stage.press(altered).status == 404
    other = stage.link().replace("/s/", "/card/")  # a link for one purpose is none for another
    assert stage.visitor.ask("GET", other).status == 404
    assert stage.running == []


def test_who_was_forgotten_or_deleted_is_gone(stage: Stage) -> None:
    stage.leave()
    stage.subscribers.forgotten.add("ada")
    assert stage.post(stage.link(), f"do=back&price={stage.price}").status == 410
    stage.subscribers.forgotten.clear()
    stage.fake.world.things[stage.customer]["deleted"] = True
    assert stage.visitor.ask("GET", stage.link()).status == 410
    assert stage.running == []


def test_a_plan_that_is_gone_is_said(stage: Stage) -> None:
    stage.leave()
    things = stage.fake.world.things
    things[things[stage.price]["product"]]["active"] = False
    assert "sold no more" in stage.visitor.ask("GET", stage.link()).body
    stage.post(stage.link(), f"do=back&price={stage.price}")
    assert stage.running == []


def test_a_price_that_changes_behind_the_page_is_shown_before_it_is_taken(stage: Stage) -> None:
    stage.leave()
    world = stage.fake.world
    product = world.things[world.things[stage.price]["product"]]
    product["default_price"] = world.add_price(product["id"], amount=1200)["id"]
    world.things[stage.price]["active"] = False
    answer = stage.post(stage.link(), f"do=back&price={stage.price}")
    assert "The price has changed" in answer.body
    assert "It was $10.00 when you left." in answer.body
    assert stage.running == []
    assert "You are back." in stage.press(stage.link()).body


def test_what_runs_is_said_to_run(stage: Stage) -> None:
    stage.subscribe()
    assert "is running" in stage.visitor.ask("GET", stage.link()).body
    stage.post(stage.link(), f"do=back&price={stage.price}")
    assert stage.running == [stage.sub]


@pytest.mark.parametrize(
    ("does", "why"),
    [
        ("authentication_required", "Your bank wants to be sure"),
        ("insufficient_funds", "not enough money"),
        ("lost_card", "The bank did not accept"),
    ],
)
def test_a_card_that_fails_leads_to_the_page_of_the_provider(
    stage: Stage, does: str, why: str
) -> None:
    stage.leave(does)
    body = stage.press(stage.link()).body
    assert why in body
    assert 'href="https://invoice.example/' in body


def test_a_new_card_is_taken_for_the_subscription_and_pays_what_is_open(stage: Stage) -> None:
    stage.owe()
    page = stage.visitor.ask("GET", stage.link()).body
    assert "There was not enough money on the card. $10.00 for Gold is still to be paid." in page
    answer = stage.press(stage.link())
    assert answer.headers["Refresh"].startswith("0; url=https://billing.example/")
    world = stage.fake.world
    session = next(
        one for one in world.things.values() if one["object"] == "billing_portal.session"
    )
    back = session["return_url"].removeprefix("https://portal.example")
    card = world.add_card(stage.customer)["id"]
    assert "Thank you, it is paid." in stage.visitor.ask("GET", back).body
    sub = world.things[stage.sub]
    assert (sub["status"], sub["default_payment_method"]) == ("active", card)
    paid = len(world.attempts)
    stage.visitor.ask("GET", back)
    assert len(world.attempts) == paid


def test_who_comes_back_without_another_card_is_charged_nothing(stage: Stage) -> None:
    stage.owe()
    stage.press(stage.link())
    world = stage.fake.world
    session = next(
        one for one in world.things.values() if one["object"] == "billing_portal.session"
    )
    tried = len(world.attempts)
    back = session["return_url"].removeprefix("https://portal.example")
    assert "nothing was charged" in stage.visitor.ask("GET", back).body
    assert len(world.attempts) == tried
    stage.fake.world.clock.move(timedelta(hours=2))
    assert stage.visitor.ask("GET", back).status == 410


def test_a_pause_ends_by_a_press(stage: Stage) -> None:
    stage.subscribe()
    stage.fake.world.update_subscription(
        stage.sub, {"pause_collection": {"behavior": "void", "resumes_at": "1790000000"}}
    )
    assert "is paused" in stage.visitor.ask("GET", stage.link()).body
    assert "is running" in stage.press(stage.link()).body
    assert stage.fake.world.things[stage.sub]["pause_collection"] is None


def test_a_press_does_what_its_button_said_and_nothing_else(stage: Stage) -> None:
    stage.owe()
    stage.post(stage.link(), f"do=back&price={stage.price}")
    stage.post(stage.link(), "do=resume")
    assert stage.running == [stage.sub]
    assert stage.fake.world.things[stage.sub]["status"] == "past_due"


def test_a_biller_that_is_away_is_said_and_nothing_is_lost(stage: Stage) -> None:
    stage.leave()
    stage.fake.breaks_after = 0
    answer = stage.visitor.ask("GET", stage.link())
    assert (answer.status, answer.headers["Retry-After"]) == (503, "60")
    stage.fake.breaks_after = None
    assert "You are back." in stage.press(stage.link()).body


def test_names_from_outside_are_text(stage: Stage) -> None:
    stage.leave()
    things = stage.fake.world.things
    things[things[stage.price]["product"]]["name"] = "<b>Gold</b> \u202e"
    page = stage.visitor.ask("GET", stage.link()).body
    assert "<b>" not in page
    assert "&lt;b&gt;Gold" in page


@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
def test_the_page_says_what_is_kept_and_whether_it_may_be_gone(stage: Stage, language: str) -> None:
    stage.leave()
    told = set()
    for state in ("kept", "over", "deleted"):
        stage.subscribers.things = KeptThings(("<b>Tunes</b>",), date(2026, 4, 30), state)
        page = stage.visitor.ask("GET", stage.link(), b"", HTTP_ACCEPT_LANGUAGE=language).body
        assert "&lt;b&gt;Tunes&lt;/b&gt;" in page
        assert "2026" in page
        told.add(page)
    stage.subscribers.things = None
    told.add(stage.visitor.ask("GET", stage.link(), b"", HTTP_ACCEPT_LANGUAGE=language).body)
    assert len(told) == 4
