"""What a team does to a journey takes hold, keeps every promise and is in the log."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from rekindle.consent import Exclusion
from rekindle.desk import (
    PreferenceChange,
    build_plan,
    change_preferences,
    erase_person,
    exclude_person,
    explain_customer,
    include_person,
    move_people,
    pause_journey,
    plan_move,
    resume_journey,
    start_journey,
    stop_journey,
    wishes,
)
from rekindle.errors import ConfigError, JourneyError, UsageError
from rekindle.journeys.tokens import check_drift, read_plan, sign_plan
from rekindle.ledger import MessageState
from rekindle.vocabulary import Reason
from tests.runtime.shops import CALM, NOW, Team

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
WHO = "ann"


def log(team: Team, subject: str) -> list[tuple[str, str]]:
    entries = team.workspace.audit_log.entries(subject)
    return [(one.who, one.action) for one in reversed(entries)]


def test_plan_starts_what_it_showed_and_nothing_else(team: Team) -> None:
    space = team.workspace
    journey, at = space.journey("few"), team.clock.now()
    token = build_plan(space, journey, at).token
    edited = replace(journey, text=journey.text + "\n# edited")
    for refused, when, why in (
        (edited, at, "has been edited"),
        (replace(journey, name="other"), at, "no token of a plan of other"),
        (journey, at + 16 * MINUTE, "15 minutes"),
        (journey, at - MINUTE, "15 minutes"),
    ):
        with pytest.raises(UsageError, match=why):
            read_plan(space.secret, token, refused, when)
    with pytest.raises(UsageError, match="no token"):
        read_plan(space.secret, token[:-2] + "xx", journey, at)
    with pytest.raises(UsageError, match="no token"):
        read_plan(b"another key", token, journey, at)
    version = start_journey(space, journey, at + 15 * MINUTE, who=WHO, token=token).version
    assert version.version == 1
    assert log(team, "few") == [(WHO, "started")]


@pytest.mark.long
def test_start_is_refused_when_many_more_would_enter_than_were_planned(team: Team) -> None:
    space, at = team.workspace, team.clock.now()
    journey = space.journey("few")
    planned = read_plan(space.secret, sign_plan(space.secret, journey, 100, at), journey, at)
    check_drift(planned, 110, limit=0.1)
    check_drift(planned, 90, limit=0.1)
    for people in (89, 111, 0):
        with pytest.raises(UsageError, match="100 were planned"):
            check_drift(planned, people, limit=0.1)
    token = sign_plan(space.secret, journey, 100, at)
    with pytest.raises(UsageError, match="look and plan again"):
        start_journey(space, journey, at, token=token)
    assert space.book.versions("few") == []
    assert start_journey(space, journey, at, token=token, drift=1.0).version.version == 1


@pytest.mark.long
def test_paused_journey_sends_nothing_until_it_resumes(team: Team) -> None:
    team.start("few")
    pause_journey(team.workspace, "few", who=WHO, why="a wrong picture")
    assert team.tick().decided.entered == 0
    assert team.mails() == []
    resume_journey(team.workspace, "few", who=WHO)
    team.tick()
    assert len(team.mails()) > 3
    assert log(team, "few") == [("", "started"), (WHO, "paused"), (WHO, "resumed")]


@pytest.mark.long
def test_message_that_waits_does_not_leave_a_paused_journey(team: Team) -> None:
    team.start("few")
    team.worker.tick(is_stopping=lambda: True)
    pause_journey(team.workspace, "few", who=WHO)
    team.tick(after=10 * MINUTE)
    before = len(team.mails())
    resume_journey(team.workspace, "few", who=WHO)
    team.tick(after=2 * 60 * MINUTE)
    assert before <= 1 < len(team.mails())


@pytest.mark.long
def test_stopped_journey_ends_for_everyone_and_may_start_again(begun: Team) -> None:
    inside = sum(one.ended_at is None for one in begun.enrolments("calm"))
    assert stop_journey(begun.workspace, "calm", who=WHO) == inside > 0
    assert {one.ended_reason for one in begun.enrolments("calm")} >= {Reason.STOPPED}
    assert begun.tick(after=4 * DAY).decided.decisions == {}
    begun.start("calm")
    assert [one.version for one in begun.workspace.book.running()] == [1]


def test_stopped_journey_is_neither_resumed_nor_paused_nor_stopped_again(begun: Team) -> None:
    space = begun.workspace
    stop_journey(space, "calm", who=WHO)
    before = log(begun, "calm")
    for steer in (resume_journey, pause_journey):
        with pytest.raises(JourneyError, match="calm was stopped and ended for everyone"):
            steer(space, "calm", who=WHO)
    assert stop_journey(space, "calm", who=WHO) is None
    assert log(begun, "calm") == before
    assert space.book.state("calm") == "stopped"


def test_steering_that_changes_nothing_is_not_in_the_log(begun: Team) -> None:
    space = begun.workspace
    assert resume_journey(space, "calm", who=WHO) is None
    assert [pause_journey(space, "calm", who=WHO) for _ in range(2)] == [True, False]
    assert log(begun, "calm") == [("", "started"), (WHO, "paused")]


@pytest.mark.long
def test_start_of_what_runs_already_starts_nothing(begun: Team) -> None:
    space = begun.workspace
    journey = space.journey("calm")
    again = start_journey(space, journey, begun.clock.now(), who=WHO)
    assert (again.is_new, again.version.version) == (False, 1)
    assert log(begun, "calm") == [("", "started")]
    plan = build_plan(space, journey, begun.clock.now())
    assert plan.token == ""
    assert any("runs already" in note for note in plan.notes)
    pause_journey(space, "calm", who=WHO)
    assert start_journey(space, journey, begun.clock.now(), who=WHO).is_new


@pytest.mark.long
def test_edited_holdout_does_not_count_and_the_plan_and_the_start_say_so(begun: Team) -> None:
    edited = CALM.replace("holdout: 0.3", "holdout: 0.5")
    (begun.folder / "journeys" / "calm.yaml").write_text(edited, encoding="utf-8")
    space, at = begun.workspace, begun.clock.now()
    plan = build_plan(space, space.journey("calm"), at)
    assert plan.holdout.share == 0.3
    assert plan.holdout.sentence == "30 % held out, as since it started"
    (note,) = (note for note in plan.notes if "50 %" in note)
    assert "30 % counts" in note
    started = start_journey(space, space.journey("calm"), at, who=WHO)
    kept = "What is expected of it is written in learned/calm.md."
    assert (started.version.version, started.notes) == (2, (note, kept))


@pytest.mark.long
def test_plan_names_the_journeys_that_may_write_to_whom_it_holds_out(begun: Team) -> None:
    plan = build_plan(begun.workspace, begun.workspace.journey("few"), begun.clock.now())
    assert any("held out here may be written to" in n and "calm" in n for n in plan.notes)


@pytest.mark.long
def test_move_lists_who_stands_where_a_step_is_gone_and_moves_the_others(begun: Team) -> None:
    kept = CALM.replace("template: nudge", "template: welcome-back")
    (begun.folder / "journeys" / "calm.yaml").write_text(kept, encoding="utf-8")
    begun.start("calm")
    plan = plan_move(begun.workspace, "calm")
    assert {(one.version, one.step, one.to_step) for one in plan.standing} == {
        (1, "new-arrivals", "new-arrivals")
    }
    assert move_people(begun.workspace, plan, who=WHO) == plan.moving > 0
    gone = kept.replace("template: new-arrivals", "template: nudge")
    (begun.folder / "journeys" / "calm.yaml").write_text(gone, encoding="utf-8")
    begun.start("calm")
    stuck = plan_move(begun.workspace, "calm")
    assert {(one.version, one.step, one.to_step) for one in stuck.standing} == {
        (2, "new-arrivals", None)
    }
    assert move_people(begun.workspace, stuck, who=WHO) == 0
    begun.tick(after=4 * DAY)
    templates = {m.template for m in begun.workspace.history.messages_of("calm") if m.version == 2}
    assert templates == {"new-arrivals"}


def test_journey_that_never_started_cannot_be_steered(team: Team) -> None:
    for steer in (pause_journey, resume_journey, stop_journey):
        with pytest.raises(JourneyError, match="no journey 'few' has started"):
            steer(team.workspace, "few", who=WHO)
    with pytest.raises(JourneyError, match="has started"):
        plan_move(team.workspace, "few")


@pytest.mark.long
def test_wishes_exclusions_and_erasure_bind_the_gate(team: Team) -> None:
    space = team.workspace
    team.start("few")
    team.worker.tick(is_stopping=lambda: True)
    pause_journey(space, "few", who=WHO)
    queued = [one.person for one in space.history.messages_of("few") if one.accepted_at is None]
    snoozed, excluded, erased, *others = queued
    change_preferences(space, snoozed, PreferenceChange(snooze=30 * DAY), who=WHO)
    exclude_person(space, excluded, Exclusion.BAD_ACTOR, who=WHO)
    assert erase_person(space, erased, who=WHO) in (0, 1)
    resume_journey(space, "few", who=WHO)
    team.tick(after=2 * 60 * MINUTE)
    left = {one.person for one in space.history.messages_of("few") if one.accepted_at}
    assert left.isdisjoint({snoozed, excluded, erased})
    assert left.issuperset(others)
    card = space.history.person(erased)
    assert card is None or card.address is None
    include_person(space, excluded, Exclusion.BAD_ACTOR, who=WHO)
    assert log(team, excluded) == [(WHO, "excluded"), (WHO, "included")]


def test_what_somebody_chooses_meanwhile_stays(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """The team writes down a wish while the person snoozes by themselves."""
    space = team.workspace
    team.start("few")
    team.tick()
    person = team.enrolments("few")[0].person
    until = team.clock.now() + 90 * DAY
    check = wishes._require_topic

    def choose_and_check(topic: str) -> None:
        mine = space.history.preferences_of(person)
        space.book.save_preferences(person, replace(mine, snoozed_until=until))
        check(topic)

    monkeypatch.setattr(wishes, "_require_topic", choose_and_check)
    now = change_preferences(space, person, PreferenceChange(mute=("news",)), who=WHO)
    assert (now.snoozed_until, now.muted_topics) == (until, frozenset({"news"}))


@pytest.mark.long
def test_an_exclusion_of_no_time_is_refused(team: Team) -> None:
    with pytest.raises(UsageError, match="lasts for some time"):
        exclude_person(team.workspace, "c001", Exclusion.BAD_ACTOR, who=WHO, lasting=timedelta(0))
    assert team.workspace.history.exclusions_of("c001") == []


@pytest.mark.long
def test_wishes_add_up_and_are_taken_back(team: Team) -> None:
    space = team.workspace
    team.start("few")
    team.tick()
    person = team.enrolments("few")[0].person
    change_preferences(space, person, PreferenceChange(snooze=DAY, mute=("news",)), who=WHO)
    now = change_preferences(space, person, PreferenceChange(at_most_every=30 * DAY), who=WHO)
    assert now == space.history.preferences_of(person)
    assert now.snoozed_until == team.clock.now() + DAY
    assert (now.muted_topics, now.at_most_every) == (frozenset({"news"}), 30 * DAY)
    none = timedelta(0)
    back = change_preferences(
        space, person, PreferenceChange(none, none, unmute=("news",)), who=WHO
    )
    assert (back.snoozed_until, back.muted_topics, back.at_most_every) == (None, frozenset(), None)


def test_wish_of_nobody_is_refused(team: Team) -> None:
    with pytest.raises(UsageError, match="no customer 'nobody'"):
        change_preferences(team.workspace, "nobody", PreferenceChange(snooze=DAY), who=WHO)


@pytest.mark.long
def test_touch_at_night_waits_for_the_morning_where_the_person_is(team: Team) -> None:
    path = team.folder / "rekindle.toml"
    nights = path.read_text(encoding="utf-8").replace('end = "21:00"', 'end = "08:00"')
    path.write_text(nights.replace("[quiet_hours]", '[quiet_hours]\nspread = "10 minutes"'))
    late = Team.at_work(team.folder, team.clock.now() + timedelta(hours=14))  # 23:00 in London
    late.start("few")
    for _ in range(26):
        late.tick(after=timedelta(hours=1))
    history = late.workspace.history
    messages = [one for one in history.messages_of("few") if one.accepted_at is not None]
    people = {one.person for one in messages}
    reasons = {reason for person in people for reason in late.reasons(person)}
    assert Reason.QUIET_HOURS in reasons
    assert len(messages) > 3
    for one in messages:
        zones = explain_customer(late.workspace, one.person, late.clock.now()).zones
        assert one.accepted_at is not None
        hours = {one.accepted_at.astimezone(ZoneInfo(zone)).hour for zone in zones}
        assert hours <= set(range(8, 21))


@pytest.mark.long
def test_what_waits_for_an_outlet_that_cannot_be_built_goes_stale(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise ConfigError("no key")

    with monkeypatch.context() as patch:
        patch.setattr("rekindle.worker.dispatching.building._of_channel", refuse)
        team.start("few")
        team.tick()
        team.tick(after=10 * DAY)
    messages = team.workspace.history.messages_of("few")
    assert messages
    assert {one.state for one in messages} == {MessageState.CANCELLED}


@pytest.mark.long
def test_plan_and_start_count_nobody_who_was_erased(team: Team) -> None:
    space, at = team.workspace, team.clock.now()
    journey = space.journey("few")
    planned = build_plan(space, journey, at).people
    team.start("everyone")
    team.worker.tick(is_stopping=lambda: True)
    for one in team.enrolments("everyone"):
        erase_person(space, one.person, who=WHO)
    team.import_facts()
    left = build_plan(space, journey, team.clock.now()).people
    assert left < planned
    team.start("few")
    team.tick()
    assert len(team.enrolments("few")) == left


def test_a_reading_date_that_is_over_starts_nothing(team: Team) -> None:
    path = team.folder / "journeys" / "calm.yaml"
    text = path.read_text()
    today = NOW.date()
    dated = "goal: {on: order, within: 30 days, read_on: %s}"
    path.write_text(re.sub(r"^goal: .*$", dated % today, text, flags=re.MULTILINE))
    with pytest.raises(JourneyError, match="are to be read on"):
        team.start("calm")
    path.write_text(re.sub(r"^goal: .*$", dated % (today + DAY), text, flags=re.MULTILINE))
    team.start("calm")
    team.clock.move(3 * DAY)
    path.write_text(path.read_text() + "# edited once it is over\n")
    team.start("calm")
