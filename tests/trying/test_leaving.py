"""Why people left is told by reason, with their words, which go with them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from rekindle.consent import NO_RESPONSE
from rekindle.desk import LedgerCustomers, join_people, tell_why
from rekindle.errors import UsageError
from rekindle.feedback import LeaveAnswer, LeaveReason, find_themes
from rekindle.ledger import leave_alone
from tests.cli.commands import rekindle
from tests.runtime.shops import NOW, Team

AT = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
OFTEN, BAD = LeaveReason.TOO_OFTEN, LeaveReason.BAD_EXPERIENCE


def test_each_person_counts_once_by_their_newest_answer() -> None:
    answers = [
        LeaveAnswer("ann", BAD, AT + DAY, "It broke"),
        LeaveAnswer("ann", OFTEN, AT, "Too many"),
        LeaveAnswer("bob", OFTEN, AT),
        LeaveAnswer("cat", OFTEN, AT, "Daily!"),
        LeaveAnswer("dan", OFTEN, AT + DAY, "Weekly!"),
    ]
    often, bad = find_themes(answers, {"bob": "lapsed", "cat": "active", "dan": "active"})
    assert (often.reason, often.count) == (OFTEN, 3)
    assert often.by_segment == {"active": 2, "lapsed": 1}
    assert [words for _, words in often.words] == ["Weekly!", "Daily!"]
    assert (bad.reason, bad.count, bad.by_segment) == (BAD, 1, {"unknown": 1})
    assert find_themes([]) == []


@pytest.mark.long
def test_words_are_shown_as_words_and_go_with_the_person(team: Team) -> None:
    customers = LedgerCustomers(team.workspace)
    customers.answer("c001", OFTEN, "[bold]Every day[/] \x1b[31mreally")
    team.clock.move(DAY)
    customers.answer("c002", BAD, "My cup broke")
    at = team.clock.now()
    themes = tell_why(team.workspace, at, by="tier")
    assert {one.reason: one.count for one in themes} == {OFTEN: 1, BAD: 1}
    assert all(sum(one.by_segment.values()) == 1 for one in themes)
    assert "unknown" not in themes[0].by_segment
    (recent,) = tell_why(team.workspace, at, since=at - DAY / 2)
    assert recent.reason is BAD
    assert tell_why(team.workspace, NOW - DAY) == []
    told = rekindle("feedback", "-C", team.folder)
    assert "[bold]Every day[/]" in told.out
    assert "\x1b[31m" not in told.out
    team.workspace.book.erase("c001", at)
    told = rekindle("feedback", "-C", team.folder, "--json")
    reasons = {one["reason"]: one for one in json.loads(told.out)["reasons"]}
    assert reasons["too_often"]["count"] == 1
    assert reasons["too_often"]["words"] == []
    assert [one["words"] for one in reasons["bad_experience"]["words"]] == ["My cup broke"]
    assert "Every day" not in told.out


@pytest.mark.long
def test_words_said_under_another_id_go_with_the_person(team: Team) -> None:
    team.tick()
    LedgerCustomers(team.workspace).answer("c002", OFTEN, "I am Dora of 12 Rose Lane")
    join_people(team.workspace, "c001", "c002", because="she told us", who="ann")
    team.workspace.book.erase("c001", team.clock.now())
    assert "Rose Lane" not in rekindle("feedback", "-C", team.folder).out


def test_column_that_is_no_text_is_refused(team: Team) -> None:
    with pytest.raises(UsageError, match="'lifetime_value' is no profile column of text"):
        tell_why(team.workspace, NOW, by="lifetime_value")
    told = rekindle("feedback", "-C", team.folder, "--within", "a while")
    assert told.code == 2


@pytest.mark.long
def test_report_says_why_its_people_left_and_whom_hygiene_leaves_alone(team: Team) -> None:
    team.start("calm")
    team.tick()
    person = team.someone("calm")
    customers = LedgerCustomers(team.workspace)
    team.clock.move(DAY)
    at = team.clock.now()
    customers.answer(person, OFTEN, "Ring 555-0100")
    customers.answer("c300", BAD, "")
    leave_alone(team.workspace.ledger, [(person, "email", NO_RESPONSE)], at)
    page = team.folder / "report.html"
    told = rekindle("report", "calm", "-C", team.folder, "--html", page, "--json")
    found = json.loads(told.out)["partings"]
    assert [(one["reason"], one["treatment"]) for one in found["answers"]] == [("too_often", 1)]
    assert "no_response" in [one["reason"] for one in found["suppressed"]]
    shown = page.read_text("utf-8")
    assert "Why people said they left" in shown
    assert "left alone by hygiene" in shown
    assert "555-0100" not in shown
