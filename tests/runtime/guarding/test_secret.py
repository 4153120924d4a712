"""The ledger knows its secret: with another one, or none, nothing is sent, signed or hashed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from rekindle.desk import erase_person
from rekindle.errors import ConfigError
from rekindle.journeys import Person, Signal
from rekindle.ledger import let_go, models
from rekindle.ledger.guards import sealing
from rekindle.ledger.guards.models import Seal
from rekindle.ledger.guards.secret import FILE
from rekindle.runtime import Workspace
from rekindle.vocabulary import SignalKind
from rekindle.worker import Worker, accept_secret
from tests.runtime.guarding.vault import Vault, vault_of
from tests.runtime.shops import Team, close_ledgers


@pytest.fixture(params=["sqlite", "postgres"])
def vault(request: pytest.FixtureRequest, imported_shop: Path, tmp_path: Path) -> Iterator[Vault]:
    """Yield the vault of a shop whose journey wrote its first messages."""
    folder = tmp_path / "shop"
    Team.copy(imported_shop, folder)
    with vault_of(folder, request) as vault:
        yield vault


@pytest.fixture
def team(vault: Vault) -> Iterator[Team]:
    """Yield a team that has opened its ledger anew after a first pass."""
    team = Team.at_work(vault.folder)
    team.start("calm")
    team.tick()
    team = opened(team)
    yield team
    team.leave()


def opened(team: Team) -> Team:
    """Return the team in a new process, as far as a secret is concerned."""
    team.leave()
    return Team.at_work(team.folder, team.clock.now())


def lose(folder: Path) -> None:
    (folder / FILE).unlink()


def empty(folder: Path) -> None:
    (folder / FILE).write_text("\n", encoding="utf-8")


def garble(folder: Path) -> None:
    (folder / FILE).write_bytes(b"\xff\xfe\x00")


def change(folder: Path) -> None:
    (folder / FILE).write_text("another one", encoding="utf-8")


@pytest.mark.long
@pytest.mark.draws(2)
@pytest.mark.parametrize("harm", [lose, empty, garble, change])
def test_nothing_is_decided_or_sent(team: Team, harm: object) -> None:
    assert callable(harm)
    harm(team.folder)
    before = len(team.mails())
    with pytest.raises(ConfigError, match="Nothing is sent, signed or hashed"):
        team.tick()
    with pytest.raises(ConfigError, match="Nothing is sent, signed or hashed"):
        _ = team.workspace.secret
    assert len(team.mails()) == before
    assert (team.folder / FILE).exists() is (harm is not lose)  # and none is made in its place


@pytest.mark.long
@pytest.mark.draws(2)
@pytest.mark.parametrize("value", ["", " ", "another one"])
def test_the_environment_is_held_to_it_as_well(
    team: Team, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REKINDLE_SECRET", value)
    with pytest.raises(ConfigError, match="Nothing is sent, signed or hashed"):
        team.tick()


@pytest.mark.long
def test_a_secret_that_lies_in_another_file_is_the_same(
    team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lies = tmp_path / "elsewhere"
    (team.folder / FILE).rename(lies)
    monkeypatch.setenv("REKINDLE_SECRET_FILE", str(lies))
    team.tick()
    lies.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="no UTF-8 text"):
        _ = Workspace.open(team.folder).secret


@pytest.mark.long
def test_a_ledger_of_an_earlier_release_takes_the_secret_its_cards_show(team: Team) -> None:
    forget_seal(team)
    team = opened(team)
    team.tick()
    team = opened(team)
    change(team.folder)
    with pytest.raises(ConfigError, match="another secret"):
        team.tick()


@pytest.mark.long
def test_a_ledger_of_an_earlier_release_takes_no_secret_that_its_cards_deny(team: Team) -> None:
    forget_seal(team)
    change(team.folder)
    team = opened(team)
    with pytest.raises(ConfigError, match="not made with the present secret"):
        team.tick()


@pytest.mark.long
def test_another_secret_is_accepted_and_keeps_what_it_can(team: Team) -> None:
    at = team.clock.now()
    left, erased = (one.person for one in team.enrolments("calm")[:2])
    for person in (left, erased):
        team.workspace.book.record([Signal(person, SignalKind.OPT_OUT, at, person)], at)
    erase_person(team.workspace, erased, who="ann")
    card = team.workspace.history.person(left)
    assert card is not None
    team = opened(team)
    lose(team.folder)
    cost = accept_secret(team.workspace, who="ann")
    assert cost is not None
    assert (cost.cards > 200, cost.carried, cost.lost) == (True, 1, 1)
    assert accept_secret(team.workspace, who="ann") is None
    team.workspace.book.save_people([Person("new", card.address)])
    team.tick()
    assert [one.reason for one in team.workspace.history.suppressions_of("new")] == ["opt_out"]
    assert team.workspace.audit_log.entries("ledger")[0].action == "accepted another secret"


def test_two_that_begin_at_once_agree_on_one_secret(vault: Vault) -> None:
    (vault.folder / FILE).unlink()
    found: set[bytes] = set()

    def begin() -> None:
        space = Workspace.open(vault.folder)
        found.add(space.secret)
        let_go(space.ledger)

    threads = [threading.Thread(target=begin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 1
    close_ledgers()


@pytest.mark.long
def test_a_seal_that_another_process_sets_between_two_looks_counts(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, secret, at = team.workspace.ledger, team.workspace.secret, team.clock.now()
    known = list(Seal.objects.using(ledger).all())
    forget_seal(team)
    models.Person.objects.using(ledger).update(address=None)  # no card can show the secret
    is_keyed = sealing.is_keyed

    def late(alias: str) -> bool:
        Seal.objects.using(alias).bulk_create(known, ignore_conflicts=True)
        return is_keyed(alias)

    monkeypatch.setattr(sealing, "is_keyed", late)
    sealing.require_seal(ledger, secret, at)
    forget_seal(team)
    with pytest.raises(ConfigError, match="another secret"):
        sealing.require_seal(ledger, b"another one", at)


@pytest.mark.long
def test_a_worker_ends_and_does_not_try_again(team: Team) -> None:
    change(team.folder)
    with pytest.raises(ConfigError):
        Worker(team.workspace).run(every_seconds=60, is_stopping=lambda: False)


def forget_seal(team: Team) -> None:
    Seal.objects.using(team.workspace.ledger).all().delete()
