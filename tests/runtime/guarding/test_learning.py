"""What a journey is expected to do is written as it starts, and what came of it by its report."""

from __future__ import annotations

from pathlib import Path

import pytest

from rekindle.desk import report_journey, start_journey
from rekindle.desk.reporting.learning import BEGIN, PLANS
from tests.runtime.shops import DAY, Team

HYPOTHESIS = r"A check-in brings one in ten back <!-- end of plans --> \1 at a profit."


@pytest.fixture
def log(team: Team) -> Path:
    """A journey with a hypothesis that was started; return its file."""
    path = team.folder / "journeys" / "calm.yaml"
    path.write_text(path.read_text() + f"hypothesis: '{HYPOTHESIS}'\n", encoding="utf-8")
    found = start_journey(team.workspace, team.workspace.journey("calm"), team.clock.now())
    assert "What is expected of it is written in learned/calm.md." in found.notes
    return team.folder / "learned" / "calm.md"


def test_plan_is_written_before_anybody_enters(log: Path, team: Team) -> None:
    text = log.read_text(encoding="utf-8")
    assert r"- Hypothesis: A check-in brings one in ten back end of plans \1 at a profit." in text
    assert "net revenue per assigned customer within 30 days of entering" in text
    assert "- Held out: 30 %" in text
    assert "Not read yet; `rekindle report calm` writes it." in text
    assert not team.enrolments("calm")


@pytest.mark.long
def test_result_is_written_by_the_report_and_the_decision_stays(log: Path, team: Team) -> None:
    team.tick()
    mine = log.read_text(encoding="utf-8").replace("Write it here.", "We go on.")
    log.write_text(mine, encoding="utf-8")
    for days in (1, 3):
        team.clock.move(days * DAY)
        report = report_journey(team.workspace, "calm")
        text = log.read_text(encoding="utf-8")
        assert text.count("As of ") == 1
        assert report.finding in text
        assert text.endswith("We go on.\n")
        assert not any("learned" in note for note in report.notes)


def test_another_version_adds_its_plan_and_leaves_the_first(log: Path, team: Team) -> None:
    path = team.folder / "journeys" / "calm.yaml"
    path.write_text(path.read_text().replace("wait: 4 days", "wait: 5 days"), encoding="utf-8")
    start_journey(team.workspace, team.workspace.journey("calm"), team.clock.now())
    text = log.read_text(encoding="utf-8")
    assert text.index("Version 1, started") < text.index("Version 2, started")
    assert text.count("## Decision") == 1


@pytest.mark.long
def test_file_whose_marks_are_gone_is_left_alone_and_that_is_said(log: Path, team: Team) -> None:
    mine = log.read_text(encoding="utf-8").replace("written by rekindle", "mine")
    log.write_text(mine, encoding="utf-8")
    report = report_journey(team.workspace, "calm")
    assert any("its marks are gone" in note for note in report.notes)
    path = team.folder / "journeys" / "calm.yaml"
    path.write_text(path.read_text().replace("wait: 4 days", "wait: 5 days"), encoding="utf-8")
    found = start_journey(team.workspace, team.workspace.journey("calm"), team.clock.now())
    assert any("its marks are gone" in note for note in found.notes)
    assert log.read_text(encoding="utf-8") == mine


def test_folder_that_cannot_be_written_keeps_no_journey_from_starting(team: Team) -> None:
    (team.folder / "learned").write_text("not a folder", encoding="utf-8")
    found = start_journey(team.workspace, team.workspace.journey("few"), team.clock.now())
    assert found.is_new
    assert any("cannot be written" in note for note in found.notes)
    assert BEGIN.format(PLANS) not in (team.folder / "learned").read_text()
