"""A journey whose messages were measured to earn too little stops, and says what that saved."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from rekindle.desk import let_stops_hold, overrule_stops, report_journey
from rekindle.errors import ConfigError, JourneyError, UsageError
from rekindle.gate import Overrule
from rekindle.insights.lifting import stopping
from rekindle.ledger import WorthEntry, load_overrules, load_worth, note_worth
from rekindle.runtime import Workspace
from rekindle.vocabulary import Arm, Reason
from rekindle.worker.keeping import stopping as stopping_keeper
from rekindle.worker.keeping.stopping import know_worth, list_stops
from tests.runtime.shops import DAY, NOW, Team, add_section

BY_TIER = "[stopping]\nmeasured = true\nby = 'tier'\nsubgroups = ['{}']\n\n[offers]\nmargin = 0.4\n"
SETTINGS = "[stopping]\nmeasured = true\n\n[offers]\nmargin = 0.4\n"


def today(team: Team) -> datetime:
    return team.clock.now().astimezone(team.workspace.zone)


@pytest.fixture
def few_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judge a shop of a few dozen people as if its few buyers were enough."""
    monkeypatch.setattr(stopping, "FEWEST", 1)


@pytest.mark.long
@pytest.mark.usefixtures("few_are_enough")
def test_worth_is_found_once_a_day_and_only_where_it_may_count(begun: Team) -> None:
    before = know_worth(begun.workspace, begun.workspace.rules, begun.clock.now())
    assert before == begun.workspace.rules
    add_section(begun.folder, SETTINGS)
    team = Team.at_work(begun.folder, begun.clock.now() + 31 * DAY)
    space, at = team.workspace, team.clock.now()
    rules = know_worth(space, space.rules, at)
    (found,) = load_worth(space.ledger, today(team).date()).values()
    assert found.trouble == ""
    assert found.people > 9
    assert found.low < found.micros < found.high
    assert rules.measured["calm", ""].high == found.high
    assert know_worth(space, space.rules, at + DAY / 24).measured == rules.measured


@pytest.mark.long
def test_stopped_messages_are_reported_with_what_they_would_have_cost(begun: Team) -> None:
    add_section(begun.folder, SETTINGS)
    team = Team.at_work(begun.folder, begun.clock.now())
    worth = WorthEntry("calm", team.clock.now(), 900, -3, -9, -1)
    for days in (0, 4):
        note_worth(team.workspace.ledger, (today(team) + days * DAY).date(), worth)
    team.tick(after=4 * DAY)
    people = {one.person for one in team.enrolments("calm")}
    assert any(Reason.NOT_WORTH_IT in team.reasons(who) for who in people)
    saved = report_journey(team.workspace, "calm").stopping
    assert saved is not None
    assert saved.messages > 9
    assert "cannot be told yet" in saved.told


@pytest.mark.long
def test_message_stops_in_the_subgroup_that_does_not_pay_and_in_no_other(begun: Team) -> None:
    kept = begun.workspace.history.covariates("calm")
    (dear, dear_count), *rest = Counter(one["tier"] for one in kept.values()).most_common()
    assert dear_count < len(kept), rest
    add_section(begun.folder, BY_TIER.format(dear))
    team = Team.at_work(begun.folder, begun.clock.now())
    at = team.clock.now() + 4 * DAY
    low = WorthEntry("calm", at, 900, -3, -9, -1, subgroup=f"tier = {dear}")
    others = replace(low, high=9_000_000, subgroup="tier: all others")
    for found in (low, others):
        note_worth(team.workspace.ledger, at.astimezone(team.workspace.zone).date(), found)
    team.tick(after=4 * DAY)
    told = {
        one.person: Reason.NOT_WORTH_IT in team.reasons(one.person)
        for one in team.enrolments("calm")
    }
    assert {kept[who]["tier"] for who, is_stopped in told.items() if is_stopped} == {dear}
    saved = report_journey(team.workspace, "calm").stopping
    assert saved is not None
    assert list(saved.subgroups) == [f"tier = {dear}"]
    assert saved.subgroups[f"tier = {dear}"].messages == saved.messages


@pytest.mark.long
def test_few_buyers_are_told_and_stop_nothing(begun: Team) -> None:
    add_section(begun.folder, SETTINGS)
    team = Team.at_work(begun.folder, begun.clock.now() + 31 * DAY)
    rules = know_worth(team.workspace, team.workspace.rules, team.clock.now())
    assert not rules.measured
    (found,) = load_worth(team.workspace.ledger, today(team).date()).values()
    assert "are needed to stop by it" in found.trouble


@pytest.mark.long
@pytest.mark.usefixtures("few_are_enough")
def test_each_declared_subgroup_is_found_by_its_own_people(begun: Team) -> None:
    kept = begun.workspace.history.covariates("calm")
    ((tier, _),) = Counter(one["tier"] for one in kept.values()).most_common(1)
    add_section(begun.folder, BY_TIER.format(tier))
    team = Team.at_work(begun.folder, begun.clock.now() + 31 * DAY)
    know_worth(team.workspace, team.workspace.rules, team.clock.now())
    found = load_worth(team.workspace.ledger, today(team).date())
    assert set(found) == {("calm", f"tier = {tier}"), ("calm", "tier: all others")}
    own = sum(
        one.arm is Arm.TREATMENT and kept[one.person]["tier"] == tier
        for one in team.enrolments("calm")
    )
    assert found["calm", f"tier = {tier}"].people == own


@pytest.mark.parametrize(
    "wrong",
    [
        "[stopping]\nmeasured = true\n",
        f"{SETTINGS}\n[[worth]]\nmargin = 1\n",
        "[stopping]\nkept_on = 0\n",
        "[stopping]\nby = 'tier'\n",
        "[stopping]\nby = 'tier'\nsubgroups = ['lapsed', 'lapsed']\n",
        "[stopping]\nsubgroups = ['lapsed']\n",
    ],
)
def test_settings_that_leave_nothing_to_measure_are_refused(begun: Team, wrong: str) -> None:
    add_section(begun.folder, wrong)
    with pytest.raises(ConfigError):
        Workspace.open(begun.folder)


def test_column_that_is_not_kept_is_refused(begun: Team) -> None:
    add_section(begun.folder, BY_TIER.format("lapsed").replace("'tier'", "'shoe_size'"))
    with pytest.raises(ConfigError, match=r"it is kept .*tier"):
        _ = Workspace.open(begun.folder).terms


@pytest.mark.long
def test_stop_that_is_overruled_holds_again_after_it(begun: Team) -> None:
    add_section(begun.folder, SETTINGS)
    team = Team.at_work(begun.folder, begun.clock.now())
    space, at = team.workspace, team.clock.now()
    for days in (4, 8):
        worth = WorthEntry("calm", at, 900, -3, -9, -1)
        note_worth(space.ledger, (today(team) + days * DAY).date(), worth)
    overrule_stops(space, Overrule("calm", "ann", "they buy in autumn", at, at + 5 * DAY))
    team.tick(after=4 * DAY)
    people = {one.person for one in team.enrolments("calm")}
    assert not any(Reason.NOT_WORTH_IT in team.reasons(who) for who in people)
    told = [
        one.detail
        for who in people
        for one in space.history.decisions_of(who)
        if one.detail.startswith("overruled by ann until ")
    ]
    assert told
    stops = list_stops(space, team.clock.now())
    assert stops
    assert all(one.is_stopped and one.overrule is not None for one in stops)
    team.tick(after=4 * DAY)
    assert any(Reason.NOT_WORTH_IT in team.reasons(who) for who in people)
    made = report_journey(space, "calm").overruling
    assert made is not None
    assert made.messages == len(told)
    assert "ann overruled what stops every message" in made.told[0]


@pytest.mark.long
def test_overrule_is_ended_by_hand_and_logged(begun: Team) -> None:
    add_section(begun.folder, SETTINGS)
    team = Team.at_work(begun.folder, begun.clock.now() + 4 * DAY)
    space, at = team.workspace, team.clock.now()
    worth = WorthEntry("calm", at, 900, -3, -9, -1)
    note_worth(space.ledger, today(team).date(), worth)
    overrule_stops(space, Overrule("calm", "ann", "they buy in autumn", at, at + 5 * DAY))
    assert let_stops_hold(space, "calm", who="bob") == 1
    team.tick()
    people = {one.person for one in team.enrolments("calm")}
    assert any(Reason.NOT_WORTH_IT in team.reasons(who) for who in people)
    logged = [(one.who, one.action) for one in space.audit_log.entries("calm", 2)]
    assert logged == [("bob", "let stops hold"), ("ann", "overruled")]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"step": "no-such"}, "has no message 'no-such'; it has"),
        ({"subgroup": "tier = gone"}, "declared are: none"),
        ({"until": NOW}, "until a day to come"),
        ({"until": NOW + 400 * DAY}, "366 days at most"),
        ({"journey": "nothing"}, "no journey 'nothing' has started"),
    ],
)
def test_overrule_of_nothing_is_refused(begun: Team, changes: dict[str, Any], told: str) -> None:
    made = Overrule("calm", "ann", "why not", NOW, NOW + DAY)
    with pytest.raises((UsageError, JourneyError), match=told):
        overrule_stops(begun.workspace, replace(made, **changes))
    assert load_overrules(begun.workspace.ledger) == []


def test_who_enters_and_ends_while_it_is_overruled_teaches_again(begun: Team) -> None:
    """A stop ends learning; while it is overruled everybody gets everything, and it goes on."""
    space, at = begun.workspace, begun.clock.now()
    (version,) = space.book.versions("calm")
    made = Overrule("calm", "ann", "why not", at - DAY, at + 40 * DAY)
    assert stopping_keeper._was_overruled(at, 30 * DAY, [made])
    assert not stopping_keeper._was_overruled(at, 42 * DAY, [made])
    assert not stopping_keeper._was_overruled(at - 2 * DAY, 30 * DAY, [made])
    assert version.version == 1
