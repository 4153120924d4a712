"""The baseline of the audit is written once, and targets are seen from it."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from rekindle.desk import (
    judge_workspace,
    keep_baseline,
    load_targets,
    measure_journeys,
    read_daily,
    report_journey,
)
from rekindle.desk.reporting import aiming as aiming_module
from rekindle.desk.reporting.aiming import (
    FILE,
    NO_JOURNEY,
    NONE_READ,
    NONE_TAKEN,
    ONLY_NOW,
    READING,
    SUBJECT,
)
from rekindle.errors import WorkspaceError
from rekindle.insights import MeasureTable
from rekindle.runtime import Workspace
from rekindle.vocabulary import Unknown
from rekindle.worker import Worker
from tests.runtime.shops import DAY, Team

TARGETS = """
[[targets]]
measure = "drifted_share"
value = 0.01
by = 2030-01-01

[[targets]]
measure = "reached"
value = 1000
by = 2030-01-01
"""


@pytest.fixture
def aiming(team: Team) -> Workspace:
    """Return the workspace with two targets."""
    path = team.folder / "rekindle.toml"
    path.write_text(path.read_text(encoding="utf-8") + TARGETS, encoding="utf-8")
    return Workspace.open(team.folder, clock=team.clock)


def keep(workspace: Workspace, *, is_asked: bool = False) -> str:
    return keep_baseline(workspace, workspace.audit(), is_asked=is_asked)


def held(workspace: Workspace) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(path_of(workspace).read_text())["baselines"]
    return found


def path_of(workspace: Workspace) -> Path:
    return workspace.directory / FILE


@pytest.mark.long
def test_the_first_audit_takes_the_baseline_and_no_other_replaces_it(
    aiming: Workspace, team: Team
) -> None:
    assert [one.baseline for one in judge_workspace(aiming)] == [NONE_TAKEN, NONE_TAKEN]
    assert "is kept in learned/baseline.json" in keep(aiming)
    before = path_of(aiming).read_bytes()
    team.clock.move(3 * DAY)
    assert keep(aiming) == ""
    assert path_of(aiming).read_bytes() == before


@pytest.mark.long
def test_a_new_one_is_taken_on_request_and_stands_beside_the_old(
    aiming: Workspace, team: Team
) -> None:
    keep(aiming)
    team.clock.move(3 * DAY)
    assert keep(aiming, is_asked=True)
    assert keep(aiming, is_asked=True)  # twice on one day is one
    first, second = (date.fromisoformat(str(one["taken_on"])) for one in held(aiming))
    assert second - first == timedelta(days=3)
    assert judge_workspace(aiming)[0].taken_on == second


@pytest.mark.long
def test_without_targets_nothing_is_written_unasked(team: Team) -> None:
    assert keep(team.workspace) == ""
    assert not path_of(team.workspace).exists()
    assert judge_workspace(team.workspace) == ()


@pytest.mark.long
def test_measures_of_journeys_are_known_once_one_was_started(aiming: Workspace, team: Team) -> None:
    keep(aiming)
    drifted, reached = judge_workspace(aiming)
    assert drifted.now == drifted.baseline
    assert isinstance(drifted.now, float)
    assert reached.now == reached.baseline == reached.pace == NO_JOURNEY
    team.start("calm")
    team.tick()
    reached = judge_workspace(aiming)[1]
    assert isinstance(reached.now, float)
    assert reached.pace == NO_JOURNEY  # there is no way from nothing known
    earlier = aiming.audit(aiming.latest() - 30 * DAY)
    assert judge_workspace(aiming, earlier)[1].now == ONLY_NOW


@pytest.mark.long
def test_a_damaged_file_is_named_and_left_alone(aiming: Workspace) -> None:
    audit = aiming.audit()
    path_of(aiming).parent.mkdir(exist_ok=True)
    damaged = (
        "{",
        "[]",
        '{"version": 1}',
        '{"version": 1, "baselines": [{"taken_on": "x"}]}',
        '{"version": 1, "baselines": [{"taken_on": "2026-01-01", "measures": {"returned": "5"}}]}',
    )
    for text in damaged:
        path_of(aiming).write_text(text, encoding="utf-8")
        with pytest.raises(WorkspaceError, match=r"baseline\.json is no file of baselines"):
            keep_baseline(aiming, audit, is_asked=True)
        with pytest.raises(WorkspaceError, match=r"baseline\.json is no file of baselines"):
            judge_workspace(aiming, audit)
        assert path_of(aiming).read_text(encoding="utf-8") == text


@pytest.mark.long
def test_what_was_unknown_at_the_baseline_keeps_its_reason(aiming: Workspace) -> None:
    keep(aiming)
    (one,) = held(aiming)
    assert one["measures"]["returned"] == {"unknown": NO_JOURNEY.reason}  # type: ignore[index]
    assert isinstance(judge_workspace(aiming)[1].baseline, Unknown)


@pytest.mark.long
def test_the_newest_reading_is_told_with_its_day_and_nothing_is_measured(
    aiming: Workspace, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_at, standings = load_targets(aiming)
    assert (read_at, standings[0].now, standings[0].baseline) == (None, NONE_READ, NONE_TAKEN)
    keep(aiming)
    measured = judge_workspace(aiming, keeps=True)
    begun_at = team.clock.now()
    team.clock.move(3 * DAY)
    monkeypatch.setattr(aiming_module, "_measure", lambda *_: pytest.fail("measured anew"))
    assert load_targets(aiming) == (begun_at, measured)


@pytest.mark.long
def test_the_worker_takes_a_reading_each_day_and_one_alone(
    aiming: Workspace, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = Worker(aiming, read=read_daily)
    worker.tick()
    begun_at = team.clock.now()
    read_at, (drifted, _) = load_targets(aiming)
    assert read_at == begun_at
    assert isinstance(drifted.now, float)
    team.clock.move(timedelta(hours=2))
    worker.tick()
    assert load_targets(aiming)[0] == begun_at
    team.clock.move(DAY)
    worker.tick()
    assert load_targets(aiming)[0] == team.clock.now()
    told = aiming.audit_log.entries(SUBJECT, limit=9)
    assert [one.action for one in told] == ["read", "read"]


@pytest.mark.long
def test_a_reading_that_fails_stops_no_pass_and_waits_for_the_next_day(
    aiming: Workspace, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> dict[str, float]:
        raise WorkspaceError("no room")

    monkeypatch.setattr(aiming_module, "_measure", fail)
    worker = Worker(aiming, read=read_daily)
    worker.tick()
    worker.tick()
    told = aiming.audit_log.entries(SUBJECT, limit=9)
    assert [(one.action, dict(one.detail)) for one in told] == [("not read", {"why": "no room"})]


@pytest.mark.long
def test_measures_that_somebody_has_are_not_taken_again_unless_by_another_definition(
    aiming: Workspace, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    team.start("calm")
    team.tick()
    ours, theirs = (measure_journeys(aiming, definition=name) for name in ("assigned", "reached"))
    again: list[bool] = []

    def measure_again(_: Workspace, *, is_look: bool) -> MeasureTable:
        again.append(is_look)
        return ours

    monkeypatch.setattr(aiming_module, "measure_journeys", measure_again)
    found = judge_workspace(aiming, measured=ours)
    assert not again
    assert judge_workspace(aiming, measured=theirs) == found
    assert again == [False]


def test_without_targets_the_worker_reads_nothing(team: Team) -> None:
    assert read_daily(team.workspace, team.clock.now()) == ""
    assert not team.workspace.audit_log.entries(SUBJECT, limit=1)


@pytest.mark.long
@pytest.mark.draws(1)
@pytest.mark.parametrize("measure", ["reached", "incremental_revenue"])
def test_a_reading_is_a_look_where_a_target_shows_how_the_arms_differ(
    team: Team, monkeypatch: pytest.MonkeyPatch, measure: str
) -> None:
    path = team.folder / "rekindle.toml"
    told = f'\n[[targets]]\nmeasure = "{measure}"\nvalue = 9\nby = 2030-01-01\n'
    path.write_text(path.read_text(encoding="utf-8") + told, encoding="utf-8")
    workspace = Workspace.open(team.folder, clock=team.clock)
    team.start("calm")
    team.tick()
    looks: list[bool] = []
    table = measure_journeys(workspace, is_look=False)

    def measure_again(_: Workspace, *, is_look: bool) -> MeasureTable:
        looks.append(is_look)
        return table

    monkeypatch.setattr(aiming_module, "measure_journeys", measure_again)
    read_daily(workspace, team.clock.now())
    assert looks == [measure == "incremental_revenue"]


@pytest.mark.long
def test_what_a_new_customer_costs_stands_beside_in_measures_and_report(team: Team) -> None:
    path = team.folder / "rekindle.toml"
    text = path.read_text(encoding="utf-8")
    own = "" if "[shop]\n" in text else "\n[shop]\n"
    told = (text + own).replace("[shop]\n", "[shop]\nacquisition_cost = 35.5\n")
    path.write_text(told, encoding="utf-8")
    workspace = Workspace.open(team.folder, clock=team.clock)
    team.start("calm")
    team.tick()
    measured = measure_journeys(workspace).values["all"]
    assert measured["cost_per_acquisition"].figure == 35.5
    assert measured["cost_per_incremental_return"].beside == 35.5
    earnings = report_journey(workspace, "calm").earnings
    assert earnings is not None
    assert earnings.acquisition_cost == 35.5


@pytest.mark.long
def test_what_is_measured_of_another_day_is_no_reading(aiming: Workspace, team: Team) -> None:
    judge_workspace(aiming)
    assert not (aiming.directory / READING).exists()
    judge_workspace(aiming, keeps=True)
    team.clock.move(-3 * DAY)
    assert load_targets(aiming)[0] is None  # nobody had read it by then


@pytest.mark.long
def test_a_reading_that_began_earlier_does_not_replace_a_later_one(
    aiming: Workspace, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge_workspace(aiming, keeps=True)
    path = aiming.directory / READING

    def measure_slowly(*_: object) -> dict[str, float]:
        team.clock.move(2 * DAY)
        return {}

    monkeypatch.setattr(aiming_module, "_measure", measure_slowly)
    # By somebody who began later; or by a clock that was wrong, which stops nobody.
    for ahead, stays in ((DAY, True), (30 * DAY, False)):
        read_at = (team.clock.now() + ahead).isoformat()
        path.write_text(json.dumps({**json.loads(path.read_text()), "read_at": read_at}))
        judge_workspace(aiming, keeps=True)
        assert (json.loads(path.read_text())["read_at"] == read_at) is stays


@pytest.mark.long
def test_a_damaged_reading_is_none_and_the_next_replaces_it(aiming: Workspace) -> None:
    path = aiming.directory / READING
    for text in (b"{", b"[]", b'{"version": 1}', b'{"version": 2}', b"\xff"):
        path.write_bytes(text)
        assert load_targets(aiming)[0] is None
    judge_workspace(aiming, keeps=True)
    assert load_targets(aiming)[0] is not None


@pytest.mark.long
def test_a_damaged_baseline_is_said_and_the_reading_stays(aiming: Workspace) -> None:
    judge_workspace(aiming, keeps=True)
    path_of(aiming).parent.mkdir(exist_ok=True)
    path_of(aiming).write_text("{", encoding="utf-8")
    read_at, (drifted, _) = load_targets(aiming)
    assert read_at is not None
    assert isinstance(drifted.now, float)
    assert "is no file of baselines" in str(drifted.baseline)
