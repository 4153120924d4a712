"""What a customer chooses in the portal holds in the ledger, at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from rekindle.consent import LinkPurpose, PersonLink, sign_link, sign_preferences
from rekindle.desk import explain_customer
from rekindle.vocabulary import Channel
from rekindle.web.portal import build_portal
from tests.runtime.shops import Team, close_ledgers
from tests.web.portal.visitor import Visitor

SNOOZE = b"do=snooze&days=30"


@pytest.fixture
def team(begun_shop: Path, tmp_path: Path) -> Iterator[Team]:
    folder = tmp_path / "begun"
    Team.copy(begun_shop, folder)
    yield Team.at_work(folder)
    close_ledgers()


def open_page(team: Team, person: str) -> tuple[Visitor, str]:
    space = team.workspace
    visitor = Visitor(build_portal(space))
    return visitor, f"/p/{sign_preferences(space.secret, person, team.clock.now())}"


@pytest.mark.long
def test_a_channel_is_left_and_agreed_to_again_with_words(team: Team) -> None:
    visitor, page = open_page(team, "c003")
    assert visitor.ask("GET", page).status == 200
    visitor.ask("POST", page, b"do=save&shown=email&often=month")
    known = explain_customer(team.workspace, "c003", team.clock.now())
    assert [one.reason for one in known.suppressions] == ["opt_out"]
    assert known.preferences.at_most_every == timedelta(days=30)
    team.clock.move(timedelta(days=1))
    visitor.ask("POST", page, b"do=save&shown=email&channel=email&often=any")
    known = explain_customer(team.workspace, "c003", team.clock.now())
    assert known.suppressions == []
    newest = known.consents[-1]
    assert (newest.granted, newest.source) == (True, "portal:preferences")
    assert "may send me marketing by email" in newest.wording
    before = len(known.consents)
    visitor.ask("POST", page, b"do=save&shown=email&channel=email&often=any")
    known = explain_customer(team.workspace, "c003", team.clock.now())
    assert len(known.consents) == before  # a box that did not change states nothing


@pytest.mark.long
def test_agreeing_to_one_channel_opens_no_other(team: Team) -> None:
    visitor, page = open_page(team, "c003")
    visitor.ask("POST", page, b"do=leave")
    team.clock.move(timedelta(days=1))
    visitor.ask("POST", page, b"do=save&shown=email&channel=email&often=any")
    known = explain_customer(team.workspace, "c003", team.clock.now())
    assert known.suppressions == []
    newest = {one.channel: one.granted for one in known.consents}
    assert newest[Channel("email")] is True
    assert not any(granted for channel, granted in newest.items() if channel != "email")


@pytest.mark.long
def test_a_pause_an_answer_and_an_export(team: Team) -> None:
    space = team.workspace
    visitor, page = open_page(team, "c003")
    visitor.ask("POST", page, SNOOZE)
    until = team.clock.now() + timedelta(days=30)
    assert space.history.preferences_of("c003").snoozed_until == until
    link = space.secret, "c003", "shop"
    from rekindle.consent import sign_unsubscribe

    leave = f"/u/{sign_unsubscribe(*link, channel='email')}"
    visitor.ask("POST", leave)
    visitor.ask("POST", leave, b"scope=why&reason=too_often&words=My+name+is+Ada")
    events = [one.event for one in space.history.signals_of("c003")]
    assert "left_because_too_often" in events
    token = sign_link(space.secret, LinkPurpose.EXPORT, PersonLink("c003", until))
    record = json.loads(visitor.ask("POST", f"/export/{token}").body)
    assert record["card"]["email"] == "c003@example.com"
    assert record["wishes"]["snoozed_until"] == until.isoformat()


def test_who_is_forgotten_leaves_no_words(team: Team) -> None:
    space = team.workspace
    visitor, page = open_page(team, "c003")
    from rekindle.consent import sign_unsubscribe

    leave = f"/u/{sign_unsubscribe(space.secret, 'c003', 'shop', channel='email')}"
    visitor.ask("POST", leave)
    visitor.ask("POST", leave, b"scope=why&reason=other&words=I+am+the+one+with+the+red+door")
    until = team.clock.now() + timedelta(hours=1)
    token = sign_link(space.secret, LinkPurpose.ERASE, PersonLink("c003", until))
    assert "You are forgotten" in visitor.ask("POST", f"/erase/{token}").body
    assert "You are forgotten" in visitor.ask("GET", page).body
    left = [one.detail for one in space.audit_log.entries("c003") if one.action == "left"]
    assert left == [{"reason": "other"}]
    assert space.history.is_erased("c003")
