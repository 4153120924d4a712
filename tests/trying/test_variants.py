"""A message in variants: each person keeps theirs, and every one is checked and shown."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from rekindle.desk import build_plan, check_journey, explain_customer, report_journey
from rekindle.errors import JourneyError, TemplateError
from rekindle.journeys import Journey
from rekindle.runtime import Workspace
from rekindle.vocabulary import Channel
from rekindle.worker import Worker, write_letters
from tests.runtime.shops import NOW, Team

TESTED = """\
journey: tested
enter: {audience: customer_id like 'c0%'}
goal: {on: order, within: 30 days}
holdout: none
steps:
  - send:
      channel: email
      template: check-in
      variants:
        - {name: asked, subject: "Still there, {{ first_name | default: 'friend' }}?"}
        - {name: told, template: told, subject: "One line"}
        - plain
"""


@pytest.fixture
def shop(team: Team) -> Team:
    (team.folder / "journeys" / "tested.yaml").write_text(TESTED, encoding="utf-8")
    templates = team.folder / "templates"
    shutil.copy(templates / "check-in.mjml", templates / "told.mjml")
    told = (templates / "told.mjml").read_text(encoding="utf-8").replace("<h1>", "<h1>Told: ")
    (templates / "told.mjml").write_text(told, encoding="utf-8")
    team.workspace = Workspace.open(team.folder, clock=team.clock)
    team.worker = Worker(team.workspace)
    return team


def journey(shop: Team) -> Journey:
    return shop.workspace.journey("tested")


def test_each_person_is_written_their_variant_and_told_of_it(shop: Team) -> None:
    shop.start("tested")
    shop.tick()
    sent = {one.person: one for one in shop.workspace.history.messages_of("tested")}
    drawn = Counter(one.variant for one in sent.values())
    assert set(drawn) == {"asked", "told", "plain"}
    assert {(one.variant, one.template) for one in sent.values()} == {
        ("asked", "check-in"), ("told", "told"), ("plain", "check-in"),
    }  # fmt: skip
    subjects = {mail["To"].addresses[0].addr_spec: mail["Subject"] for mail in shop.mails()}
    kept = {one.variant for one in sent.values() if one.accepted_at is not None}
    assert kept == set(drawn)
    for person, one in sent.items():
        card = shop.workspace.history.person(person)
        assert card is not None
        if one.accepted_at is None or card.address is None:
            continue
        subject = subjects[card.address]
        assert (subject == "One line") is (one.variant == "told")
        assert subject.startswith("Still there, ") is (one.variant == "asked")
    person = next(who for who, one in sent.items() if one.variant == "asked")
    explained = explain_customer(shop.workspace, person, NOW)
    assert [one.variant for one in explained.messages] == ["asked"]


def test_of_those_who_come_later_as_many_are_written_to_as_of_those_who_are_there(
    shop: Team,
) -> None:
    ready = TESTED.replace("customer_id like 'c0%'", "silence_days > 60")
    path = shop.folder / "journeys" / "tested.yaml"
    paces = {}
    for holdout in ("none", "0.5"):
        path.write_text(ready.replace("holdout: none", f"holdout: {holdout}"), encoding="utf-8")
        shop.workspace = Workspace.open(shop.folder, clock=shop.clock)
        plan = build_plan(shop.workspace, journey(shop), NOW)
        (test,) = plan.tests
        assert isinstance(test.per_day, float)
        assert test.per_day > 0
        paces[holdout] = test.per_day / test.people
    assert paces["none"] == pytest.approx(paces["0.5"])


@pytest.mark.long
def test_preview_shows_every_variant(shop: Team) -> None:
    letters = write_letters(shop.workspace, journey(shop), NOW)
    assert not [one.trouble for one in letters if one.trouble]
    shown = {one.variant: one.parts for one in letters if one.place == 1}
    assert shown["told"]["subject"] == "One line"
    assert "<title>One line</title>" in shown["told"]["html"]
    assert "Told: " in shown["told"]["html"]
    assert shown["asked"]["subject"].startswith("Still there, ")
    assert shown["plain"]["subject"] not in {"One line", shown["asked"]["subject"]}


@pytest.mark.parametrize(
    ("variant", "error"),
    [
        ("{name: asked, subject: 'Dear {{ frist_name }}'}", "unknown variable 'frist_name'"),
        ("{name: asked, subject: 'Dear {{ first_name'}", "the subject 'Dear"),
        ("{name: asked, template: nowhere}", "nowhere.mjml does not exist"),
    ],
)
def test_variant_nobody_can_be_written_with_is_refused(
    shop: Team, variant: str, error: str
) -> None:
    path = shop.folder / "journeys" / "tested.yaml"
    lines = TESTED.splitlines()
    lines[9] = f"        - {variant}"
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(TemplateError, match=error):
        check_journey(shop.workspace, journey(shop))


def test_subject_is_refused_where_messages_have_none(shop: Team) -> None:
    (shop.folder / "templates" / "check-in.sms.txt").write_text("Hello", encoding="utf-8")
    asked = journey(shop)
    send = replace(asked.sends[0], channel=Channel("sms"), variants=asked.sends[0].variants[::2])
    with pytest.raises(JourneyError, match="has a subject, which messages by sms have not"):
        check_journey(shop.workspace, replace(asked, steps=(send,)))


@pytest.mark.long
def test_plan_says_when_the_variants_could_be_told_apart_and_report_compares_them(
    shop: Team,
) -> None:
    plan = build_plan(shop.workspace, journey(shop), NOW)
    (test,) = plan.to_json()["tests"]
    assert (test["step"], test["measure"], test["variants"]) == ("check-in", "returned", 3)
    assert test["needed"] == 120
    assert test["people"] > 20
    assert "nobody is expected to enter later" in test["days"]["unknown"]
    assert any("compared by the share that returned" in note for note in plan.notes)
    shop.start("tested")
    shop.tick()
    tests: Any = report_journey(shop.workspace, "tested").to_json()["tests"]
    (told,) = tests
    assert [one["name"] for one in told["variants"]] == ["asked", "told", "plain"]
    assert sum(one["given"] for one in told["variants"]) == test["people"]
    assert (told["verdict"], told["compared"]) == ("too_early", 0)
