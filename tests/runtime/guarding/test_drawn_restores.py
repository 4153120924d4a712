"""Drawn weeks in which the ledger is put back from a backup at any time.

Nothing leaves before somebody accepts; afterwards no step reaches anybody twice, and what
people and the team refused in the lost weeks holds. ``RESTORES=20`` draws more weeks.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from rekindle.consent import Exclusion
from rekindle.desk import (
    erase_person,
    exclude_person,
    pause_journey,
    resume_journey,
    stop_journey,
)
from rekindle.errors import WorkError
from rekindle.journeys import Signal
from rekindle.testing.smtp_sink import SmtpSink, running_sink
from rekindle.vocabulary import SignalKind
from rekindle.worker import accept_restored
from rekindle.worker.marking import Watermark
from tests.runtime.guarding.vault import Vault, vault_of
from tests.runtime.shops import DAY, Team, add_section, set_key

WEEKS = int(os.environ.get("RESTORES", "3"))
HOPS = (timedelta(hours=5), DAY, 2 * DAY, 4 * DAY)
# Afterwards what would be sent again is not stale yet.
SOON = (timedelta(hours=1), timedelta(hours=5), DAY)
# Every third on PostgreSQL, where a copy of a database takes its time.
DRAWN = [("postgres" if seed % 3 == 2 else "sqlite", seed) for seed in range(WEEKS)]


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    """Run a mail server that counts."""
    with running_sink() as sink:
        yield sink


@pytest.fixture
def vault(
    request: pytest.FixtureRequest, imported_shop: Path, tmp_path: Path, sink: SmtpSink
) -> Iterator[Vault]:
    """Yield the vault of a shop that sends through the sink."""
    folder = tmp_path / "shop"
    Team.copy(imported_shop, folder)
    set_key(folder, "outlet", '"email_smtp"')
    smtp = f'[email.smtp]\nhost = "127.0.0.1"\nport = {sink.port}\nsecurity = "none"\n'
    add_section(folder, smtp)
    with vault_of(folder, request) as vault:
        yield vault


class Weeks:
    """Some weeks of one shop, drawn by a seed; remembers what must hold at the end."""

    def __init__(self, vault: Vault, seed: int) -> None:
        self.vault, self.draw = vault, Random(seed)
        self.team = Team.at_work(vault.folder)
        self.team.start("calm")
        self.team.tick()
        self.silent: dict[str, str] = {}  # address or journey → why
        self.addresses = dict[str, str]()
        for one in self.team.enrolments("calm"):
            card = self.team.workspace.history.person(one.person)
            if card is not None and card.address:
                self.addresses[one.person] = card.address

    def live(self, steps: int) -> None:
        """Let time pass, and people and the team do something now and then."""
        deeds: tuple[Callable[[], None], ...] = (
            self.erase,
            self.exclude,
            self.leave,
            self.pause,
            self.more,
            self.idle,
        )
        for _ in range(steps):
            self.draw.choice(deeds)()
            self.team.tick(after=self.draw.choice(HOPS))

    def anyone(self) -> str:
        return self.draw.choice(sorted(self.addresses.keys() - self.silent.keys()))

    def erase(self) -> None:
        person = self.anyone()
        erase_person(self.team.workspace, person, who="ann")
        self.silent[person] = "erased"

    def exclude(self) -> None:
        person = self.anyone()
        exclude_person(self.team.workspace, person, Exclusion.BAD_ACTOR, who="ann")
        self.silent[person] = "excluded"

    def leave(self) -> None:
        person, at = self.anyone(), self.team.clock.now()
        self.team.workspace.book.record([Signal(person, SignalKind.OPT_OUT, at, f"o{at}")], at)
        self.silent[person] = "left"

    def pause(self) -> None:
        space = self.team.workspace
        pause_journey(space, "calm", who="ann")
        if self.draw.random() < 0.7:
            resume_journey(space, "calm", who="ann")

    def more(self) -> None:
        name = self.draw.choice(["few", "everyone"])
        if name not in self.team.workspace.history.journeys():
            self.team.start(name)
            self.team.workspace.audit_log.write("ann", "started", name, {}, self.team.clock.now())
        elif self.draw.random() < 0.3:
            stop_journey(self.team.workspace, name, who="ann")

    def idle(self) -> None:
        """Let nothing happen."""

    def back_up(self) -> None:
        self.team.leave()
        self.vault.back_up()
        self.team = Team.at_work(self.vault.folder, self.team.clock.now())

    def restore(self) -> None:
        self.team.leave()
        self.vault.restore()
        later = self.team.clock.now() + self.draw.choice(SOON)
        self.team = Team.at_work(self.vault.folder, later)


@pytest.mark.draws(1)
@pytest.mark.parametrize(("vault", "seed"), DRAWN, indirect=["vault"])
def test_a_restored_ledger_sends_nothing_first_and_nothing_twice(
    vault: Vault, seed: int, sink: SmtpSink
) -> None:
    weeks = Weeks(vault, seed)
    weeks.live(weeks.draw.randint(0, 3))
    weeks.back_up()
    weeks.live(weeks.draw.randint(2, 5))
    before = sink.tally()
    weeks.restore()
    if gap := Watermark(weeks.team.workspace).find_gap():
        with pytest.raises(WorkError, match="older"):
            weeks.team.tick()
        assert sink.tally().taken == before.taken
        accepted = accept_restored(weeks.team.workspace, who="ann")
        assert accepted is not None
        assert str(accepted.gap) == str(gap)
        assert accepted.said.strangers == 0
    journeys = {n: one.state.value for n, one in weeks.team.workspace.history.journeys().items()}
    for _ in range(3):
        weeks.team.tick(after=weeks.draw.choice(SOON))
    after = sink.tally()
    assert after.repeated == {}
    history = weeks.team.workspace.history
    for person, why in weeks.silent.items():
        card = history.person(person)
        held = {
            "erased": card is not None and card.address is None,
            "excluded": bool(history.exclusions_of(person)),
            "left": bool(history.suppressions_of(person)),
        }
        assert held[why], (person, why)
    for name, state in journeys.items():
        if state != "running":
            assert history.journeys()[name].state.value == state
    weeks.team.leave()
