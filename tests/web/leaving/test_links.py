"""The app's own server gets a link to cancel, of its customers' subscriptions and no others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from rekindle.billing import pull_facts
from rekindle.ledger import Scope
from rekindle.web.access import declared_access
from rekindle.web.api import build_api
from rekindle.web.api.leaving import Leaving
from rekindle.worker import LedgerLeaveLinks
from tests.web.api.billers.receiver import subscriber
from tests.web.api.caller import Caller, Reply, serving
from tests.web.api.fake_intake import FakeIntake
from tests.web.leaving.conftest import Away, Leaver

PATH = "/v1/subscriptions/leave"


def ask(app: Caller, body: object) -> Reply:
    return app.ask("POST", PATH, json.dumps(body).encode())


@pytest.fixture
def app(leaver: Leaver) -> Iterator[Caller]:
    api = build_api(FakeIntake(), leaving=LedgerLeaveLinks(leaver.space))
    with serving(api) as port:
        yield Caller(port, "right")


def pull(leaver: Leaver) -> None:
    space = leaver.space
    pull_facts(
        space.config.billing, space.directory, now=space.clock.now(), bring=space.import_from
    )


def test_the_link_leads_to_the_page_for_an_hour(leaver: Leaver, app: Caller) -> None:
    answer = ask(app, {"user": "u1", "subscription": leaver.sub})
    assert answer.status == 200
    path = urlsplit(answer.document["url"]).path
    assert "Cancel your subscription?" in leaver.visitor.ask("GET", path).body
    leaver.fake.world.clock.move(timedelta(minutes=61))
    assert leaver.visitor.ask("GET", path).status == 410


@pytest.mark.long
def test_without_a_name_it_is_the_one_that_began_last(leaver: Leaver, app: Caller) -> None:
    assert ask(app, {"user": "u1"}).status == 404
    pull(leaver)
    answer = ask(app, {"user": "u1"})
    path = urlsplit(answer.document["url"]).path
    leaver.visitor.ask("POST", path, b"do=cancel")
    assert leaver.standing["cancel_at_period_end"] is True
    assert leaver.rows[0].evidence == "app"


def test_nobody_gets_a_link_to_the_subscription_of_somebody_else(
    leaver: Leaver, app: Caller
) -> None:
    theirs, _ = subscriber(leaver.fake, "u2")
    for asked in (
        {"user": "u1", "subscription": theirs},
        {"user": "u2", "subscription": theirs},  # who is on no record here
        {"user": "u1", "subscription": "sub_none"},
    ):
        assert ask(app, asked).status == 404


@pytest.mark.parametrize(
    "body", [None, [], {}, {"user": ""}, {"user": 7}, {"user": "u1", "subscription": "a b"}]
)
def test_what_names_nobody_is_refused(app: Caller, body: object) -> None:
    assert ask(app, body).status == 400


def test_a_servers_key_alone_gets_one(leaver: Leaver, app: Caller) -> None:
    assert ask(Caller(app.port, "wrong"), {"user": "u1"}).status == 401
    access = declared_access(Leaving(LedgerLeaveLinks(leaver.space)).link)
    assert access is not None
    assert access.scopes == {Scope.EVENTS}


def test_a_biller_that_is_away_is_said(leaver: Leaver, app: Caller, away: Away) -> None:
    away()
    answer = ask(app, {"user": "u1", "subscription": leaver.sub})
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
