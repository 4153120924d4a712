"""A message shows what waits in a basket, and its page leads there, until it waits no more."""

from __future__ import annotations

import re
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest

from rekindle.desk import erase_person
from rekindle.intake import read_event
from rekindle.ledger import load_codes
from rekindle.runtime import Workspace
from rekindle.web.portal import build_portal
from rekindle.worker import LedgerIntake, Worker, write_letters
from tests.runtime.shops import NOW, Team, add_section, set_key
from tests.trying.test_returning import ENGLISH
from tests.web.portal.visitor import Visitor

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
HOSTILE = "<b>Mug</b>\r\nBcc: eve@example.org {{ email }}{% raw %}" + "x" * 10_000
JOURNEY = """\
journey: waiting
enter: {audience: customer_id like 'c00_'}
goal: {on: order, within: 30 days}
holdout: none
steps:
  - send: {channel: email, template: basket, id: first}
  - wait: 1 day
  - send: {channel: email, template: basket, id: second}
"""
TEMPLATE = """\
---
subject: "Waiting:{% for one in blocks.your_basket limit: 1 %} {{ one.name }}{% endfor %}"
---
<mjml lang="en"><mj-body><mj-section><mj-column>
<mj-text><h1>Hello</h1>{% for one in blocks.your_basket %}<p>{{ one.quantity }} x {{ one.name }}</p>
{% else %}<p>nothing waits</p>{% endfor %}<p>{{ shop.postal_address }}</p>
<a href="{{ unsubscribe_url }}">Unsubscribe</a></mj-text>
<mj-button href="{{ return_url }}">Go on</mj-button>
</mj-column></mj-section></mj-body></mjml>
"""
SHOP = """url = "https://shop.example/"
basket_url = "https://shop.example/cart/{basket}?discount={code}"
"""


@pytest.fixture
def shop(team: Team) -> Team:
    set_key(team.folder, "url", '"https://shop.example/"')
    toml = team.folder / "rekindle.toml"
    text = toml.read_text(encoding="utf-8")
    toml.write_text(text.replace('url = "https://shop.example/"\n', SHOP, 1), encoding="utf-8")
    add_section(team.folder, "[offers]\nmargin = 0.5\n")
    # What is reported after the first pass waits: whoever looks has to ask the ledger, too.
    add_section(team.folder, '[api]\nimport_every = "60 days"\n')
    (team.folder / "templates" / "basket.mjml").write_text(TEMPLATE, encoding="utf-8")
    return furnish(team, JOURNEY)


def furnish(team: Team, journey: str) -> Team:
    (team.folder / "journeys" / "waiting.yaml").write_text(journey, encoding="utf-8")
    team.workspace = Workspace.open(team.folder, clock=team.clock)
    team.worker = Worker(team.workspace)
    return team


def report(shop: Team, event: str, *people: str, **properties: Any) -> None:
    """Let a server report what people did a minute ago."""
    at = (shop.clock.now() - MINUTE).isoformat()
    call = {"type": "track", "event": event, "timestamp": at, "properties": properties}
    events = [read_event({**call, "userId": who}, received_at=shop.clock.now()) for who in people]
    assert not LedgerIntake(shop.workspace).take("web", events, shop.clock.now())


EVERYONE = [f"c00{number}" for number in range(10)]
ITEMS = [
    {"product_id": "A/1 {code}", "name": HOSTILE, "quantity": 2},
    {"product_id": "p2", "name": "Lamp"},
]


@pytest.mark.long
def test_a_message_shows_the_basket_and_its_page_leads_there(shop: Team) -> None:
    report(shop, "Cart Updated", *EVERYONE, products=ITEMS)
    shop.start("waiting")
    shop.tick()
    first, second, third = shop.mails()[:3]
    assert "Bcc" not in first
    assert str(first["Subject"]).startswith("Waiting: <b>Mug</b> Bcc: eve@example.org {{ email }}")
    html = _html(first)
    assert "2 x &lt;b&gt;Mug&lt;/b&gt; Bcc: eve@example.org {{ email }}{% raw %}xxx" in html
    assert "x" * 200 not in html
    assert "1 x Lamp" in html

    portal = Visitor(build_portal(shop.workspace))
    page = portal.ask("GET", _path(first), b"", **ENGLISH)  # whoever it was forwarded to
    assert "In your basket" in page.body
    assert "For you" not in page.body  # what they used to buy stays out of the way
    assert "&lt;b&gt;Mug&lt;/b&gt;" in page.body
    assert _person(first) not in page.body
    answer = portal.ask("POST", _path(first))
    expected = "https://shop.example/cart/A%2F1%20%7Bcode%7D:2,p2:1?discount="
    assert answer.headers["Location"] == expected

    report(shop, "Order Completed", _person(second), order_id="77", revenue=5)
    shop.clock.move(MINUTE)
    back = portal.ask("GET", _path(second), b"", **ENGLISH)
    assert "You have been with us since our message." in back.body
    assert "In your basket" not in back.body
    assert portal.ask("POST", _path(second)).headers["Location"] == "https://shop.example/"

    report(shop, "Cart Updated", _person(third), products=[])
    assert "In your basket" not in portal.ask("GET", _path(third), b"", **ENGLISH).body
    erase_person(shop.workspace, _person(third), who="ann")
    assert portal.ask("GET", _path(third)).status == 410
    shop.clock.move(31 * DAY)
    for method in ("GET", "POST"):
        assert portal.ask(method, _path(first)).status == 410


@pytest.mark.long
def test_what_changed_since_the_first_message_is_not_said_to_wait(shop: Team) -> None:
    report(shop, "Cart Updated", *EVERYONE, products=ITEMS[1:])
    shop.start("waiting")
    shop.tick()
    before = {mail["Message-ID"]: _person(mail) for mail in shop.mails()}
    assert all("1 x Lamp" in _html(mail) for mail in shop.mails())
    bought, emptied = sorted(before.values())[:2]
    shop.clock.move(DAY)
    report(shop, "Order Completed", bought, order_id="78", revenue=5, products=[{"sku": "p2"}])
    report(shop, "Cart Updated", emptied, products=[])
    shop.tick(after=MINUTE)
    fresh = [mail for mail in shop.mails() if mail["Message-ID"] not in before]
    later = {_person(mail): _html(mail) for mail in fresh}
    assert len(later) > 2
    assert bought not in later  # a purchase ends the journey itself
    assert "nothing waits" in later[emptied]
    assert all("1 x Lamp" in later[one] for one in later if one != emptied)


@pytest.mark.long
def test_the_code_goes_along_where_the_address_of_the_basket_takes_it(shop: Team) -> None:
    offers = "offers:\n  back: {kind: percent_off, percent: 15, codes: own, lasts: 7 days}\n"
    (shop.folder / "offers.yaml").write_text(offers, encoding="utf-8")
    furnish(shop, JOURNEY.replace("template: basket, id: first", "template: basket, offer: back"))
    load_codes(shop.workspace.ledger, "back", [f"C-{n}" for n in range(20)], shop.clock.now())
    shop.start("waiting")
    shop.tick()
    portal = Visitor(build_portal(shop.workspace))
    with_basket, without = shop.mails()[:2]
    report(shop, "Cart Updated", _person(with_basket), products=ITEMS[1:])
    page = portal.ask("GET", _path(with_basket), b"", **ENGLISH).body
    assert "The code is applied when you go on by the button." in page
    led = portal.ask("POST", _path(with_basket)).headers["Location"]
    assert re.fullmatch(r"https://shop\.example/cart/p2:1\?discount=C-\d+", led)
    # No address applies the code alone: it is shown, to be typed in.
    assert "Enter the code when you pay." in portal.ask("GET", _path(without), b"", **ENGLISH).body
    assert portal.ask("POST", _path(without)).headers["Location"] == "https://shop.example/"


def test_a_preview_shows_the_basket_of_the_starter(shop: Team) -> None:
    report(shop, "Cart Abandoned", "c001", products=ITEMS[1:])
    journey = shop.workspace.journey("abandoned-basket")
    letters = write_letters(shop.workspace, journey, NOW, customer="c001")
    reminder = letters[0].parts
    assert "In your basket" in reminder["text"]
    assert "Lamp" in reminder["text"]
    assert "Go on with your basket" in reminder["text"]
    others = write_letters(shop.workspace, journey, NOW, customer="c002")
    assert "In your basket" not in others[0].parts["text"]


def _html(mail: EmailMessage) -> str:
    part = mail.get_body(("html",))
    assert part is not None
    return str(part.get_content())


def _path(mail: EmailMessage) -> str:
    found = re.search(r"/return/[A-Za-z0-9_.-]+", _html(mail))
    assert found is not None
    return found[0]


def _person(mail: EmailMessage) -> str:
    return str(mail["To"].addresses[0].username)
