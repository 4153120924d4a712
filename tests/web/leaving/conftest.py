"""Somebody with a subscription, a biller, either ledger, and the page that cancels."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from rekindle.consent import LinkPurpose, PersonLink, sign_link
from rekindle.journeys import Person
from rekindle.ledger import InstructionEntry, Instructions
from rekindle.runtime import Workspace
from rekindle.testing.biller import FakeBiller
from rekindle.web.portal.app import build_app
from rekindle.web.portal.subscription.serving import build_subscription_routes
from rekindle.worker.keeping.instructing import InstructionKeeper
from tests.ledger.conftest import postgres, postgres_ledger, sqlite_template  # noqa: F401 - fixtures
from tests.web.api.billers.conftest import fake, post, receiver, space  # noqa: F401 - fixtures
from tests.web.portal.visitor import Answer, FakeOptOuts, Visitor

LEAVING = """[subscriptions.leaving]
discount = "{coupon}"
offer = "20 % off the next payment"
plans = ["{small}", "{large}", "price_gone"]
help_url = "https://shop.example/help"
frames = ["https://app.example"]
"""
BUTTON = r'<button type="submit"[^>]*?(?: name="(\w+)" value="([^"]*)")?>([^<]*)</button>'
FORM = re.compile(r"<form.*?</form>", re.DOTALL)
FIELD = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')


@dataclass
class Leaver:
    """Somebody about to leave, and all around them."""

    fake: FakeBiller
    space: Workspace
    names: dict[str, str] = field(default_factory=dict)
    person: str = "u1"

    def __post_init__(self) -> None:
        world = self.fake.world
        self.customer = world.add_customer(user_id=self.person)["id"]
        self.price = world.add_plan("Gold", amount=1000)["id"]
        product = world.things[self.price]["product"]
        self.small = world.add_price(product, amount=500)["id"]
        self.large = world.add_price(product, amount=3000)["id"]
        self.coupon = world.add_coupon()["id"]
        world.add_card(self.customer)
        self.sub = str(world.subscribe(self.customer, self.price)["id"])
        path = self.space.directory / "rekindle.toml"
        more = LEAVING.format(coupon=self.coupon, small=self.small, large=self.large)
        path.write_text(path.read_text() + more)
        self.space = Workspace.open(self.space.directory, clock=self.space.clock)
        self.space.book.save_people([Person(self.person, "ada@example.com")])
        opt_outs = FakeOptOuts()
        routes = build_subscription_routes(self.space, opt_outs.shop_name)
        self.visitor = Visitor(build_app(opt_outs, self.space.secret).also(routes))

    @property
    def standing(self) -> dict[str, object]:
        found = self.fake.world.things[self.sub]
        return {name: found[name] for name in ("status", "cancel_at_period_end", "discounts")} | {
            "paused": bool(found["pause_collection"]),
            "price": found["items"]["data"][0]["price"],
        }

    @property
    def rows(self) -> list[InstructionEntry]:
        return list(Instructions(self.space.ledger, "stripe").of_person(self.person))

    @property
    def changes(self) -> int:
        """Return how often the biller was asked to change the subscription."""
        path = f"/v1/subscriptions/{self.sub}"
        return sum(asked[:2] == ("POST", path) for asked in self.fake.asked)

    def link(self, *, days: float = 1, sub: str = "") -> str:
        until = self.space.clock.now() + timedelta(days=days)
        about = PersonLink(self.person, until, f"{sub or self.sub} touch")
        return f"/leave/{sign_link(self.space.secret, LinkPurpose.LEAVE, about)}"

    def go_on(self) -> Answer:
        """End a pause from the page that a message leads to."""
        until = self.space.clock.now() + timedelta(days=1)
        link = PersonLink(self.person, until, f"{self.sub} touch")
        path = f"/s/{sign_link(self.space.secret, LinkPurpose.SUBSCRIPTION, link)}"
        return self.visitor.ask("POST", path, b"do=resume")

    def get(self, **more: str) -> Answer:
        return self.visitor.ask("GET", self.link(), b"", **more)

    def post(self, do: str, link: str = "", **fields: str) -> Answer:
        body = urlencode({"do": do, **fields}).encode()
        return self.visitor.ask("POST", link or self.link(), body)

    def press(self, page: Answer, button: str) -> Answer:
        """Press a button of a page by its words, as a browser does."""
        for form in FORM.findall(page.body):
            told = [
                (name, html.unescape(value))
                for name, value, words in re.findall(BUTTON, form)
                if html.unescape(words).startswith(button)
            ]
            if told:
                fields = [(name, html.unescape(value)) for name, value in FIELD.findall(form)]
                fields += [one for one in told if one[0]]
                return self.visitor.ask("POST", self.link(), urlencode(fields).encode())
        raise AssertionError(f"no button {button!r} in {page.body}")

    def pass_over(self) -> int:
        """Let the worker look after what waits."""
        self.fake.world.clock.move(timedelta(minutes=6))
        return InstructionKeeper(self.space).look()


@pytest.fixture
def leaver(fake: FakeBiller, space: Workspace) -> Leaver:  # noqa: F811 - the fixtures above
    return Leaver(fake, space)


Away = Callable[[], None]


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch, fake: FakeBiller) -> Away:  # noqa: F811
    """Return what lets the biller answer nobody, at once."""
    monkeypatch.setattr("stripe._http_client.HTTPClient._sleep_time_seconds", lambda *_: 0)

    def go() -> None:
        fake.breaks_after = 0

    return go
