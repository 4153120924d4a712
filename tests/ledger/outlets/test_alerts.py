"""What is to be told is told by one worker, until a server took it."""

from __future__ import annotations

from datetime import timedelta

from rekindle.ledger import Alerts
from tests.ledger.queueing import HOUR, START

LEASE = timedelta(minutes=10)


def test_one_worker_tells_and_another_after_its_lease(alias: str) -> None:
    alerts = Alerts(alias)
    alerts.settle({"outlet:a": "it stopped"}, START)
    (mine,) = alerts.claim(START, LEASE)
    assert (mine.cause, mine.words, mine.is_over) == ("outlet:a", "it stopped", False)
    assert not alerts.claim(START, LEASE)
    alerts.settle({"outlet:a": "it stopped, still"}, START)
    (again,) = alerts.claim(START + LEASE, LEASE)
    alerts.told([again], START + LEASE)
    assert not alerts.claim(START + HOUR, LEASE)


def test_what_is_over_before_anybody_was_told_is_not_told(alias: str) -> None:
    alerts = Alerts(alias)
    alerts.settle({"outlet:a": "it stopped"}, START)
    alerts.settle({}, START)
    assert not alerts.claim(START, LEASE)


def test_what_ends_while_it_is_told_is_told_to_be_over(alias: str) -> None:
    alerts = Alerts(alias)
    alerts.settle({"outlet:a": "it stopped"}, START)
    begun = alerts.claim(START, LEASE)
    alerts.settle({}, START)
    alerts.told(begun, START)
    (over,) = alerts.claim(START, LEASE)
    assert over.is_over
    alerts.told([over], START)
    alerts.settle({"outlet:a": "it stopped again"}, START)
    (anew,) = alerts.claim(START, LEASE)
    assert not anew.is_over


def test_what_comes_back_while_it_is_told_to_be_over_is_told_again(alias: str) -> None:
    alerts = Alerts(alias)
    alerts.settle({"outlet:a": "it stopped"}, START)
    alerts.told(alerts.claim(START, LEASE), START)
    alerts.settle({}, START)
    over = alerts.claim(START, LEASE)
    alerts.settle({"outlet:a": "it stopped"}, START)
    alerts.told(over, START)
    (again,) = alerts.claim(START, LEASE)
    assert not again.is_over


def test_what_happened_stays_until_it_was_told(alias: str) -> None:
    alerts = Alerts(alias)
    alerts.note("hygiene:1", "7 archived", START)
    alerts.settle({}, START)
    alerts.told(alerts.claim(START, LEASE), START)
    assert not alerts.claim(START + HOUR, LEASE)
