"""A message shows the way back; its page leads to the shop with the code of its offer."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage

import pytest

from rekindle.consent import LinkPurpose, read_link, sign_link
from rekindle.desk import erase_person
from rekindle.ledger import load_codes
from rekindle.runtime import Workspace
from rekindle.vocabulary import SignalKind
from rekindle.web.portal import build_portal
from rekindle.worker import Worker
from tests.runtime.shops import Team, add_section, set_key
from tests.web.portal.visitor import Visitor

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
JOURNEY = """\
journey: waiting
enter: {audience: customer_id like 'c00_'}
goal: {on: order, within: 30 days}
holdout: none
steps:
  - send: {channel: email, template: way-back, offer: back}
"""
OFFERS = """\
offers:
  back: {kind: percent_off, percent: 15, codes: own, lasts: 7 days}
"""
TEMPLATE = """\
---
subject: Your things are here
---
<mjml lang="en"><mj-body><mj-section><mj-column>
<mj-text><h1>Hello</h1><p>{{ offer.text }}</p><p>{{ shop.postal_address }}</p>
<a href="{{ unsubscribe_url }}">Unsubscribe</a></mj-text>
<mj-button href="{{ return_url }}">Go on where you left</mj-button>
</mj-column></mj-section></mj-body></mjml>
"""
PURPOSE = LinkPurpose.RETURN
ENGLISH = {"HTTP_ACCEPT_LANGUAGE": "en"}
FIREFOX = {"HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0"}


@pytest.fixture
def shop(team: Team) -> Team:
    set_key(team.folder, "url", '"https://shop.example/"')
    add = 'url = "https://shop.example/"\ncode_url = "https://shop.example/discount/{code}?redirect=/new"'
    toml = team.folder / "rekindle.toml"
    text = toml.read_text(encoding="utf-8")
    toml.write_text(text.replace('url = "https://shop.example/"', add, 1), encoding="utf-8")
    add_section(team.folder, "[offers]\nmargin = 0.5\n")
    (team.folder / "journeys" / "waiting.yaml").write_text(JOURNEY, encoding="utf-8")
    (team.folder / "offers.yaml").write_text(OFFERS, encoding="utf-8")
    (team.folder / "templates" / "way-back.mjml").write_text(TEMPLATE, encoding="utf-8")
    team.workspace = Workspace.open(team.folder, clock=team.clock)
    team.worker = Worker(team.workspace)
    return team


def test_the_way_back_takes_the_code_along_until_it_is_over(shop: Team) -> None:
    load_codes(shop.workspace.ledger, "back", [f"A/{n} x" for n in range(9)], shop.clock.now())
    shop.start("waiting")
    shop.tick()
    first, second, third = shop.mails()[:3]
    portal = Visitor(build_portal(shop.workspace))
    page = portal.ask("GET", _path(first), b"", **ENGLISH)
    assert page.status == 200
    code = re.search(r"A/\d x", page.body)
    assert code is not None
    assert "15 % off" in page.body
    assert _person(first) not in page.body
    assert _clicks(shop, first) == 0  # whoever only looked went nowhere
    shop.clock.move(MINUTE)
    answer = portal.ask("POST", _path(first), b"", **FIREFOX)
    quoted = code[0].replace("/", "%2F").replace(" ", "%20")
    assert answer.headers["Location"] == f"https://shop.example/discount/{quoted}?redirect=/new"
    assert _clicks(shop, first) == 1

    # After a restore a number may be another message's.
    one, other = (
        read_link(shop.workspace.secret, PURPOSE, _token(mail)) for mail in (first, second)
    )
    assert one is not None
    assert other is not None
    number, key = other.about.split()[0], one.about.split()[1]
    forged = sign_link(shop.workspace.secret, PURPOSE, replace(one, about=f"{number} {key}"))
    for method in ("GET", "POST"):
        assert portal.ask(method, f"/return/{forged}").status == 410

    shop.clock.move(DAY)
    shop.buys(_person(second), shop.clock.now() - MINUTE)
    back = portal.ask("GET", _path(second), b"", **ENGLISH)
    assert "You have been with us since our message." in back.body

    erase_person(shop.workspace, _person(third), who="ann")
    assert portal.ask("GET", _path(third)).status == 410

    shop.tick(after=8 * DAY)
    over = portal.ask("GET", _path(first), b"", **ENGLISH)
    assert "ended on" in over.body
    assert code[0] not in over.body
    assert portal.ask("POST", _path(first)).headers["Location"] == "https://shop.example/"
    shop.clock.move(30 * DAY)
    assert portal.ask("GET", _path(first)).status == 410


def _path(mail: EmailMessage) -> str:
    found = re.search(r"/return/[A-Za-z0-9_.-]+", str(mail.get_body(("html",)).get_content()))  # type: ignore[union-attr]
    assert found is not None
    return found[0]


def _token(mail: EmailMessage) -> str:
    return _path(mail).removeprefix("/return/")


def _person(mail: EmailMessage) -> str:
    return str(mail["To"].addresses[0].username)


def _clicks(shop: Team, mail: EmailMessage) -> int:
    kinds = [one.kind for one in shop.workspace.history.signals_of(_person(mail))]
    return kinds.count(SignalKind.CLICK)
