"""Somebody who subscribes again has returned, whatever file says so and whenever it comes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rekindle.desk import replay_journey, report_journey
from rekindle.desk.offers import reporting
from rekindle.ledger import OfferWindow
from rekindle.runtime import Workspace
from rekindle.subscriptions import OURS, build_movements
from rekindle.vocabulary import Arm, Reason, Unknown
from tests.runtime.shops import Team
from tests.seam.club import BACK, CARDS, LEFT, PEOPLE, bring, found_club, source_of, write

NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)
JOURNEY = """\
journey: back
enter: {audience: subscription_state = 'gone'}
goal: {on: order, within: 60 days}
holdout: none
steps:
  - send: {channel: email, template: check-in}
  - wait: 3 days
  - send: {channel: email, template: nudge}
"""


@pytest.fixture
def club(tmp_path: Path) -> Iterator[Team]:
    """Three who left a club in March; it is June, and a journey has written to them."""
    found_club(tmp_path)
    (tmp_path / "journeys" / "back.yaml").write_text(JOURNEY)
    Workspace.open(tmp_path).import_facts()
    team = Team.at_work(tmp_path, NOW)
    team.start("back")
    team.tick()
    yield team
    team.leave()


def ended(club: Team, person: str) -> Reason | None:
    (one,) = [one for one in club.enrolments("back") if one.person == person]
    return one.ended_reason


def test_who_subscribes_again_is_not_written_to(club: Team) -> None:
    club.clock.move(DAY)
    bring(club, "subscriptions", LEFT + BACK.format("2026-06-01T12:00:00Z"))
    club.tick(after=4 * DAY)
    assert ended(club, "ada") is Reason.ORDER
    assert len(club.states("ada")) == 1
    assert [len(club.states(who)) for who in ("ben", "cleo")] == [2, 2]


@pytest.mark.long
def test_it_counts_also_where_the_file_comes_late(club: Team) -> None:
    """She was back before the journey began, and nobody knew."""
    club.clock.move(DAY)
    bring(club, "subscriptions", LEFT + BACK.format("2026-05-31T12:00:00Z"))
    club.tick(after=4 * DAY)
    assert ended(club, "ada") is Reason.ORDER
    assert len(club.states("ada")) == 1


@pytest.mark.long
def test_what_somebody_left_with_is_no_return(club: Team) -> None:
    bring(club, "subscriptions", LEFT.replace(",Gold,", ",Silver,"))
    club.tick(after=4 * DAY)
    assert [len(club.states(who)) for who in PEOPLE] == [2, 2, 2]


@pytest.mark.long
def test_who_subscribes_again_under_another_id_is_one_person_who_returned(club: Team) -> None:
    bring(club, "customers", f"{CARDS}bea,ben@example.com,GB,yes,2025-01-01\n")
    again = "t-bea,bea,Gold,12,month,2026-06-02T10:00:00Z,\n"
    bring(club, "subscriptions", LEFT + again)
    club.tick(after=4 * DAY)
    assert (ended(club, "ben"), ended(club, "ada")) == (Reason.ORDER, Reason.FINISHED)
    engine, facts = club.workspace.reading
    moved = engine.run(build_movements(facts, club.clock.now(), OURS)).to_pylist()
    assert Counter(row["movement"] for row in moved) == {"new": 3, "churn": 3, "reactivation": 1}


@pytest.mark.long
def test_who_never_left_as_the_file_says_now_did_not_come_back(club: Team) -> None:
    club.clock.move(DAY)
    again = LEFT.replace(
        "s-ada,ada,Gold,10,month,2025-01-01,2026-03-01", "s-ada,ada,Gold,10,month,2025-01-01,"
    )
    bring(club, "subscriptions", again + BACK.format("2026-06-01T12:00:00Z"))
    club.tick(after=4 * DAY)
    assert ended(club, "ada") is not Reason.ORDER
    # She is a subscriber after all: her second message is left out.
    assert len(club.states("ada")) == 1
    assert Reason.STILL_SUBSCRIBED in club.reasons("ada")
    assert [len(club.states(who)) for who in ("ben", "cleo")] == [2, 2]


@pytest.mark.long
def test_the_report_counts_who_is_back_and_what_they_brought(club: Team) -> None:
    club.clock.move(20 * DAY)
    bring(club, "subscriptions", LEFT + BACK.format("2026-06-11T00:00:00Z"))
    club.tick(after=70 * DAY)
    report = report_journey(club.workspace, "back")
    treated = report.arms[Arm.TREATMENT]
    assert treated.returned == 1
    # From 11 June until 31 July, 60 days after she entered at nine.
    assert treated.revenue == pytest.approx(12 * (50 + 9 / 24) / (365.25 / 12), abs=0.01)
    assert isinstance(report.attribution, Unknown)


@pytest.mark.long
def test_who_subscribes_in_the_time_of_an_offer_bought_anyway(club: Team) -> None:
    bring(club, "subscriptions", LEFT + BACK.format("2026-06-11T00:00:00Z"))
    days = ((1, 5), (1, 20), (12, 20))
    windows = [
        OfferWindow("ten", who, NOW + first * DAY, NOW + last * DAY, is_ghost=False)
        for who in ("ada", "ben")
        for first, last in days
    ]
    club.clock.move(30 * DAY)
    assert reporting.find_bought(club.workspace, windows) == {1}


@pytest.mark.long
def test_where_there_are_orders_they_alone_are_the_money(club: Team) -> None:
    """What a shop's subscribers pay stands in its orders, too, and would count twice."""
    club.clock.move(20 * DAY)
    write(club.folder, "orders", "1,ada,2026-06-05T10:00:00Z,30\n")
    club.workspace.import_from((source_of("orders"),))
    bring(club, "subscriptions", LEFT + BACK.format("2026-06-05T10:00:00Z"))
    club.tick(after=70 * DAY)
    treated = report_journey(club.workspace, "back").arms[Arm.TREATMENT]
    assert (treated.returned, treated.revenue) == (1, 30.0)


@pytest.mark.long
def test_a_replay_sees_who_came_back(club: Team) -> None:
    bring(club, "subscriptions", LEFT + BACK.format("2026-04-20T12:00:00Z"))
    found = replay_journey(
        club.workspace,
        club.workspace.journey("back"),
        first=datetime(2026, 3, 10).date(),
        last=datetime(2026, 5, 30).date(),
    )
    assert sum(one.returned for one in found.arms.values()) == 1
    assert found.sent_after_return == 0
    assert found.touches
