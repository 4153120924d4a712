"""What comes in over HTTP is not kept by a ledger that is an older copy of itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rekindle.consent import sign_unsubscribe
from rekindle.errors import WorkError
from rekindle.intake import read_event
from rekindle.web.portal import build_portal
from rekindle.worker import LedgerIntake, accept_restored
from rekindle.worker.marking import Watermark
from tests.runtime.guarding.vault import Vault, vault_of
from tests.runtime.shops import DAY, Team
from tests.web.portal.visitor import Visitor


@pytest.fixture(params=["sqlite", "postgres"])
def vault(request: pytest.FixtureRequest, imported_shop: Path, tmp_path: Path) -> Iterator[Vault]:
    """Yield the vault of a shop; no journey was started."""
    folder = tmp_path / "shop"
    Team.copy(imported_shop, folder)
    with vault_of(folder, request) as vault:
        yield vault


@pytest.fixture
def team(vault: Vault) -> Iterator[Team]:
    """Yield a team whose ledger was put back from a backup."""
    team = Team.at_work(vault.folder)
    team.start("calm")
    team.tick()
    team.leave()
    vault.back_up()
    team = Team.at_work(vault.folder, team.clock.now() + DAY)
    team.tick(after=4 * DAY)
    team.leave()
    vault.restore()
    team = Team.at_work(vault.folder, team.clock.now())
    yield team
    team.leave()


@pytest.mark.long
def test_nothing_is_kept_before_somebody_accepts(team: Team) -> None:
    call = {"type": "track", "userId": "c001", "event": "Unsubscribed", "messageId": "m1"}
    now = team.clock.now()
    event = read_event(call, received_at=now)
    person = team.someone("calm")
    token = sign_unsubscribe(team.workspace.secret, person, "winback.example.com")
    intake, portal = LedgerIntake(team.workspace), Visitor(build_portal(team.workspace))
    for _ in range(2):
        with pytest.raises(WorkError, match="older"):
            intake.take("web", [event], now)
        assert portal.ask("POST", f"/u/{token}").status == 503
        assert portal.ask("GET", "/healthz").status == 503
    assert portal.ask("GET", f"/u/{token}").status == 200
    assert team.workspace.history.suppressions_of(person) == []
    accept_restored(team.workspace, who="ann")
    assert intake.take("web", [event], now) == frozenset()
    assert portal.ask("POST", f"/u/{token}").status == 200
    assert portal.ask("GET", "/healthz").status == 200
    assert team.workspace.history.suppressions_of(person) != []


def test_an_opt_out_of_the_page_is_known_outside_the_ledger_at_once(vault: Vault) -> None:
    team = Team.at_work(vault.folder)
    team.start("calm")
    team.tick()
    team.leave()
    vault.back_up()
    team = Team.at_work(vault.folder, team.clock.now() + DAY)
    person = team.someone("calm")
    token = sign_unsubscribe(team.workspace.secret, person, "winback.example.com")
    assert Visitor(build_portal(team.workspace)).ask("POST", f"/u/{token}").status == 200
    team.leave()
    vault.restore()
    team = Team.at_work(vault.folder, team.clock.now())
    gap = Watermark(team.workspace).find_gap()
    assert gap is not None
    assert "suppressed" in {one.kind for one in gap.refusals}
    team.leave()
