"""Openings are noticed by a picture where the business asks and the person lets it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from rekindle.consent import OPENS, ConsentRecord
from rekindle.desk import LedgerCustomers
from rekindle.ledger import find_silences, models
from rekindle.ledger.intake_models import NoticedOpen
from rekindle.runtime import Workspace
from rekindle.vocabulary import SignalKind
from rekindle.web.portal import build_portal
from rekindle.worker import Worker
from tests.runtime.shops import NOW, Team, add_section
from tests.web.portal.visitor import Visitor

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
WAITING = """\
journey: waiting
enter: {audience: customer_id like 'c00_'}
goal: {on: order, within: 30 days}
holdout: none
steps:
  - send: {channel: email, template: check-in}
  - wait: {until: opened, at_most: 5 days}
  - send: {channel: email, template: new-arrivals}
"""
PERSON = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140"
MACHINES = (
    "Mozilla/5.0",  # Apple Mail Privacy Protection
    "Mozilla/5.0 (Windows NT 5.1) Firefox/11.0 (via ggpht.com GoogleImageProxy)",
    "YahooMailProxy; https://help.yahoo.com",
    "",
)
Shop = Callable[..., Team]


@pytest.fixture
def shop(team: Team) -> Shop:
    def build(mode: str, *agreed: str) -> Team:
        (team.folder / "journeys" / "waiting.yaml").write_text(WAITING, encoding="utf-8")
        add_section(team.folder, f'[tracking]\nopens = "{mode}"\n')
        team.workspace = Workspace.open(team.folder, clock=team.clock)
        team.worker = Worker(team.workspace)
        team.workspace.book.save_consent(
            ConsentRecord(one, OPENS, True, NOW - DAY, "test") for one in agreed
        )
        team.start("waiting")
        team.tick()
        return team

    return build


def pictures(team: Team) -> dict[str, str]:
    """Return the path of the picture in each mail that has one, by whom it went to."""
    found = {}
    for mail in team.mails():
        (html,) = [p.get_content() for p in mail.walk() if p.get_content_type() == "text/html"]
        if match := re.search(r'<img src="[^"]*(/o/[\w.-]+)" width="1"', html):
            found[mail["To"].addresses[0].addr_spec.partition("@")[0]] = match[1]
    return found


def signals(team: Team, person: str) -> list[SignalKind]:
    return [one.kind for one in team.workspace.history.signals_of(person)]


def counts(team: Team) -> tuple[int, int]:
    alias = team.workspace.ledger
    return models.Delivery.objects.using(alias).count(), NoticedOpen.objects.using(alias).count()


@pytest.mark.long
def test_no_picture_is_in_any_mail_unless_the_business_asks(shop: Shop) -> None:
    team = shop("never", "c001")
    assert team.mails()
    assert pictures(team) == {}


@pytest.mark.long
def test_with_a_yes_an_opening_is_a_deed_of_the_person_and_of_no_machine(shop: Shop) -> None:
    team = shop("consent", "c001", "c002")
    found = pictures(team)
    assert set(found) <= {"c001", "c002"}
    person, path = next(iter(found.items()))
    portal = Visitor(build_portal(team.workspace))
    # Within seconds: a scanner, whatever it calls itself.
    assert portal.ask("GET", path, b"", HTTP_USER_AGENT=PERSON).status == 200
    team.clock.move(MINUTE)
    assert portal.ask("HEAD", path, b"", HTTP_USER_AGENT=PERSON).status == 200
    for agent in MACHINES:
        portal.ask("GET", path, b"", HTTP_USER_AGENT=agent)
    assert signals(team, person) == []
    answer = portal.ask("GET", path, b"", HTTP_USER_AGENT=PERSON, HTTP_COOKIE="a=b")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "image/gif")
    assert answer.headers["Set-Cookie"] is None
    assert answer.body.startswith("GIF89a")
    portal.ask("GET", path, b"", HTTP_USER_AGENT=PERSON)
    assert signals(team, person).count(SignalKind.OPEN) == 1
    team.tick(after=DAY)
    assert len(team.mails(f"{person}@example.com")) == 2


@pytest.mark.long
def test_whoever_says_no_after_the_message_left_is_not_noticed(shop: Shop) -> None:
    team = shop("consent", "c001", "c002")
    person, path = next(iter(pictures(team).items()))
    team.clock.move(MINUTE)
    customers = LedgerCustomers(team.workspace)
    choices = customers.look(person)
    assert choices is not None
    assert choices.channels[OPENS]
    customers.choose(person, {OPENS: False}, {}, None, {OPENS: "Yes"})
    assert (
        Visitor(build_portal(team.workspace)).ask("GET", path, b"", HTTP_USER_AGENT=PERSON).status
        == 200
    )
    assert signals(team, person) == []
    assert counts(team) == (0, 0)
    changed = customers.look(person)
    assert changed is not None
    assert changed.channels == {**choices.channels, OPENS: False}
    customers.choose(person, {OPENS: True}, {}, None, {OPENS: "Yes, Wick & Mug may"})
    (*_, said) = team.workspace.history.consents_of(person)
    assert (said.channel, said.granted, said.wording) == (OPENS, True, "Yes, Wick & Mug may")


@pytest.mark.long
def test_for_deliverability_an_opening_reaches_hygiene_and_nothing_else(shop: Shop) -> None:
    team = shop("deliverability")
    team.clock.move(MINUTE)
    found = pictures(team)
    assert len(found) == len(team.mails())
    portal = Visitor(build_portal(team.workspace))
    person, path = next(iter(found.items()))
    portal.ask("GET", path, b"", HTTP_USER_AGENT=MACHINES[0])
    assert counts(team) == (0, 1)
    before = _opened(team)
    for _ in range(2):
        portal.ask("GET", path, b"", HTTP_USER_AGENT=PERSON)
    assert counts(team) == (0, 2)
    assert (person in before, person in _opened(team)) == (False, True)
    assert signals(team, person) == []
    team.tick(after=DAY)
    assert len(team.mails(f"{person}@example.com")) == 1  # still waits for what it cannot see


@pytest.mark.long
def test_forged_picture_is_not_found_and_changes_nothing(shop: Shop) -> None:
    team = shop("deliverability")
    team.clock.move(MINUTE)
    path = next(iter(pictures(team).values()))
    portal = Visitor(build_portal(team.workspace))
    for forged in ("/o/x", "/o/W10.x", f"{path}x", path.replace("/o/", "/c/")):
        assert portal.ask("GET", forged, b"", HTTP_USER_AGENT=PERSON).status == 404
    assert portal.ask("POST", path, b"x", HTTP_USER_AGENT=PERSON).status == 405
    assert counts(team) == (0, 0)


def test_what_is_noticed_for_hygiene_is_read_by_hygiene_alone() -> None:
    room = Path(models.__file__).parent
    reading = [
        path.name
        for path in room.rglob("*")
        if path.suffix in {".py", ".sql"} and "migrations" not in path.parts
        if re.search(r"noticedopen", path.read_text(encoding="utf-8"), re.IGNORECASE)
    ]
    assert sorted(reading) == ["hygiene.sql", "intake_models.py"]


def _opened(team: Team) -> set[str]:
    silent = find_silences(team.workspace.ledger, least=1, since=team.clock.now())
    return {one.person for one in silent if one.opened}
