"""What a plan foresees of a business that lives on subscriptions, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from rekindle.config import SourceSettings
from rekindle.desk import Scaffold, create_workspace
from rekindle.desk.counting import find_matching
from rekindle.desk.planning import build_plan, foresee_returns, measure_base_rate
from rekindle.desk.replaying import rehearse
from rekindle.experiments import HoldoutPlan, plan_holdout
from rekindle.insights import build_returned
from rekindle.predictions import Outlook, PastCut, foresee
from rekindle.runtime import Workspace
from rekindle.subscriptions import build_purchases
from rekindle.testing.club import build_club
from rekindle.vocabulary import Arm, Unknown
from rekindle.worker.keeping.daily import watch_workspace
from rekindle.worker.observing import Observed
from rekindle.worker.watching import ReturnWatch
from tests.runtime.shops import Team, close_ledgers

NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)
HEADER = "subscription_id,customer_id,plan,amount,interval,started_at,ended_at"
LEFT = [f"s-{n},c{n},Gold,10,month,2025-01-01,2026-03-01" for n in range(1, 21)]
BACK = [f"t-{n},c{n},Gold,12,month,2026-05-01," for n in range(1, 6)]
JOURNEY = """\
journey: back
enter: {audience: subscription_state = 'gone' and months_since_churn <= 11}
goal: {on: order, within: 30 days}
steps:
  - send: {channel: email, template: check-in}
"""


def build(folder: Path) -> None:
    named = {name: name for name in HEADER.split(",")}
    source = SourceSettings(
        name="subscriptions", table="subscriptions", path="subscriptions.csv", columns=named
    )
    create_workspace(folder, Scaffold("Club", "GBP", "UTC", (source,)))
    (folder / "journeys" / "back.yaml").write_text(JOURNEY)
    Workspace.open(folder).import_facts()


@pytest.fixture(scope="module")
def club(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """Twenty left in March and five of them were back on the first of May; one is to begin."""
    folder = tmp_path_factory.mktemp("club")
    ahead = "u-1,c90,Gold,12,month,2026-06-03,"
    (folder / "subscriptions.csv").write_text("\n".join([HEADER, *LEFT, *BACK, ahead]))
    build(folder)
    team = Team.at_work(folder, NOW)
    yield team
    team.leave()
    close_ledgers()


@pytest.mark.long
def test_the_base_rate_is_of_starts_and_of_what_was_paid_from_then_on(club: Team) -> None:
    space = club.workspace
    found = measure_base_rate(space, space.journey("back"), datetime(2026, 5, 20, tzinfo=UTC))
    assert not isinstance(found, Unknown)
    assert (found.people, found.returned_share) == (20, 0.25)
    brought = 12 * 19 / (365.25 / 12)  # from the first of May until the twentieth
    assert found.mean == pytest.approx(brought / 4, abs=1e-4)
    assert found.standard_deviation == pytest.approx(brought * (0.25 * 0.75) ** 0.5, abs=1e-4)


@pytest.mark.long
def test_a_start_on_the_stroke_of_the_window_is_a_return_and_one_at_its_end_is_none(
    club: Team,
) -> None:
    engine, facts = club.workspace.reading
    purchases = build_purchases(facts.orders, facts)
    may = datetime(2026, 5, 1, tzinfo=UTC)
    day = timedelta(days=1)
    gone = find_matching(club.workspace, facts, "subscription_state = 'gone'", may)
    for people, start, end, returned in ((gone, may, may + day, 5), (gone, may - day, may, 0)):
        (row,) = engine.run(build_returned(people, purchases, start, end)).to_pylist()
        assert row == {"people": 20, "returned": returned}


@pytest.mark.long
def test_nobody_yet_is_said_without_a_word_of_orders(club: Team) -> None:
    space, long_ago = club.workspace, datetime(2024, 6, 1, tzinfo=UTC)
    journey = space.journey("back")
    for found in (
        measure_base_rate(space, journey, long_ago),
        *foresee_returns(space, journey, long_ago)[:1],
    ):
        assert found == Unknown("nobody has bought yet, or begun a subscription that is paid")


@pytest.mark.long
def test_a_replay_sizes_its_holdout_by_who_subscribes_again(
    club: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = club.workspace
    asked: list[float | Unknown] = []

    def plan(*, people: int, buyers_expected_share: float | Unknown) -> HoldoutPlan:
        asked.append(buyers_expected_share)
        return plan_holdout(people=people, buyers_expected_share=buyers_expected_share)

    monkeypatch.setattr("rekindle.desk.replaying.plan_holdout", plan)
    day = date(2026, 5, 20)
    rehearse(space, space.journey("back"), first=day, last=day)
    assert asked == [0.25]


def test_a_start_dated_ahead_is_looked_for_when_it_comes_to_pass(club: Team) -> None:
    asked: list[datetime] = []

    def observe(space: Workspace, at: datetime, since: Observed | None) -> Observed:
        asked.append(at)
        return Observed(0, at)

    watch = ReturnWatch(club.workspace, observe)
    came = datetime(2026, 6, 3, tzinfo=UTC)
    after = came + timedelta(minutes=1)
    for at in (NOW, came - timedelta(minutes=1), after, after + timedelta(minutes=1)):
        watch.look(at)
    assert asked == [NOW, after]


@pytest.mark.long
def test_a_plan_foresees_the_buyers_of_those_whom_the_draw_holds_out(
    club: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Drawn by lot, they are seldom just the share that was asked for.
    outlook = foresee([PastCut(NOW, 1_000, 100)])
    monkeypatch.setattr("rekindle.desk.planning.foresee_returns", lambda *_, **__: (outlook, ()))
    plan = build_plan(club.workspace, club.workspace.journey("back"), NOW)
    held = plan.assigned[Arm.HOLDOUT]
    assert held != plan.holdout.held_out_count
    told = [note for note in plan.notes if "to buy unprompted" in note]
    assert [note.split(" held out")[0] for note in told] == [f"Of the {held}"]
    assert plan.to_json()["expected_buyers"]["holdout"] == pytest.approx(0.1 * held, abs=0.1)


@pytest.mark.long
def test_what_came_of_a_drawn_business_lies_in_the_range(tmp_path: Path) -> None:
    drawn = build_club(1_500, until=NOW.date(), months=6, seed=5).subscriptions
    rows = [",".join(str(value) for value in _in_order(row)) for row in drawn]
    (tmp_path / "subscriptions.csv").write_text("\n".join([HEADER, *rows]))
    build(tmp_path)
    space, at = Workspace.open(tmp_path), datetime(2026, 4, 15, tzinfo=UTC)
    journey = space.journey("back")
    engine, facts = space.reading
    outlook, _ = foresee_returns(space, journey, at)
    assert isinstance(outlook, Outlook)
    people = find_matching(space, facts.cut(at), journey.audience, at)
    purchases = build_purchases(facts.orders, facts)
    came = build_returned(people, purchases, at, at + journey.goal.within)
    (row,) = engine.run(came).to_pylist()
    told = outlook.of(row["people"])
    assert row["people"] > 50
    assert row["returned"] > 0
    assert told.low <= row["returned"] <= told.high


def _in_order(row: Mapping[str, object]) -> list[object]:
    names = ("subscription_id", "customer_id", "plan", "amount", "interval")
    return [*(row[name] for name in names), row["start_date"], row["end_date"]]


@pytest.mark.long
def test_the_watch_counts_subscriptions_that_began_where_there_are_no_orders(club: Team) -> None:
    for at, count in ((datetime(2026, 5, 2, 9, tzinfo=UTC), 5), (NOW, 0)):
        found = watch_workspace(club.workspace, at)[-1]
        assert (found.name, found.count) == ("subscriptions begun", count)
        assert found.on == at.date() - timedelta(days=1)
