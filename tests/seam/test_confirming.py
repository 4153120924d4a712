"""A yes that has to be confirmed, from the report over the message and its link to the record."""

from __future__ import annotations

import re
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from rekindle.consent import Rule
from rekindle.content import starter_templates
from rekindle.desk import (
    ListDefaults,
    explain_customer,
    import_consents,
    prove_consent,
    start_journey,
)
from rekindle.journeys import starter_journeys
from rekindle.runtime import Workspace
from rekindle.vocabulary import Channel
from rekindle.web.portal import build_portal
from rekindle.worker import Worker, find_unconfirmed
from tests.seam.corner import DAY, HOUR, MINUTE, Corner
from tests.web.portal.visitor import Visitor

NAME = "confirm-consent"
LINK = re.compile(r"/confirm/[\w.-]+")


@pytest.fixture
def corner(corner: Corner) -> Corner:
    """Return a shop where every yes is confirmed, and the starter that asks for it runs."""
    folder = corner.space.directory
    toml = folder / "rekindle.toml"
    text = toml.read_text(encoding="utf-8") + '\n[consent]\ndouble_opt_in = ["DE"]\n'
    toml.write_text(text, encoding="utf-8")
    for name, template in starter_templates().items():
        if name.startswith((NAME, "layout")):
            (folder / "templates" / name).write_text(template, encoding="utf-8")
    (folder / "journeys" / f"{NAME}.yaml").write_text(starter_journeys()[f"{NAME}.yaml"])
    corner.people(ben=",")  # who is ann, only her report says
    corner.orders(("1", "ben", corner.ago(days=3), 10, ""))
    corner.space = Workspace.open(folder, clock=corner.clock)
    corner.worker = Worker(corner.space)
    corner.import_facts()
    start_journey(corner.space, corner.space.journey(NAME), corner.now)
    corner.tick(after=MINUTE)
    corner.clock.move(MINUTE)
    return corner


def says(
    corner: Corner,
    said: object,
    country: str = "DE",
    wording: str = "Send me news",
    who: str = "ann",
) -> None:
    consent = {"email": said, "wording": wording, "source": "form:footer"}
    address = f"{who}@example.com"
    traits = {"email": address, "address": {"country": country}, "consent": consent}
    id_ = f"{who} {said} {corner.now}"
    corner.report("", "identify", traits=traits, messageId=id_, userId=who)


def links(corner: Corner) -> list[str]:
    paths = sorted((corner.space.directory / "state" / "outbox").glob("*.eml"))
    mails = [message_from_bytes(path.read_bytes(), policy=default) for path in paths]
    bodies = [mail.get_body(("plain",)) for mail in mails]
    return [found for body in bodies if body for found in LINK.findall(body.get_content())[:1]]


def rule(corner: Corner, who: str = "ann") -> Rule:
    return explain_customer(corner.space, who, corner.now).permission.rule


def state(corner: Corner) -> list[str]:
    proof = prove_consent(corner.space, "ann", corner.now)
    return [one.value for _, one in proof.pending]


@pytest.mark.long
def test_a_yes_is_asked_about_once_and_holds_from_the_post(corner: Corner) -> None:
    says(corner, said=True)
    assert rule(corner) is Rule.NO_RECORD
    corner.tick(after=MINUTE)
    says(corner, said=True)  # a login says it again
    corner.import_facts()  # and the facts hold no yes of hers either
    corner.tick(after=2 * HOUR)
    corner.tick(after=DAY)
    assert rule(corner) is Rule.NO_RECORD
    (link,) = links(corner)
    visitor = Visitor(build_portal(corner.space))
    for method in ("GET", "HEAD", "GET"):
        assert visitor.ask(method, link).status == 200
    assert rule(corner) is Rule.NO_RECORD
    assert "unconfirmed" in {one.rule for one in find_unconfirmed(
        corner.space, within=7 * DAY, at=corner.now)}  # fmt: skip
    for _ in range(2):
        answer = visitor.ask("POST", link)
        assert answer.status == 200
        corner.clock.move(MINUTE)
    (record,) = corner.space.history.consents_of("ann")
    assert (record.granted, record.source, record.wording) == (
        True, "portal:confirm", "Send me news")  # fmt: skip
    assert record.at == corner.now - 2 * MINUTE
    assert rule(corner) is Rule.EXPRESS
    assert state(corner) == ["confirmed"]
    says(corner, said=True, wording="Send me other news")
    corner.tick(after=2 * HOUR)
    assert len(links(corner)) == 1  # who agreed is not asked again
    assert find_unconfirmed(corner.space, within=7 * DAY, at=corner.now) == []


@pytest.mark.long
def test_what_was_taken_back_cannot_be_confirmed(corner: Corner) -> None:
    people = ("address", "complaint", "consent", "erased", "event")
    for who in people:
        says(corner, said=True, who=who)
    corner.tick(after=MINUTE)
    asked = links(corner)
    assert len(asked) == len(people)
    corner.clock.move(MINUTE)
    says(corner, said=False, who="consent")
    corner.report("Unsubscribed", userId="event")
    corner.report("Email Marked as Spam", userId="complaint")
    corner.report("", "identify", userId="address", traits={"email": "new@example.com"})
    corner.space.book.erase("erased", corner.now)
    corner.clock.move(MINUTE)
    visitor = Visitor(build_portal(corner.space))
    for link in asked:
        for method in ("GET", "POST"):
            answer = visitor.ask(method, link)
            assert answer.status == 410
            assert "<form" not in answer.body
    said = [one.granted for who in people for one in corner.space.history.consents_of(who)]
    assert True not in said


def test_nothing_leaves_after_a_no_or_when_the_time_is_over(corner: Corner) -> None:
    says(corner, said=True)
    corner.clock.move(MINUTE)
    says(corner, said=False)
    corner.tick(after=MINUTE)
    assert links(corner) == []
    corner.tick(after=2 * HOUR)
    says(corner, said=True)  # and another yes is another question
    corner.tick(after=MINUTE)
    (link,) = links(corner)
    corner.clock.move(7 * DAY)
    answer = Visitor(build_portal(corner.space)).ask("POST", link)
    assert answer.status == 410
    assert rule(corner) is Rule.WITHDRAWN
    assert state(corner) == ["refused", "over"]


@pytest.mark.long
def test_where_a_yes_waits(corner: Corner) -> None:
    cases: dict[str, tuple[object, str, Rule]] = {
        "abroad": (True, "GB", Rule.EXPRESS),
        "there": (True, "DE", Rule.NO_RECORD),
        "unknown": (True, "", Rule.NO_RECORD),
        "confirmed": ("confirmed", "DE", Rule.EXPRESS),
        "pending": ("pending", "GB", Rule.NO_RECORD),
        "refused": (False, "DE", Rule.WITHDRAWN),
    }
    for who, (said, country, _) in cases.items():
        says(corner, said, country, who=who)
    expected = {who: rule for who, (_, _, rule) in cases.items()}
    assert {who: rule(corner, who) for who in cases} == expected
    corner.import_facts()  # nor do the facts, of which the ledger is told, know another yes
    corner.tick(after=MINUTE)
    assert {who: rule(corner, who) for who in cases} == expected


@pytest.mark.long
def test_a_list_may_say_that_a_yes_waits(corner: Corner, tmp_path: Path) -> None:
    says(corner, said=True, country="GB")
    recent, old = (f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in (corner.now, corner.ago(days=30)))
    path = tmp_path / "list.csv"
    rows = (f"ben@example.com,yes,{recent},no", f"ann@example.com,yes,{old},no")
    path.write_text("\n".join(("email,granted,at,confirmed", *rows)) + "\n", encoding="utf-8")
    taken = import_consents(corner.space, path, ListDefaults(Channel("email")), who="me")
    assert dict(taken.counts) == {"to be confirmed": 2}
    corner.tick(after=MINUTE)
    assert len(links(corner)) == 1  # what is a month old is asked nobody
    assert rule(corner) is Rule.EXPRESS  # and takes back nothing
    shown = prove_consent(corner.space, "ben", corner.now).as_text()
    assert "agreed, to be confirmed (waits for it, and permits nothing)" in shown
