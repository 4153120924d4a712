"""Who left and why is counted in both arms, from their entry on, and says what it leaves out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from rekindle.feedback import LeaveAnswer, LeaveReason
from rekindle.insights import (
    JourneyReport,
    MessageFate,
    PartedPerson,
    find_partings,
    report_page,
    report_tables,
)
from rekindle.vocabulary import Arm, Channel
from tests.insights.test_pages import Outline
from tests.insights.test_report import member, record

DAY = timedelta(days=1)
OFTEN, BAD = LeaveReason.TOO_OFTEN, LeaveReason.BAD_EXPERIENCE
PEOPLE = [member("ann"), member("bob"), member("held", Arm.HOLDOUT)]


def people(found: Any) -> dict[str, tuple[int, int]]:
    return {one.reason: (one.people[Arm.TREATMENT], one.people[Arm.HOLDOUT]) for one in found}


def test_answers_count_once_by_the_newest_in_the_arm_of_the_person() -> None:
    entered = PEOPLE[0].entered_at
    found = find_partings(
        record(PEOPLE),
        [
            LeaveAnswer("ann", OFTEN, entered + DAY, "Daily!"),
            LeaveAnswer("ann", BAD, entered + 2 * DAY, "It broke"),
            LeaveAnswer("held", BAD, entered + DAY),
            LeaveAnswer("bob", OFTEN, entered - DAY / 2),
            LeaveAnswer("stranger", OFTEN, entered + DAY),
        ],
        [],
    )
    assert people(found.answers) == {"bad_experience": (1, 1)}
    assert (found.with_words, found.said_before, found.said_elsewhere) == (1, 1, 1)
    told = " ".join(found.told_of_answers)
    assert "1 person added words" in told
    assert "1 person who said why since the journey began is not of it" in told
    assert "1 person of it said why before they entered" in told


def test_who_is_suppressed_counts_from_their_entry_by_reason() -> None:
    at = PEOPLE[0].entered_at + DAY
    email = Channel("email")
    came_back = MessageFate("bob", 0, "1", email, "", "", at, 0, has_bounced=True)
    arrived = replace(came_back, person="ann", has_bounced=False)
    found = find_partings(
        record(PEOPLE, fates=[came_back, came_back, arrived]),
        [],
        [
            PartedPerson("ann", "no_response", at),
            PartedPerson("ann", "no_response", at + DAY),  # on another channel
            PartedPerson("ann", "opt_out", at),
            PartedPerson("held", "opt_out", at),
            PartedPerson("bob", "opt_out", at - 2 * DAY),
            PartedPerson("bob", "asked by phone, says Ms Miller", at),
            PartedPerson("stranger", "opt_out", at),
        ],
    )
    assert people(found.stops) == {
        "opt_out": (1, 1),
        "bounce": (1, 0),
        "no_response": (1, 0),
        "other": (1, 0),
    }


def test_page_terminal_and_json_say_the_same_without_anybodys_words(report: JourneyReport) -> None:
    at = PEOPLE[0].entered_at + DAY
    found = find_partings(
        record(PEOPLE),
        [LeaveAnswer("ann", OFTEN, at, "Ring 555-0100")],
        [PartedPerson("bob", "no_response", at)],
    )
    full = replace(report, partings=found)
    page = Outline(report_page(full)).text
    tables = {one.title: one for one in report_tables(full)}
    said, stopped = tables["Why people said they left"], tables["Who can be reached less"]
    assert said.rows == (("too often", "1 (1.2 %)", "0"),)
    assert stopped.rows == (("left alone by hygiene, for they did not answer", "1 (1.2 %)", "0"),)
    for table in (said, stopped):
        assert all(text in page for text in (table.title, *table.rows[0][:1], *table.notes))
    assert found.to_json()["answers"] == [{"reason": "too_often", "treatment": 1, "holdout": 0}]
    assert full.to_json()["partings"] == found.to_json()
    assert "555-0100" not in page + str(full.to_json()) + str(tables)


@pytest.mark.long
def test_nobody_left_is_said_and_a_replay_says_nothing(report: JourneyReport) -> None:
    nobody = replace(report, partings=find_partings(record(PEOPLE), [], []))
    assert "Nobody since they entered." in Outline(report_page(nobody)).text
    assert "Whom it cost" not in report_page(report)
    assert report.to_json()["partings"] is None
