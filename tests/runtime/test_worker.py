"""What a team sees when it starts a journey and lets the worker pass, day after day."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rekindle.desk import build_plan, explain_customer, report_journey
from rekindle.errors import UsageError
from rekindle.ledger import MessageState
from rekindle.vocabulary import Answer, Arm, Reason
from tests.runtime.shops import CALM, DAY, NOW, TWINS, Team

MINUTE = timedelta(minutes=1)


@pytest.mark.long
def test_a_second_pass_finds_nothing_left_to_do(begun: Team) -> None:
    before = begun.enrolments("calm")
    done = begun.tick()
    assert done.decided.entered == 0
    assert not done.decided.decisions
    assert not done.sent.outcomes
    assert begun.enrolments("calm") == before


def test_every_treated_person_who_may_be_written_to_got_one_message(begun: Team) -> None:
    people = begun.enrolments("calm")
    treated = {one.person for one in people if one.arm is Arm.TREATMENT}
    silent = {one.person for one in people if one.first_touch_at is None}
    messages = begun.workspace.history.messages_of("calm")
    assert {one.person for one in messages} == treated - silent
    assert {one.state for one in messages} == {MessageState.ACCEPTED}
    assert len(begun.mails()) == len(messages)


def test_people_held_out_get_nothing_and_their_ghosts_are_on_record(begun: Team) -> None:
    held_out = [one for one in begun.enrolments("calm") if one.arm is Arm.HOLDOUT]
    ghosts = [one for one in held_out if one.first_touch_at is not None]
    assert ghosts
    assert all(begun.states(one.person) == [] for one in held_out)
    assert {begun.reasons(one.person)[0] for one in ghosts} == {Reason.HELD_OUT}


@pytest.mark.long
def test_what_people_are_as_they_enter_is_kept_and_stays(begun: Team) -> None:
    space = begun.workspace
    table = space.profiles(NOW).select("customer_id", "tier", "value_band", "country")
    rows = space.reading.engine.run(table).to_pylist()
    profile = {row.pop("customer_id"): row for row in rows}
    kept = space.history.covariates("calm")
    assert kept.keys() == {one.person for one in begun.enrolments("calm")}
    for person, found in kept.items():
        assert {name: found.get(name) for name in profile[person]} == profile[person]
    assert {one["tier"] for one in kept.values()} == {"lapsed", "dormant"}
    begun.tick(after=60 * DAY)
    now = space.history.covariates("calm")
    assert {person: now[person] for person in kept} == kept


@pytest.mark.long
def test_a_report_tells_people_apart_by_what_they_were(begun: Team) -> None:
    begun.tick(after=40 * DAY)
    report = report_journey(begun.workspace, "calm", by="tier")
    assert report.subgroups is not None
    assert {one.name for one in report.subgroups.subgroups} == {"lapsed", "dormant"}
    together = sum(sum(one.assigned.values()) for one in report.subgroups.subgroups)
    assert together == sum(one.assigned for one in report.arms.values())
    with pytest.raises(UsageError, match="it is kept tier, value_band"):
        report_journey(begun.workspace, "calm", by="lifetime_value")


def test_the_arms_are_near_the_share_that_was_asked_for(begun: Team) -> None:
    arms = [one.arm for one in begun.enrolments("calm")]
    assert 0.15 < arms.count(Arm.HOLDOUT) / len(arms) < 0.45


@pytest.mark.long
def test_people_come_back_to_a_journey_when_it_says_so_and_keep_their_arm(begun: Team) -> None:
    for days in (4, 4, 23):
        begun.tick(after=days * DAY)
    entries = begun.enrolments("calm")
    first = {one.person: one for one in entries if one.rotation == 0}
    again = [one for one in entries if one.rotation == 1]
    assert again
    assert all(one.entered_at == NOW + 31 * DAY for one in again)
    assert all(first[one.person].arm is one.arm for one in again)
    assert all(first[one.person].ended_at is not None for one in again)


@pytest.mark.long
def test_people_finish_the_version_they_entered(begun: Team) -> None:
    changed = CALM.replace("template: new-arrivals", "template: nudge").replace(
        "30 days", "31 days"
    )
    (begun.folder / "journeys" / "calm.yaml").write_text(changed, encoding="utf-8")
    begun.start("calm")
    early = {one.person for one in begun.enrolments("calm")}
    for _ in range(2):
        begun.tick(after=4 * DAY)
    entries = begun.enrolments("calm")
    assert {one.version for one in entries if one.person in early} == {1}
    assert {one.version for one in entries if one.person not in early} == {2}
    messages = begun.workspace.history.messages_of("calm")
    second = [m for m in messages if m.person in early and m.created_at == NOW + 4 * DAY]
    assert {(m.version, m.template) for m in second} == {(1, "new-arrivals")}


def test_starting_an_unchanged_file_again_starts_nothing_new(begun: Team) -> None:
    begun.start("calm")
    assert [one.version for one in begun.workspace.book.versions("calm")] == [1]


@pytest.mark.long
def test_two_ids_with_one_address_are_one_person(team: Team) -> None:
    team.start("few")
    team.tick()
    assert [one.person for one in team.enrolments("few") if one.person in TWINS] == ["c007"]
    assert len(team.mails("c007@example.com")) == 1


@pytest.mark.long
def test_an_automatic_holdout_is_the_one_the_plan_states(team: Team) -> None:
    journey = team.workspace.journey("lapsed-buyers")
    plan = build_plan(team.workspace, journey, NOW)
    team.start("lapsed-buyers")
    (version,) = team.workspace.book.versions("lapsed-buyers")
    assert 0 < version.holdout_share == plan.holdout.share <= 0.5
    team.tick()
    arms = [one.arm for one in team.enrolments("lapsed-buyers")]
    assert {arm: arms.count(arm) for arm in Arm} == dict(plan.assigned)


@pytest.mark.long
def test_a_plan_writes_nothing(team: Team) -> None:
    build_plan(team.workspace, team.workspace.journey("calm"), NOW)
    assert team.workspace.book.versions("calm") == []
    assert list(team.workspace.book.open_enrolments()) == []


@pytest.mark.long
def test_explain_tells_everything_about_a_person(begun: Team) -> None:
    person = begun.someone("calm")
    found = explain_customer(begun.workspace, person, begun.clock.now())
    assert found.profile["tier"] in ("lapsed", "dormant")
    assert found.permission.is_granted
    assert [one.granted for one in found.consents] == [True]
    assert [one.journey for one in found.enrolments] == ["calm"]
    assert [(one.answer, one.reason) for one in found.decisions] == [(Answer.SEND, None)]
    assert [(one.template, one.state) for one in found.messages] == [
        ("check-in", MessageState.ACCEPTED)
    ]


@pytest.mark.long
def test_explain_says_why_a_person_got_nothing(begun: Team) -> None:
    silent = [one.person for one in begun.enrolments("calm") if one.first_touch_at is None]
    reasons = {reason for person in silent for reason in begun.reasons(person)}
    assert reasons == {Reason.NO_PERMISSION, Reason.UNREACHABLE}
    explained = explain_customer(begun.workspace, silent[0], begun.clock.now()).to_json()
    assert explained["decisions"][0]["reason"] in ("no_permission", "unreachable")


def test_a_message_is_addressed_signed_and_can_be_left(begun: Team) -> None:
    person = begun.someone("calm")
    (mail,) = begun.mails(f"{person}@example.com")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "/u/" in mail["List-Unsubscribe"]
    assert mail["List-ID"]
    for kind in ("plain", "html"):
        body = mail.get_body((kind,))
        assert body is not None
        assert "1 Wick Lane, Leeds" in body.get_content()


@pytest.mark.long
def test_a_touch_overdue_after_an_outage_is_skipped_and_not_sent_late(begun: Team) -> None:
    begun.tick(after=8 * DAY)
    messages = begun.workspace.history.messages_of("calm")
    early = {one.person for one in messages if one.created_at == NOW}
    assert {one.step for one in messages if one.person in early} == {"check-in"}
    late = [reason for person in early for reason in begun.reasons(person)[1:]]
    assert set(late) == {Reason.STALE}


@pytest.mark.long
def test_a_report_counts_what_is_on_record(begun: Team) -> None:
    report = report_journey(begun.workspace, "calm")
    entries = begun.enrolments("calm")
    assert sum(arm.assigned for arm in report.arms.values()) == len(entries)
    assert report.touches[Answer.SEND] == len(begun.mails())
    assert report.cost.micros == 1000 * len(begun.mails())
    assert report.sent_after_return == 0


@pytest.mark.long
def test_a_message_that_cannot_leave_waits_and_leaves_when_it_can(team: Team) -> None:
    team.jam()
    team.start("calm")
    assert "outbox" in team.tick().sent.trouble
    messages = team.workspace.history.messages_of("calm")
    assert messages
    assert not {one.state for one in messages} & {MessageState.ACCEPTED, MessageState.FAILED}
    team.clear()
    assert not team.tick(after=10 * MINUTE).sent.trouble
    assert len(team.mails()) == len(messages)


@pytest.mark.long
def test_one_template_that_fails_does_not_keep_other_journeys_back(team: Team) -> None:
    team.start("calm")
    team.start("few")
    broken = team.folder / "templates" / "check-in.mjml"
    text = broken.read_text(encoding="utf-8")
    (team.folder / "templates" / "hello.mjml").write_text(text, encoding="utf-8")
    journey = team.folder / "journeys" / "few.yaml"
    fine = journey.read_text(encoding="utf-8").replace("check-in", "hello")
    journey.write_text(fine, encoding="utf-8")
    team.start("few")
    broken.write_text(text.replace("{{ shop.name }}", "{{ 1 | divided_by: 0 }}"), encoding="utf-8")
    done = team.tick()
    assert done.sent.outcomes["accepted"] == len(team.mails()) >= 5
    assert "check-in.mjml" in done.sent.trouble
