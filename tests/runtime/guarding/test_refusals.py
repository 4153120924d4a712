"""What people and the team refused is known outside the ledger, and outlives it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from rekindle.consent import ConsentRecord, Exclusion
from rekindle.desk import (
    ListDefaults,
    PreferenceChange,
    change_preferences,
    erase_person,
    exclude_person,
    import_consents,
    include_person,
    join_people,
    pause_journey,
    stop_journey,
)
from rekindle.errors import WorkError
from rekindle.journeys import Signal
from rekindle.ledger import JourneyState, load_mark
from rekindle.vocabulary import Channel, SignalKind
from rekindle.worker import accept_restored
from rekindle.worker.marking import FILE, Watermark
from rekindle.worker.refusals import FILE as REFUSALS
from rekindle.worker.refusals import Refusals
from tests.runtime.guarding.vault import Vault, vault_of
from tests.runtime.shops import DAY, Team

HOUR = timedelta(hours=1)


@pytest.fixture(params=["sqlite", "postgres"])
def vault(request: pytest.FixtureRequest, imported_shop: Path, tmp_path: Path) -> Iterator[Vault]:
    """Yield the vault of a shop; no journey was started."""
    folder = tmp_path / "shop"
    Team.copy(imported_shop, folder)
    with vault_of(folder, request) as vault:
        yield vault


def begin(vault: Vault, *journeys: str) -> Team:
    """Start journeys, make a pass and back the ledger up."""
    team = Team.at_work(vault.folder)
    for journey in journeys:
        team.start(journey)
    team.tick()
    team.leave()
    vault.back_up()
    return Team.at_work(vault.folder, team.clock.now() + HOUR)


def restored(team: Team, vault: Vault) -> Team:
    team.leave()
    vault.restore()
    return Team.at_work(vault.folder, team.clock.now() + HOUR)


def people(team: Team, count: int) -> list[str]:
    return [one.person for one in team.enrolments("calm")[:count]]


@pytest.mark.long
def test_what_adds_no_touch_is_missed_too_and_refused_again(vault: Vault) -> None:
    team = begin(vault, "calm", "few")
    gone, bad, tired, left, said_no = people(team, 5)
    space = team.workspace
    erase_person(space, gone, who="ann")
    exclude_person(space, bad, Exclusion.BAD_ACTOR, who="ann")
    change_preferences(space, tired, PreferenceChange(snooze=90 * DAY, mute=("sales",)), who="ann")
    at = team.clock.now()
    space.book.record([Signal(left, SignalKind.OPT_OUT, at, "left-1")], at)
    space.book.save_consent([ConsentRecord(said_no, Channel("email"), False, at, "api:web")])
    stop_journey(space, "few", who="ann")
    team.tick()
    team = restored(team, vault)
    with pytest.raises(WorkError, match=r"older than what was sent .* entries of the log"):
        team.tick(after=5 * DAY)
    accepted = accept_restored(team.workspace, who="ann")
    assert accepted is not None
    assert accepted.said.counts == {
        "erased": 1,
        "excluded": 1,
        "preferences": 1,
        "suppressed": 2,
        "withdrew": 1 + len(space.capabilities),  # an opt-out of all, and a no to e-mail
    }
    history = team.workspace.history
    card = history.person(gone)
    assert card is not None
    assert card.address is None
    assert [one.kind for one in history.exclusions_of(bad)] == [Exclusion.BAD_ACTOR]
    assert history.preferences_of(tired).muted_topics == {"sales"}
    assert [one.reason for one in history.suppressions_of(left)] == ["opt_out"]
    assert history.journeys()["few"].state is JourneyState.STOPPED
    assert history.journeys()["calm"].state is JourneyState.RUNNING
    team.leave()


@pytest.mark.long
def test_it_is_refused_to_every_id_that_was_one_person_and_by_a_list(vault: Vault) -> None:
    team = begin(vault, "calm")
    left, other, gone, another, listed = people(team, 5)
    space = team.workspace
    for one, two in ((left, other), (gone, another)):
        join_people(space, one, two, because="told us on the phone", who="ann")
    at = team.clock.now()
    space.book.record([Signal(other, SignalKind.OPT_OUT, at, "left-1")], at)
    erase_person(space, another, who="ann")
    path = vault.folder / "no.csv"
    path.write_text(f"customer_id,granted\n{listed},no\n", encoding="utf-8")
    import_consents(space, path, ListDefaults(Channel("email")), who="ann")
    team.tick()
    team = restored(team, vault)
    accepted = accept_restored(team.workspace, who="ann")
    assert accepted is not None
    assert accepted.said.strangers == 0
    history = team.workspace.history
    assert [bool(history.suppressions_of(one)) for one in (left, other)] == [True, True]
    assert [history.is_erased(one) for one in (gone, another)] == [True, True]
    assert not history.consents_of(listed)[-1].granted
    team.leave()


@pytest.mark.long
def test_what_was_taken_back_again_stays_taken_back(vault: Vault) -> None:
    team = begin(vault, "calm")
    (bad,) = people(team, 1)
    exclude_person(team.workspace, bad, Exclusion.POOR_FIT, who="ann")
    include_person(team.workspace, bad, Exclusion.POOR_FIT, who="ann")
    pause_journey(team.workspace, "calm", who="ann")
    team.tick()
    team = restored(team, vault)
    accept_restored(team.workspace, who="ann")
    assert team.workspace.history.exclusions_of(bad) == []
    assert team.workspace.history.journeys()["calm"].state is JourneyState.PAUSED
    team.leave()


@pytest.mark.long
def test_a_journey_that_began_since_is_named(vault: Vault) -> None:
    team = begin(vault, "calm")
    team.start("few")
    team.workspace.audit_log.write("ann", "started", "few", {}, team.clock.now())
    team.tick()
    team = restored(team, vault)
    accepted = accept_restored(team.workspace, who="ann")
    assert accepted is not None
    assert accepted.said.missing == ["few"]
    team.leave()


@pytest.mark.long
def test_a_ledger_that_is_behind_does_not_move_the_mark(vault: Vault) -> None:
    team = begin(vault, "calm")
    exclude_person(team.workspace, "c001", Exclusion.POOR_FIT, who="ann")
    team.tick()
    before = (vault.folder / FILE).read_text(encoding="utf-8")
    team = restored(team, vault)
    team.start("everyone")
    Watermark(team.workspace).note(is_forced=True)
    assert (vault.folder / FILE).read_text(encoding="utf-8") == before
    with pytest.raises(WorkError, match="older"):
        team.tick()
    team.leave()


@pytest.mark.long
def test_a_copy_that_went_on_by_itself_is_another_ledger(vault: Vault) -> None:
    team = begin(vault, "calm")
    team.tick(after=5 * DAY)
    mark = json.loads((vault.folder / FILE).read_text(encoding="utf-8"))
    kept = (vault.folder / FILE).read_bytes()
    team.leave()
    vault.restore()
    (vault.folder / FILE).unlink()  # as on a machine that has none
    team = Team.at_work(vault.folder, team.clock.now())
    entry = load_mark(team.workspace.ledger, mark["id"])
    assert entry is not None
    earlier = {**mark, "number": entry.number, "token": entry.token, "extent": {}}
    (vault.folder / FILE).write_text(json.dumps(earlier), encoding="utf-8")
    for _ in range(mark["number"] - entry.number):
        Watermark(team.workspace).note(is_forced=True)
    (vault.folder / FILE).write_bytes(kept)
    with pytest.raises(WorkError, match="older"):
        Watermark(team.workspace).require_newest()
    team.leave()


@pytest.mark.parametrize("vault", ["sqlite"], indirect=True)
def test_people_stand_in_the_file_as_hashes_and_no_typed_word_does(vault: Vault) -> None:
    team = begin(vault, "calm")
    (bad,) = people(team, 1)
    exclude_person(team.workspace, bad, Exclusion.POOR_FIT, who="ann")
    stop_journey(team.workspace, "calm", who="ann", why="Ada asked for it")
    team.tick()
    text = (vault.folder / REFUSALS).read_text(encoding="utf-8")
    assert '"excluded"' in text
    assert '"stopped"' in text
    assert bad not in text
    assert "Ada" not in text
    team.leave()


@pytest.mark.long
@pytest.mark.parametrize("vault", ["sqlite"], indirect=True)
def test_a_mark_of_an_earlier_release_still_tells_an_older_copy(vault: Vault) -> None:
    team = begin(vault, "calm")
    team.tick(after=5 * DAY)
    path = vault.folder / FILE
    mark = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({"at": mark["at"], "extent": mark["extent"]}), encoding="utf-8")
    team = restored(team, vault)
    with pytest.raises(WorkError, match=r"lacks .* touches"):
        team.tick()
    assert accept_restored(team.workspace, who="ann") is not None
    team.tick()
    assert json.loads(path.read_text(encoding="utf-8"))["id"]
    team.leave()


@pytest.mark.long
@pytest.mark.parametrize("vault", ["sqlite"], indirect=True)
def test_what_a_full_disk_did_not_take_is_written_the_next_time(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = begin(vault)
    append, full = Refusals._append, [True]

    def write(self: Refusals, lines: Iterable[str]) -> None:
        if full.pop():
            raise OSError(28, "No space left on device")
        append(self, lines)

    monkeypatch.setattr(Refusals, "_append", write)
    stop = Signal("c001", SignalKind.OPT_OUT, team.clock.now(), "no", channel=Channel("email"))
    team.workspace.book.record([stop], team.clock.now())
    mark = Watermark(team.workspace)
    with pytest.raises(OSError, match="No space"):
        mark.note(is_forced=True)
    full += [False] * 9
    mark.note(is_forced=True)
    team.leave()
    assert "opt_out" in (vault.folder / REFUSALS).read_text(encoding="utf-8")


def test_half_a_line_is_what_a_killed_process_left(vault: Vault) -> None:
    team = begin(vault, "calm")
    exclude_person(team.workspace, people(team, 1)[0], Exclusion.POOR_FIT, who="ann")
    team.tick()
    with (vault.folder / REFUSALS).open("a", encoding="utf-8") as file:
        file.write('{"number": 3, "kind": "era')
    exclude_person(team.workspace, people(team, 2)[1], Exclusion.BAD_ACTOR, who="ann")
    team.tick()
    team = restored(team, vault)
    accepted = accept_restored(team.workspace, who="ann")
    assert accepted is not None
    assert accepted.said.counts == {"excluded": 2}
    team.leave()
