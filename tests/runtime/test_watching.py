"""A worker looks for returns again exactly where there may be one it has not seen."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from rekindle.identity import JoinReason, Link
from rekindle.journeys.population import SAYING_OF_PEOPLE
from rekindle.runtime import Workspace
from rekindle.worker.observing import Observed
from rekindle.worker.watching import ReturnWatch
from tests.runtime.shops import NOW, Team, cards

MINUTE = timedelta(minutes=1)


class Observer:
    """Observes nothing, and keeps when it was asked to, and since when."""

    def __init__(self) -> None:
        self.asked: list[datetime] = []
        self.since: list[datetime | None] = []

    def __call__(self, workspace: Workspace, at: datetime, since: Observed | None) -> Observed:
        self.asked.append(at)
        self.since.append(None if since is None else since.at)
        return Observed(0, at)


@pytest.fixture
def observer() -> Observer:
    return Observer()


@pytest.fixture
def watch(team: Team, observer: Observer) -> ReturnWatch:
    return ReturnWatch(team.workspace, observer)


def test_nothing_new_is_not_looked_through_again(watch: ReturnWatch, observer: Observer) -> None:
    watch.look(NOW + MINUTE)  # some buy on the stroke of the hour
    watch.look(NOW + MINUTE + timedelta(microseconds=1))
    assert observer.asked == [NOW + MINUTE]


def test_the_first_look_of_a_worker_sees_everything(team: Team, observer: Observer) -> None:
    for _ in range(2):
        ReturnWatch(team.workspace, observer).look(NOW)
    assert observer.asked == [NOW, NOW]


@pytest.mark.long
def test_an_import_is_looked_through(team: Team, watch: ReturnWatch, observer: Observer) -> None:
    watch.look(NOW)
    team.buys("c001", NOW - MINUTE)
    team.workspace.forget_facts()
    watch.look(NOW)
    assert observer.asked == [NOW, NOW]


@pytest.mark.long
def test_orders_say_nothing_of_cards(team: Team) -> None:
    """So cards and consent are not gone through at an import of nothing else."""
    space = team.workspace
    space.settle_persons()
    everything, of_people = space.facts_version(), space.facts_version(*SAYING_OF_PEOPLE)
    team.buys("c001", NOW - MINUTE)
    assert space.facts_version() != everything
    assert space.facts_version(*SAYING_OF_PEOPLE) == of_people
    team.save_cards({cards()[0]["customer_id"]: {"email": "new@example.com"}})
    assert space.facts_version(*SAYING_OF_PEOPLE) != of_people


@pytest.mark.long
def test_whoever_another_worker_let_in_is_looked_at(
    team: Team, watch: ReturnWatch, observer: Observer
) -> None:
    watch.look(NOW)
    team.start("calm")
    team.tick()
    watch.look(NOW)
    assert observer.asked == [NOW, NOW]


def test_an_order_dated_ahead_is_seen_once_its_time_has_come(
    watch: ReturnWatch, observer: Observer
) -> None:
    """The shop's file goes on for months after NOW, with orders on every day."""
    for days in range(3):
        watch.look(NOW + timedelta(days=days))
    assert len(observer.asked) == 3


def test_a_clock_that_went_back_looks_again(watch: ReturnWatch, observer: Observer) -> None:
    watch.look(NOW)
    watch.look(NOW - MINUTE)
    assert observer.asked == [NOW, NOW - MINUTE]


@pytest.mark.long
def test_a_look_goes_on_from_the_last_while_orders_alone_change(
    team: Team, watch: ReturnWatch, observer: Observer
) -> None:
    team.workspace.settle_persons()
    watch.look(NOW)
    team.buys("c001", NOW - MINUTE)
    watch.look(NOW)
    assert observer.since == [None, NOW]


def test_whoever_is_another_person_now_is_looked_at_anew(
    team: Team, watch: ReturnWatch, observer: Observer
) -> None:
    team.workspace.settle_persons()
    watch.look(NOW)
    team.workspace.book.persons.join([Link("c001", "c002", JoinReason.BY_HAND, "")], NOW, by="team")
    watch.look(NOW)
    assert observer.since == [None, None]
