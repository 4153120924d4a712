"""A click in a message goes through the portal to the shop, and the journey goes on by it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from rekindle.runtime import Workspace
from rekindle.web.portal import build_portal
from rekindle.worker import Worker
from tests.runtime.shops import Team, set_key
from tests.web.portal.visitor import Visitor

MINUTE = timedelta(minutes=1)
WAITING = """\
journey: waiting
enter: {audience: customer_id like 'c00_'}
goal: {on: order, within: 30 days}
holdout: none
steps:
  - send: {channel: email, template: check-in}
  - wait: {until: clicked, at_most: 5 days}
  - when: clicked
    send: {channel: email, template: new-arrivals}
"""
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PERSON = {"HTTP_USER_AGENT": FIREFOX}


@pytest.fixture
def shop(team: Team) -> Team:
    set_key(team.folder, "url", '"https://shop.example/"')
    (team.folder / "journeys" / "waiting.yaml").write_text(WAITING, encoding="utf-8")
    team.workspace = Workspace.open(team.folder, clock=team.clock)
    team.worker = Worker(team.workspace)
    team.start("waiting")
    team.tick()
    return team


def test_who_clicks_gets_what_comes_next_and_a_scanner_does_not(shop: Team) -> None:
    portal = Visitor(build_portal(shop.workspace))
    first, second = shop.mails()[:2]
    paths = [_path(mail.as_string()) for mail in (first, second)]
    assert portal.ask("GET", paths[0], b"", **PERSON).status == 302  # at once: a scanner
    shop.clock.move(MINUTE)
    assert portal.ask("HEAD", paths[0], b"", **PERSON).status == 302
    answer = portal.ask("GET", paths[1], b"", **PERSON)
    assert (answer.status, answer.headers["Location"]) == (302, "https://shop.example/")
    shop.tick(after=24 * 60 * MINUTE)
    people = [mail["To"].addresses[0].addr_spec for mail in (first, second)]
    assert [len(shop.mails(one)) for one in people] == [1, 2]
    person = people[1].partition("@")[0]
    kinds = [one.kind.value for one in shop.workspace.history.signals_of(person)]
    assert kinds.count("click") == 1


@pytest.mark.long
def test_a_ledger_that_refuses_keeps_nobody_from_the_shop(
    shop: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    portal = Visitor(build_portal(shop.workspace))
    (shop.folder / "state" / "ledger.sqlite3").unlink()
    path = _path(shop.mails()[0].as_string())
    assert portal.ask("GET", path, b"", **PERSON).status == 302


def _path(mail: str) -> str:
    found = re.search(r"/c/[A-Za-z0-9_-]+", mail.replace("=\n", ""))
    assert found is not None
    return found[0]
