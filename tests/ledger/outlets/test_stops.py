"""An outlet that is stopped is stopped for every worker, and one message tries it out."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rekindle.errors import UsageError
from rekindle.ledger import AuditLog, DoorState, Stops
from tests.ledger.queueing import LEASE, MINUTE, START

OUTLET = "email_smtp"
WHY = "mail.example.com refused the login of ann@shop.example: 535 no"


@pytest.fixture
def stops(alias: str) -> Stops:
    return Stops(alias)


def ask(stops: Stops, worker: str, after: timedelta = timedelta(0)) -> DoorState:
    return stops.ask(OUTLET, START + after, worker=worker, lease=LEASE)


def test_an_outlet_is_open_until_it_is_stopped_for_everybody(stops: Stops) -> None:
    assert ask(stops, "a") is DoorState.OPEN
    assert stops.stop(OUTLET, START, WHY)
    assert not stops.stop(OUTLET, START + MINUTE, "another word for it")
    assert [ask(stops, worker) for worker in "ab"] == [DoorState.STOPPED] * 2
    assert stops.ask("other", START, worker="a", lease=LEASE) is DoorState.OPEN
    (stop,) = stops.all().values()
    assert (stop.at, stop.resumed_at) == (START, None)
    assert stop.reason == "mail.example.com refused the login of … 535 no"


def test_one_worker_alone_tries_a_resumed_outlet_out(stops: Stops) -> None:
    stops.stop(OUTLET, START, WHY)
    stops.resume(OUTLET, START, who="ann")
    assert ask(stops, "a") is DoorState.TRYING
    assert ask(stops, "b") is DoorState.STOPPED
    assert ask(stops, "a", MINUTE) is DoorState.TRYING
    assert ask(stops, "b", MINUTE + LEASE) is DoorState.TRYING  # the first one died
    assert not stops.open(OUTLET, START, worker="a")
    stops.let_go(OUTLET, worker="b")
    assert ask(stops, "a") is DoorState.TRYING
    assert stops.open(OUTLET, START, worker="a")
    assert ask(stops, "b") is DoorState.OPEN


def test_a_resumed_outlet_that_is_refused_again_is_stopped_anew(stops: Stops) -> None:
    stops.stop(OUTLET, START, WHY)
    stops.resume(OUTLET, START, who="ann")
    ask(stops, "a")
    assert stops.stop(OUTLET, START + MINUTE, "still 535")
    assert ask(stops, "a", 2 * MINUTE) is DoorState.STOPPED
    assert stops.all()[OUTLET].reason == "still 535"


def test_who_stopped_and_resumed_is_in_the_audit_log(stops: Stops, alias: str) -> None:
    with pytest.raises(UsageError, match="not stopped"):
        stops.resume(OUTLET, START, who="ann")
    stops.stop(OUTLET, START, WHY)
    stops.resume(OUTLET, START, who="ann")
    ask(stops, "a")
    stops.open(OUTLET, START, worker="a")
    entries = [(one.who, one.action) for one in AuditLog(alias).entries(OUTLET)]
    assert entries == [("rekindle", "reopened"), ("ann", "resumed"), ("rekindle", "stopped")]
