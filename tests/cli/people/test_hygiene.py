"""Hygiene says what it would do, does it, by hand and by itself once a day, and is taken back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from rekindle.journeys import Signal
from rekindle.vocabulary import SignalKind
from rekindle.worker import announce_expiring, apply_hygiene, find_hygiene
from tests.cli.commands import rekindle
from tests.runtime.shops import Team, close_ledgers

DAY = timedelta(days=1)
SETTINGS = """
[hygiene]
unanswered = 1
over = "2 days"
archive_after = "700 days"
"""


@pytest.fixture
def folder(begun_shop: Path, tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "begun"
    Team.copy(begun_shop, folder)
    settings = folder / "rekindle.toml"
    text = settings.read_text(encoding="utf-8").replace("soft_opt_in = false", "soft_opt_in = true")
    text = text.replace("[consent]", '[consent]\nask_before = "60 days"', 1)
    settings.write_text(text + SETTINGS, encoding="utf-8")
    yield folder
    close_ledgers()


@pytest.mark.long
def test_the_command_says_first_and_does_it_when_told(folder: Path) -> None:
    told = rekindle("hygiene", "-C", folder, "--json")
    assert told.code == 0, told.err
    silent = told.document["leave_alone"]
    assert silent
    assert (told.document["applied"], rekindle("hygiene", "-C", folder).code) == (False, 0)
    person = silent[0]["customer"]
    proof = rekindle("consent", "proof", person, "-C", folder, "--json").document
    assert proof["suppressions"] == []
    assert rekindle("hygiene", "-C", folder, "--apply", "--by", "ann").code == 0
    proof = rekindle("consent", "proof", person, "-C", folder, "--json").document
    assert "no_response" in [one["reason"] for one in proof["suppressions"]]
    assert ("ann", "left alone") in [(one["who"], one["action"]) for one in proof["log"]]
    again = rekindle("hygiene", "-C", folder, "--json").document
    assert again["counts"]["leave_alone"] == again["counts"]["archive"] == 0


@pytest.mark.long
def test_the_worker_does_it_once_a_day_and_a_click_takes_it_back(folder: Path) -> None:
    settings = folder / "rekindle.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("[hygiene]", "[hygiene]\ndaily = true"), encoding="utf-8")
    team = Team.at_work(folder)
    space = team.workspace
    sent = {one.person for one in find_hygiene(space, team.clock.now() + 3 * DAY).leave_alone}
    assert sent
    team.clock.move(3 * DAY)
    team.tick()
    runs = [one for one in space.audit_log.entries("hygiene") if one.who == "worker"]
    assert len(runs) == 1
    team.tick()
    assert len(space.audit_log.entries("hygiene")) == 1
    person = sorted(sent)[0]
    assert [one.reason for one in space.history.suppressions_of(person)] == ["no_response"]
    now = team.clock.now()
    space.book.record([Signal(person, SignalKind.CLICK, now, "click")], now)
    assert space.history.suppressions_of(person) == []
    assert person not in {one.person for one in find_hygiene(space, now).leave_alone}


@pytest.mark.long
def test_whose_permission_runs_out_is_announced_once(folder: Path) -> None:
    team = Team.at_work(folder)
    space = team.workspace
    team.clock.move(200 * DAY)
    while not (count := announce_expiring(space, team.clock.now())):
        team.clock.move(30 * DAY)
    found = set(space.history.people_who_did(
        ["consent_expiring"], since=team.clock.now(), until=team.clock.now()
    ))  # fmt: skip
    assert len(found) == count
    assert announce_expiring(space, team.clock.now()) == 0  # once a day
    team.clock.move(DAY)
    announce_expiring(space, team.clock.now())
    for person in found:
        events = [one.event for one in space.history.signals_of(person)]
        assert events.count("consent_expiring") == 1


def test_who_bought_since_is_written_to_again(folder: Path) -> None:
    team = Team.at_work(folder)
    space, at = team.workspace, team.clock.now() + 3 * DAY
    found = find_hygiene(space, at)
    early = at - 400 * DAY
    apply_hygiene(space, found, early, who="ann")
    again = find_hygiene(space, at)
    assert set(again.returned) <= {one.person for one in found.leave_alone} | set(found.archive)
    apply_hygiene(space, again, at, who="ann")
    assert all(
        "no_response" not in [one.reason for one in space.history.suppressions_of(who)]
        or who in {one.person for one in again.leave_alone}
        for who in again.returned
    )
