"""One engine, two books: a replay of history is what a live run would have done.

The live side runs on the ledger, a morning at a time, with mail going to a folder; the
replay on a book in memory, with its audience swept in one go. Nothing is shared but the
facts, so whatever one of them gets wrong about time shows here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from rekindle.desk import replay_journey, report_journey
from rekindle.desk.replaying import Rehearsal, rehearse
from rekindle.gate import build_rules
from rekindle.journeys import Candidate, JourneyEngine, JourneyVersion
from rekindle.journeys.population.historical import HistoryAudience
from rekindle.journeys.population.live import LiveAudience
from rekindle.worker.composing import Composer
from rekindle.worker.dispatching import build_dispatcher
from rekindle.worker.observing import observe_returns
from tests.runtime.shops import Team, add_section, mornings

FIRST = date(2024, 8, 19)
DAYS = 14
LAST = FIRST + timedelta(days=DAYS - 1)
# Waits so short, and a cap so wide, that people finish, return and enter again in time.
BRISK = """\
journey: brisk
enter:
  audience: tier in ('at_risk', 'lapsed', 'dormant') and country <> 'FR'
reenter: after 10 days
goal: {on: order, within: 30 days, read_on: 2024-09-01}
holdout: 0.3
stale_after: 2 days
steps:
  - wait: 1 day
  - send: {channel: email, template: check-in}
  - send: {channel: email, template: new-arrivals}
  - wait: 3 days
  - when: tier <> 'at_risk' and value_band <> 'low'
    send: {channel: email, template: nudge}
"""
PREDICATES = (
    "tier in ('at_risk', 'lapsed', 'dormant')",
    "tier = 'prospect'",
    "tier = 'returned' or tier = 'new'",
    "value_band = 'high'",
    "not has_email",
    "country = 'CA' or country is null",
    "last_order_on >= current_date - interval '30' day",
    "top_category = 'mugs' and top_category_share > 0.5",
    "silence_ratio > 2.5",
    "lifetime_value > 100 and refund_value > 0",
    "season_on between current_date and current_date + interval 30 days",
    "refill_due_on < current_date and at_risk_on >= current_date",
)


@dataclass(frozen=True)
class Runs:
    """The same journey over the same facts, live and replayed."""

    team: Team
    rehearsal: Rehearsal


class OfTheMorning:
    """The people as they were in the morning: what a replay asks between two of them."""

    def __init__(self, audience: LiveAudience, morning: datetime) -> None:
        self._audience, self._morning = audience, morning

    def entrants(self, version: JourneyVersion, at: datetime) -> Iterator[Candidate]:
        return iter(())

    def matching(self, predicate: str, at: datetime, people: Collection[str]) -> set[str]:
        return self._audience.matching(predicate, self._morning, people)

    def dates(self, column: str, at: datetime, people: Collection[str]) -> Mapping[str, date]:
        return self._audience.dates(column, self._morning, people)

    def amounts(self, column: str, at: datetime, people: Collection[str]) -> Mapping[str, float]:
        return self._audience.amounts(column, self._morning, people)

    def last_orders(self, at: datetime, people: Collection[str]) -> Mapping[str, datetime]:
        return self._audience.last_orders(self._morning, people)


def look_between(team: Team, morning: datetime) -> None:
    """Do what a pass does, but for asking who people are."""
    space, at, audience = team.workspace, team.clock.now(), team.worker._audience
    audience.profiles(morning)
    observe_returns(space, at)
    people = OfTheMorning(audience, morning)
    JourneyEngine(space.book, people, rules=build_rules(space.config), cost=space.cost).tick(at)
    build_dispatcher(space, Composer(space, audience).compose, people).run()


@pytest.fixture(scope="module")
def runs(imported_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    folder = tmp_path_factory.mktemp("runs") / "shop"
    Team.copy(imported_shop, folder)
    (folder / "journeys" / "brisk.yaml").write_text(BRISK, encoding="utf-8")
    add_section(folder, "[holdout]\nshare = 0.15\n")
    team = Team.at_work(folder, next(mornings(FIRST, 1)))
    rehearsal = rehearse(team.workspace, team.workspace.journey("brisk"), first=FIRST, last=LAST)
    team.start("brisk")
    days = list(mornings(FIRST, DAYS))
    looks = {move.at for move in rehearsal.replayed.moves} - set(days)
    for at in sorted({*days, *looks}):
        team.clock.set(at)
        if at in days:
            team.tick()
        else:
            look_between(team, max(day for day in days if day < at))
    yield Runs(team, rehearsal)
    team.leave()


@pytest.mark.long
def test_the_same_people_enter_in_the_same_arm_and_end_alike(runs: Runs) -> None:
    live = {
        (e.person, e.rotation): (e.arm, e.entered_at, e.last_order_at, e.ended_at, e.ended_reason)
        for e in runs.team.enrolments("brisk")
    }
    replayed = {
        (e.person, e.rotation): (e.arm, e.entered_at, e.last_order_at, one.ended_at, one.ended)
        for one in runs.rehearsal.replayed.courses
        for e in (one.enrolment,)
    }
    assert live == replayed


@pytest.mark.long
def test_the_gate_gives_the_same_answers_at_the_same_time(runs: Runs) -> None:
    history = runs.team.workspace.history
    live = sorted(
        (person, d.rotation, d.at, d.step, d.answer, d.reason or "", d.until)
        for person in {one.person for one in runs.team.enrolments("brisk")}
        for d in history.decisions_of(person)
    )
    replayed = sorted(
        (m.before.person, m.before.rotation, m.at, m.step.key, d.answer, d.reason or "", d.until)
        for m in runs.rehearsal.replayed.moves
        for d in (m.decision,)
    )
    assert live == replayed


@pytest.mark.long
def test_the_period_holds_every_kind_of_course(runs: Runs) -> None:
    """Otherwise the two tests above would compare nothing."""
    replayed = runs.rehearsal.replayed
    assert all(replayed.assigned.values())
    assert {"order", "finished"} <= set(replayed.ended)
    assert {"cap", "held_out", "no_permission", "unreachable", "condition_not_met"} <= set(
        replayed.reasons
    )
    assert "global_holdout" in replayed.reasons
    assert any(one.enrolment.rotation for one in replayed.courses)


@pytest.mark.long
def test_the_reports_state_the_same_figures(runs: Runs) -> None:
    space = runs.team.workspace
    runs.team.clock.set(datetime.fromisoformat(f"{LAST}T22:59:59.999999+00:00"))
    live = report_journey(space, "brisk").to_json()
    replayed = replay_journey(space, space.journey("brisk"), first=FIRST, last=LAST).to_json()
    # Nobody was contacted in a replay, so there is nothing to credit with a purchase.
    assert {"credits", "earned"} <= set(cast("Any", live["attribution"]))
    assert set(cast("Any", replayed["attribution"])) == {"unknown"}
    # Nor does a replay know why anybody left, or whom an address could not reach.
    differing = {"notes", "from", "to", "attribution", "partings"}
    assert {k: v for k, v in live.items() if k not in differing} == {
        k: v for k, v in replayed.items() if k not in differing
    }


@pytest.fixture(scope="module")
def audiences(imported_shop: Path) -> Iterator[dict[datetime, dict[str, Any]]]:
    """Yield, for each of a few mornings, who matches each predicate in both audiences."""
    team = Team.at_work(imported_shop)
    space = team.workspace
    # The clocks change on 31 March and 27 October.
    ticks = [*mornings(date(2024, 3, 30), 2), *mornings(date(2024, 10, 26), 2)]
    history = HistoryAudience(
        space.engine,
        space.facts,
        settings=space.config.lifecycle,
        # Conditions are judged for those whom the audience ever lets in: here for everyone.
        predicates=["true", *PREDICATES],
        ticks=ticks,
    )
    everyone = history.people
    live = LiveAudience(space)
    yield {
        at: {
            text: (live.matching(text, at, everyone), history.matching(text, at, everyone))
            for text in PREDICATES
        }
        for at in ticks
    }
    team.leave()


@pytest.mark.long
@pytest.mark.draws(4)
@pytest.mark.parametrize("predicate", PREDICATES)
def test_history_answers_a_predicate_as_a_live_look_would(
    predicate: str, audiences: dict[datetime, dict[str, Any]]
) -> None:
    for at, found in audiences.items():
        live, history = found[predicate]
        assert live, (predicate, at)
        assert live == history, (predicate, at)


def test_history_offers_the_people_a_live_look_would(imported_shop: Path) -> None:
    team = Team.at_work(imported_shop)
    space, journey = team.workspace, team.workspace.journey("calm")
    ticks = list(mornings(date(2024, 9, 1), 1))
    version = JourneyVersion(journey, 1, 0.3, "salt", ticks[0])
    history = HistoryAudience(
        space.engine,
        space.facts,
        settings=space.config.lifecycle,
        predicates=[journey.audience],
        ticks=ticks,
    )
    offered = list(history.entrants(version, ticks[0]))
    live = list(LiveAudience(space).entrants(version, ticks[0]))
    team.leave()
    assert sorted(live, key=str) == sorted(offered, key=str) != []
