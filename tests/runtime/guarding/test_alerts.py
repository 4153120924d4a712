"""The team is told once of each cause, and that it is over; whoever is told holds nobody."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from rekindle.cli import main
from rekindle.clock import MovableClock, stopwatch
from rekindle.config import SourceSettings
from rekindle.desk import Scaffold, create_workspace
from rekindle.ledger import Stops, disconnect, models
from rekindle.runtime import Workspace
from rekindle.worker import examining
from rekindle.worker.examining import find_causes
from rekindle.worker.keeping.alerts import AlertKeeper, keeper
from tests.runtime.shops import NOW, add_section
from tests.servers.recording import Answer, Fault, RecordingServer

MINUTES = timedelta(minutes=6)
KEY = "a-key-nobody-may-see"
FAILED = "outlet:email_folder"


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as server:
        yield server


@pytest.fixture
def space(
    tmp_path: Path, server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Workspace]:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "orders.csv").write_text("order_id\n", encoding="utf-8")
    source = SourceSettings(name="orders", table="orders", path="orders.csv", columns={})
    create_workspace(folder, Scaffold("Shop", "GBP", "Europe/London", (source,)))
    add_section(folder, '[[budgets]]\nchannel = "sms"\nper_month = 0.01\n')
    monkeypatch.setattr(keeper, "WAIT", 20.0)  # on a busy machine apprise is slow to load
    url = server.url.replace("http:", "json:")
    monkeypatch.setenv("REKINDLE_ALERT_URLS", f"{url}/{KEY}")
    space = Workspace.open(folder, clock=MovableClock(NOW))
    yield space
    disconnect(space.ledger)


def stop(space: Workspace) -> None:
    Stops(space.ledger).stop("email_folder", space.clock.now(), "550 5.7.515 not signed")


def look(space: Workspace, keeping: AlertKeeper, **how: object) -> None:
    assert isinstance(space.clock, MovableClock)
    space.clock.move(MINUTES)
    keeping.look(**how)  # type: ignore[arg-type]


def told(server: RecordingServer) -> list[str]:
    return [request.json()["message"] for request in server.requests]


@pytest.mark.long
def test_each_cause_is_told_once_by_whichever_worker_and_that_it_is_over(
    space: Workspace, server: RecordingServer
) -> None:
    one, other = AlertKeeper(space), AlertKeeper(space)
    look(space, one)
    (budget,) = told(server)
    assert "the budget */sms of 2024-09 is spent" in budget
    stop(space)
    for keeping in (one, other, one):
        look(space, keeping)
    assert len(told(server)) == 2
    assert "email_folder sends nothing" in told(server)[1]
    assert "550 5.7.515" in told(server)[1]
    Stops(space.ledger).resume("email_folder", NOW, who="ann")
    stops = Stops(space.ledger)
    stops.ask("email_folder", NOW, worker="w", lease=MINUTES)
    stops.open("email_folder", NOW, worker="w")
    look(space, other)
    look(space, one)
    assert len(told(server)) == 3
    assert told(server)[2].startswith("Over: email_folder")
    stop(space)
    look(space, one)
    assert len(told(server)) == 4


def test_what_nobody_took_is_told_again_and_what_ended_before_that_is_not(
    space: Workspace, server: RecordingServer
) -> None:
    server.answer("/", Answer(500), Answer(500), Answer(200))
    keeping = AlertKeeper(space)
    stop(space)
    look(space, keeping)
    look(space, keeping)  # still claimed
    assert len(told(server)) == 1
    look(space, keeping)
    look(space, keeping)
    look(space, keeping)
    assert len(told(server)) == 3
    assert "email_folder" in told(server)[2]
    look(space, keeping)
    look(space, keeping)
    assert len(told(server)) == 3


def test_a_server_that_hangs_holds_no_pass(
    space: Workspace, server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "WAIT", 0.05)
    server.answer("/", Answer(fault=Fault.HANGS))
    keeping, elapsed = AlertKeeper(space), stopwatch()
    for _ in range(4):
        look(space, keeping)
    assert elapsed() < 3


def test_no_url_is_logged_and_one_that_is_none_stops_nobody(
    space: Workspace,
    server: RecordingServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    server.answer("/", Answer(500))
    look(space, AlertKeeper(space))
    monkeypatch.setenv("REKINDLE_ALERT_URLS", f"nonsense://{KEY}")
    look(space, AlertKeeper(space))
    look(space, AlertKeeper(space))
    assert "1. URL of REKINDLE_ALERT_URLS" in caplog.text
    ours = [one.getMessage() for one in caplog.records if "urllib3" not in one.name]
    assert KEY not in "".join(ours)


def test_passes_that_fail_are_told_after_some_and_that_one_was_made(
    space: Workspace, server: RecordingServer
) -> None:
    keeping = AlertKeeper(space)
    for failed in range(1, 6):
        look(space, keeping, failed=failed, error="the lake is away")
    assert sum("the lake is away" in words for words in told(server)) == 1
    look(space, keeping)
    assert told(server)[-1].startswith("Over: 3 passes of the worker failed in a row")


def test_what_happened_once_is_told_once(space: Workspace, server: RecordingServer) -> None:
    keeping = AlertKeeper(space)
    keeping.note("hygiene", "hygiene: archive 7")
    look(space, keeping)
    look(space, keeping)
    assert "\n".join(told(server)).count("archive 7") == 1


def test_a_journey_that_paused_itself_is_told_and_one_paused_by_hand_is_not(
    space: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examining, "paused_journeys", lambda alias: ["by-hand", "by-itself"])
    space.audit_log.write("ann", "paused", "by-hand", {}, NOW)
    space.audit_log.write("rekindle", "paused", "by-itself", {"what": "bounces"}, NOW)
    found = find_causes(space)
    assert "by-itself paused itself" in found["journey:by-itself"]
    assert "journey:by-hand" not in found


def test_without_urls_nothing_is_looked_at(
    space: Workspace, server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REKINDLE_ALERT_URLS")
    look(space, AlertKeeper(space))
    assert not server.requests


@pytest.mark.parametrize(("status", "code"), [(200, 0), (500, 1)])
def test_the_command_says_whether_it_arrived(
    space: Workspace,
    server: RecordingServer,
    capsys: pytest.CaptureFixture[str],
    status: int,
    code: int,
) -> None:
    server.answer("/", Answer(status))
    with pytest.raises(SystemExit) as end:
        main(["alerts", "test", "-C", str(space.directory)])
    assert (end.value.code or 0) == code
    assert "Alerts of Rekindle arrive here." in told(server)[0]
    assert KEY not in "".join(capsys.readouterr())


def test_a_live_journey_that_lets_nobody_in_is_told_of_the_next_day_and_when_it_is_over(
    space: Workspace, server: RecordingServer
) -> None:
    week, day = timedelta(days=7), timedelta(days=1)
    keeping, alias = AlertKeeper(space), space.ledger
    look(space, keeping)
    models.Journey.objects.using(alias).create(
        name="lapsed", state="running", changed_at=NOW - week, opened_at=NOW - week
    )
    look(space, keeping)
    assert len(told(server)) == 1  # it is looked at once a day
    assert isinstance(space.clock, MovableClock)
    space.clock.move(day)
    look(space, keeping)
    assert "lapsed is live, but has let nobody in since it began, 8 days ago" in told(server)[1]
    models.Person.objects.using(alias).create(id="ann")
    models.Enrolment.objects.using(alias).create(
        person_id="ann",
        journey="lapsed",
        version=1,
        rotation=0,
        arm="treatment",
        entered_at=space.clock.now(),
    )
    space.clock.move(day)
    look(space, keeping)
    assert told(server)[2].startswith("Over: lapsed is live")
