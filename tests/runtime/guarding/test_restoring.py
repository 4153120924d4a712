"""A ledger restored from a backup is behind the world, and does no harm by it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from rekindle.clock import MovableClock
from rekindle.errors import WorkError
from rekindle.runtime import Workspace
from rekindle.testing.smtp_sink import SmtpSink, running_sink
from rekindle.vocabulary import Reason
from rekindle.worker import accept_restored
from rekindle.worker.marking import FILE
from tests.runtime.guarding.vault import Vault, vault_of
from tests.runtime.shops import DAY, NOW, Team, add_section, set_key


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    """Run a mail server that counts."""
    with running_sink() as sink:
        yield sink


@pytest.fixture(params=["sqlite", "postgres"])
def vault(
    request: pytest.FixtureRequest, imported_shop: Path, tmp_path: Path, sink: SmtpSink
) -> Iterator[Vault]:
    """Yield the vault of a shop that sends through the sink; its journey is not started."""
    folder = tmp_path / "shop"
    Team.copy(imported_shop, folder)
    set_key(folder, "outlet", '"email_smtp"')
    add_section(
        folder, f'[email.smtp]\nhost = "127.0.0.1"\nport = {sink.port}\nsecurity = "none"\n'
    )
    with vault_of(folder, request) as vault:
        yield vault


def begin(vault: Vault, *others: str) -> Team:
    """Start the journey and back the ledger up after its first pass, before that of others."""
    team = Team.at_work(vault.folder)
    team.start("calm")
    team.tick()
    for journey in others:
        team.start(journey)
    team.leave()
    vault.back_up()
    return Team.at_work(vault.folder)


def import_in_its_own_time(folder: Path) -> None:
    """Import the files on the clock of the test, as no import is ahead of a pass."""
    shutil.rmtree(folder / "state" / "lake")
    space = Workspace.open(folder, clock=MovableClock(NOW - DAY))
    space.import_facts()
    space.forget_facts()


def live_a_week(team: Team) -> None:
    for days in (1, 3, 1, 2):
        team.tick(after=days * DAY)


def restored(team: Team, vault: Vault) -> Team:
    """Return the team at work with the ledger as it was when it was backed up."""
    team.leave()
    vault.restore()
    return Team.at_work(vault.folder, team.clock.now() + timedelta(hours=1))


@pytest.mark.long
def test_an_older_ledger_sends_nothing_and_once_accepted_nothing_twice(
    vault: Vault, sink: SmtpSink
) -> None:
    team = begin(vault, "few")
    live_a_week(team)
    sent = sink.tally().taken.total()
    team = restored(team, vault)
    with pytest.raises(WorkError, match=r"ends at 2024-09-02 .* lacks .* touches"):
        team.tick()
    accepted = accept_restored(team.workspace, who="ann")
    assert accepted is not None
    assert (accepted.ended > 50, accepted.entered > 10) == (True, True)
    assert sink.tally().taken.total() == sent
    for days in (1, 4, 5):
        team.tick(after=days * DAY)
    tally = sink.tally()
    assert tally.repeated == {}
    assert tally.taken.total() > sent  # whoever begins to match from now on
    team.leave()


@pytest.mark.long
def test_without_the_mark_what_is_overdue_too_long_is_stale(vault: Vault, sink: SmtpSink) -> None:
    team = begin(vault)
    live_a_week(team)
    (vault.folder / FILE).unlink()
    team = restored(team, vault)
    due = [one.person for one in team.enrolments("calm") if one.due_at == NOW + 4 * DAY]
    team.tick(after=DAY)
    again = [one for p in due for one in team.workspace.history.messages_of_person(p)]
    assert {one.step for one in again} == {"check-in"}
    assert sum(Reason.STALE in team.reasons(person) for person in due) > 20
    team.leave()


@pytest.mark.parametrize("vault", ["sqlite"], indirect=True)
def test_a_copy_that_lacks_nothing_goes_on_as_if_nothing_had_happened(vault: Vault) -> None:
    import_in_its_own_time(vault.folder)
    team = begin(vault)
    team.tick(after=timedelta(minutes=1))  # finds nothing to do
    team = restored(team, vault)
    assert accept_restored(team.workspace, who="ann") is None
    team.tick(after=4 * DAY)
    steps = {one.step for one in team.workspace.history.messages_of("calm")}
    assert steps == {"check-in", "new-arrivals"}
    team.leave()


@pytest.mark.long
def test_what_was_paused_stays_paused_when_a_ledger_is_accepted(begun: Team) -> None:
    vault = Vault(begun.folder)
    begun.workspace.book.pause("calm", NOW)
    begun.leave()
    vault.back_up()
    begun = Team.at_work(begun.folder)
    begun.workspace.book.resume("calm", NOW, over_seconds=0)
    begun.tick(after=5 * DAY)
    begun = restored(begun, vault)
    accept_restored(begun.workspace, who="ann")
    assert [one.state.value for one in begun.workspace.history.journeys().values()] == ["paused"]
    begun.leave()


@pytest.mark.long
def test_a_mark_nobody_can_read_stops_the_worker(begun: Team) -> None:
    (begun.folder / FILE).write_text("{", encoding="utf-8")
    with pytest.raises(WorkError, match="remove the file if you are sure"):
        begun.tick()
