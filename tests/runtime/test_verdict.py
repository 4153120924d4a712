"""What ``explain`` says of a person is what the gate would do, whatever the reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import time, timedelta

import pytest

from rekindle.consent import Exclusion
from rekindle.desk import (
    PreferenceChange,
    build_plan,
    change_preferences,
    erase_person,
    exclude_person,
    explain_customer,
    move_people,
    plan_move,
    replay_journey,
)
from rekindle.ledger import models
from rekindle.runtime import Workspace
from rekindle.vocabulary import Answer, Channel, Purpose, Reason
from tests.runtime.shops import CALM, EVERYONE, Team, cards

WHO = "ann"
DAY = timedelta(days=1)
EMAIL = Channel("email")


def verdict(team: Team, person: str) -> tuple[Answer, Reason | None, str]:
    found = explain_customer(team.workspace, person, team.clock.now())
    (one,) = (one for one in found.verdicts if one.channel == EMAIL)
    return one.decision.answer, one.decision.reason, one.detail


def suppress(team: Team, person: str, reason: str, purpose: Purpose | None) -> None:
    book, at = team.workspace.book, team.clock.now()
    book.suppress(person, EMAIL, reason=reason, at=at, purpose=purpose)


def wish(team: Team, person: str, wanted: PreferenceChange) -> None:
    change_preferences(team.workspace, person, wanted, who=WHO)


CHANGES: dict[str, tuple[Callable[[Team, str], object], Answer, Reason]] = {
    "erased": (
        lambda team, person: erase_person(team.workspace, person, who=WHO),
        Answer.SKIP,
        Reason.ERASED,
    ),
    "complained": (
        lambda team, person: suppress(team, person, "complaint", Purpose.MARKETING),
        Answer.SKIP,
        Reason.SUPPRESSED,
    ),
    "bounced": (
        lambda team, person: suppress(team, person, "bounce", None),
        Answer.SKIP,
        Reason.SUPPRESSED,
    ),
    "snoozed": (
        lambda team, person: wish(team, person, PreferenceChange(snooze=30 * DAY)),
        Answer.HOLD,
        Reason.SNOOZED,
    ),
    "less often": (
        lambda team, person: wish(team, person, PreferenceChange(at_most_every=30 * DAY)),
        Answer.HOLD,
        Reason.PREFERENCE,
    ),
    "excluded": (
        lambda team, person: exclude_person(team.workspace, person, Exclusion.BAD_ACTOR, who=WHO),
        Answer.SKIP,
        Reason.EXCLUDED,
    ),
    "without an address": (
        lambda team, person: (
            models.Person.objects.using(team.workspace.ledger)
            .filter(pk=person)
            .update(address=None, address_hash="")
        ),
        Answer.SKIP,
        Reason.UNREACHABLE,
    ),
}


@pytest.mark.long
@pytest.mark.draws(3)
@pytest.mark.parametrize("change", [*CHANGES])
def test_verdict_counts_everything(begun: Team, change: str) -> None:
    begun.clock.move(2 * DAY)
    person = begun.someone("calm")
    assert verdict(begun, person) == (Answer.SEND, None, "rule: express")
    happen, answer, reason = CHANGES[change]
    happen(begun, person)
    assert verdict(begun, person)[:2] == (answer, reason)


@pytest.mark.long
def test_verdict_of_one_just_written_to_names_the_cap(begun: Team) -> None:
    assert verdict(begun, begun.someone("calm"))[:2] == (Answer.HOLD, Reason.CAP)


@pytest.mark.long
@pytest.mark.parametrize("needs_quiet_hours", [True, False])
def test_verdict_at_night_is_by_what_the_channel_calls_for(
    begun: Team, monkeypatch: pytest.MonkeyPatch, *, needs_quiet_hours: bool
) -> None:
    begun.clock.move(2 * DAY)
    person, space = begun.someone("calm"), begun.workspace
    hours = space.config.quiet_hours.model_copy(update={"start": time(0), "end": time(23, 59)})
    space.config = space.config.model_copy(update={"quiet_hours": hours})
    email = replace(space.capabilities[EMAIL], needs_quiet_hours=needs_quiet_hours)
    monkeypatch.setattr(Workspace, "capabilities", {EMAIL: email})
    expected = (Answer.HOLD, Reason.QUIET_HOURS) if needs_quiet_hours else (Answer.SEND, None)
    assert verdict(begun, person)[:2] == expected


def test_verdict_of_one_whose_value_is_below_zero(begun: Team) -> None:
    begun.clock.move(2 * DAY)
    space = begun.workspace
    table = space.profiles(begun.clock.now())
    rows = space.engine.run(table.filter(table.lifetime_value < 0).select("customer_id"))
    ids = rows.column(0).to_pylist()
    found = {one: verdict(begun, one) for one in ids if space.history.person(one)}
    assert (Answer.SKIP, Reason.EXCLUDED, "negative_value") in found.values()
    assert all(
        said == (Answer.SKIP, Reason.EXCLUDED, "negative_value")
        or said[1] in (Reason.NO_PERMISSION, Reason.UNREACHABLE)
        for said in found.values()
    )


def findings(team: Team, person: str) -> list[dict[Reason, str]]:
    found = explain_customer(team.workspace, person, team.clock.now())
    return [{one.asked: one.found for one in each.findings} for each in found.sent]


@pytest.mark.long
def test_explain_says_of_a_message_what_let_it_pass(begun: Team) -> None:
    person = begun.someone("calm")
    (sent,) = explain_customer(begun.workspace, person, begun.clock.now()).sent
    assert (sent.journey, sent.step) == ("calm", "check-in")
    assert sent.entered.startswith("tier in ('lapsed', 'dormant'): tier ")
    every = list(Reason)
    assert [one.asked for one in sent.findings] == every[: every.index(Reason.HELD_OUT) + 1]
    (found,) = findings(begun, person)
    assert "they agreed" in found[Reason.NO_PERMISSION]
    assert "import:customers" in found[Reason.NO_PERMISSION]
    assert ":00 in " in found[Reason.QUIET_HOURS]
    assert found[Reason.QUIET_HOURS].endswith("no hours are quiet")
    assert "0 of " in found[Reason.CAP]
    assert found[Reason.HELD_OUT] == "drawn into the treatment arm; 30 % are held out"


@pytest.mark.long
def test_what_left_before_is_counted_and_what_came_later_is_said(begun: Team) -> None:
    person = begun.someone("calm")
    begun.tick(after=4 * DAY)
    begun.clock.move(DAY)
    suppress(begun, person, "complaint", Purpose.MARKETING)
    first, second = findings(begun, person)
    assert "0 of 4 by any channel in 1 week" in first[Reason.CAP]
    assert "1 of 4 by any channel in 1 week" in second[Reason.CAP]
    assert "since then complaint" in second[Reason.SUPPRESSED]


@pytest.mark.long
def test_a_message_of_a_version_that_people_left_is_told_by_its_own(begun: Team) -> None:
    person = begun.someone("calm")
    path = begun.folder / "journeys" / "calm.yaml"
    path.write_text(CALM.replace("template: check-in}", "template: check-in, id: hello}"))
    begun.start("calm")
    space = begun.workspace
    assert move_people(space, plan_move(space, "calm"), who=WHO)
    (sent,) = explain_customer(space, person, begun.clock.now()).sent
    assert (sent.step, sent.version) == ("check-in", 1)


@pytest.mark.long
def test_a_plan_and_a_replay_say_why_nobody_is_written_to(team: Team) -> None:
    refused = [card["customer_id"] for card in cards() if card["email_consent"] != "true"][:40]
    only = ", ".join(f"'{person}'" for person in refused)
    text = EVERYONE.replace("everyone", "refused").replace(
        "{audience: orders_count >= 1}", f'{{audience: "customer_id in ({only})"}}'
    )
    (team.folder / "journeys" / "refused.yaml").write_text(text, encoding="utf-8")
    journey, today = team.workspace.journey("refused"), team.clock.now()
    told = build_plan(team.workspace, journey, today).nobody
    assert "no permission" in told
    assert "Next: import customers with their consent" in told
    day = today.date()
    report = replay_journey(team.workspace, journey, first=day, last=day)
    assert report.finding.startswith("Nobody would be written to. Of ")
    empty = team.workspace.journey("everyone")
    assert build_plan(team.workspace, empty, today).nobody == ""


@pytest.mark.long
def test_a_plan_says_why_nobody_enters(team: Team) -> None:
    text = EVERYONE.replace("everyone", "rich").replace("orders_count >= 1", "orders_count > 9999")
    (team.folder / "journeys" / "rich.yaml").write_text(text, encoding="utf-8")
    found = build_plan(team.workspace, team.workspace.journey("rich"), team.clock.now())
    assert "nobody enters" in found.nobody
    assert "No customer matches its audience, orders_count > 9999, on 2024-09-02." in found.nobody
    assert '`rekindle audience "orders_count > 9999"`' in found.nobody
